// gigi/core/uninterrupted.hpp: what must go on to its end once it has begun.
//
// Layer: core.
#pragma once

#include "asio.hpp"
#include "condition.hpp"

#include <exception>
#include <system_error>
#include <utility>

namespace gigi::inline v1 {

/// Runs `task` to its end, also where its caller is cancelled meanwhile: the caller learns that at its next `co_await`. Nothing of
/// the caller's cancellation state changes, as it would with `reset_cancellation_state`.
/// @throws whatever the task throws
/// @par Cancellation A caller that had been cancelled before does not begin the task.
[[nodiscard]] inline awaitable<void> uninterrupted(awaitable<void> task) {
    auto const executor = co_await asio::this_coro::executor;
    async_condition finished{executor};
    std::exception_ptr failure;
    bool done = false;
    auto const completion = [&finished, &failure, &done](std::exception_ptr why) {
        failure = std::move(why);
        done = true;
        finished.notify_all();
    };
    asio::co_spawn(executor, std::move(task), completion);
    bool const throwing = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    while (!done) {
        try {
            co_await finished.wait();
        } catch (std::system_error const &) { // the caller is cancelled, the task is not
        }
    }
    co_await asio::this_coro::throw_if_cancelled(throwing);
    if (failure) std::rethrow_exception(failure);
}

} // namespace gigi::inline v1
