// gigi/gossip/impl/message_cache.ipp: what message_cache.hpp declares.
#pragma once

#include "../message_cache.hpp"

#include "../../core/config.hpp"

#include <algorithm>

namespace gigi::inline v1 {

GIGI_INLINE message_cache::message_cache(std::size_t history, std::size_t gossip, std::size_t max_messages, std::size_t max_bytes)
    : gossip_{gossip}, max_messages_{max_messages}, max_bytes_{max_bytes}, windows_(history ? history : 1) {}

GIGI_INLINE void message_cache::put(message_id id, message_ptr message) {
    std::size_t const size = cost(id, *message);
    auto const [place, added] = messages_.try_emplace(std::move(id));
    if (!added) return;
    place->second.message = std::move(message);
    bytes_ += size;
    windows_.front().push_back(place);
    for (std::size_t oldest = windows_.size(); (messages_.size() > max_messages_ || bytes_ > max_bytes_) && oldest-- > 0;)
        while (!windows_[oldest].empty() && (messages_.size() > max_messages_ || bytes_ > max_bytes_)) {
            forget(windows_[oldest].front());
            windows_[oldest].pop_front();
            ++forgotten_;
        }
}

GIGI_INLINE message_ptr message_cache::get(message_id const &id) const {
    auto const found = messages_.find(id);
    return found == messages_.end() ? nullptr : found->second.message;
}

GIGI_INLINE message_ptr message_cache::get_for(message_id const &id, peer_id const &peer, std::size_t most) {
    auto const found = messages_.find(id);
    if (found == messages_.end()) return nullptr;
    auto &sent = found->second.sent[peer];
    if (sent >= most) {
        ++refused_;
        return nullptr;
    }
    ++sent;
    return found->second.message;
}

GIGI_INLINE std::map<std::string_view, std::vector<message_id>> message_cache::gossip_ids() const {
    std::map<std::string_view, std::vector<message_id>> all;
    for (std::size_t i = 0; i < gossip_ && i < windows_.size(); ++i)
        for (auto const &entry : windows_[i]) all[entry->second.message->topic].push_back(entry->first);
    return all;
}

GIGI_INLINE std::vector<message_id> message_cache::ids(std::string_view topic) const {
    std::vector<message_id> all;
    // Not the oldest window: who hears of a message must have time to ask for it before it is dropped, or holds it against us (P7).
    std::size_t const count = std::max<std::size_t>(windows_.size() - 1, 1);
    for (std::size_t i = 0; i < count; ++i)
        for (auto const &entry : windows_[i])
            if (entry->second.message->topic == topic) all.push_back(entry->first);
    return all;
}

GIGI_INLINE void message_cache::shift() {
    for (auto const &entry : windows_.back()) forget(entry);
    windows_.pop_back();
    windows_.emplace_front();
}

GIGI_INLINE void message_cache::forget(reference const &which) {
    bytes_ -= cost(which->first, *which->second.message);
    messages_.erase(which);
}

GIGI_INLINE bool seen_cache::insert(message_id id, time_point now) {
    forget_old(now);
    auto const [place, added] = seen_.insert(std::move(id));
    if (!added) return false;
    order_.emplace_back(now + ttl_, place);
    if (order_.size() > most_) {
        drop_oldest();
        ++forgotten_;
    }
    return true;
}

GIGI_INLINE void seen_cache::forget_old(time_point now) {
    while (!order_.empty() && order_.front().first <= now) drop_oldest();
}

GIGI_INLINE void seen_cache::drop_oldest() {
    seen_.erase(order_.front().second);
    order_.pop_front();
}

} // namespace gigi::inline v1
