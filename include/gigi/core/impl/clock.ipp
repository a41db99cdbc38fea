// gigi/core/impl/clock.ipp: what clock.hpp declares.
#pragma once

#include "../clock.hpp"

#include "../config.hpp"

#include <utility>

namespace gigi::inline v1 {

struct alarm_timer::state {
    explicit state(any_io_executor const &executor) : timer{executor} {}
    asio::steady_timer timer;
    std::function<void()> callback;
    std::uint64_t generation = 0;
};

namespace detail {

GIGI_INLINE time_service::time_service(asio::execution_context &context, time_source *time)
    : asio::execution_context::service{context}, source{time} {}

GIGI_INLINE time_source *source_of(any_io_executor const &executor) {
    auto &context = asio::query(executor, asio::execution::context);
    return asio::has_service<time_service>(context) ? asio::use_service<time_service>(context).source : nullptr;
}

} // namespace detail

GIGI_INLINE wall_time context_clock::wall_now() const {
    return source_ ? source_->wall_now() : std::chrono::time_point_cast<duration>(std::chrono::system_clock::now());
}

GIGI_INLINE void alarm_timer::set(time_point when, std::function<void()> callback) {
    cancel();
    if (source_) {
        ticket_ = source_->at(when, [this, callback = std::move(callback)] {
            ticket_ = 0;
            callback(); // may destroy this alarm_timer: nothing after it
        });
        return;
    }
    if (!state_) state_ = std::make_shared<state>(executor_);
    state_->callback = std::move(callback);
    state_->timer.expires_at(std::chrono::time_point_cast<std::chrono::steady_clock::duration>(when));
    state_->timer.async_wait([held = std::weak_ptr{state_}, generation = ++state_->generation](std::error_code code) {
        auto const live = held.lock();
        if (code || !live || live->generation != generation || !live->callback) return;
        auto const call = std::exchange(live->callback, nullptr);
        call();
    });
}

GIGI_INLINE void alarm_timer::cancel() noexcept {
    if (ticket_) source_->forget(std::exchange(ticket_, 0));
    if (state_ && state_->callback) {
        ++state_->generation;
        state_->callback = nullptr;
        try {
            state_->timer.cancel();
        } catch (...) { // the generation has made the call harmless already
        }
    }
}

GIGI_INLINE bool alarm_timer::is_set() const noexcept { return ticket_ != 0 || (state_ && state_->callback); }

GIGI_INLINE awaitable<bool> timer::wait_until(time_point when) {
    expired_ = false;
    alarm_.set(when, [this] {
        expired_ = true;
        condition_.notify_all();
    });
    struct disarm {
        alarm_timer &armed;
        ~disarm() { armed.cancel(); }
    } const guard{alarm_};
    co_await condition_.wait();
    co_return expired_;
}

GIGI_INLINE awaitable<void> sleep_for(duration span) {
    auto const executor = co_await asio::this_coro::executor;
    timer t{executor};
    co_await t.wait_for(span);
}

} // namespace gigi::inline v1
