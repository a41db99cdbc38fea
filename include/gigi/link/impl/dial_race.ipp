// gigi/link/impl/dial_race.ipp: what dial_race.hpp declares.
#pragma once

#include "../dial_race.hpp"

#include "../../core/config.hpp"
#include "../../core/error.hpp"

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

namespace gigi::inline v1 {

GIGI_INLINE dial_race::dial_race(any_io_executor const &executor, std::span<std::unique_ptr<connector> const> connectors, std::optional<peer_id> expected,
                                 duration stagger)
    : connectors_{connectors}, expected_{std::move(expected)}, stagger_{stagger}, attempts_{executor}, changed_{executor} {}

GIGI_INLINE awaitable<established> dial_race::run(std::vector<multiaddr> addresses) {
    for (auto const &address : addresses)
        if (is_new(address)) waiting_.push_back(address);
    std::exception_ptr failure;
    try {
        co_await race();
    } catch (...) {
        failure = std::current_exception();
    }
    attempts_.cancel();
    co_await asio::this_coro::reset_cancellation_state();
    co_await attempts_.join();
    if (winner_) co_return std::move(*winner_);
    if (failure) std::rethrow_exception(failure);
    throw_failure();
}

GIGI_INLINE void dial_race::add(multiaddr const &address) {
    if (!is_new(address)) return;
    waiting_.push_front(address);
    changed_.wake();
}

GIGI_INLINE bool dial_race::is_new(multiaddr const &address) {
    auto plain = address.without_peer();
    if (std::ranges::find(known_, plain) != known_.end()) return false;
    known_.push_back(std::move(plain));
    return true;
}

GIGI_INLINE bool dial_race::has_failed(multiaddr const &address) const {
    auto const plain = address.without_peer();
    return std::ranges::any_of(failures_, [&](failed_dial const &f) { return f.code != condition::cancelled && f.address.without_peer() == plain; });
}

GIGI_INLINE awaitable<void> dial_race::race() {
    while (!winner_ && (running_ > 0 || !waiting_.empty())) {
        start_next();
        auto const next = changed_.now() + stagger_;
        std::size_t const failed = failures_.size();
        while (!winner_ && running_ > 0 && failures_.size() == failed) {
            time_point const until = waiting_.empty() ? time_point::max() : next;
            bool const waited = co_await changed_.wait_until(until);
            if (waited) break;
        }
    }
}

GIGI_INLINE void dial_race::start_next() {
    while (!waiting_.empty()) {
        multiaddr address = std::move(waiting_.front());
        waiting_.pop_front();
        connector *const through = find(address);
        if (!through) continue;
        ++started_;
        ++running_;
        attempts_.spawn(attempt(*through, std::move(address)));
        return;
    }
}

GIGI_INLINE awaitable<void> dial_race::attempt(connector &through, multiaddr address) {
    std::error_code code;
    try {
        established made = co_await through.dial(address, expected_);
        if (!winner_) winner_.emplace(std::move(made));
    } catch (std::system_error const &e) {
        code = e.code();
    }
    --running_;
    if (code) failures_.push_back({std::move(address), code});
    changed_.wake();
}

GIGI_INLINE connector *dial_race::find(multiaddr const &address) const {
    for (auto const &c : connectors_)
        if (c->can_dial(address)) return c.get();
    return nullptr;
}

GIGI_INLINE void dial_race::throw_failure() const {
    if (started_ == 0) throw error{errc::no_addresses, "none of the addresses can be dialled from here"};
    std::string all;
    bool alike = true;
    for (auto const &[address, code] : failures_) {
        all += (all.empty() ? "" : "; ") + address.to_string() + ": " + code.message();
        alike = alike && code == failures_.front().code;
    }
    if (alike) throw error{failures_.front().code, failures_.front().address.to_string()};
    throw error{errc::unreachable, all};
}

} // namespace gigi::inline v1
