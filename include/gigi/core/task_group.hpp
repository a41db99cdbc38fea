// gigi/core/task_group.hpp: structured concurrency: tasks that have an owner who cancels and joins them.
//
// Layer: core.
#pragma once

#include "asio.hpp"
#include "condition.hpp"
#include "error.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <list>
#include <utility>

namespace gigi::inline v1 {

/// Owns running coroutines. The first that fails cancels the others, and `join()` rethrows its error.
///
/// Use it on one strand. Destroying a group with live tasks is a bug in the program and aborts it with a message:
/// `cancel()` and `co_await join()` first.
class task_group {
  public:
    explicit task_group(any_io_executor executor) : executor_{std::move(executor)}, idle_{executor_} {}
    task_group(task_group const &) = delete;
    task_group &operator=(task_group const &) = delete;
    ~task_group() {
        if (children_.empty() || abandoned()) return;
        std::fputs("gigi: a task_group was destroyed while its tasks were running: co_await stop() or join() first\n", stderr);
        std::abort();
    }

    /// Starts a task. After `cancel()` new tasks are refused by destroying them unstarted.
    /// @par Lifetime What the task refers to must live until `join()` has returned.
    void spawn(awaitable<void> task) {
        if (cancelled_) return;
        auto const child = children_.emplace(children_.end());
        asio::co_spawn(executor_, std::move(task),
                       asio::bind_cancellation_slot(child->slot(), completion{this, child}));
    }

    /// Asks every task to stop; those that cannot at once stop at their next suspension.
    void cancel() {
        cancelled_ = true;
        for (auto i = children_.begin(); i != children_.end();) (i++)->emit(asio::cancellation_type::terminal);
    }

    /// Waits until every task has ended.
    /// @throws the first failure of a task that was not caused by `cancel()`
    /// @par Cancellation Cancels the tasks, still waits until they have ended, then throws `errc::cancelled`.
    [[nodiscard]] awaitable<void> join() {
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
        co_await asio::this_coro::throw_if_cancelled(true);
        if (interrupted) throw error{make_error_code(errc::cancelled)};
        if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    }

    std::size_t size() const noexcept { return children_.size(); }
    bool empty() const noexcept { return children_.empty(); }
    bool cancelled() const noexcept { return cancelled_; }

    /// Makes a group whose tasks have all ended usable again.
    void reset() noexcept {
        if (children_.empty()) {
            cancelled_ = false;
            failure_ = nullptr;
        }
    }

  private:
    using children = std::list<asio::cancellation_signal>;

    struct completion {
        task_group *group;
        children::iterator child;
        void operator()(std::exception_ptr failure) const { group->ended(child, std::move(failure)); }
    };

    void ended(children::iterator child, std::exception_ptr failure) {
        children_.erase(child);
        if (failure && !failure_ && !cancelled_) {
            failure_ = std::move(failure);
            cancel();
        }
        if (children_.empty()) idle_.notify_all();
    }

    /// Whether the context has been destroyed, and the tasks with it, without running to their ends.
    bool abandoned() const noexcept { return idle_.orphaned(); }

    any_io_executor executor_;
    children children_;
    async_condition idle_;
    std::exception_ptr failure_;
    bool cancelled_ = false;
};

} // namespace gigi::inline v1
