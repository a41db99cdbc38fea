// gigi/core/turn.hpp: coroutines that wake each other run one after the other, without a way through the event loop each.
//
// Layer: core. A message passes through several coroutines: one that reads the connection wakes the one that waits for a
// stream, which wakes the one that writes. Posted, each of them would cost a queue's lock and a look at the sockets.
#pragma once

#include "asio.hpp"

#include <functional>
#include <system_error>
#include <utility>

namespace gigi::inline v1::detail {

/// One suspended coroutine.
struct waiter {
    enum class how {
        soon,   ///< it resumes in this turn, or through its executor
        posted, ///< it resumes through its executor
        now,    ///< it resumes before this returns
        never,  ///< it is destroyed
    };

    waiter *previous = nullptr;
    waiter *next = nullptr;
    /// Frees the waiter, and lets its coroutine go on.
    void (*finish)(waiter *, how) = nullptr;
    waiter **slot = nullptr; // who knows this waiter, if anybody
    bool cancelled = false;  // it throws when it resumes
};

/// While a completion handler of gigi's runs: takes the coroutines of the same executor that are woken, for `run()`.
///
/// On the stack of one thread, one for each handler, which must not run the event loop to wait for whom it has woken. Those that
/// `run()` leaves over, or that were woken where it is not called, resume through their executor.
class turn {
  public:
    explicit turn(any_io_executor const &executor) noexcept : executor_{executor}, outer_{std::exchange(current_, this)} {}
    turn(turn const &) = delete;
    turn &operator=(turn const &) = delete;
    ~turn() {
        current_ = outer_;
        while (first_) finish_first(waiter::how::posted);
    }

    /// Takes a waiter that is to resume on `executor`. @return false where it must be posted
    static bool take(waiter &woken, any_io_executor const &executor) noexcept {
        if (!current_ || current_->executor_ != executor) return false;
        woken.next = nullptr;
        (current_->first_ ? current_->last_->next : current_->first_) = &woken;
        current_->last_ = &woken;
        return true;
    }

    /// Resumes those that were woken, in the order in which they were; also those that they wake, but only so many that what
    /// else the event loop has to do is not kept waiting.
    void run() {
        for (int resumed = 0; first_ && resumed < longest; ++resumed) {
            if (watcher) [[unlikely]]
                (*watcher)();
            finish_first(waiter::how::now);
        }
    }

    /// Of this thread, for tests (testing/interruption.hpp): called before each coroutine that resumes in a turn. What it does is
    /// as if the coroutine before had done it.
    static inline constinit thread_local std::function<void()> const *watcher = nullptr;

  private:
    static constexpr int longest = 16; // coroutines

    void finish_first(waiter::how how) {
        waiter *const woken = std::exchange(first_, first_->next);
        woken->finish(woken, how);
    }

    static inline constinit thread_local turn *current_ = nullptr;

    any_io_executor const &executor_;
    turn *outer_;
    waiter *first_ = nullptr;
    waiter *last_ = nullptr; // where there is a first
};

/// A completion handler of a coroutine, which has a turn of its own.
template <class Handler> class turn_handler {
  public:
    using executor_type = asio::associated_executor_t<Handler>;
    using allocator_type = asio::associated_allocator_t<Handler>;
    using cancellation_slot_type = asio::associated_cancellation_slot_t<Handler>;

    explicit turn_handler(Handler &&handler) : handler_{std::move(handler)} {}

    executor_type get_executor() const noexcept { return asio::get_associated_executor(handler_); }
    allocator_type get_allocator() const noexcept { return asio::get_associated_allocator(handler_); }
    cancellation_slot_type get_cancellation_slot() const noexcept { return asio::get_associated_cancellation_slot(handler_); }

    void operator()(std::error_code const &code) {
        any_io_executor const executor = get_executor();
        turn all{executor};
        std::move(handler_)(code);
        all.run();
    }

  private:
    Handler handler_;
};

/// A completion handler that waits for its turn in its executor, in memory of the handler's own.
template <class Handler> struct posted_turn {
    turn_handler<Handler> handler;
    std::error_code code;

    using allocator_type = asio::associated_allocator_t<Handler>;
    allocator_type get_allocator() const noexcept { return handler.get_allocator(); }
    void operator()() { std::move(handler)(code); }
};

/// Lets everything run that can, and goes on with a turn of its own.
[[nodiscard]] inline awaitable<void> yield_turn(any_io_executor const &executor) {
    auto initiation = [executor]<class Handler>(Handler handler) {
        asio::post(executor, posted_turn<Handler>{turn_handler<Handler>{std::move(handler)}, {}});
    };
    return asio::async_initiate<asio::use_awaitable_t<> const, void(std::error_code)>(std::move(initiation), use_awaitable);
}

} // namespace gigi::inline v1::detail
