// gigi/core/condition.hpp: async_condition, the one primitive on which gigi's coroutines wait for each other.
//
// Layer: core. Like a condition variable, on one strand instead of under a mutex: check a predicate, wait, check again.
#pragma once

#include "asio.hpp"
#include "error.hpp"

#include <memory>
#include <mutex>
#include <utility>

namespace gigi::inline v1 {

class async_condition;

namespace detail {

/// Knows every condition of an execution context, so that coroutines that still wait when the context is destroyed are
/// destroyed with it, as Asio does with its own operations.
class condition_service : public asio::execution_context::service {
  public:
    using key_type = condition_service;
    static inline asio::execution_context::id id;

    explicit condition_service(asio::execution_context &context) : asio::execution_context::service{context} {}

    void add(async_condition &) noexcept;
    void remove(async_condition &) noexcept;

  private:
    void shutdown() noexcept override;

    std::mutex mutex_; // one context may run several strands
    async_condition *first_ = nullptr;
};

/// One suspended coroutine.
struct waiter {
    waiter *previous = nullptr;
    waiter *next = nullptr;
    /// Frees the waiter; resumes its coroutine with `code` where `run` is set, and destroys it otherwise.
    void (*finish)(waiter *, std::error_code code, bool run) = nullptr;
    waiter **slot = nullptr; // who knows this waiter, if anybody
};

/// A completion handler on its way through the executor, with the handler's own allocator.
template <class Handler> struct resumption {
    Handler handler;
    std::error_code code;

    using allocator_type = asio::associated_allocator_t<Handler>;
    allocator_type get_allocator() const noexcept { return asio::get_associated_allocator(handler); }
    void operator()() { std::move(handler)(code); }
};

template <class Handler> struct waiter_of final : waiter {
    Handler handler;
    any_io_executor executor;

    waiter_of(Handler &&h, any_io_executor const &e) : handler{std::move(h)}, executor{e} {}

    static void finish_impl(waiter *base, std::error_code code, bool run) {
        auto *const self = static_cast<waiter_of *>(base);
        using allocator = typename std::allocator_traits<asio::associated_allocator_t<Handler>>::template rebind_alloc<waiter_of>;
        allocator memory{asio::get_associated_allocator(self->handler)};
        if (run) asio::get_associated_cancellation_slot(self->handler).clear();
        auto const executor = asio::get_associated_executor(self->handler, self->executor);
        Handler handler{std::move(self->handler)};
        std::allocator_traits<allocator>::destroy(memory, self);
        std::allocator_traits<allocator>::deallocate(memory, self, 1);
        if (run) asio::post(executor, resumption<Handler>{std::move(handler), code});
    }
};

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
/// Distinct objects: safe. Shared objects: unsafe; use it on one strand. A waiter that is notified resumes through the
/// executor, never inside `notify_…()`. There are no spurious wake-ups, but the state may have changed again by the time
/// the waiter runs: loop over the predicate.
class async_condition {
  public:
    explicit async_condition(any_io_executor executor)
        : executor_{std::move(executor)},
          service_{&asio::use_service<detail::condition_service>(asio::query(executor_, asio::execution::context))} {
        service_->add(*this);
    }
    async_condition(async_condition const &) = delete;
    async_condition &operator=(async_condition const &) = delete;

    /// Coroutines that still wait are resumed with `errc::cancelled`.
    ~async_condition() {
        finish_all(make_error_code(errc::cancelled));
        if (service_) service_->remove(*this);
    }

    /// Suspends until notified.
    /// @throws std::system_error with `errc::cancelled`
    /// @par Cancellation Leaves the condition as if the wait had never begun.
    [[nodiscard]] awaitable<void> wait() {
        return asio::async_initiate<asio::use_awaitable_t<> const, void(std::error_code)>(initiation{this, nullptr}, use_awaitable);
    }
    /// The same, in a slot that nobody waits in: `notify(slot)` wakes this coroutine alone.
    [[nodiscard]] awaitable<void> wait(wait_slot &slot) {
        return asio::async_initiate<asio::use_awaitable_t<> const, void(std::error_code)>(initiation{this, &slot.waiter_},
                                                                                          use_awaitable);
    }

    /// Wakes the coroutine that waits in the slot, if any.
    void notify(wait_slot &slot) {
        if (slot.waiter_) finish(slot.waiter_, {});
    }

    /// Wakes the coroutine that has waited longest, if any.
    void notify_one() {
        if (first_) finish(first_, {});
    }

    /// Wakes every coroutine that waits now.
    void notify_all() { finish_all({}); }

    /// Whether the execution context is being destroyed, or has been.
    bool orphaned() const noexcept { return service_ == nullptr; }
    bool has_waiters() const noexcept { return first_ != nullptr; }
    any_io_executor const &get_executor() const noexcept { return executor_; }

  private:
    friend class detail::condition_service;

    struct initiation {
        async_condition *self;
        detail::waiter **slot;
        template <class Handler> void operator()(Handler &&handler) const {
            using handler_type = std::decay_t<Handler>;
            using node = detail::waiter_of<handler_type>;
            using allocator = typename std::allocator_traits<asio::associated_allocator_t<handler_type>>::template rebind_alloc<node>;
            allocator memory{asio::get_associated_allocator(handler)};
            node *const made = std::allocator_traits<allocator>::allocate(memory, 1);
            auto cancellation = asio::get_associated_cancellation_slot(handler);
            std::construct_at(made, std::move(handler), self->executor_);
            made->finish = &node::finish_impl;
            made->slot = slot;
            if (slot) *slot = made;
            self->link(made);
            if (cancellation.is_connected())
                cancellation.assign([self = self, made](asio::cancellation_type type) {
                    if (type != asio::cancellation_type::none) self->finish(made, make_error_code(errc::cancelled));
                });
        }
    };

    void link(detail::waiter *w) noexcept {
        w->previous = last_;
        (last_ ? last_->next : first_) = w;
        last_ = w;
    }
    void unlink(detail::waiter *w) noexcept {
        (w->previous ? w->previous->next : first_) = w->next;
        (w->next ? w->next->previous : last_) = w->previous;
    }
    void finish(detail::waiter *w, std::error_code code) {
        unlink(w);
        if (w->slot) *w->slot = nullptr;
        w->finish(w, code, true);
    }
    void finish_all(std::error_code code) {
        while (first_) finish(first_, code);
    }

    any_io_executor executor_;
    detail::condition_service *service_; // null: the context is gone
    detail::waiter *first_ = nullptr;
    detail::waiter *last_ = nullptr;
    async_condition *previous_ = nullptr; // the service's list
    async_condition *next_ = nullptr;
};

namespace detail {

inline void condition_service::add(async_condition &c) noexcept {
    std::lock_guard const lock{mutex_};
    c.next_ = first_;
    if (first_) first_->previous_ = &c;
    first_ = &c;
}

inline void condition_service::remove(async_condition &c) noexcept {
    std::lock_guard const lock{mutex_};
    (c.previous_ ? c.previous_->next_ : first_) = c.next_;
    if (c.next_) c.next_->previous_ = c.previous_;
}

inline void condition_service::shutdown() noexcept {
    // No thread runs the context any more: no lock. Destroying a waiter destroys its coroutine, which may destroy
    // conditions and objects that know of being orphaned: mark all of them first.
    waiter *all = nullptr;
    while (first_) {
        async_condition *const c = first_;
        remove(*c);
        c->service_ = nullptr;
        for (waiter *w = c->first_; w; w = w->next)
            if (w->slot) *w->slot = nullptr;
        if (c->last_) c->last_->next = std::exchange(all, c->first_);
        c->first_ = c->last_ = nullptr;
    }
    while (all) {
        waiter *const w = std::exchange(all, all->next);
        w->finish(w, {}, false);
    }
}

} // namespace detail

} // namespace gigi::inline v1
