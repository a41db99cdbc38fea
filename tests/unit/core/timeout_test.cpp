#include <gigi/core/channel.hpp>
#include <gigi/core/timeout.hpp>

#include <doctest/doctest.h>

#include <string>

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

TEST_CASE("with_timeout: a context destroyed in the middle leaks nothing") {
    asio::io_context io;
    asio::co_spawn(io, long_wait(), [](std::exception_ptr) {});
    io.poll();
}
