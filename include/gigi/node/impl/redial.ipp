// gigi/node/impl/redial.ipp: what redial.hpp declares.
#pragma once

#include "../redial.hpp"

#include "../../core/config.hpp"

#include <algorithm>

namespace gigi::inline v1 {

GIGI_INLINE void redial_policy::want(peer_id const &peer, unsigned reason, time_point now) {
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

GIGI_INLINE void redial_policy::unwant(peer_id const &peer, unsigned reason) {
    auto const found = wanted_.find(peer);
    if (found == wanted_.end()) return;
    found->second.reasons &= ~reason;
    if (!found->second.reasons) wanted_.erase(found);
}

GIGI_INLINE void redial_policy::mute(peer_id const &peer) {
    if (auto const found = wanted_.find(peer); found != wanted_.end()) found->second.muted = true;
}

GIGI_INLINE void redial_policy::connected(peer_id const &peer) {
    auto const found = wanted_.find(peer);
    if (found == wanted_.end()) return;
    found->second.busy = true;
    found->second.muted = false;
    found->second.pause = first_pause;
}

GIGI_INLINE std::vector<peer_id> redial_policy::due(time_point now, std::size_t limit) {
    std::vector<peer_id> all;
    for (auto &[peer, e] : wanted_) {
        if (all.size() >= limit) break;
        if (e.busy || e.muted || e.due > now) continue;
        e.busy = true;
        all.push_back(peer);
    }
    return all;
}

GIGI_INLINE std::optional<time_point> redial_policy::next() const {
    std::optional<time_point> first;
    for (auto const &[peer, e] : wanted_)
        if (!e.busy && !e.muted && (!first || e.due < *first)) first = e.due;
    return first;
}

GIGI_INLINE void redial_policy::retry(peer_id const &peer, time_point now) {
    auto const found = wanted_.find(peer);
    if (found == wanted_.end()) return;
    found->second.busy = false;
    found->second.due = now + found->second.pause;
    found->second.pause = std::min(found->second.pause * 2, longest_pause);
}

} // namespace gigi::inline v1
