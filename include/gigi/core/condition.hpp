// gigi/core/condition.hpp: async_condition, the one primitive on which gigi's coroutines wait for each other.
//
// Layer: core. Like a condition variable, on one strand instead of under a mutex: check a predicate, wait, check again.
#pragma once

#include "asio.hpp"
#include "turn.hpp"

#include <system_error>

namespace gigi::inline v1 {

class async_condition;

namespace detail {
class condition_service;
} // namespace detail

/// A place for one coroutine that waits on a condition, so that it can be woken by itself: many objects that each have
/// somebody waiting share one condition, and cost a pointer.
/// @par Lifetime Must outlive the wait.
class wait_slot {
  public:
    wait_slot() = default;
    wait_slot(wait_slot const &) = delete;
    wait_slot &operator=(wait_slot const &) = delete;
    bool has_waiter() const noexcept { return waiter_ != nullptr; }

  private:
    friend async_condition;
    detail::waiter *waiter_ = nullptr;
};

/// Where coroutines of one strand wait until another one notifies them.
///
/// Distinct objects: safe. Shared objects: unsafe; use it on one strand. A waiter that is notified resumes on its executor, never
/// inside `notify_…()`: at the end of the turn where gigi had resumed the coroutine that notified, too (`turn.hpp`), and else
/// when the event loop comes to it. There are no spurious wake-ups, but the state may have changed again by the time the waiter
/// runs: loop over the predicate.
class async_condition {
  public:
    explicit async_condition(any_io_executor executor);
    async_condition(async_condition const &) = delete;
    async_condition &operator=(async_condition const &) = delete;

    /// Coroutines that still wait are resumed with `errc::cancelled`.
    ~async_condition();

    /// Suspends until notified.
    /// @throws std::system_error with `errc::cancelled`
    /// @par Cancellation Leaves the condition as if the wait had never begun.
    [[nodiscard]] awaitable<void> wait();
    /// The same, in a slot that nobody waits in: `notify(slot)` wakes this coroutine alone.
    [[nodiscard]] awaitable<void> wait(wait_slot &slot);

    /// Wakes the coroutine that waits in the slot, if any.
    void notify(wait_slot &slot);

    /// Wakes the coroutine that has waited longest, if any.
    void notify_one();

    /// Wakes every coroutine that waits now.
    void notify_all();

    /// Whether the execution context is being destroyed, or has been.
    bool orphaned() const noexcept { return service_ == nullptr; }
    bool has_waiters() const noexcept { return first_ != nullptr; }
    any_io_executor const &get_executor() const noexcept { return executor_; }

  private:
    friend class detail::condition_service;

    struct initiation;

    void link(detail::waiter *w) noexcept;
    void unlink(detail::waiter *w) noexcept;
    void finish(detail::waiter *w, bool cancelled);
    void finish_all(bool cancelled);

    any_io_executor executor_;
    detail::condition_service *service_; // null: the context is gone
    detail::waiter *first_ = nullptr;
    detail::waiter *last_ = nullptr;
    async_condition *previous_ = nullptr; // the service's list
    async_condition *next_ = nullptr;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/condition.ipp"
#endif
