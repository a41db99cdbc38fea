// gigi/gossip/impl/backoff.ipp: what backoff.hpp declares.
#pragma once

#include "../backoff.hpp"

#include "../../core/config.hpp"

#include <algorithm>

namespace gigi::inline v1 {

GIGI_INLINE bool backoff_table::add(peer_id const &peer, time_point until, std::size_t most) {
    auto const found = until_.find(peer);
    if (found != until_.end()) {
        found->second = std::max(found->second, until);
        return true;
    }
    bool const room = until_.size() < most;
    if (!room) {
        if (until_.empty()) return false;
        until_.erase(std::min_element(until_.begin(), until_.end(), [](auto const &a, auto const &b) { return a.second < b.second; }));
    }
    until_.emplace(peer, until);
    return room;
}

GIGI_INLINE bool backoff_table::refuses(peer_id const &peer, time_point now, duration tolerance) const {
    auto const found = until_.find(peer);
    return found != until_.end() && now + tolerance < found->second;
}

GIGI_INLINE bool backoff_table::forbids(peer_id const &peer, time_point now, duration slack) const {
    auto const found = until_.find(peer);
    return found != until_.end() && now < found->second + slack;
}

GIGI_INLINE void backoff_table::forget_ended(time_point now, duration slack) {
    std::erase_if(until_, [&](auto const &entry) { return entry.second + slack <= now; });
}

} // namespace gigi::inline v1
