// yamux over a channel in memory, one thread: the throughput of a bulk stream, and the cost of a request and its response.
// Build with -O2; arguments: nothing, or "bulk" or "requests" for one of them (for profilers).
#include "support/memory_channel.hpp"

#include <gigi/core/task_group.hpp>
#include <gigi/mux/yamux.hpp>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string_view>

using namespace gigi;
using namespace gigi_test;

namespace {

using clock_type = std::chrono::steady_clock;

double seconds_since(clock_type::time_point begin) { return std::chrono::duration<double>(clock_type::now() - begin).count(); }

awaitable<void> run(muxed_connection &m) {
    try {
        co_await m.run();
    } catch (std::system_error const &e) {
        std::printf("run: %s\n", e.what());
    }
}

awaitable<void> send_bulk(muxed_connection &m, std::size_t total, std::size_t block) {
    stream s{m.open_stream(), peer_id{}};
    bytes const data(block, 0x5a);
    for (std::size_t sent = 0; sent < total; sent += block) co_await s.write(data);
    s.close_write();
    bytes buffer(1);
    co_await s.read_some(buffer);
}

awaitable<void> bulk(muxed_connection &a, muxed_connection &b, std::size_t block) {
    auto const executor = co_await asio::this_coro::executor;
    std::size_t const total = std::size_t{4} << 30;
    task_group sender{executor};
    auto const begin = clock_type::now();
    sender.spawn(send_bulk(a, total, block));
    auto core = co_await b.accept_stream();
    stream s{std::move(core), peer_id{}};
    bytes buffer(256 * 1024);
    std::size_t received = 0;
    for (;;) {
        std::size_t const n = co_await s.read_some(buffer);
        if (n == 0) break;
        received += n;
    }
    double const seconds = seconds_since(begin);
    s.close_write();
    co_await sender.join();
    std::printf("bulk, writes of %4zu KiB: %8.0f MiB/s\n", block / 1024, static_cast<double>(received) / seconds / (1 << 20));
}

awaitable<void> serve(muxed_connection &m) {
    for (;;) {
        std::shared_ptr<stream_core> core;
        try {
            core = co_await m.accept_stream();
        } catch (std::system_error const &) {
            co_return;
        }
        stream s{std::move(core), peer_id{}};
        std::uint8_t raw[64];
        mutable_bytes const buffer{raw};
        for (;;) {
            std::size_t const n = co_await s.read_some(buffer);
            if (n == 0) break;
            bytes_view const got = buffer.first(n);
            co_await s.write(got);
        }
        s.close_write();
    }
}

awaitable<void> requests(muxed_connection &a) {
    auto const executor = co_await asio::this_coro::executor;
    constexpr int n = 300'000;
    auto const begin = clock_type::now();
    std::uint8_t raw[64] = {};
    mutable_bytes const buffer{raw};
    for (int i = 0; i < n; ++i) {
        stream s{a.open_stream(), peer_id{}};
        s.expires_after(executor, 10s);
        co_await s.write(buffer);
        s.close_write();
        while (co_await s.read_some(buffer) > 0) {}
    }
    std::printf("open + 64 B echo + close:  %8.0f ns\n", seconds_since(begin) / n * 1e9);
    stream s{a.open_stream(), peer_id{}};
    auto const again = clock_type::now();
    for (int i = 0; i < n; ++i) {
        co_await s.write(buffer);
        co_await s.read_some(buffer);
    }
    std::printf("64 B round trip:           %8.0f ns\n", seconds_since(again) / n * 1e9);
    s.close_write();
}

awaitable<void> bench(std::string_view what) {
    auto const executor = co_await asio::this_coro::executor;
    memory_link link{executor};
    yamux<memory_channel> a{executor, link.dialler(), true};
    yamux<memory_channel> b{executor, link.listener(), false};
    task_group tasks{executor};
    tasks.spawn(run(a));
    tasks.spawn(run(b));
    if (what != "requests")
        for (std::size_t const kib : {1, 16, 64, 256, 1024}) co_await bulk(a, b, kib * 1024);
    if (what != "bulk") {
        tasks.spawn(serve(b));
        co_await requests(a);
    }
    co_await a.close();
    co_await tasks.join();
}

} // namespace

int main(int argc, char **argv) {
    asio::io_context io{1};
    std::exception_ptr failure;
    asio::co_spawn(io, bench(argc > 1 ? argv[1] : ""), [&failure](std::exception_ptr e) { failure = std::move(e); });
    io.run();
    if (failure) std::rethrow_exception(failure);
    std::printf("sizeof: stream %zu, connection %zu\n", sizeof(yamux_stream), sizeof(yamux<memory_channel>));
}
