// gigi/core/impl/condition.ipp: what condition.hpp declares.
#pragma once

#include "../condition.hpp"

#include "../config.hpp"
#include "../error.hpp"

#include <memory>
#include <mutex>
#include <utility>

namespace gigi::inline v1 {

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

/// Services are shut down in the reverse order of their making: strands' must be there before this one, or what was posted to a
/// strand would be destroyed, and coroutines with it, while conditions do not yet know that the context is gone.
inline condition_service &condition_service_of(any_io_executor const &executor) {
    auto &context = asio::query(executor, asio::execution::context);
    if (!asio::has_service<condition_service>(context)) static_cast<void>(asio::make_strand(executor));
    return asio::use_service<condition_service>(context);
}

template <class Handler> struct waiter_of final : waiter {
    Handler handler;

    explicit waiter_of(Handler &&h) : waiter{.finish = &end}, handler{std::move(h)} {}

    static void end(waiter *base, how ending) {
        auto *const self = static_cast<waiter_of *>(base);
        using allocator = typename std::allocator_traits<asio::associated_allocator_t<Handler>>::template rebind_alloc<waiter_of>;
        allocator memory{asio::get_associated_allocator(self->handler)};
        if (ending == how::soon) {
            asio::get_associated_cancellation_slot(self->handler).clear();
            if (turn::take(*self, asio::get_associated_executor(self->handler))) return;
        }
        Handler handler{std::move(self->handler)};
        std::error_code const code = self->cancelled ? make_error_code(errc::cancelled) : std::error_code{};
        std::allocator_traits<allocator>::destroy(memory, self);
        std::allocator_traits<allocator>::deallocate(memory, self, 1);
        if (ending == how::never) return;
        if (ending == how::now) return std::move(handler)(code);
        auto const executor = asio::get_associated_executor(handler);
        asio::post(executor, posted_turn<Handler>{turn_handler<Handler>{std::move(handler)}, code});
    }
};

} // namespace detail

struct async_condition::initiation {
    async_condition *self;
    detail::waiter **slot;
    template <class Handler> void operator()(Handler &&handler) const {
        using handler_type = std::decay_t<Handler>;
        using node = detail::waiter_of<handler_type>;
        using allocator = typename std::allocator_traits<asio::associated_allocator_t<handler_type>>::template rebind_alloc<node>;
        allocator memory{asio::get_associated_allocator(handler)};
        node *const made = std::allocator_traits<allocator>::allocate(memory, 1);
        auto cancellation = asio::get_associated_cancellation_slot(handler);
        std::construct_at(made, std::move(handler));
        made->slot = slot;
        if (slot) *slot = made;
        self->link(made);
        if (cancellation.is_connected())
            cancellation.assign([self = self, made](asio::cancellation_type type) {
                if (type != asio::cancellation_type::none) self->finish(made, true);
            });
    }
};

GIGI_INLINE async_condition::async_condition(any_io_executor executor)
    : executor_{std::move(executor)}, service_{&detail::condition_service_of(executor_)} {
    service_->add(*this);
}

GIGI_INLINE async_condition::~async_condition() {
    finish_all(true);
    if (service_) service_->remove(*this);
}

GIGI_INLINE awaitable<void> async_condition::wait() {
    return asio::async_initiate<asio::use_awaitable_t<> const, void(std::error_code)>(initiation{this, nullptr}, use_awaitable);
}

GIGI_INLINE awaitable<void> async_condition::wait(wait_slot &slot) {
    return asio::async_initiate<asio::use_awaitable_t<> const, void(std::error_code)>(initiation{this, &slot.waiter_},
                                                                                      use_awaitable);
}

GIGI_INLINE void async_condition::notify(wait_slot &slot) {
    if (slot.waiter_) finish(slot.waiter_, false);
}

GIGI_INLINE void async_condition::notify_one() {
    if (first_) finish(first_, false);
}

GIGI_INLINE void async_condition::notify_all() { finish_all(false); }

GIGI_INLINE void async_condition::link(detail::waiter *w) noexcept {
    w->previous = last_;
    (last_ ? last_->next : first_) = w;
    last_ = w;
}

GIGI_INLINE void async_condition::unlink(detail::waiter *w) noexcept {
    (w->previous ? w->previous->next : first_) = w->next;
    (w->next ? w->next->previous : last_) = w->previous;
}

GIGI_INLINE void async_condition::finish(detail::waiter *w, bool cancelled) {
    unlink(w);
    if (w->slot) *w->slot = nullptr;
    w->cancelled = cancelled;
    w->finish(w, detail::waiter::how::soon);
}

GIGI_INLINE void async_condition::finish_all(bool cancelled) {
    while (first_) finish(first_, cancelled);
}

namespace detail {

GIGI_INLINE void condition_service::add(async_condition &c) noexcept {
    std::lock_guard const lock{mutex_};
    c.next_ = first_;
    if (first_) first_->previous_ = &c;
    first_ = &c;
}

GIGI_INLINE void condition_service::remove(async_condition &c) noexcept {
    std::lock_guard const lock{mutex_};
    (c.previous_ ? c.previous_->next_ : first_) = c.next_;
    if (c.next_) c.next_->previous_ = c.previous_;
}

GIGI_INLINE void condition_service::shutdown() noexcept {
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
        w->finish(w, waiter::how::never);
    }
}

} // namespace detail

} // namespace gigi::inline v1
