#include <gigi/core/channel.hpp>
#include <gigi/core/task_group.hpp>
#include <gigi/core/timeout.hpp>

#include <doctest/doctest.h>

#include <string>

namespace timeout_test {

using namespace gigi;

namespace {

awaitable<std::string> answer(duration after) {
    co_await sleep_for(after);
    co_return std::string(60, 'a');
}

awaitable<void> fail(duration after) {
    co_await sleep_for(after);
    throw error{errc::reset, "the operation's own failure"};
}

/// Takes no notice of being cancelled.
awaitable<int> stubborn() {
    co_await asio::this_coro::throw_if_cancelled(false);
    try {
        co_await sleep_for(1h);
    } catch (std::system_error const &) {
    }
    co_return 7;
}

awaitable<void> code_of(awaitable<void> operation, std::error_code &code) {
    try {
        co_await std::move(operation);
    } catch (std::system_error const &e) {
        code = e.code();
    }
}

awaitable<void> long_wait() { co_await with_timeout(sleep_for(1h), 1h); }

/// Ends everybody, those included who wait for it, at once or after a while.
awaitable<void> end_all(task_group &all, duration after, bool &cancelled) {
    if (after > 0s) co_await sleep_for(after);
    all.cancel();
    try {
        co_await sleep_for(20ms);
    } catch (std::system_error const &) {
        cancelled = true;
    }
}

awaitable<void> run_with_deadline(task_group &all, duration after, bool throwing, bool &cancelled, std::error_code &code, bool &restored) {
    co_await asio::this_coro::throw_if_cancelled(throwing);
    try {
        co_await with_timeout(end_all(all, after, cancelled), 1h);
    } catch (std::system_error const &e) {
        code = e.code();
    }
    bool const throws = co_await asio::this_coro::throw_if_cancelled();
    restored = throws == throwing;
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

TEST_CASE("with_timeout: passes values and failures on, and says timed_out when the limit has passed") {
    run([]() -> awaitable<void> {
        std::string const value = co_await with_timeout(answer(1ms), 10s);
        CHECK(value == std::string(60, 'a'));
        std::error_code code;
        co_await code_of(with_timeout(fail(1ms), 10s), code);
        CHECK(code == errc::reset);
        co_await code_of(with_timeout(sleep_for(1h), 2ms), code);
        CHECK(code == errc::timed_out);
    });
}

TEST_CASE("with_timeout: a value that came in spite of the limit is not lost") {
    run([]() -> awaitable<void> {
        int const value = co_await with_timeout(stubborn(), 2ms);
        CHECK(value == 7);
    });
}

TEST_CASE("with_timeout: the caller's cancellation reaches the operation") {
    asio::io_context io;
    asio::cancellation_signal stop;
    std::error_code code;
    asio::co_spawn(io, long_wait(), asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr e) {
                       try {
                           if (e) std::rethrow_exception(e);
                       } catch (std::system_error const &x) {
                           code = x.code();
                       }
                   }));
    io.poll();
    stop.emit(asio::cancellation_type::terminal);
    io.restart();
    io.run();
    CHECK(code == condition::cancelled);
}

TEST_CASE("with_timeout: an operation may cancel its caller, also before it has first been suspended") {
    for (duration const after : {duration{0s}, duration{1ms}})
        for (bool const throwing : {true, false}) {
            CAPTURE(after.count());
            CAPTURE(throwing);
            bool cancelled = false, restored = false;
            std::error_code code;
            run([&]() -> awaitable<void> {
                auto const executor = co_await asio::this_coro::executor;
                task_group all{executor};
                all.spawn(run_with_deadline(all, after, throwing, cancelled, code, restored));
                co_await all.join();
            });
            CHECK(cancelled);
            CHECK(code == condition::cancelled);
            CHECK(restored);
        }
}

TEST_CASE("with_timeout: a context destroyed in the middle leaks nothing") {
    asio::io_context io;
    asio::co_spawn(io, long_wait(), [](std::exception_ptr) {});
    io.poll();
}

} // namespace timeout_test
