// gigi/testing/impl/simulation.ipp: what simulation.hpp declares.
#pragma once

#include "../simulation.hpp"

#include "../../core/config.hpp"

#include <cstdio>
#include <cstdlib>

namespace gigi::inline v1 {

namespace testing {

GIGI_INLINE std::uint64_t seed_or(std::uint64_t fallback) {
    char const *const given = std::getenv("GIGI_SEED");
    return given && *given ? std::strtoull(given, nullptr, 0) : fallback;
}

GIGI_INLINE simulation::simulation(std::uint64_t seed, std::uint64_t most_at_once)
    : seed_{seed_or(seed)}, most_at_once_{most_at_once}, random_{seed_} {
    asio::make_service<detail::time_service>(*context_, &time_);
}

GIGI_INLINE simulation::~simulation() {
    if (std::uncaught_exceptions() > exceptions_) std::fprintf(stderr, "the simulation's seed was %llu\n", static_cast<unsigned long long>(seed_));
    context_.reset();
}

GIGI_INLINE bool simulation::step() {
    context_->restart();
    if (context_->poll_one() > 0) return true;
    auto const next = time_.next();
    if (next) time_.advance_to(*next);
    return next.has_value();
}

GIGI_INLINE void simulation::run_for(duration span) {
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

GIGI_INLINE void simulation::sleep(duration span) {
    time_.advance_to(now() + span);
    settle();
}

GIGI_INLINE time_source::ticket simulation::simulated_time::at(time_point when, std::function<void()> callback) {
    calls_.emplace(std::pair{when, ++last_}, std::move(callback));
    tickets_.emplace(last_, when);
    return last_;
}

GIGI_INLINE void simulation::simulated_time::forget(ticket t) noexcept {
    auto const found = tickets_.find(t);
    if (found == tickets_.end()) return;
    calls_.erase({found->second, t});
    tickets_.erase(found);
}

GIGI_INLINE std::optional<time_point> simulation::simulated_time::next() const {
    if (calls_.empty() || calls_.begin()->first.first == time_point::max()) return std::nullopt;
    return calls_.begin()->first.first;
}

GIGI_INLINE void simulation::simulated_time::advance_to(time_point when) {
    now_ = std::max(now_, when);
    while (!calls_.empty() && calls_.begin()->first.first <= now_) {
        auto const call = std::move(calls_.begin()->second);
        tickets_.erase(calls_.begin()->first.second);
        calls_.erase(calls_.begin());
        call();
    }
}

GIGI_INLINE void simulation::settle() {
    context_->restart();
    for (std::uint64_t n = 0; context_->poll_one() > 0; ++n)
        if (n == most_at_once_) throw std::runtime_error{describe("livelock: work without end, and time stands still")};
}

} // namespace testing

} // namespace gigi::inline v1
