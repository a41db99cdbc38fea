// The yamux connection over an in-memory channel: streams, back-pressure, cancellation, deadlines, ends.
#include "support/memory_channel.hpp"

#include <gigi/core/task_group.hpp>
#include <gigi/core/timeout.hpp>
#include <gigi/mux/yamux.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <random>

using namespace gigi;
using namespace gigi_test;

namespace {

static_assert(Muxer<yamux<memory_channel>, memory_channel>);

/// Two connected sessions that run; `finish()` waits for both ends.
struct pair {
    explicit pair(any_io_executor const &executor, yamux_options const &options = {}, std::size_t max_read = 0)
        : link{executor}, tasks{executor} {
        link.forth->max_read = link.back->max_read = max_read;
        a = std::make_unique<yamux<memory_channel>>(executor, link.dialler(), true, options);
        b = std::make_unique<yamux<memory_channel>>(executor, link.listener(), false, options);
        tasks.spawn(watch(*a, a_code));
        tasks.spawn(watch(*b, b_code));
    }
    static awaitable<void> watch(muxed_connection &m, std::error_code &code) {
        try {
            co_await m.run();
        } catch (std::system_error const &e) {
            code = e.code();
        }
    }
    awaitable<void> finish() {
        co_await a->close();
        co_await tasks.join();
    }
    stream open() { return stream{a->open_stream(), peer_id{}}; }
    awaitable<stream> accept() {
        auto core = co_await b->accept_stream();
        co_return stream{std::move(core), peer_id{}};
    }

    memory_link link;
    task_group tasks;
    std::unique_ptr<yamux<memory_channel>> a, b;
    std::error_code a_code, b_code;
};

/// Runs a test's coroutine to its end, and all that it started.
void run(std::function<awaitable<void>(any_io_executor)> test) {
    asio::io_context io;
    bool finished = false;
    std::exception_ptr failure;
    asio::co_spawn(io, test(io.get_executor()), [&](std::exception_ptr e) {
        failure = std::move(e);
        finished = true;
    });
    io.run_for(20s);
    if (failure) std::rethrow_exception(failure);
    REQUIRE(finished);
}

bytes pattern(std::size_t n, std::uint32_t seed) {
    std::minstd_rand random{seed + 1};
    bytes out(n);
    for (auto &b : out) b = static_cast<std::uint8_t>(random() >> 8);
    return out;
}

awaitable<bytes> read_all(stream &s) {
    bytes all;
    bytes buffer(100'000);
    for (;;) {
        std::size_t const n = co_await s.read_some(buffer);
        if (n == 0) break;
        append(all, bytes_view{buffer}.first(n));
    }
    co_return all;
}

awaitable<void> echo(stream s) {
    bytes buffer(64 * 1024);
    for (;;) {
        std::size_t const n = co_await s.read_some(buffer);
        if (n == 0) break;
        bytes_view const got = bytes_view{buffer}.first(n);
        co_await s.write(got);
    }
    s.close_write();
}

awaitable<void> echo_server(muxed_connection &m, task_group &handlers) {
    for (;;) {
        std::shared_ptr<stream_core> core;
        try {
            core = co_await m.accept_stream();
        } catch (std::system_error const &) {
            co_return;
        }
        handlers.spawn(echo(stream{std::move(core), peer_id{}}));
    }
}

awaitable<void> send_all(stream &s, bytes_view data) {
    co_await s.write(data);
    s.close_write();
}

awaitable<void> round_trip(muxed_connection &m, bytes data) {
    stream s{m.open_stream(), peer_id{}};
    auto const executor = co_await asio::this_coro::executor;
    task_group sender{executor};
    sender.spawn(send_all(s, data));
    bytes const back = co_await read_all(s);
    co_await sender.join();
    CHECK(back == data);
}

} // namespace

TEST_CASE("yamux: a request and its response") {
    run([](any_io_executor executor) -> awaitable<void> {
        pair p{executor};
        task_group handlers{executor};
        p.tasks.spawn(echo_server(*p.b, handlers));
        bytes data = pattern(64, 1);
        co_await round_trip(*p.a, data);
        CHECK(p.a->stream_count() == 0);
        co_await p.finish();
        co_await handlers.join();
        CHECK(error_name(p.a_code) == "ok");
        CHECK(error_name(p.b_code) == "ok");
        CHECK(p.b->stream_count() == 0);
    });
}
