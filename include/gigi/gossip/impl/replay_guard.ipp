// gigi/gossip/impl/replay_guard.ipp: what replay_guard.hpp declares.
#pragma once

#include "../replay_guard.hpp"

#include "../../core/config.hpp"

#include <iterator>

namespace gigi::inline v1 {

GIGI_INLINE bool replay_guard::admit(peer_id const &author, std::uint64_t seqno, bool first_hand, time_point now, wall_time wall) {
    auto &a = touch(author);
    if (a.no_clock) return true;
    if (!is_time(seqno, wall)) {
        a = known{};
        a.no_clock = true;
        return true;
    }
    auto const generation = now.time_since_epoch() / span_;
    if (generation > a.generation) { // what is two generations old counts
        a.floor = std::max(a.floor, generation - a.generation == 1 ? a.older : std::max(a.older, a.newer));
        a.older = generation - a.generation == 1 ? a.newer : 0;
        a.newer = 0;
        a.generation = generation;
    }
    if (seqno <= a.floor) {
        if (!first_hand) {
            ++refused_;
            return false;
        }
        a.floor = a.older = a.newer = 0;
    }
    a.newer = std::max(a.newer, seqno);
    return true;
}

GIGI_INLINE bool replay_guard::is_time(std::uint64_t seqno, wall_time wall) noexcept {
    using namespace std::chrono_literals;
    constexpr wall_time start{std::chrono::sys_days{2020y / 1 / 1}}, end{std::chrono::sys_days{2040y / 1 / 1}};
    auto const latest = std::max(wall + 24h, end);
    return seqno >= static_cast<std::uint64_t>(start.time_since_epoch().count()) && seqno <= static_cast<std::uint64_t>(latest.time_since_epoch().count());
}

GIGI_INLINE replay_guard::known &replay_guard::touch(peer_id const &author) {
    auto const found = authors_.find(author);
    if (found != authors_.end()) {
        order_.splice(order_.end(), order_, found->second);
        return found->second->second;
    }
    if (authors_.size() >= most_) {
        authors_.erase(order_.front().first);
        order_.pop_front();
        ++forgotten_;
    }
    order_.emplace_back(author, known{});
    authors_.emplace(author, std::prev(order_.end()));
    return order_.back().second;
}

} // namespace gigi::inline v1
