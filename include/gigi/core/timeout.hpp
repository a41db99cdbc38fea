// gigi/core/timeout.hpp: a deadline for any awaitable.
//
// Layer: core.
#pragma once

#include "asio.hpp"
#include "clock.hpp"
#include "condition.hpp"
#include "error.hpp"

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace gigi::inline v1 {

namespace detail {

/// What an operation under a deadline shares with the one that waits for it.
template <class T> struct timed_operation {
    explicit timed_operation(any_io_executor const &executor) : finished{executor}, deadline{executor} {}

    asio::cancellation_signal cancel;
    async_condition finished;
    alarm_timer deadline;
    std::exception_ptr failure;
    std::conditional_t<std::is_void_v<T>, bool, std::optional<T>> value{};
    bool done = false;
    bool expired = false;
    bool interrupted = false;
};

/// Waits until the operation has ended; passes the caller's own cancellation on to it.
/// @param before how the caller had been cancelled before the operation began, which may have done it
/// @pre The caller does not throw when it is cancelled: the operation refers to its frame.
template <class T> awaitable<void> drain(timed_operation<T> &operation, asio::cancellation_type before) {
    auto const state = co_await asio::this_coro::cancellation_state;
    if (!operation.done && state.cancelled() != before) {
        operation.interrupted = true;
        co_await asio::this_coro::reset_cancellation_state();
        operation.cancel.emit(asio::cancellation_type::terminal);
    }
    while (!operation.done) {
        bool woken = true;
        try {
            co_await operation.finished.wait();
        } catch (std::system_error const &) {
            woken = false;
        }
        if (!woken && !operation.done) {
            operation.interrupted = true;
            co_await asio::this_coro::reset_cancellation_state();
            operation.cancel.emit(asio::cancellation_type::terminal);
        }
    }
}

} // namespace detail

/// Runs `task`, and cancels it when `limit` has passed.
///
/// The operation has always ended when this returns: nothing runs on behind the caller's back. Where it finished in spite
/// of the deadline, its value is returned.
/// @throws error with `errc::timed_out`; whatever the operation throws
/// @par Cancellation Cancels the operation and waits for its end, then throws `errc::cancelled`.
template <class T> [[nodiscard]] awaitable<T> with_timeout(awaitable<T> task, duration limit) {
    static_assert(std::is_void_v<T> || std::is_default_constructible_v<T>, "Asio hands over a value that it has made before");
    auto const executor = co_await asio::this_coro::executor;
    detail::timed_operation<T> operation{executor};
    auto const end = context_clock{executor}.now() + limit;
    operation.deadline.set(end, [&operation] {
        operation.expired = true;
        operation.cancel.emit(asio::cancellation_type::terminal);
    });
    auto completion = [&operation](std::exception_ptr failure, auto &&...value) {
        operation.deadline.cancel();
        operation.failure = std::move(failure);
        if constexpr (!std::is_void_v<T>) {
            if (!operation.failure) (operation.value.emplace(std::forward<decltype(value)>(value)), ...);
        }
        operation.done = true;
        operation.finished.notify_all();
    };
    // From here on nothing may throw until the operation has ended.
    bool const throwing = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    auto const state = co_await asio::this_coro::cancellation_state;
    auto const before = state.cancelled();
    asio::co_spawn(executor, std::move(task), asio::bind_cancellation_slot(operation.cancel.slot(), completion));
    co_await detail::drain(operation, before);
    co_await asio::this_coro::throw_if_cancelled(throwing);
    if (operation.failure) {
        if (operation.expired && !operation.interrupted) {
            try {
                std::rethrow_exception(operation.failure);
            } catch (std::system_error const &e) {
                if (e.code() != condition::cancelled) throw;
            }
            throw error{make_error_code(errc::timed_out)};
        }
        std::rethrow_exception(operation.failure);
    }
    if (operation.interrupted) throw error{make_error_code(errc::cancelled)};
    if constexpr (!std::is_void_v<T>) co_return std::move(*operation.value);
}

} // namespace gigi::inline v1
