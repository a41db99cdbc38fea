// gigi/node/redial.hpp: whom to dial without being asked, and when.
//
// Layer: node. Sans-I/O: peers are wanted (announced by discovery, or on the bootstrap list), time comes in, and the peers
// that are due come out. A peer that cannot be reached is tried again with growing pauses.
#pragma once

#include "../core/clock.hpp"
#include "../peer/peer_id.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <vector>

namespace gigi::inline v1 {

class redial_policy {
  public:
    static constexpr duration first_pause = std::chrono::seconds{1};
    static constexpr duration longest_pause = std::chrono::seconds{60};

    /// @param most peers that are wanted at once; further ones are passed over
    explicit redial_policy(std::size_t most = 1024) noexcept : most_{most} {}

    /// A peer should be connected: dial it at once, and whenever the connection is lost. Wanting it again changes nothing
    /// but that a long pause ends: the peer has just shown a sign of life.
    /// @param reason a bit: the peer is wanted as long as any reason is left
    void want(peer_id const &peer, unsigned reason, time_point now) {
        auto const found = wanted_.find(peer);
        if (found == wanted_.end()) {
            if (wanted_.size() < most_) wanted_.emplace(peer, entry{reason, now, first_pause, false, false});
            return;
        }
        if (!(found->second.reasons & reason)) {
            found->second.reasons |= reason;
            found->second.due = std::min(found->second.due, now);
        }
    }

    void unwant(peer_id const &peer, unsigned reason) {
        auto const found = wanted_.find(peer);
        if (found == wanted_.end()) return;
        found->second.reasons &= ~reason;
        if (!found->second.reasons) wanted_.erase(found);
    }
    bool wants(peer_id const &peer) const { return wanted_.contains(peer); }

    /// The user has sent this peer away: it is left alone until it comes by itself or the user dials it.
    void mute(peer_id const &peer) {
        if (auto const found = wanted_.find(peer); found != wanted_.end()) found->second.muted = true;
    }

    void connected(peer_id const &peer) {
        auto const found = wanted_.find(peer);
        if (found == wanted_.end()) return;
        found->second.busy = true;
        found->second.muted = false;
        found->second.pause = first_pause;
    }
    void disconnected(peer_id const &peer, time_point now) { retry(peer, now); }
    void failed(peer_id const &peer, time_point now) { retry(peer, now); }

    /// The peers to dial now; each is marked as busy until it is `connected` or has `failed`.
    std::vector<peer_id> due(time_point now, std::size_t limit) {
        std::vector<peer_id> all;
        for (auto &[peer, e] : wanted_) {
            if (all.size() >= limit) break;
            if (e.busy || e.muted || e.due > now) continue;
            e.busy = true;
            all.push_back(peer);
        }
        return all;
    }

    /// When `due` will have something, as far as is known now.
    std::optional<time_point> next() const {
        std::optional<time_point> first;
        for (auto const &[peer, e] : wanted_)
            if (!e.busy && !e.muted && (!first || e.due < *first)) first = e.due;
        return first;
    }

  private:
    struct entry {
        unsigned reasons = 0;
        time_point due{};
        duration pause{};
        bool busy = false; // being dialled, or connected
        bool muted = false;
    };

    void retry(peer_id const &peer, time_point now) {
        auto const found = wanted_.find(peer);
        if (found == wanted_.end()) return;
        found->second.busy = false;
        found->second.due = now + found->second.pause;
        found->second.pause = std::min(found->second.pause * 2, longest_pause);
    }

    std::size_t most_;
    std::map<peer_id, entry> wanted_;
};

} // namespace gigi::inline v1
