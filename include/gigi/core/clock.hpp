// gigi/core/clock.hpp: time, as the executor's context has it: the machine's, or a simulation's.
//
// Layer: core. Time belongs to the execution context, not to every template's parameter list: a simulation installs a
// `time_source` in its context (`gigi/testing/simulation.hpp`), and everything that runs there follows it.
#pragma once

#include "asio.hpp"
#include "condition.hpp"

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>

namespace gigi::inline v1 {

using duration = std::chrono::nanoseconds;
using time_point = std::chrono::time_point<std::chrono::steady_clock, duration>; ///< monotonic
using wall_time = std::chrono::sys_time<std::chrono::nanoseconds>;               ///< for people and for sequence numbers
using namespace std::chrono_literals;

/// What tells the time: monotonic for deadlines, wall clock for what leaves the node.
template <class T>
concept Clock = requires(T const &clock) {
    { clock.now() } -> std::convertible_to<time_point>;
    { clock.wall_now() } -> std::convertible_to<wall_time>;
};

/// A source of time that is not the machine's. `at()` calls `callback` once, on the context's thread.
class time_source {
  public:
    using ticket = std::uint64_t; ///< names a pending call; 0 names none

    virtual ~time_source() = default;
    virtual time_point now() const = 0;
    virtual wall_time wall_now() const = 0;
    virtual ticket at(time_point when, std::function<void()> callback) = 0;
    virtual void forget(ticket) noexcept = 0;
};

namespace detail {

/// Holds a context's `time_source`; a context without this service has the machine's time.
class time_service : public asio::execution_context::service {
  public:
    using key_type = time_service;
    static inline asio::execution_context::id id;

    explicit time_service(asio::execution_context &context, time_source *time = nullptr);

    time_source *const source;

  private:
    void shutdown() noexcept override {}
};

time_source *source_of(any_io_executor const &executor);

} // namespace detail

/// The clock of an executor's context. Cheap to copy; valid as long as the context.
class context_clock {
  public:
    explicit context_clock(any_io_executor const &executor) : source_{detail::source_of(executor)} {}

    time_point now() const { return source_ ? source_->now() : time_point{std::chrono::steady_clock::now()}; }
    wall_time wall_now() const;
    /// Seconds since 1970, and milliseconds likewise.
    std::uint64_t unix_seconds() const { return count_of<std::chrono::seconds>(); }
    std::uint64_t unix_milliseconds() const { return count_of<std::chrono::milliseconds>(); }

  private:
    template <class Unit> std::uint64_t count_of() const { // not "unix": a macro where GNU extensions are on
        auto const count = std::chrono::duration_cast<Unit>(wall_now().time_since_epoch()).count();
        return count < 0 ? 0 : static_cast<std::uint64_t>(count);
    }
    time_source *source_;
};
static_assert(Clock<context_clock>);

/// One pending call of a function at a time; setting it again replaces it, destroying it cancels it.
class alarm_timer {
  public:
    explicit alarm_timer(any_io_executor const &executor) : source_{detail::source_of(executor)}, executor_{executor} {}
    alarm_timer(alarm_timer const &) = delete;
    alarm_timer &operator=(alarm_timer const &) = delete;
    ~alarm_timer() { cancel(); }

    /// Calls `callback` on the executor at `when` or soon after; the callback must not throw.
    void set(time_point when, std::function<void()> callback);
    void cancel() noexcept;
    bool is_set() const noexcept;

  private:
    struct state;

    time_source *source_;
    any_io_executor executor_;
    time_source::ticket ticket_ = 0;
    std::shared_ptr<state> state_;
};

/// What a coroutine sleeps on, and what others wake it with.
class timer {
  public:
    explicit timer(any_io_executor const &executor) : clock_{executor}, alarm_{executor}, condition_{executor} {}

    /// Suspends until `when`. @return true at that time, false where `wake()` came before it
    /// @throws std::system_error with `errc::cancelled`
    [[nodiscard]] awaitable<bool> wait_until(time_point when);
    [[nodiscard]] awaitable<bool> wait_for(duration span) { return wait_until(clock_.now() + span); }

    /// Ends the present wait early; does nothing where nobody waits.
    void wake() { condition_.notify_all(); }

    time_point now() const { return clock_.now(); }

  private:
    context_clock clock_;
    alarm_timer alarm_;
    async_condition condition_;
    bool expired_ = false;
};

/// Suspends the calling coroutine. @throws std::system_error with `errc::cancelled`
[[nodiscard]] awaitable<void> sleep_for(duration span);

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/clock.ipp"
#endif
