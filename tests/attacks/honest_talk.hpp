// tests/attacks/honest_talk.hpp: an honest peer that says something over and over while others attack, and how it fared.
#pragma once

#include <gigi/core/task_group.hpp>
#include <gigi/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <system_error>
#include <utility>

namespace attacks {

using namespace gigi;
using namespace gigi::testing;

/// In a group of its own, so that no other task's end is the talk's; a failure does not end it either, and is kept.
class honest_talk {
  public:
    /// @param pause between a word that was heard and the next
    /// @param usual what a word takes in simulated time where nobody attacks
    /// @param say a round trip
    honest_talk(simulation &sim, duration pause, duration usual, std::function<awaitable<void>()> say)
        : sim_{sim}, pause_{pause}, usual_{usual}, say_{std::move(say)}, tasks_{sim.get_executor()} {}
    honest_talk(honest_talk const &) = delete;

    void begin() {
        begun_ = true;
        count_from_now();
        tasks_.spawn(keep_on());
    }
    bool begun() const noexcept { return begun_; }
    void count_from_now() {
        since_ = sim_.now();
        heard_ = failures_ = 0;
        slowest_ = {};
        slowest_real_ = {};
    }
    void end() {
        tasks_.cancel();
        sim_.run(tasks_.join());
    }

    int heard() const noexcept { return heard_; }
    int failures() const noexcept { return failures_; }
    /// How many words should have been heard so far: nine tenths of what there is time for.
    auto due() const { return (sim_.now() - since_) * 9 / ((pause_ + usual_) * 10); }
    /// In simulated time, of all words: of those that failed and of the one that has not been heard yet, too.
    duration slowest() const { return under_way_ ? std::max(slowest_, sim_.now() - begun_word_) : slowest_; }
    /// In real time, with all that was computed meanwhile.
    std::chrono::steady_clock::duration slowest_real() const noexcept { return slowest_real_; }

    /// Nobody was shut out: every word was heard, soon, and so were as many as there should be.
    void check() const {
        honest_talk const &honest = *this;
        CHECK_MESSAGE(honest.failures() == 0, first_failure_);
        CHECK(honest.heard() + 1 >= honest.due());
        CHECK(honest.slowest() < std::chrono::milliseconds{100});
        CHECK(honest.slowest_real() < std::chrono::seconds{10}); // of a machine that has much else to do
    }
    /// What there is to say of it.
    std::string summary(std::string const &words) const {
        auto const ms = [](auto span) { return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(span).count()); };
        return std::to_string(heard_) + " honest " + words + " meanwhile, the slowest in " + ms(slowest()) + " ms simulated, " + ms(slowest_real_) + " ms real";
    }

  private:
    awaitable<void> keep_on() {
        for (;;) {
            co_await say_once();
            co_await sleep_for(pause_);
        }
    }
    awaitable<void> say_once() {
        begun_word_ = sim_.now();
        auto const begun = std::chrono::steady_clock::now();
        under_way_ = true;
        try {
            co_await say_();
            ++heard_;
        } catch (std::system_error const &e) {
            if (e.code() == condition::cancelled) throw;
            if (failures_++ == 0) first_failure_ = e.what();
        }
        under_way_ = false;
        slowest_ = std::max(slowest_, sim_.now() - begun_word_);
        slowest_real_ = std::max(slowest_real_, std::chrono::steady_clock::now() - begun);
    }

    simulation &sim_;
    duration pause_, usual_;
    std::function<awaitable<void>()> say_;
    task_group tasks_;
    bool begun_ = false, under_way_ = false;
    time_point since_{}, begun_word_{};
    int heard_ = 0, failures_ = 0;
    duration slowest_{};
    std::chrono::steady_clock::duration slowest_real_{};
    std::string first_failure_;
};

} // namespace attacks
