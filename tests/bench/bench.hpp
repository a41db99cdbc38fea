// What the benchmarks share: threads with a context, medians, time and memory, and the rows and curves of the page.
#pragma once

#include <gigi/core/asio.hpp>

#include <malloc.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace bench {

using clock = std::chrono::steady_clock;
inline double since(clock::time_point start) { return std::chrono::duration<double>{clock::now() - start}.count(); }

/// Processor time of this process, or of the children that have ended (RUSAGE_CHILDREN), in seconds.
inline double cpu_time(int whose = RUSAGE_SELF) {
    rusage used{};
    ::getrusage(whose, &used);
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

/// A transfer: how fast it was, and the processor time of everyone in it.
struct flow {
    double rate = 0; ///< MiB/s
    double cpu = 0;  ///< microseconds a MiB
};

/// As many open files as the system allows.
inline void allow_files() {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
}

/// What this process holds, in bytes.
struct memory {
    double heap = 0;     ///< what malloc has given out, its own overhead included
    double resident = 0; ///< in memory, the kernel's buffers not included
    static memory now() {
        memory m;
        auto const heap = ::mallinfo2();
        m.heap = static_cast<double>(heap.uordblks + heap.hblkhd);
        std::ifstream statm{"/proc/self/statm"};
        double total = 0, pages = 0;
        statm >> total >> pages;
        m.resident = pages * static_cast<double>(::sysconf(_SC_PAGESIZE));
        return m;
    }
};

inline double quantile(std::vector<double> all, double part) {
    if (all.empty()) return 0;
    std::ranges::sort(all);
    return all[std::min(all.size() - 1, static_cast<std::size_t>(part * static_cast<double>(all.size())))];
}
inline double median(std::vector<double> all) { return quantile(std::move(all), 0.5); }

/// A cell of a table, for people and for tests/bench/run: the column, the row, how much, of what unit.
inline void row(std::string const &column, std::string const &what, double value, char const *unit) {
    std::printf("%-72s %12.1f  %s\n", (column + ", " + what).c_str(), value, unit);
    std::fflush(stdout);
}
/// A point of a curve, likewise: which chart, which curve in it, where along the axis, how much, of what unit.
inline void point(std::string const &chart, std::string const &curve, std::size_t x, double y, char const *unit) {
    std::printf("%s | %s | %zu | %.2f %s\n", chart.c_str(), curve.c_str(), x, y, unit);
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

} // namespace bench
