// gigi/gossip/message_cache.hpp: recent messages, to be sent to those who ask; and the ids of all that were seen.
//
// Layer: gossip. Sans-I/O. Spec: gossipsub v1.0 "Message Cache". Both are bounded in entries and in bytes.
#pragma once

#include "../core/clock.hpp"
#include "../peer/peer_id.hpp"
#include "rpc.hpp"

#include <cstddef>
#include <deque>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

/// The messages of the last heartbeats.
class message_cache {
  public:
    /// @param history heartbeats for which a message is kept, at least 1 @param gossip heartbeats for which it is announced
    /// @param max_messages, max_bytes beyond either the oldest messages go before their time
    message_cache(std::size_t history, std::size_t gossip, std::size_t max_messages, std::size_t max_bytes)
        : gossip_{gossip}, max_messages_{max_messages}, max_bytes_{max_bytes}, windows_(history ? history : 1) {}

    /// Adds a message; one that is there already stays as it is.
    void put(message_id id, message_ptr message) {
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
            }
    }

    /// A message, or null.
    message_ptr get(message_id const &id) const {
        auto const found = messages_.find(id);
        return found == messages_.end() ? nullptr : found->second.message;
    }

    /// A message for a peer that asks for it; null where it is not there, or where the peer has had it `most` times.
    message_ptr get_for(message_id const &id, peer_id const &peer, std::size_t most) {
        auto const found = messages_.find(id);
        if (found == messages_.end()) return nullptr;
        auto &sent = found->second.sent[peer];
        if (sent >= most) return nullptr;
        ++sent;
        return found->second.message;
    }

    /// The ids to announce, by topic. @par Lifetime The keys are valid until the cache changes.
    std::map<std::string_view, std::vector<message_id>> gossip_ids() const {
        std::map<std::string_view, std::vector<message_id>> all;
        for (std::size_t i = 0; i < gossip_ && i < windows_.size(); ++i)
            for (auto const &entry : windows_[i]) all[entry->second.message->topic].push_back(entry->first);
        return all;
    }
    /// The ids of a topic's messages that can be asked for, the newest window first.
    std::vector<message_id> ids(std::string_view topic) const {
        std::vector<message_id> all;
        for (auto const &window : windows_)
            for (auto const &entry : window)
                if (entry->second.message->topic == topic) all.push_back(entry->first);
        return all;
    }

    /// Ends the present window, and drops the oldest with its messages.
    void shift() {
        for (auto const &entry : windows_.back()) forget(entry);
        windows_.pop_back();
        windows_.emplace_front();
    }

    std::size_t size() const noexcept { return messages_.size(); }
    std::size_t byte_size() const noexcept { return bytes_; }

  private:
    struct held {
        message_ptr message;
        std::map<peer_id, std::size_t> sent; // to whom, how often, on request
    };
    using reference = std::map<message_id, held>::iterator;

    static std::size_t cost(message_id const &id, gossip_message const &m) noexcept { return encoded_size(m) + id.size() + 128; }

    void forget(reference const &which) {
        bytes_ -= cost(which->first, *which->second.message);
        messages_.erase(which);
    }

    std::size_t gossip_, max_messages_, max_bytes_;
    std::size_t bytes_ = 0;
    std::map<message_id, held> messages_;
    std::deque<std::deque<reference>> windows_; // the newest first
};

/// The ids of the messages that were seen of late. Only those of verified messages belong here: the id of a forged one
/// would keep the real one out.
class seen_cache {
  public:
    /// @param ttl how long an id is remembered @param most ids; then the oldest go before their time
    seen_cache(duration ttl, std::size_t most) : ttl_{ttl}, most_{most ? most : 1} {}

    bool contains(message_id const &id) const { return seen_.contains(id); }

    /// Remembers an id. @return false where it was there already: its time is not prolonged
    bool insert(message_id id, time_point now) {
        forget_old(now);
        auto const [place, added] = seen_.insert(std::move(id));
        if (!added) return false;
        order_.emplace_back(now + ttl_, place);
        if (order_.size() > most_) drop_oldest();
        return true;
    }

    void forget_old(time_point now) {
        while (!order_.empty() && order_.front().first <= now) drop_oldest();
    }
    std::size_t size() const noexcept { return order_.size(); }

  private:
    void drop_oldest() {
        seen_.erase(order_.front().second);
        order_.pop_front();
    }

    duration ttl_;
    std::size_t most_;
    std::set<message_id> seen_;
    std::deque<std::pair<time_point, std::set<message_id>::iterator>> order_;
};

} // namespace gigi::inline v1
