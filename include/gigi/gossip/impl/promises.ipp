// gigi/gossip/impl/promises.ipp: what promises.hpp declares.
#pragma once

#include "../promises.hpp"

#include "../../core/config.hpp"

namespace gigi::inline v1 {

GIGI_INLINE void promise_tracker::fulfil(message_id const &id) {
    auto i = open_.lower_bound({id, peer_id{}}); // the empty peer id is the smallest
    while (i != open_.end() && i->first.first == id) i = open_.erase(i);
}

GIGI_INLINE std::vector<peer_id> promise_tracker::take_broken(time_point now) {
    std::vector<peer_id> broken;
    std::erase_if(open_, [&](auto const &promise) {
        if (promise.second > now) return false;
        broken.push_back(promise.first.second);
        return true;
    });
    return broken;
}

GIGI_INLINE void promise_tracker::forget(peer_id const &peer) {
    std::erase_if(open_, [&](auto const &promise) { return promise.first.second == peer; });
}

} // namespace gigi::inline v1
