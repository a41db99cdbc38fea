// gigi/core/task_group.hpp: structured concurrency: tasks that have an owner who cancels and joins them.
//
// Layer: core.
#pragma once

#include "asio.hpp"
#include "condition.hpp"

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
    ~task_group();

    /// Starts a task. After `cancel()` new tasks are refused by destroying them unstarted.
    /// @par Lifetime What the task refers to must live until `join()` has returned.
    void spawn(awaitable<void> task);

    /// Asks every task to stop; those that cannot at once stop at their next suspension.
    void cancel();

    /// Waits until every task has ended.
    /// @throws the first failure of a task that was not caused by `cancel()`
    /// @par Cancellation Cancels the tasks, still waits until they have ended, then throws `errc::cancelled`. That is where it waits
    ///   already: in a coroutine that was cancelled before, Asio throws `operation_aborted` at the `co_await`, before `join()` runs, and the
    ///   group is destroyed with live tasks. Where that can be, as after a `catch`, end the group with these three:
    ///
    ///       co_await asio::this_coro::reset_cancellation_state();
    ///       group.cancel();
    ///       co_await group.join();
    [[nodiscard]] awaitable<void> join();

    std::size_t size() const noexcept { return children_.size(); }
    bool empty() const noexcept { return children_.empty(); }
    bool cancelled() const noexcept { return cancelled_; }

    /// Makes a group whose tasks have all ended usable again.
    void reset() noexcept;

  private:
    using children = std::list<asio::cancellation_signal>;

    struct completion;

    void ended(children::iterator child, std::exception_ptr failure);

    /// Whether the context has been destroyed, and the tasks with it, without running to their ends.
    bool abandoned() const noexcept { return idle_.orphaned(); }

    any_io_executor executor_;
    children children_;
    async_condition idle_;
    std::exception_ptr failure_;
    bool cancelled_ = false;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/task_group.ipp"
#endif
