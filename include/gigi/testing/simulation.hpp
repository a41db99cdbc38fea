// gigi/testing/simulation.hpp: runs coroutines in simulated time: hours in milliseconds, the same way every time.
//
// Layer: testing. Everything that runs on the simulation's context follows its clock (core/clock.hpp); randomness comes from
// one seed, which a failing test prints and the environment variable GIGI_SEED sets.
#pragma once

#include "../core/asio.hpp"
#include "../core/clock.hpp"
#include "../crypto/random.hpp"

#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace gigi::inline v1::testing {

/// The seed that a test shall use: GIGI_SEED from the environment, or `fallback`.
std::uint64_t seed_or(std::uint64_t fallback);

/// An execution context whose time stands still until everything that can run has run, and then jumps to the next deadline.
class simulation {
  public:
    /// @param most_at_once how many completion handlers may run at one moment; more are a livelock: work that makes work while time
    ///   stands still
    explicit simulation(std::uint64_t seed = 1, std::uint64_t most_at_once = 10'000'000);
    simulation(simulation const &) = delete;
    simulation &operator=(simulation const &) = delete;
    ~simulation();

    any_io_executor get_executor() { return context_->get_executor(); }
    random_source &random() noexcept { return random_; }
    std::uint64_t seed() const noexcept { return seed_; }
    time_point now() const { return time_.now(); }

    /// Runs a coroutine to its end, and time as far as that takes.
    /// @param limit of simulated time
    /// @throws what the coroutine throws; std::runtime_error where it waits for something that can never come (a deadlock), or
    ///   beyond the limit, or never lets time pass (a livelock)
    template <class T> T run(awaitable<T> task, duration limit = std::chrono::hours{24}) {
        struct outcome {
            std::exception_ptr failure;
            std::conditional_t<std::is_void_v<T>, bool, std::optional<T>> value{};
            bool done = false;
        };
        auto const result = std::make_shared<outcome>();
        asio::co_spawn(get_executor(), std::move(task), [result](std::exception_ptr failure, auto &&...value) {
            result->failure = std::move(failure);
            if constexpr (!std::is_void_v<T>) {
                if (!result->failure) (result->value.emplace(std::forward<decltype(value)>(value)), ...);
            }
            result->done = true;
        });
        auto const end = now() + limit;
        while (!result->done) {
            settle();
            if (result->done) break;
            if (!time_.next()) throw std::runtime_error{describe("deadlock: nothing is ready, and nothing is due")};
            if (*time_.next() > end) throw std::runtime_error{describe("it did not end within the limit of simulated time")};
            time_.advance_to(*time_.next());
        }
        if (result->failure) std::rethrow_exception(result->failure);
        if constexpr (!std::is_void_v<T>) return std::move(*result->value);
    }

    /// Runs one completion handler; where none is ready, lets time pass to the next deadline. What a test counts and interferes between.
    /// @return false where nothing is ready and nothing is due: nothing will ever happen by itself
    bool step();

    /// Lets `span` of simulated time pass. @throws std::runtime_error where a livelock keeps it from passing
    void run_for(duration span);

    /// Sets the wall clock forward, or back, as a user or the network's time does; what waits is not concerned.
    void turn_clock(duration by) { time_.turned += by; }

    /// As when the host sleeps: the clock jumps, and all that was due meanwhile is late.
    void sleep(duration span);

  private:
    class simulated_time final : public time_source {
      public:
        time_point now() const override { return now_; }
        wall_time wall_now() const override { return wall_time{std::chrono::seconds{1'700'000'000}} + (now_ - start) + turned; }
        ticket at(time_point when, std::function<void()> callback) override;
        void forget(ticket t) noexcept override;
        std::optional<time_point> next() const;
        void advance_to(time_point when);

        duration turned{};

      private:
        static constexpr time_point start{std::chrono::hours{1}};
        time_point now_ = start;
        ticket last_ = 0;
        std::map<std::pair<time_point, ticket>, std::function<void()>> calls_; // in the order of setting, where due together
        std::map<ticket, time_point> tickets_;
    };

    /// Runs all that is ready, at the present moment.
    void settle();
    std::string describe(char const *what) const { return std::string{what} + " (seed " + std::to_string(seed_) + ")"; }

    int const exceptions_ = std::uncaught_exceptions();
    std::uint64_t seed_;
    std::uint64_t most_at_once_;
    seeded_random random_;
    simulated_time time_;
    std::unique_ptr<asio::io_context> context_ = std::make_unique<asio::io_context>(1);
};

} // namespace gigi::inline v1::testing

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/simulation.ipp"
#endif
