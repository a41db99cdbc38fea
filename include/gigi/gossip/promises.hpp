// gigi/gossip/promises.hpp: which peers have announced messages that they must now send.
//
// Layer: gossip. Sans-I/O. Spec: gossipsub v1.1 "Spam Protection Measures": of each IWANT one id, taken at random, is watched.
#pragma once

#include "../core/clock.hpp"
#include "../peer/peer_id.hpp"
#include "rpc.hpp"

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

class promise_tracker {
  public:
    /// Watches whether the message comes, from anybody, before `until`. A promise of the same peer and id keeps its time.
    void add(message_id const &id, peer_id const &peer, time_point until) { open_.try_emplace({id, peer}, until); }

    /// A message has come, and is what it says.
    void fulfil(message_id const &id);

    /// Removes the promises that were not kept. @return who made them, once for each
    std::vector<peer_id> take_broken(time_point now);

    /// Forgets what a peer has promised: it is gone.
    void forget(peer_id const &peer);
    std::size_t size() const noexcept { return open_.size(); }

  private:
    std::map<std::pair<message_id, peer_id>, time_point> open_; // until when
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/promises.ipp"
#endif
