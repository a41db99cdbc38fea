// gigi/core/impl/task_group.ipp: what task_group.hpp declares.
#pragma once

#include "../task_group.hpp"

#include "../config.hpp"
#include "../error.hpp"

#include <cstdio>
#include <cstdlib>

namespace gigi::inline v1 {

struct task_group::completion {
    task_group *group;
    children::iterator child;
    void operator()(std::exception_ptr failure) const { group->ended(child, std::move(failure)); }
};

GIGI_INLINE task_group::~task_group() {
    if (children_.empty() || abandoned()) return;
    std::fputs("gigi: a task_group was destroyed while its tasks were running: co_await stop() or join() first\n", stderr);
    std::abort();
}

GIGI_INLINE void task_group::spawn(awaitable<void> task) {
    if (cancelled_) return;
    auto const child = children_.emplace(children_.end());
    asio::co_spawn(executor_, std::move(task),
                   asio::bind_cancellation_slot(child->slot(), completion{this, child}));
}

GIGI_INLINE void task_group::cancel() {
    cancelled_ = true;
    for (auto i = children_.begin(); i != children_.end();) (i++)->emit(asio::cancellation_type::terminal);
}

GIGI_INLINE awaitable<void> task_group::join() {
    bool const throwing = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    bool interrupted = false;
    while (!children_.empty()) {
        std::error_code code;
        try {
            co_await idle_.wait();
        } catch (std::system_error const &e) {
            code = e.code();
        }
        if (code && !children_.empty()) {
            interrupted = true;
            cancel();
            co_await asio::this_coro::reset_cancellation_state(); // the waits that follow are for the drain
        }
    }
    co_await asio::this_coro::throw_if_cancelled(throwing);
    if (interrupted) throw error{make_error_code(errc::cancelled)};
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

GIGI_INLINE void task_group::reset() noexcept {
    if (children_.empty()) {
        cancelled_ = false;
        failure_ = nullptr;
    }
}

GIGI_INLINE void task_group::ended(children::iterator child, std::exception_ptr failure) {
    children_.erase(child);
    if (failure && !failure_ && !cancelled_) {
        failure_ = std::move(failure);
        cancel();
    }
    if (children_.empty()) idle_.notify_all();
}

} // namespace gigi::inline v1
