// gigi/node/impl/redial.ipp: what redial.hpp declares.
#pragma once

#include "../redial.hpp"

#include "../../core/config.hpp"

#include <algorithm>
#include <utility>

namespace gigi::inline v1 {

GIGI_INLINE void redial_policy::want(peer_id const &peer, reason why, time_point now) {
    auto const found = wanted_.find(peer);
    if (found == wanted_.end()) {
        if (wanted_.size() < most_) wanted_.emplace(peer, entry{why, now, 0, false, false});
        return;
    }
    if (!(found->second.reasons & why)) {
        found->second.reasons |= why;
        found->second.due = std::min(found->second.due, now);
    }
}

GIGI_INLINE void redial_policy::unwant(peer_id const &peer, reason why) {
    auto const found = wanted_.find(peer);
    if (found == wanted_.end()) return;
    found->second.reasons &= ~static_cast<unsigned>(why);
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
    found->second.failures = 0;
}

GIGI_INLINE std::vector<peer_id> redial_policy::due(reason of, time_point now, std::size_t limit) {
    std::vector<std::pair<peer_id const, entry> *> ready;
    for (auto &wanted : wanted_)
        if (wanted.second.idle(of) && wanted.second.due <= now) ready.push_back(&wanted);
    bool &longest_waiting = of == bootstrap ? longest_listed_ : longest_discovered_;
    std::vector<peer_id> all;
    while (all.size() < limit && !ready.empty()) {
        longest_waiting = !longest_waiting;
        auto const first = std::ranges::min_element(ready, {}, [longest_waiting](auto const *one) {
            return std::pair{longest_waiting ? 0 : one->second.failures, one->second.due};
        });
        (*first)->second.busy = true;
        all.push_back((*first)->first);
        ready.erase(first);
    }
    return all;
}

GIGI_INLINE std::optional<time_point> redial_policy::next(reason of) const {
    std::optional<time_point> first;
    for (auto const &[peer, e] : wanted_)
        if (e.idle(of) && (!first || e.due < *first)) first = e.due;
    return first;
}

GIGI_INLINE void redial_policy::retry(peer_id const &peer, time_point now) {
    auto const found = wanted_.find(peer);
    if (found == wanted_.end()) return;
    auto &e = found->second;
    e.busy = false;
    e.due = now + std::min<duration>(first_pause * (1 << std::min(e.failures, 6u)), longest_pause);
    ++e.failures;
}

} // namespace gigi::inline v1
