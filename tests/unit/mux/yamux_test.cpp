// The yamux connection over an in-memory channel: streams, back-pressure, cancellation, deadlines, ends.
#include "support/memory_channel.hpp"

#include <gigi/core/task_group.hpp>
#include <gigi/core/timeout.hpp>
#include <gigi/mux/yamux.hpp>
#include <gigi/mux/yamux_connection.hpp>
#include <gigi/mux/yamux_options.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <memory>
#include <ostream>
#include <random>

namespace yamux_test {

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

/// Time that passes only when nothing else is to be done.
struct idle_time final : time_source {
    time_point now() const override { return now_; }
    wall_time wall_now() const override { return {}; }
    ticket at(time_point when, std::function<void()> callback) override {
        calls_.emplace(std::pair{when, ++last_}, std::move(callback));
        return last_;
    }
    void forget(ticket t) noexcept override {
        std::erase_if(calls_, [t](auto const &call) { return call.first.second == t; });
    }
    /// Goes on to the next call. @return false where there is none
    bool advance() {
        if (calls_.empty()) return false;
        auto const first = calls_.extract(calls_.begin());
        now_ = std::max(now_, first.key().first);
        first.mapped()();
        return true;
    }

  private:
    time_point now_{1000s};
    std::map<std::pair<time_point, ticket>, std::function<void()>> calls_;
    ticket last_ = 0;
};

/// Runs a test's coroutine to its end in simulated time. @return how long it took
duration run_simulated(std::function<awaitable<void>(any_io_executor)> test) {
    idle_time time;
    asio::io_context io;
    asio::make_service<detail::time_service>(io, &time);
    bool finished = false;
    std::exception_ptr failure;
    asio::co_spawn(io, test(io.get_executor()), [&](std::exception_ptr e) {
        failure = std::move(e);
        finished = true;
    });
    auto const begin = time.now();
    for (int i = 0; i < 100'000 && !finished; ++i) {
        io.restart();
        if (io.poll() == 0 && !time.advance()) break;
    }
    if (failure) std::rethrow_exception(failure);
    REQUIRE(finished);
    auto const took = time.now() - begin;
    return took;
}

/// What an operation fails with; "ok" where it does not.
template <class T> awaitable<std::string> outcome(awaitable<T> operation) {
    std::error_code code;
    try {
        co_await std::move(operation);
    } catch (std::system_error const &e) {
        code = e.code();
    }
    co_return error_name(code);
}
template <class F> std::string outcome_of(F &&f) {
    try {
        f();
    } catch (std::system_error const &e) {
        return error_name(e.code());
    }
    return "ok";
}

/// Lets everything run that can.
awaitable<void> settle() {
    auto const executor = co_await asio::this_coro::executor;
    for (int i = 0; i < 50; ++i) co_await asio::post(executor, use_awaitable);
}

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
        co_await settle();
        CHECK(p.a->stream_count() == 0);
        co_await p.finish();
        co_await handlers.join();
        CHECK(error_name(p.a_code) == "ok");
        CHECK(error_name(p.b_code) == "ok");
        CHECK(p.b->stream_count() == 0);
    });
}

TEST_CASE("yamux: a hundred streams at once, of all sizes, with any splitting") {
    constexpr std::size_t limits[] = {0, 7, 5000};
    for (std::size_t const max_read : limits) {
        CAPTURE(max_read);
        run([max_read](any_io_executor executor) -> awaitable<void> {
            pair p{executor, {}, max_read};
            task_group handlers{executor}, requests{executor};
            p.tasks.spawn(echo_server(*p.b, handlers));
            p.tasks.spawn(echo_server(*p.a, handlers));
            std::minstd_rand random{5};
            for (std::uint32_t i = 0; i < 100; ++i) {
                std::size_t const n = max_read == 7 ? random() % 3000 : i % 10 ? random() % 20'000 : 700'000;
                requests.spawn(round_trip(i % 3 ? *p.a : *p.b, pattern(n, i)));
            }
            co_await requests.join();
            co_await p.finish();
            co_await handlers.join();
            CHECK(error_name(p.a_code) == "ok");
            CHECK(error_name(p.b_code) == "ok");
        });
    }
}

TEST_CASE("yamux: T29: what comes in tiny frames of the channel does not keep others waiting") {
    run([](any_io_executor executor) -> awaitable<void> {
        pair p{executor, {}, 1}; // a byte a frame
        bytes const data = pattern(60'000, 1);
        stream a = p.open();
        co_await a.write(data);
        int turns = 0; // that others had meanwhile
        for (; p.b->counts().bytes_buffered == 0 || p.b->counts().bytes_received < data.size(); ++turns) co_await asio::post(executor, use_awaitable);
        CHECK(turns > 150);
        stream const b = co_await p.accept();
        a.reset();
        co_await p.finish();
    });
}

TEST_CASE("yamux: 64 MiB arrive as they were sent") {
    static auto const produce = [](stream s) -> awaitable<void> {
        bytes block(100'003);
        std::uint32_t position = 0;
        for (std::size_t left = 64 << 20; left > 0;) {
            std::size_t const n = std::min(left, block.size());
            for (std::size_t i = 0; i < n; i += 61) block[i] = static_cast<std::uint8_t>(position++);
            bytes_view const part = bytes_view{block}.first(n);
            co_await s.write(part);
            left -= n;
        }
        s.close_write();
    };
    run([](any_io_executor executor) -> awaitable<void> {
        pair p{executor};
        p.tasks.spawn(produce(p.open()));
        stream s = co_await p.accept();
        bytes block(100'003);
        std::uint32_t position = 0;
        std::size_t total = 0, filled = 0;
        bool same = true;
        for (;;) {
            std::size_t const n = co_await s.read_some(mutable_bytes{block}.subspan(filled));
            filled += n;
            total += n;
            if (filled < block.size() && n > 0) continue;
            for (std::size_t i = 0; i < filled; i += 61) same = same && block[i] == static_cast<std::uint8_t>(position++);
            filled = 0;
            if (n == 0) break;
        }
        CHECK(same);
        CHECK(total == 64 << 20);
        s.close_write();
        co_await p.finish();
    });
}

TEST_CASE("yamux: what needs no wait: bytes that are there, writes that fit the queue, errors") {
    run([](any_io_executor executor) -> awaitable<void> {
        yamux_options options;
        options.send_queue = 1000;
        pair p{executor, options};
        stream a = p.open();
        bytes const message(600, 'm');
        bool const taken = a.write_now(message), again = a.write_now(message), empty = a.write_now({});
        CHECK(taken);
        CHECK_FALSE(again); // and nothing of it was
        CHECK(empty);
        stream b = co_await p.accept();
        bytes buffer(1000);
        std::size_t n = b.read_now(buffer);
        CHECK(n == 600);
        n = b.read_now(buffer);
        CHECK(n == 0);
        co_await settle();
        bool const later = a.write_now(message);
        CHECK(later);
        task_group reader{executor};
        std::size_t waited_for = 0;
        reader.spawn([](stream &s, std::size_t &size) -> awaitable<void> {
            bytes room(10);
            size = co_await s.read_some(room);
        }(b, waited_for));
        co_await settle();
        CHECK(waited_for == 10);
        n = b.read_now(buffer);
        CHECK(n == 590);
        a.close_write();
        CHECK_THROWS_AS(static_cast<void>(a.write_now(message)), error);
        co_await settle();
        n = b.read_now(buffer); // the end is for read_some to tell
        CHECK(n == 0);
        b.close_write();
        co_await reader.join();
        co_await p.finish();
    });
}

TEST_CASE("yamux: half-close: either side may end first, and the other goes on") {
    run([](any_io_executor executor) -> awaitable<void> {
        pair p{executor};
        stream a = p.open();
        co_await a.write(as_bytes("question"));
        a.close_write();
        a.close_write();
        stream b = co_await p.accept();
        bytes const question = co_await read_all(b);
        CHECK(to_text(question) == "question");
        bytes buffer(10);
        std::size_t const again = co_await b.read_some(buffer);
        CHECK(again == 0);
        std::string const late = co_await outcome(a.write(as_bytes("more")));
        CHECK(late == "closed");
        co_await b.write(as_bytes("answer"));
        co_await settle();
        co_await b.write(as_bytes(" and more"));
        b.close_write();
        bytes const answer = co_await read_all(a);
        CHECK(to_text(answer) == "answer and more");
        co_await p.finish();
    });
}

TEST_CASE("yamux: reset: both sides learn of it, in reads and writes") {
    static auto const expect = [](awaitable<std::size_t> read, std::string &code) -> awaitable<void> {
        code = co_await outcome(std::move(read));
    };
    run([](any_io_executor executor) -> awaitable<void> {
        pair p{executor};
        for (bool const by_opener : {true, false}) {
            stream a = p.open();
            co_await a.write(as_bytes("x"));
            stream b = co_await p.accept();
            bytes buffer(10), other(10);
            co_await b.read_some(buffer);
            stream &mine = by_opener ? a : b, &theirs = by_opener ? b : a;
            std::string mine_code, theirs_code;
            task_group readers{executor};
            readers.spawn(expect(mine.read_some(buffer), mine_code));
            readers.spawn(expect(theirs.read_some(other), theirs_code));
            co_await settle();
            mine.reset();
            co_await readers.join();
            CHECK(mine_code == "reset");
            CHECK(theirs_code == "reset");
            for (stream *const s : {&mine, &theirs}) {
                std::string const read = co_await outcome(s->read_some(buffer));
                std::string const written = co_await outcome(s->write(as_bytes("x")));
                CHECK(read == "reset");
                CHECK(written == "reset");
            }
            CHECK(p.a->stream_count() == 0);
            CHECK(p.b->stream_count() == 0);
        }
        co_await p.finish();
        CHECK(error_name(p.a_code) == "ok");
        CHECK(error_name(p.b_code) == "ok");
    });
}

TEST_CASE("yamux: a handle that goes away: closed streams end in good order, others are reset") {
    run([](any_io_executor executor) -> awaitable<void> {
        pair p{executor};
        // The server answers and lets go before it has seen the client's end.
        stream a = p.open();
        co_await a.write(as_bytes("question"));
        bytes const big = pattern(60'000, 3);
        {
            stream b = co_await p.accept();
            bytes buffer(8);
            co_await read_exactly(b, buffer);
            co_await b.write(big);
            b.close_write();
        }
        co_await settle();
        bytes const answer = co_await read_all(a);
        CHECK(answer == big);
        CHECK(p.b->stream_count() == 0);
        CHECK(p.b->session().size() == 1); // it waits for the client's end
        a.close_write();
        co_await settle();
        CHECK(p.b->session().size() == 0);
        CHECK(p.a->session().size() == 0);

        // The same, and the client goes on talking.
        stream c = p.open();
        co_await c.write(as_bytes("x"));
        {
            stream b = co_await p.accept();
            b.close_write();
        }
        co_await settle();
        co_await c.write(as_bytes("are you still there?"));
        co_await settle();
        std::string const code = co_await outcome(c.write(as_bytes("hello?")));
        CHECK(code == "reset");
        bytes buffer(10);
        std::size_t const n = co_await c.read_some(buffer);
        CHECK(n == 0); // its end had come in good order
        CHECK(p.b->session().size() == 0);

        // Dropped without a close.
        stream d = p.open();
        co_await d.write(as_bytes("x"));
        { stream const b = co_await p.accept(); }
        std::string const read = co_await outcome(d.read_some(buffer));
        CHECK(read == "reset");
        { stream const e = p.open(); } // never written to
        co_await settle();
        CHECK(p.a->session().size() == 0);
        CHECK(p.b->session().stats().streams_opened == 3);
        co_await p.finish();
        CHECK(error_name(p.a_code) == "ok");
    });
}

TEST_CASE("yamux: T5: what a stream has left unread counts until it is read or dropped, and takes its room in the limit") {
    run([](any_io_executor executor) -> awaitable<void> {
        yamux_options small;
        small.max_buffered = 100'000;
        pair p{executor, small};
        auto const buffered = [&p] { return p.b->counts().bytes_buffered; };
        bytes const some = pattern(40'000, 1);
        bytes buffer(15'000);
        std::vector<stream> left;
        for (bool const by_reset : {true, false}) { // the peer resets after its end; both ends in order
            stream a = p.open();
            co_await a.write(some);
            a.close_write();
            stream b = co_await p.accept();
            co_await settle();
            CHECK(buffered() == (by_reset ? 40'000 : 80'000));
            if (by_reset)
                a.reset();
            else
                b.close_write();
            co_await settle();
            CHECK(p.b->session().size() == 0);
            CHECK(buffered() == (by_reset ? 40'000 : 80'000));
            left.push_back(std::move(b));
        }
        stream c = p.open(); // its 40,000 are more than what is left
        co_await c.write(some);
        co_await settle();
        CHECK(p.b->counts().streams_overrun == 1);
        for (auto &b : left) co_await read_exactly(b, buffer);
        CHECK(buffered() == 50'000);
        left[0].reset();
        CHECK(buffered() == 25'000);
        bytes const rest = co_await read_all(left[1]);
        CHECK(rest.size() == 25'000);
        CHECK(buffered() == 0);

        stream d = p.open();
        co_await d.write(some);
        {
            stream b = co_await p.accept();
            d.close_write();
            co_await settle();
            d.reset();
            co_await settle();
            CHECK(buffered() == 40'000);
        }
        CHECK(buffered() == 0);

        stream e = p.open(); // it outlives its connection
        co_await e.write(some);
        e.close_write();
        stream b = co_await p.accept();
        b.close_write();
        co_await settle();
        co_await p.finish();
        CHECK(buffered() == 40'000);
        p.b.reset();
        bytes const all = co_await read_all(b);
        CHECK(all == some);
    });
}

TEST_CASE("yamux: a connection is quiet from the end of its last foreground stream on, whatever passes in the background") {
    run_simulated([](any_io_executor executor) -> awaitable<void> {
        pair p{executor};
        context_clock const clock{executor};
        auto const began = clock.now();
        stream a = p.open();
        bytes const part = pattern(100, 1);
        co_await a.write(part);
        stream b{co_await p.b->accept_stream(), peer_id{}};
        CHECK(p.a->foreground_count() == 1);
        CHECK(p.b->foreground_count() == 1);
        co_await sleep_for(1s);
        a.set_background();
        a.set_background(); // once is enough
        b.set_background();
        co_await a.write(part);
        co_await settle();
        for (auto *const side : {p.a.get(), p.b.get()}) {
            CHECK(side->foreground_count() == 0);
            CHECK(side->stream_count() == 1);
            CHECK(side->quiet_since() == began);
        }
        stream f = p.open();
        co_await f.write(part);
        stream g{co_await p.b->accept_stream(), peer_id{}};
        CHECK(p.a->foreground_count() == 1);
        co_await sleep_for(1s);
        auto const ended = clock.now();
        f.close_write();
        f = {}; // lingers: nobody here waits for it
        co_await settle();
        CHECK(p.a->foreground_count() == 0);
        CHECK(p.a->quiet_since() == ended);
        CHECK(p.b->foreground_count() == 1);
        co_await sleep_for(1s);
        g = {};
        co_await settle();
        CHECK(p.b->foreground_count() == 0);
        CHECK(p.b->quiet_since() == clock.now());
        CHECK(p.a->quiet_since() == ended);
        co_await sleep_for(1s);
        a.reset();
        co_await settle();
        CHECK(p.b->foreground_count() == 0);
        CHECK(p.b->stream_count() == 0);
        CHECK(p.b->quiet_since() == clock.now() - 1s);
        co_await p.finish();
    });
}

TEST_CASE("yamux: T5: a dropped stream whose peer holds its window is given up after the linger time") {
    duration const took = run_simulated([](any_io_executor executor) -> awaitable<void> {
        pair p{executor};
        stream a = p.open();
        bytes const part = pattern(60'000, 1);
        for (int i = 0; i < 5; ++i) { // more than the window, and nobody reads
            co_await a.write(part);
            co_await settle();
        }
        a.close_write();
        a = {};
        CHECK(p.a->stream_count() == 1);
        co_await sleep_for(9s);
        CHECK(p.a->stream_count() == 1);
        co_await sleep_for(2s);
        CHECK(p.a->session().size() == 0);
        CHECK(p.b->session().size() == 0);
        co_await p.finish();
    });
    CHECK(took < 13s);
}

TEST_CASE("yamux: deadlines: reads and writes that wait time out, until another one is set") {
    duration const took = run_simulated([](any_io_executor executor) -> awaitable<void> {
        pair p{executor};
        stream a = p.open();
        bytes buffer(100);
        a.expires_after(executor, 5s);
        std::string code = co_await outcome(a.read_some(buffer));
        CHECK(code == "timed_out");
        code = co_await outcome(a.read_some(buffer));
        CHECK(code == "timed_out");
        bytes const much = pattern(400'000, 1);
        a.expires_after(executor, 3s);
        code = co_await outcome(a.write(much));
        CHECK(code == "timed_out");
        stream b = co_await p.accept();
        co_await b.write(as_bytes("late"));
        co_await settle();
        std::size_t n = co_await a.read_some(buffer); // it need not wait
        CHECK(n == 4);
        a.expires_never();
        co_await b.write(as_bytes("x"));
        n = co_await a.read_some(buffer);
        CHECK(n == 1);
        // An earlier deadline than the one armed, and a later one in its place.
        a.expires_after(executor, 20s);
        b.expires_after(executor, 2s);
        a.expires_after(executor, 4s);
        bytes all(400'000);
        co_await b.read_some(all);
        code = co_await outcome(a.read_some(buffer));
        CHECK(code == "timed_out");
        CHECK(p.a->counts().streams_timed_out == 3);
        CHECK(p.b->counts().streams_timed_out == 1);
        co_await p.finish();
    });
    CHECK(took >= 12s);
    CHECK(took < 15s);
}

TEST_CASE("yamux: T5: a slow reader stops its own stream only") {
    run([](any_io_executor executor) -> awaitable<void> {
        pair p{executor};
        stream slow = p.open();
        bytes const much = pattern(2'000'000, 1);
        task_group writers{executor};
        writers.spawn(send_all(slow, much));
        stream unread = co_await p.accept();
        co_await settle();
        CHECK(p.b->session().buffered() == yamux_initial_window);
        task_group handlers{executor};
        p.tasks.spawn(echo_server(*p.b, handlers));
        for (std::uint32_t i = 0; i < 20; ++i) {
            bytes data = pattern(50'000, i);
            co_await round_trip(*p.a, data);
        }
        CHECK(p.b->session().buffered() == yamux_initial_window);
        bytes const got = co_await read_all(unread);
        CHECK(got == much);
        co_await writers.join();
        unread.close_write();
        co_await p.finish();
        co_await handlers.join();
    });
}

TEST_CASE("yamux: reads and writes cancelled at any point harm nobody else") {
    static auto const reader = [](stream &s, std::uint32_t seed, std::size_t &total) -> awaitable<void> {
        std::minstd_rand random{seed};
        for (;;) {
            auto const buffer = std::make_unique<bytes>(1 + random() % 3000); // on the heap: a stale use is caught
            bool cancelled = false;
            std::size_t n = 0;
            try {
                n = co_await with_timeout(s.read_some(*buffer), std::chrono::microseconds{random() % 200});
            } catch (std::system_error const &e) {
                if (e.code() != errc::timed_out) throw;
                cancelled = true;
            }
            for (std::size_t i = 0; i < n; ++i) CHECK_MESSAGE((*buffer)[i] == static_cast<std::uint8_t>((total + i) / 1000), total);
            total += n;
            if (!cancelled && n == 0) co_return;
        }
    };
    static auto const cancelled_writer = [](muxed_connection &m, std::uint32_t seed) -> awaitable<void> {
        std::minstd_rand random{seed};
        for (int i = 0; i < 30; ++i) {
            stream s{m.open_stream(), peer_id{}};
            auto data = std::make_unique<bytes>(70'000 + random() % 500'000);
            try {
                co_await with_timeout(s.write(*data), std::chrono::microseconds{random() % 300});
            } catch (std::system_error const &) {
            }
            data.reset();
            if (random() % 2) s.close_write();
        }
    };
    static auto const drain_some = [](muxed_connection &m, task_group &handlers) -> awaitable<void> {
        static auto const drain = [](stream s) -> awaitable<void> {
            bytes buffer(5000);
            for (;;) {
                std::size_t n = 0;
                try {
                    n = co_await s.read_some(buffer);
                } catch (std::system_error const &) {
                }
                if (n == 0) co_return;
            }
        };
        for (;;) {
            std::shared_ptr<stream_core> core;
            try {
                core = co_await m.accept_stream();
            } catch (std::system_error const &) {
                co_return;
            }
            handlers.spawn(drain(stream{std::move(core), peer_id{}}));
        }
    };
    run([](any_io_executor executor) -> awaitable<void> {
        pair p{executor, {}, 4000};
        stream a = p.open();
        bytes data(400'000);
        for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::uint8_t>(i / 1000);
        task_group others{executor}, handlers{executor};
        others.spawn(send_all(a, data));
        stream b = co_await p.accept();
        for (std::uint32_t i = 1; i < 4; ++i) others.spawn(cancelled_writer(*p.a, i));
        p.tasks.spawn(drain_some(*p.b, handlers));
        std::size_t total = 0;
        co_await reader(b, 7, total);
        CHECK(total == data.size());
        co_await others.join();
        b.close_write();
        co_await p.finish();
        co_await handlers.join();
        CHECK(error_name(p.a_code) == "ok");
        CHECK(error_name(p.b_code) == "ok");
    });
}

TEST_CASE("yamux: small writes are gathered; a small message overtakes bulk") {
    run([](any_io_executor executor) -> awaitable<void> {
        pair p{executor};
        co_await settle();
        std::size_t const before = p.link.forth->writes;
        stream a = p.open();
        for (int i = 0; i < 100; ++i) co_await a.write(as_bytes("small"));
        stream c = p.open();
        co_await c.write(as_bytes("another"));
        stream b = co_await p.accept();
        stream d = co_await p.accept();
        CHECK(p.link.forth->writes == before + 1);

        p.link.forth->capacity = 0; // from here each batch waits until it has been read
        stream bulk = p.open();
        bytes const much = pattern(200'000, 1);
        task_group writers{executor};
        for (int i = 0; i < 10; ++i) {
            stream s = p.open();
            writers.spawn([](stream one, bytes_view data) -> awaitable<void> {
                co_await one.write(data);
                one.close_write();
            }(std::move(s), much));
        }
        p.link.forth->stalled = true;
        co_await settle();
        std::size_t const sent = p.link.forth->total;
        co_await c.write(as_bytes("quick!"));
        bytes buffer(100);
        std::size_t n = co_await d.read_some(buffer);
        CHECK(n == 7);
        p.link.forth->stalled = false;
        p.link.forth->readable.notify_all();
        n = co_await d.read_some(buffer);
        CHECK(n == 6);
        CHECK(p.link.forth->total - sent < 300'000); // one batch, not the two million bytes that waited
        writers.cancel();
        co_await writers.join();
        co_await p.finish();
    });
}

TEST_CASE("yamux: close: what was written arrives, then no side opens or accepts") {
    run([](any_io_executor executor) -> awaitable<void> {
        pair p{executor};
        stream a = p.open();
        bytes const data = pattern(50'000, 9);
        co_await a.write(data);
        a.close_write();
        stream cut = p.open();
        co_await cut.write(as_bytes("unfinished"));
        co_await p.a->close();
        CHECK(outcome_of([&] { p.open(); }) == "closed");
        bytes buffer(100);
        std::string code = co_await outcome(cut.read_some(buffer));
        CHECK(code == "closed");
        stream b = co_await p.accept();
        bytes const got = co_await read_all(b);
        CHECK(got == data);
        stream d = co_await p.accept();
        std::size_t const n = co_await d.read_some(buffer);
        CHECK(n == 10);
        code = co_await outcome(d.read_some(buffer));
        CHECK(code == "closed");
        code = co_await outcome(p.accept());
        CHECK(code == "closed");
        co_await p.tasks.join();
        CHECK(error_name(p.a_code) == "ok");
        CHECK(error_name(p.b_code) == "ok");
        co_await p.a->close(); // again
        // The handles outlive the connections.
        p.a.reset();
        p.b.reset();
        code = co_await outcome(d.write(as_bytes("x")));
        CHECK(code == "closed");
        d.expires_after(executor, 1s);
        d.close_write();
        d.reset();
    });
}

TEST_CASE("yamux: close is bounded in time, whatever the peer does") {
    duration const took = run_simulated([](any_io_executor executor) -> awaitable<void> {
        pair p{executor};
        stream a = p.open();
        bytes const much = pattern(60'000, 1);
        for (int i = 0; i < 5; ++i) {
            co_await a.write(much);
            co_await settle();
        } // more than the window: it cannot all be sent
        p.link.forth->stalled = true;
        co_await p.a->close();
        CHECK(error_name(p.a_code) == "ok");
        p.link.forth->stalled = false;
        p.link.forth->readable.notify_all();
        co_await p.tasks.join();
    });
    CHECK(took >= 2s);
    CHECK(took < 5s);
}

TEST_CASE("yamux: after the peer's goodbye open streams can end; then this side leaves, too") {
    run([](any_io_executor executor) -> awaitable<void> {
        memory_link link{executor};
        yamux<memory_channel> a{executor, link.dialler(), true};
        memory_channel raw = link.listener();
        std::error_code code;
        task_group tasks{executor};
        tasks.spawn(pair::watch(a, code));
        stream s{a.open_stream(), peer_id{}};
        co_await s.write(as_bytes("hello"));
        bytes const goodbye = from_hex("000300000000000000000000").value();
        bytes_view pieces[] = {goodbye};
        std::span<bytes_view const> const all{pieces};
        co_await raw.write(all);
        co_await settle();
        CHECK(outcome_of([&] { static_cast<void>(a.open_stream()); }) == "closed");
        co_await s.write(as_bytes(" again"));
        s.close_write();
        co_await settle();
        CHECK(tasks.size() == 1);
        bytes const last = from_hex("000000020000000100000002686900010004000000010000000000").value();
        bytes_view more[] = {bytes_view{last}.first(26)};
        std::span<bytes_view const> const rest{more};
        co_await raw.write(rest);
        bytes const got = co_await read_all(s);
        CHECK(to_text(got) == "hi");
        co_await settle();
        raw.close_write();
        co_await tasks.join();
        CHECK(error_name(code) == "ok");
        bytes_view const sent = co_await raw.read();
        CHECK(to_hex(sent).ends_with("00010004000000010000000000030000" "0000000000000000"));
    });
}

TEST_CASE("yamux: a connection whose ids are used up serves the streams that there are, and ends after them") {
    run([](any_io_executor executor) -> awaitable<void> {
        yamux_options few;
        few.max_opened = 1;
        pair p{executor, few};
        stream a = p.open();
        co_await a.write(as_bytes("question"));
        stream b = co_await p.accept();
        CHECK(outcome_of([&] { p.open(); }) == "closed");
        co_await settle();
        stream c{p.b->open_stream(), peer_id{}}; // the other side may go on
        co_await c.write(as_bytes("hello"));
        auto core = co_await p.a->accept_stream();
        stream d{std::move(core), peer_id{}};
        co_await b.write(as_bytes("answer"));
        b.close_write();
        a.close_write();
        bytes const got = co_await read_all(a);
        CHECK(got == to_bytes(std::string{"answer"}));
        co_await settle();
        CHECK_FALSE(p.a->session().left());
        c.close_write();
        d.close_write();
        co_await p.tasks.join(); // without a word from anybody
        CHECK(error_name(p.a_code) == "ok");
        CHECK(error_name(p.b_code) == "ok");
    });
}

TEST_CASE("yamux: a peer that breaks the protocol is told so, and every stream ends") {
    run([](any_io_executor executor) -> awaitable<void> {
        memory_link link{executor};
        yamux<memory_channel> a{executor, link.dialler(), true};
        memory_channel raw = link.listener();
        std::error_code code;
        task_group tasks{executor};
        tasks.spawn(pair::watch(a, code));
        stream s{a.open_stream(), peer_id{}};
        bytes const bad = from_hex("000900000000000000000000").value();
        bytes_view pieces[] = {bad};
        std::span<bytes_view const> const all{pieces};
        co_await raw.write(all);
        bytes buffer(10);
        std::string const read = co_await outcome(s.read_some(buffer));
        CHECK(read == "closed");
        co_await tasks.join();
        CHECK(error_name(code) == "protocol_violation");
        bytes_view const sent = co_await raw.read();
        CHECK(to_hex(sent).ends_with("000300000000000000000001"));
    });
}

TEST_CASE("yamux: T3: a connection whose queue of answers runs over by what this side does ends, though the peer reads again") {
    duration const took = run_simulated([](any_io_executor executor) -> awaitable<void> {
        memory_link link{executor};
        mux_limits few;
        few.max_inbound_streams = 0;
        yamux<memory_channel> a{executor, link.dialler(), true, few};
        memory_channel raw = link.listener();
        std::error_code code;
        task_group tasks{executor};
        tasks.spawn(pair::watch(a, code));
        std::vector<stream> ours;
        for (int i = 0; i < 20; ++i) {
            ours.emplace_back(a.open_stream(), peer_id{});
            co_await ours.back().write(as_bytes("x"));
        }
        co_await settle();
        link.forth->capacity = 1; // from now on it takes nothing
        bytes asked;
        for (std::uint32_t i = 0; i < 4092; ++i) {
            bytes const head = from_hex("00010001").value();
            append(asked, head);
            append_be(asked, 2 * i + 2);
            append_be(asked, std::uint32_t{0});
        }
        bytes_view pieces[] = {asked};
        std::span<bytes_view const> const all{pieces};
        co_await raw.write(all);
        co_await settle();
        CHECK_FALSE(code);
        ours.clear(); // each is reset
        co_await settle();
        link.forth->capacity = 256 * 1024; // and now everything
        for (;;) {
            bytes_view const heard = co_await raw.read();
            if (heard.empty()) break;
        }
        co_await tasks.join();
        CHECK(code);
    });
    CHECK(took < 20s); // not when a ping would have been due
}

TEST_CASE("yamux: a peer that leaves because something is wrong ends all streams at once") {
    duration const took = run_simulated([](any_io_executor executor) -> awaitable<void> {
        memory_link link{executor};
        yamux<memory_channel> a{executor, link.dialler(), true};
        memory_channel raw = link.listener();
        std::error_code code;
        task_group tasks{executor};
        tasks.spawn(pair::watch(a, code));
        stream s{a.open_stream(), peer_id{}};
        co_await s.write(as_bytes("hello"));
        bytes const goodbye = from_hex("000300000000000000000002").value();
        bytes_view pieces[] = {goodbye};
        std::span<bytes_view const> const all{pieces};
        co_await raw.write(all);
        bytes buffer(10);
        std::string const read = co_await outcome(s.read_some(buffer));
        CHECK(read == "closed");
        co_await tasks.join();
        CHECK(error_name(code) == "reset");
    });
    CHECK(took < 100ms); // not when its patience ends
}

TEST_CASE("yamux: ends without a goodbye: an error where streams were open or a frame was cut, none otherwise") {
    struct row {
        bool with_stream;
        char const *last;
        char const *code;
    };
    for (row const r : {row{false, "", "ok"}, row{true, "", "end_of_stream"}, row{false, "0002", "end_of_stream"}}) {
        run([r](any_io_executor executor) -> awaitable<void> {
            memory_link link{executor};
            yamux<memory_channel> a{executor, link.dialler(), true};
            memory_channel raw = link.listener();
            std::error_code code;
            task_group tasks{executor};
            tasks.spawn(pair::watch(a, code));
            stream s;
            if (r.with_stream) s = stream{a.open_stream(), peer_id{}};
            bytes const last = from_hex(r.last).value();
            bytes_view pieces[] = {last};
            std::span<bytes_view const> const all{pieces};
            co_await raw.write(all);
            raw.close_write();
            co_await tasks.join();
            CHECK(error_name(code) == r.code);
        });
    }
}

TEST_CASE("yamux: abort and cancellation wake everything") {
    static auto const expect = [](awaitable<std::size_t> read, std::string &code) -> awaitable<void> {
        code = co_await outcome(std::move(read));
    };
    static auto const expect_accept = [](awaitable<std::shared_ptr<stream_core>> accept, std::string &code) -> awaitable<void> {
        code = co_await outcome(std::move(accept));
    };
    for (bool const abort : {true, false}) {
        run([abort](any_io_executor executor) -> awaitable<void> {
            memory_link link{executor};
            auto a = std::make_unique<yamux<memory_channel>>(executor, link.dialler(), true);
            std::string read, accepted, ran;
            task_group tasks{executor}, running{executor};
            static auto const watch = [](muxed_connection &m, std::string &code) -> awaitable<void> {
                code = co_await outcome(m.run());
            };
            running.spawn(watch(*a, ran));
            stream s{a->open_stream(), peer_id{}};
            bytes buffer(10);
            tasks.spawn(expect(s.read_some(buffer), read));
            tasks.spawn(expect_accept(a->accept_stream(), accepted));
            co_await settle();
            if (abort)
                a->abort(make_error_code(errc::idle));
            else
                running.cancel();
            co_await tasks.join();
            co_await running.join();
            CHECK(read == (abort ? "idle" : "closed"));
            CHECK(accepted == "closed");
            CHECK(ran == (abort ? "idle" : "cancelled"));
            a.reset();
            std::string const late = co_await outcome(s.read_some(buffer));
            CHECK(late == (abort ? "idle" : "closed"));
        });
    }
}

TEST_CASE("yamux: a cancelled accept loses no stream") {
    run([](any_io_executor executor) -> awaitable<void> {
        pair p{executor};
        std::string const code = co_await outcome(with_timeout(p.accept(), 1ms));
        CHECK(code == "timed_out");
        stream a = p.open();
        co_await a.write(as_bytes("x"));
        stream b = co_await p.accept();
        CHECK(bool(b));
        co_await p.finish();
    });
}

TEST_CASE("yamux: keepalive: a silent peer is noticed after 50 s; a living one is kept") {
    duration took = run_simulated([](any_io_executor executor) -> awaitable<void> {
        pair p{executor};
        co_await sleep_for(10s);
        CHECK(p.a->round_trip() > duration::zero());
        stream a = p.open();
        p.link.back->stalled = true; // from now on a hears nothing
        bytes buffer(10);
        std::string const code = co_await outcome(a.read_some(buffer));
        CHECK(code == "timed_out");
        p.link.back->stalled = false;
        co_await p.tasks.join();
        CHECK(error_name(p.a_code) == "timed_out");
    });
    CHECK(took == 50s);
    took = run_simulated([](any_io_executor executor) -> awaitable<void> {
        pair p{executor};
        co_await sleep_for(std::chrono::hours{3});
        CHECK(p.link.forth->total < 12 * 800);
        co_await p.finish();
        CHECK(error_name(p.a_code) == "ok");
        CHECK(error_name(p.b_code) == "ok");
    });
    CHECK(took < std::chrono::hours{3} + 1min);
}

TEST_CASE("yamux: T29: a peer that takes nothing is given up, though it talks") {
    duration const took = run_simulated([](any_io_executor executor) -> awaitable<void> {
        memory_link link{executor};
        link.forth->capacity = 1000;
        yamux<memory_channel> a{executor, link.dialler(), true};
        memory_channel raw = link.listener();
        std::error_code code;
        task_group tasks{executor}, chatter{executor};
        tasks.spawn(pair::watch(a, code));
        static auto const chat = [](memory_channel &channel) -> awaitable<void> {
            bytes const said = from_hex("000100000000000200000001").value();
            bytes_view pieces[] = {said};
            std::span<bytes_view const> const all{pieces};
            for (;;) {
                co_await channel.write(all);
                co_await sleep_for(5s);
            }
        };
        chatter.spawn(chat(raw));
        stream s{a.open_stream(), peer_id{}};
        bytes const data = pattern(20'000, 1);
        co_await s.write(data);
        bytes buffer(10);
        std::string const read = co_await outcome(s.read_some(buffer));
        CHECK(read == "timed_out");
        chatter.cancel();
        co_await chatter.join();
        co_await tasks.join();
        CHECK(error_name(code) == "timed_out");
    });
    CHECK(took == 60s);
}

TEST_CASE("yamux: T4: limits: our own streams throw, the peer's are reset") {
    yamux_options options;
    options.max_inbound_streams = 2;
    options.max_outbound_streams = 3;
    run([options](any_io_executor executor) -> awaitable<void> {
        pair p{executor, options};
        stream s[3] = {p.open(), p.open(), p.open()};
        CHECK(outcome_of([&] { p.open(); }) == "limit_exceeded");
        for (auto &one : s) co_await one.write(as_bytes("x"));
        bytes buffer(10);
        std::string const code = co_await outcome(s[2].read_some(buffer));
        CHECK(code == "reset");
        CHECK(p.b->stats().streams_refused == 1);
        co_await p.finish();
    });
}

TEST_CASE("yamux: a context that is destroyed with everything under way") {
    asio::io_context io;
    auto const test = [](any_io_executor executor) -> awaitable<void> {
        pair p{executor};
        task_group handlers{executor};
        p.tasks.spawn(echo_server(*p.b, handlers));
        stream a = p.open();
        bytes const much = pattern(5'000'000, 1);
        p.link.forth->stalled = true;
        co_await a.write(much);
    };
    asio::co_spawn(io, test(io.get_executor()), [](std::exception_ptr) {});
    io.poll();
}

} // namespace yamux_test
