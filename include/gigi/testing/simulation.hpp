// gigi/testing/simulation.hpp: runs coroutines in simulated time: hours in milliseconds, the same way every time.
//
// Layer: testing. Everything that runs on the simulation's context follows its clock (core/clock.hpp); randomness comes from
// one seed, which a failing test prints and the environment variable GIGI_SEED sets.
#pragma once

#include "../core/asio.hpp"
#include "../core/clock.hpp"
#include "../core/error.hpp"
#include "../crypto/random.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
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
inline std::uint64_t seed_or(std::uint64_t fallback) {
    char const *const given = std::getenv("GIGI_SEED");
    return given && *given ? std::strtoull(given, nullptr, 0) : fallback;
}

/// An execution context whose time stands still until everything that can run has run, and then jumps to the next deadline.
class simulation {
  public:
    /// @param most_at_once how many completion handlers may run at one moment; more are a livelock: work that makes work while time
    ///   stands still
    explicit simulation(std::uint64_t seed = 1, std::uint64_t most_at_once = 10'000'000)
        : seed_{seed_or(seed)}, most_at_once_{most_at_once}, random_{seed_} {
        asio::make_service<detail::time_service>(*context_, &time_);
    }
    simulation(simulation const &) = delete;
    simulation &operator=(simulation const &) = delete;
    ~simulation() {
        if (std::uncaught_exceptions() > exceptions_) std::fprintf(stderr, "the simulation's seed was %llu\n", static_cast<unsigned long long>(seed_));
        context_.reset();
    }

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

    /// Lets `span` of simulated time pass. @throws std::runtime_error where a livelock keeps it from passing
    void run_for(duration span) {
        auto const end = now() + span;
        for (;;) {
            settle();
            auto const next = time_.next();
            if (!next || *next > end) break;
            time_.advance_to(*next);
        }
        time_.advance_to(end);
        settle();
    }

    /// As when the host sleeps: the clock jumps, and all that was due meanwhile is late.
    void sleep(duration span) {
        time_.advance_to(now() + span);
        settle();
    }

  private:
    class simulated_time final : public time_source {
      public:
        time_point now() const override { return now_; }
        wall_time wall_now() const override { return wall_time{std::chrono::seconds{1'700'000'000}} + (now_ - start); }
        ticket at(time_point when, std::function<void()> callback) override {
            calls_.emplace(std::pair{when, ++last_}, std::move(callback));
            tickets_.emplace(last_, when);
            return last_;
        }
        void forget(ticket t) noexcept override {
            auto const found = tickets_.find(t);
            if (found == tickets_.end()) return;
            calls_.erase({found->second, t});
            tickets_.erase(found);
        }
        std::optional<time_point> next() const {
            if (calls_.empty() || calls_.begin()->first.first == time_point::max()) return std::nullopt;
            return calls_.begin()->first.first;
        }
        void advance_to(time_point when) {
            now_ = std::max(now_, when);
            while (!calls_.empty() && calls_.begin()->first.first <= now_) {
                auto const call = std::move(calls_.begin()->second);
                tickets_.erase(calls_.begin()->first.second);
                calls_.erase(calls_.begin());
                call();
            }
        }

      private:
        static constexpr time_point start{std::chrono::hours{1}};
        time_point now_ = start;
        ticket last_ = 0;
        std::map<std::pair<time_point, ticket>, std::function<void()>> calls_; // in the order of setting, where due together
        std::map<ticket, time_point> tickets_;
    };

    /// Runs all that is ready, at the present moment.
    void settle() {
        context_->restart();
        for (std::uint64_t n = 0; context_->poll_one() > 0; ++n)
            if (n == most_at_once_) throw std::runtime_error{describe("livelock: work without end, and time stands still")};
    }
    std::string describe(char const *what) const { return std::string{what} + " (seed " + std::to_string(seed_) + ")"; }

    int const exceptions_ = std::uncaught_exceptions();
    std::uint64_t seed_;
    std::uint64_t most_at_once_;
    seeded_random random_;
    simulated_time time_;
    std::unique_ptr<asio::io_context> context_ = std::make_unique<asio::io_context>(1);
};

} // namespace gigi::inline v1::testing
