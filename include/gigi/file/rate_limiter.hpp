// gigi/file/rate_limiter.hpp: shares a number of bytes a second fairly between peers.
//
// Layer: file. `rate_limiter` is a sans-I/O leaky bucket with a queue for each peer: who wants to pass and time come in, whose
// turn it is comes out. `rate_gate` is where coroutines wait for that, `rate_pass` one peer's way through it.
#pragma once

#include "../core/asio.hpp"
#include "../core/clock.hpp"
#include "../peer/peer_id.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <set>
#include <utility>

namespace gigi::inline v1 {

/// A bucket that peers take from in turn, however many streams each has. It is kept as the time until which what has passed is
/// paid for: the next may pass when that time has come, so over any time at most `rate * time + burst + slice()` bytes pass.
class rate_limiter {
  public:
    using ticket = std::uint64_t;
    static constexpr duration burst = std::chrono::milliseconds{50}; ///< of unused rate that may be used later

    /// @param per_second bytes; 0: everything passes at once
    explicit rate_limiter(std::uint64_t per_second) noexcept : rate_{per_second} {}

    bool limited() const noexcept { return rate_ > 0; }
    /// How much to ask for in one turn, at most, in bytes: a twentieth of a second, so that many can take turns; 1 to 256 KiB.
    std::size_t slice() const noexcept { return static_cast<std::size_t>(std::clamp<std::uint64_t>(rate_ / 20, 1024, 262'144)); }

    /// Asks for a turn. @param size in bytes, at most `slice()`
    ticket ask(peer_id const &who, std::size_t size);
    /// Asks no longer; does nothing where the turn has come.
    void withdraw(ticket t);
    /// Lets those pass whose turn it is.
    void advance(time_point now);
    bool passed(ticket t) const { return !waiting_.contains(t); }
    /// When `advance` will let the next one pass.
    time_point next() const noexcept { return paid_until_; }
    std::size_t waiting() const noexcept { return waiting_.size(); }

  private:
    struct turn {
        ticket id;
        std::size_t size;
    };
    struct lane_of_peer {
        peer_id who;
        std::deque<turn> queue;
    };

    duration cost(std::size_t size) const noexcept;

    std::uint64_t rate_; // bytes a second
    time_point paid_until_{};
    std::list<lane_of_peer> lanes_; // in the order of their turns; none is empty
    std::set<ticket> waiting_;
    ticket last_ticket_ = 0;
};

/// Where coroutines wait for their turn. Use it on one strand.
class rate_gate {
  public:
    rate_gate(any_io_executor executor, std::uint64_t per_second) : executor_{std::move(executor)}, clock_{executor_}, limiter_{per_second} {}
    rate_gate(rate_gate const &) = delete;
    rate_gate &operator=(rate_gate const &) = delete;

    bool limited() const noexcept { return limiter_.limited(); }
    std::size_t slice() const noexcept { return limiter_.slice(); }
    std::uint64_t delayed() const noexcept { return delayed_; } ///< how often somebody had to wait

    /// Waits until `size` bytes of a peer's may pass.
    /// @par Cancellation Nothing has passed.
    [[nodiscard]] awaitable<void> wait(peer_id who, std::size_t size);

  private:
    any_io_executor executor_;
    context_clock clock_;
    rate_limiter limiter_;
    std::uint64_t delayed_ = 0;
};

/// One peer's way through a gate; a default one is open.
class rate_pass {
  public:
    rate_pass() = default;
    /// @par Lifetime `gate` must outlive it.
    rate_pass(rate_gate &gate, peer_id who) : gate_{gate.limited() ? &gate : nullptr}, who_{std::move(who)} {}

    bool limited() const noexcept { return gate_ != nullptr; }
    /// The part of `size` bytes that may pass in one turn.
    std::size_t part_of(std::size_t size) const noexcept { return gate_ ? std::min(size, gate_->slice()) : size; }
    /// Waits for a turn. Only where it is `limited()`. @param size as from `part_of`
    [[nodiscard]] awaitable<void> wait(std::size_t size) const { return gate_->wait(who_, size); }

  private:
    rate_gate *gate_ = nullptr;
    peer_id who_;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/rate_limiter.ipp"
#endif
