#include <gigi/core/clock.hpp>
#include <gigi/core/task_group.hpp>
#include <gigi/core/timeout.hpp>

#include <doctest/doctest.h>

namespace task_group_test {

using namespace gigi;

namespace {

awaitable<void> fail_after(duration span) {
    co_await sleep_for(span);
    throw error{errc::reset, "a child's failure"};
}

awaitable<void> count_end(int &ended, duration span) {
    struct at_end {
        int &n;
        ~at_end() { ++n; }
    } const note{ended};
    co_await sleep_for(span);
}

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

TEST_CASE("task_group: join waits for every task") {
    run([]() -> awaitable<void> {
        auto const executor = co_await asio::this_coro::executor;
        task_group group{executor};
        int ended = 0;
        for (int i = 0; i < 5; ++i) group.spawn(count_end(ended, 1ms));
        CHECK(group.size() == 5);
        co_await group.join();
        CHECK(ended == 5);
        co_await group.join(); // an empty group is joined at once
    });
}

TEST_CASE("task_group: the first failure cancels the others and is rethrown by join") {
    run([]() -> awaitable<void> {
        auto const executor = co_await asio::this_coro::executor;
        task_group group{executor};
        int ended = 0;
        group.spawn(count_end(ended, 1h));
        group.spawn(fail_after(1ms));
        std::error_code code;
        try {
            co_await group.join();
        } catch (std::system_error const &e) {
            code = e.code();
        }
        CHECK(code == errc::reset);
        CHECK(ended == 1);
        CHECK(group.empty());
        group.reset();
        group.spawn(count_end(ended, 1ms));
        co_await group.join();
        CHECK(ended == 2);
    });
}

TEST_CASE("task_group: cancel ends the tasks without a failure, and refuses new ones") {
    run([]() -> awaitable<void> {
        auto const executor = co_await asio::this_coro::executor;
        task_group group{executor};
        int ended = 0;
        group.spawn(count_end(ended, 1h));
        co_await sleep_for(1ms);
        group.cancel();
        group.spawn(count_end(ended, 1h));
        CHECK(group.size() == 1);
        co_await group.join();
        CHECK(ended == 1);
    });
}

TEST_CASE("task_group: a cancelled join cancels the tasks, waits for their end, and says cancelled") {
    run([]() -> awaitable<void> {
        auto const executor = co_await asio::this_coro::executor;
        task_group group{executor};
        int ended = 0;
        group.spawn(count_end(ended, 1h));
        std::error_code code;
        try {
            co_await with_timeout(group.join(), 2ms);
        } catch (std::system_error const &e) {
            code = e.code();
        }
        CHECK(code == errc::timed_out);
        CHECK(ended == 1);
        CHECK(group.empty());
    });
}

TEST_CASE("task_group: a coroutine that was cancelled before it joins ends its group all the same, in the way that join() names") {
    asio::io_context io;
    int ended = 0;
    bool joined_at_once = true;
    std::error_code seen, waited;
    auto const scope = [&]() -> awaitable<void> {
        auto const executor = co_await asio::this_coro::executor;
        task_group group{executor};
        group.spawn(count_end(ended, 1h));
        try {
            co_await sleep_for(1h);
        } catch (std::system_error const &e) {
            waited = e.code();
        }
        try {
            co_await group.join(); // never begins
        } catch (std::system_error const &e) {
            seen = e.code();
            joined_at_once = group.empty();
        }
        co_await asio::this_coro::reset_cancellation_state();
        group.cancel();
        co_await group.join();
        CHECK(group.empty());
    };
    asio::cancellation_signal stop;
    std::exception_ptr failure;
    asio::co_spawn(io, scope(), asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr e) { failure = e; }));
    io.poll();
    stop.emit(asio::cancellation_type::terminal);
    io.run();
    CHECK_FALSE(failure);
    CHECK(waited == condition::cancelled);
    CHECK(seen == asio::error::operation_aborted);
    CHECK(seen == condition::cancelled);
    CHECK_FALSE(joined_at_once);
    CHECK(ended == 1);
}

TEST_CASE("task_group: a context destroyed in the middle frees the tasks, and the group does not abort") {
    asio::io_context io;
    int ended = 0;
    auto const scope = [&]() -> awaitable<void> {
        auto const executor = co_await asio::this_coro::executor;
        task_group group{executor};
        group.spawn(count_end(ended, 1h));
        co_await group.join();
    };
    asio::co_spawn(io, scope(), [](std::exception_ptr) {});
    io.poll();
    CHECK(ended == 0);
}

TEST_CASE("task_group, with_timeout: a caller that wants no exceptions of its cancellation is left so") {
    run([]() -> awaitable<void> {
        auto const executor = co_await asio::this_coro::executor;
        co_await asio::this_coro::throw_if_cancelled(false);
        task_group group{executor};
        group.spawn(sleep_for(1ms));
        co_await group.join();
        bool throwing = co_await asio::this_coro::throw_if_cancelled();
        CHECK_FALSE(throwing);
        co_await with_timeout(sleep_for(1ms), 1s);
        throwing = co_await asio::this_coro::throw_if_cancelled();
        CHECK_FALSE(throwing);
    });
}

} // namespace task_group_test
