#include <gigi/core/offload.hpp>

#include <gigi/core/timeout.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>

namespace offload_test {

using namespace gigi;

namespace {

template <class F> void run(F f) {
    asio::io_context io;
    bool finished = false;
    asio::co_spawn(io, f(), [&](std::exception_ptr e) {
        finished = true;
        if (e) std::rethrow_exception(e);
    });
    io.run();
    CHECK(finished);
}

} // namespace

TEST_CASE("run_on: works on the pool and comes back with the value or the failure") {
    asio::thread_pool pool{1};
    run([&]() -> awaitable<void> {
        auto const here = std::this_thread::get_id();
        auto work = [] { return std::this_thread::get_id(); };
        auto const there = co_await run_on(pool.get_executor(), work);
        CHECK(there != here);
        CHECK(std::this_thread::get_id() == here);
        std::error_code code;
        auto bad = []() -> std::string { throw error{errc::io_error, "disk"}; };
        try {
            co_await run_on(pool.get_executor(), bad);
        } catch (std::system_error const &e) {
            code = e.code();
        }
        CHECK(code == errc::io_error);
    });
}

TEST_CASE("run_on: a cancelled caller waits for the end of what has begun") {
    asio::thread_pool pool{1};
    std::atomic<bool> ended = false;
    run([&]() -> awaitable<void> {
        auto slow = [&ended] {
            std::this_thread::sleep_for(20ms);
            ended = true;
        };
        std::error_code code;
        try {
            co_await with_timeout(run_on(pool.get_executor(), slow), 1ms);
        } catch (std::system_error const &e) {
            code = e.code();
        }
        CHECK(code == errc::timed_out);
        CHECK(ended);
    });
}

TEST_CASE("run_on: a context that is destroyed waits for work that has begun") {
    asio::thread_pool pool{1};
    std::atomic<int> begun = 0;
    auto const writes_here = [&]() -> awaitable<void> {
        std::string local(1000, 'a'); // goes with this frame
        auto work = [&] {
            ++begun;
            std::this_thread::sleep_for(50ms);
            local.assign(1000, 'b');
        };
        co_await run_on(pool.get_executor(), work);
    };
    {
        asio::io_context io;
        asio::co_spawn(io, writes_here(), [](std::exception_ptr) {});
        while (begun == 0) io.run_for(1ms);
    }
    pool.join();
    CHECK(begun == 1);
}

TEST_CASE("run_on: work that has not begun when its context is destroyed never does") {
    asio::thread_pool pool{1};
    std::atomic<bool> let_go = false, begun = false;
    asio::post(pool, [&] { let_go.wait(false); });
    auto work = [&] { begun = true; };
    {
        asio::io_context io;
        asio::co_spawn(io, run_on(pool.get_executor(), work), [](std::exception_ptr) {});
        io.run_for(10ms);
    }
    let_go = true;
    let_go.notify_all();
    pool.join();
    CHECK_FALSE(begun);
}

TEST_CASE("run_on: a caller that wants no exceptions of its cancellation is left so") {
    asio::thread_pool pool{1};
    run([&]() -> awaitable<void> {
        co_await asio::this_coro::throw_if_cancelled(false);
        auto work = [] { return 1; };
        int const one = co_await run_on(pool.get_executor(), work);
        CHECK(one == 1);
        bool const throwing = co_await asio::this_coro::throw_if_cancelled();
        CHECK_FALSE(throwing);
    });
}

} // namespace offload_test
