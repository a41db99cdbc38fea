// gigi/discovery/mdns_peers.hpp: the peers that announcements have told of, until they expire; bounded.
//
// Layer: discovery, sans-I/O. Announcements are not authenticated: anyone can announce any peer, from any address (T20). So what
// one source says never grows at the cost of others. Where many sources have filled the table, newcomers replace each other rather
// than who is heard of again and again, and nobody to whom we are connected. A peer's addresses are a set of proposals that a dial
// has to prove.
#pragma once

#include "../core/clock.hpp"
#include "../crypto/random.hpp"
#include "discovery.hpp"
#include "mdns_options.hpp"
#include "mdns_records.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace gigi::inline v1 {

/// Where an announcement came from.
struct mdns_origin {
    std::uint32_t link = 0;
    dns_ipv6 host{}; ///< the source address; of IPv4 in its mapped form

    friend bool operator==(mdns_origin const &, mdns_origin const &) = default;
};

/// A peer is new or has changed.
struct mdns_found {
    discovered_peer peer;
};
/// Nothing tells of a peer any more.
struct mdns_expired {
    peer_id peer;
};
using mdns_event = std::variant<mdns_found, mdns_expired>;

/// Remembers announcements and says what changes.
///
/// The work of a call does not depend on how many peers are known, but for finding some by their order, and a pass over all of
/// them that comes at most ten times a second, or once in a thousand goodbyes.
class mdns_peers {
  public:
    /// @param options are kept as a reference
    /// @param random for which newcomers get in where there is no room for all; must outlive this
    /// @param is_connected whether we are connected to a peer, so that it is no invention; null: to none
    mdns_peers(mdns_options const &options, random_source &random, std::function<bool(peer_id const &)> is_connected = nullptr)
        : options_{options}, random_{random}, is_connected_{std::move(is_connected)} {}

    /// What has happened and was not yet taken, in order.
    std::deque<mdns_event> &events() noexcept { return events_; }

    /// Takes what an announcement says.
    void add(time_point now, mdns_origin const &from, mdns_announcement &&heard);

    /// A link is gone: what only it told of follows soon, unless the link comes back.
    void remove_link(time_point now, std::uint32_t link);

    /// Forgets what has expired, and reports what changed. Does nothing before `next_update()`.
    void update(time_point now);

    /// When `update()` has something to do; `time_point::max()` for never.
    time_point next_update() const noexcept;

    std::size_t size() const noexcept { return peers_.size(); }

  private:
    static constexpr duration flush_grace = std::chrono::seconds{1};
    static constexpr duration goodbye_grace = std::chrono::seconds{1};   ///< RFC 6762 §10.1: time to object
    static constexpr duration link_grace = std::chrono::seconds{10};     ///< a cable may be out for a moment
    static constexpr duration report_interval = std::chrono::seconds{1}; ///< of one peer: changes in between are one
    static constexpr duration pass_interval = std::chrono::milliseconds{100};
    /// Where the table fills up, what is not renewed goes soon: whoever is here answers our next query.
    static constexpr duration crowded_ttl = std::chrono::minutes{5};
    /// Newcomers replace others no faster than all of them in this time, but for a quarter at once: long enough for who is here to
    /// be heard again, and for some to be dialled.
    static constexpr duration turnover = std::chrono::minutes{1};
    static constexpr duration regular_after = std::chrono::seconds{1}; ///< whoever is heard again then is no newcomer
    static constexpr std::size_t max_looks = 16;     ///< at peers that may have to make room, for one newcomer
    static constexpr std::size_t max_goodbyes = 1024; ///< that wait for a pass

    struct announced_address {
        multiaddr address;
        time_point heard, expires;
    };
    /// What one instance of the service, from one place, says about a peer.
    struct announcement {
        mdns_origin from;
        std::size_t hash = 0; ///< of `instance`
        std::uint64_t turn = 0; ///< when it was heard last
        std::string instance;
        std::string nickname;
        std::vector<announced_address> addresses;
    };
    struct known_peer {
        std::vector<announcement> entries;
        dns_ipv6 owner{}; ///< the source that told of it first
        std::uint64_t turn = 0; ///< its place in the orders below
        time_point since{};
        bool regular = false; ///< was heard again, or is connected
        std::optional<discovered_peer> reported;
        time_point reported_at{};
        bool unreported = false; ///< a change waits for its time
    };
    using peer_map = std::map<peer_id, known_peer>;
    using turn_map = std::map<std::uint64_t, peer_map::iterator>; ///< first who was heard of longest ago
    struct said_goodbye {
        std::uint64_t turn = 0; ///< what was heard later is not meant
        time_point end{};
    };

    static void shorten(announcement &entry, time_point end);
    void goodbye(time_point now, std::uint32_t link, std::string &&instance);
    void heed_goodbye(announcement &entry) const;
    bool is_crowded() const noexcept { return peers_.size() >= options_.max_peers - options_.max_peers / 4; }

    /// The place of this announcement. Where there are too many, one of the source that has most gives way, its own rather than
    /// another's; of those the one that is to expire first.
    announcement &entry_of(known_peer &peer, mdns_origin const &from, std::string const &instance);

    /// Forgets a peer of the source that announces most, if that is more than the newcomer's source would then have; or, where the
    /// source has none or we are connected to the newcomer, another newcomer. A quarter of the table is for newcomers, however many
    /// have been heard again.
    bool make_room(time_point now, peer_id const &newcomer, dns_ipv6 const &source);

    /// Forgets the one of these that was heard of longest ago, but nobody to whom we are connected.
    bool forget_one(turn_map const &of);
    bool may_replace(time_point now);

    bool is_connected(peer_id const &peer) const { return is_connected_ && is_connected_(peer); }
    turn_map &order_of(known_peer const &peer) noexcept { return peer.regular ? regulars_ : newcomers_; }
    peer_map::iterator remember(time_point now, peer_id const &id, dns_ipv6 const &owner);
    peer_map::iterator forget(peer_map::iterator peer);
    /// Makes it the one that was heard of last.
    void refresh(peer_map::iterator peer, bool regular);
    void report(time_point now, peer_id const &id, known_peer &peer);

    /// What all announcements of a peer say together. Of many addresses so many that a forger cannot make us dial all that he
    /// likes (T15), from each source in turn, so that he cannot hide those that the peer itself announces (T20).
    discovered_peer describe(peer_id const &id, known_peer const &peer) const;

    mdns_options const &options_;
    random_source &random_;
    std::function<bool(peer_id const &)> is_connected_;
    peer_map peers_;
    turn_map newcomers_, regulars_;
    std::map<dns_ipv6, turn_map> sources_;                 ///< the peers that each source told of first
    std::set<std::pair<std::size_t, dns_ipv6>> by_weight_; ///< how many each has
    std::map<std::tuple<std::size_t, std::uint32_t, std::string>, said_goodbye, std::less<>> goodbyes_; ///< by hash, link and instance
    std::uint64_t turn_ = 0; ///< counts what is heard
    double replacements_ = 0; ///< that may be made
    time_point replacements_counted_ = time_point::min();
    std::deque<mdns_event> events_;
    time_point next_ = time_point::max();
    time_point last_pass_{};
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/mdns_peers.ipp"
#endif
