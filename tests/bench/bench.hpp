// What the benchmarks share: threads with a context, medians, and the rows of the table.
#pragma once

#include <gigi/core/asio.hpp>
#include <gigi/core/bytes.hpp>
#include <gigi/core/stream.hpp>

#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace bench {

using clock = std::chrono::steady_clock;
inline double since(clock::time_point start) { return std::chrono::duration<double>{clock::now() - start}.count(); }

/// Processor time of this process, in seconds.
inline double cpu_time() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    auto const seconds = [](timeval const &t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

/// Puts everything on one CPU: then a round trip measures work, not how long an idle CPU takes to wake up.
inline void pin() {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    ::sched_setaffinity(0, sizeof one, &one);
}

inline double quantile(std::vector<double> all, double part) {
    if (all.empty()) return 0;
    std::ranges::sort(all);
    return all[std::min(all.size() - 1, static_cast<std::size_t>(part * static_cast<double>(all.size())))];
}
inline double median(std::vector<double> all) { return quantile(std::move(all), 0.5); }

/// A row of the table, for people and for tests/bench/run: what, how much, of what unit.
inline void row(std::string const &what, double value, char const *unit) {
    std::printf("%-58s %12.1f  %s\n", what.c_str(), value, unit);
    std::fflush(stdout);
}

/// A context with a thread of its own.
struct worker {
    asio::io_context io{1};
    asio::any_io_executor work = asio::require(io.get_executor(), asio::execution::outstanding_work.tracked);
    std::thread thread{[this] { io.run(); }};
    worker() = default;
    worker(worker const &) = delete;
    ~worker() {
        work = {};
        io.stop();
        thread.join();
    }
    template <class T> T run(gigi::awaitable<T> what) {
        std::promise<T> done;
        asio::co_spawn(io, std::move(what), [&done](std::exception_ptr e, T value) {
            if (e)
                done.set_exception(e);
            else
                done.set_value(std::move(value));
        });
        return done.get_future().get();
    }
    void run(gigi::awaitable<void> what) {
        std::promise<void> done;
        asio::co_spawn(io, std::move(what), [&done](std::exception_ptr e) {
            if (e)
                done.set_exception(e);
            else
                done.set_value();
        });
        done.get_future().get();
    }
};

/// Sends back what comes, until the other side ends or breaks the stream.
template <class Stream> gigi::awaitable<void> echo(Stream s) {
    gigi::bytes buffer(4096);
    gigi::mutable_bytes const room{buffer};
    try {
        for (;;) {
            std::size_t const n = co_await s.read_some(room);
            if (n == 0) break;
            gigi::bytes_view const back = gigi::bytes_view{buffer}.first(n);
            co_await s.write(back);
        }
    } catch (std::system_error const &) {
    }
}

/// The median of round trips of 64 bytes, in microseconds.
template <class Stream> gigi::awaitable<double> round_trips(Stream &s, int count) {
    gigi::bytes const message(64, 7);
    gigi::bytes_view const question{message};
    gigi::bytes buffer(64);
    gigi::mutable_bytes const room{buffer};
    std::vector<double> times;
    for (int i = 0; i < count; ++i) {
        auto const start = clock::now();
        co_await s.write(question);
        for (std::size_t have = 0; have < room.size();) {
            gigi::mutable_bytes const rest = room.subspan(have);
            std::size_t const n = co_await s.read_some(rest);
            if (n == 0) throw std::runtime_error{"the echo has ended"};
            have += n;
        }
        times.push_back(since(start) * 1e6);
    }
    co_return median(std::move(times));
}

/// Reads to the end of the stream, and answers with a byte.
template <class Stream> gigi::awaitable<void> swallow(Stream s) {
    gigi::bytes buffer(256 << 10);
    gigi::mutable_bytes const room{buffer};
    try {
        for (;;) {
            std::size_t const n = co_await s.read_some(room);
            if (n == 0) break;
        }
        gigi::bytes const done(1);
        gigi::bytes_view const answer{done};
        co_await s.write(answer);
        s.close_write();
    } catch (std::system_error const &) {
    }
}

/// Writes `mib` MiB, ends the stream, and waits until the other side has read all of it.
template <class Stream> gigi::awaitable<void> pour(Stream &s, std::size_t mib) {
    gigi::bytes const piece(1 << 20, 3);
    gigi::bytes_view const data{piece};
    for (std::size_t i = 0; i < mib; ++i) co_await s.write(data);
    s.close_write();
    gigi::bytes end(1);
    gigi::mutable_bytes const room{end};
    co_await s.read_some(room);
}

} // namespace bench
