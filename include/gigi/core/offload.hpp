// gigi/core/offload.hpp: work that would block the network, done elsewhere.
//
// Layer: core. Hashing and disk work run on a small thread pool; the result comes back to the caller's strand.
#pragma once

#include "asio.hpp"
#include "condition.hpp"
#include "error.hpp"

#include <atomic>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace gigi::inline v1 {

namespace detail {

enum class offload_phase { waiting, running, posting, finished, abandoned };

template <class T> struct offloaded {
    // The context must not run out of work while the result is on its way.
    explicit offloaded(any_io_executor const &executor)
        : finished{executor}, home{asio::prefer(executor, asio::execution::outstanding_work.tracked)} {}
    std::conditional_t<std::is_void_v<T>, bool, std::optional<T>> value{};
    std::exception_ptr failure;
    bool done = false; // touched on the caller's strand only
    async_condition finished;
    any_io_executor home; // the job's, until it has posted
    std::atomic<offload_phase> phase{offload_phase::waiting};
};

/// In the frame of who waits. A context that is destroyed takes the frame with it, and with the frame what the work refers to: work
/// that has not begun then never does, and work that runs is waited for.
template <class T> class offload_guard {
  public:
    explicit offload_guard(std::shared_ptr<offloaded<T>> state) : state_{std::move(state)} {}
    offload_guard(offload_guard const &) = delete;
    ~offload_guard() {
        if (state_->done) return;
        auto seen = offload_phase::waiting;
        if (!state_->phase.compare_exchange_strong(seen, offload_phase::abandoned)) {
            if (seen == offload_phase::running) state_->phase.compare_exchange_strong(seen, offload_phase::abandoned);
            while ((seen = state_->phase.load()) != offload_phase::finished) state_->phase.wait(seen);
        }
        state_->home = {}; // the job may live on
    }

  private:
    std::shared_ptr<offloaded<T>> state_;
};

} // namespace detail

/// Runs `work()` on the executor `pool` and returns what it returns, or throws what it throws.
/// @param work called once, on another thread: what it refers to must live until this returns, and not be touched meanwhile
/// @par Cancellation Work that has begun is not interrupted: waits for its end, then throws `errc::cancelled`.
template <class F> [[nodiscard]] awaitable<std::invoke_result_t<F &>> run_on(any_io_executor pool, F work) {
    using value = std::invoke_result_t<F &>;
    any_io_executor const executor = co_await asio::this_coro::executor;
    auto const state = std::make_shared<detail::offloaded<value>>(executor);
    auto job = [state, work = std::move(work)]() mutable {
        auto expected = detail::offload_phase::waiting;
        if (!state->phase.compare_exchange_strong(expected, detail::offload_phase::running)) return;
        try {
            if constexpr (std::is_void_v<value>)
                work();
            else
                state->value.emplace(work());
        } catch (...) {
            state->failure = std::current_exception();
        }
        expected = detail::offload_phase::running;
        if (state->phase.compare_exchange_strong(expected, detail::offload_phase::posting))
            asio::post(state->home, [state] {
                state->done = true;
                state->finished.notify_all();
            });
        state->phase = detail::offload_phase::finished;
        state->phase.notify_all();
    };
    asio::post(pool, std::move(job));
    detail::offload_guard const guard{state};
    bool const throwing = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    bool interrupted = false;
    while (!state->done) {
        bool woken = false;
        try {
            co_await state->finished.wait();
            woken = true;
        } catch (std::system_error const &) {
        }
        if (!woken && !state->done) {
            interrupted = true;
            co_await asio::this_coro::reset_cancellation_state();
        }
    }
    co_await asio::this_coro::throw_if_cancelled(throwing);
    if (interrupted) throw error{make_error_code(errc::cancelled)};
    if (state->failure) std::rethrow_exception(state->failure);
    if constexpr (!std::is_void_v<value>) co_return std::move(*state->value);
}

/// A few threads for `run_on`.
class thread_pool_offload {
  public:
    thread_pool_offload(any_io_executor const &, std::size_t threads) : pool_{threads ? threads : 1} {}
    any_io_executor get_executor() { return pool_.get_executor(); }
    /// Waits until everything that was posted has been done.
    void join() { pool_.join(); }

  private:
    asio::thread_pool pool_;
};

/// No threads: the work is done on the strand itself. For simulations, which must not depend on what else the machine does.
class inline_offload {
  public:
    inline_offload(any_io_executor executor, std::size_t) : executor_{std::move(executor)} {}
    any_io_executor get_executor() const { return executor_; }
    void join() noexcept {}

  private:
    any_io_executor executor_;
};

} // namespace gigi::inline v1
