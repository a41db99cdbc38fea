// gigi/gossip/message_cache.hpp: recent messages, to be sent to those who ask; and the ids of all that were seen.
//
// Layer: gossip. Sans-I/O. Spec: gossipsub v1.0 "Message Cache". Both are bounded in entries and in bytes.
#pragma once

#include "../core/clock.hpp"
#include "../peer/peer_id.hpp"
#include "rpc.hpp"

#include <cstddef>
#include <cstdint>
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
    message_cache(std::size_t history, std::size_t gossip, std::size_t max_messages, std::size_t max_bytes);

    /// Adds a message; one that is there already stays as it is.
    void put(message_id id, message_ptr message);

    /// A message, or null.
    message_ptr get(message_id const &id) const;

    /// A message for a peer that asks for it; null where it is not there, or where the peer has had it `most` times.
    message_ptr get_for(message_id const &id, peer_id const &peer, std::size_t most);

    /// The ids to announce, by topic. @par Lifetime The keys are valid until the cache changes.
    std::map<std::string_view, std::vector<message_id>> gossip_ids() const;
    /// The ids of a topic's messages that can be asked for until the next window has ended, the newest window first.
    std::vector<message_id> ids(std::string_view topic) const;

    /// Ends the present window, and drops the oldest with its messages.
    void shift();

    std::size_t size() const noexcept { return messages_.size(); }
    std::size_t byte_size() const noexcept { return bytes_; }
    std::uint64_t forgotten() const noexcept { return forgotten_; } ///< messages that went before their time
    std::uint64_t refused() const noexcept { return refused_; }     ///< requests of peers that had had a message often enough

  private:
    struct held {
        message_ptr message;
        std::map<peer_id, std::size_t> sent; // to whom, how often, on request
    };
    using reference = std::map<message_id, held>::iterator;

    static std::size_t cost(message_id const &id, gossip_message const &m) noexcept { return encoded_size(m) + id.size() + 128; }

    void forget(reference const &which);

    std::size_t gossip_, max_messages_, max_bytes_;
    std::size_t bytes_ = 0;
    std::uint64_t forgotten_ = 0, refused_ = 0;
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
    bool insert(message_id id, time_point now);
    void forget_old(time_point now);
    std::size_t size() const noexcept { return order_.size(); }
    std::uint64_t forgotten() const noexcept { return forgotten_; } ///< ids that went before their time

  private:
    void drop_oldest();

    duration ttl_;
    std::size_t most_;
    std::uint64_t forgotten_ = 0;
    std::set<message_id> seen_;
    std::deque<std::pair<time_point, std::set<message_id>::iterator>> order_;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/message_cache.ipp"
#endif
