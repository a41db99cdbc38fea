// gigi/gossip/backoff.hpp: with whom a topic's mesh must not be joined again yet, after a PRUNE.
//
// Layer: gossip. Sans-I/O. Spec: gossipsub v1.1 "PRUNE Backoff and Peer Exchange".
#pragma once

#include "../core/clock.hpp"
#include "../peer/peer_id.hpp"

#include <cstddef>
#include <cstdint>
#include <map>

namespace gigi::inline v1 {

/// A span in seconds as a peer names it, cut to `most`: whatever it says, no clock overflows (T13).
constexpr duration capped_seconds(std::uint64_t seconds, duration most) noexcept {
    auto const limit = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(most).count());
    return seconds >= limit ? most : std::chrono::seconds{static_cast<std::int64_t>(seconds)};
}

/// The backoffs of one topic. They outlive connections and our own leaving of the topic: only time ends them.
class backoff_table {
  public:
    /// Begins a backoff, or prolongs it; one that ends later stays. @param most entries kept; the one that ends first goes
    /// @return false where one was forgotten, or this one not remembered, for want of room
    bool add(peer_id const &peer, time_point until, std::size_t most);

    /// Whether a GRAFT from a peer comes too early. @param tolerance its clock began with our PRUNE, or ours with its
    bool refuses(peer_id const &peer, time_point now, duration tolerance) const;
    /// Whether we must not GRAFT a peer. @param slack waited on top (T14)
    bool forbids(peer_id const &peer, time_point now, duration slack) const;
    void forget_ended(time_point now, duration slack);
    bool empty() const noexcept { return until_.empty(); }
    std::size_t size() const noexcept { return until_.size(); }

  private:
    std::map<peer_id, time_point> until_;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/backoff.ipp"
#endif
