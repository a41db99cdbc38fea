// gigi/discovery/mdns_peers.hpp: the peers that announcements have told of, until they expire; bounded.
//
// Layer: discovery, sans-I/O. Announcements are not authenticated: anyone can announce any peer (T20). So what one source
// says never grows at the cost of others, and a peer's addresses are a set of proposals that a dial has to prove.
#pragma once

#include "../core/clock.hpp"
#include "discovery.hpp"
#include "mdns_options.hpp"
#include "mdns_records.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
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
/// The work of a call does not depend on how many peers are known, but for a pass over all of them that comes at most
/// ten times a second.
class mdns_peers {
  public:
    /// @param options are kept as a reference
    explicit mdns_peers(mdns_options const &options) : options_{options} {}

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

    struct announced_address {
        multiaddr address;
        time_point heard, expires;
    };
    /// What one instance of the service, from one place, says about a peer.
    struct announcement {
        mdns_origin from;
        std::size_t hash = 0; ///< of `instance`
        std::string instance;
        std::string nickname;
        std::vector<announced_address> addresses;
    };
    struct known_peer {
        std::vector<announcement> entries;
        dns_ipv6 owner{}; ///< the source that told of it first
        std::optional<discovered_peer> reported;
        time_point reported_at{};
    };
    using peer_map = std::map<peer_id, known_peer>;

    void shorten(announcement &entry, time_point end);
    void goodbye(time_point now, std::uint32_t link, std::string const &instance);

    /// The place of this announcement. Where there are too many, one of the source that has most gives way, its own rather than
    /// another's; of those the one that is to expire first.
    announcement &entry_of(known_peer &peer, mdns_origin const &from, std::string const &instance);

    /// Forgets a peer of the source that announces most, if that is more than the newcomer's source would then have.
    bool make_room(dns_ipv6 const &newcomer);
    peer_map::iterator forget(peer_map::iterator peer);
    void report(time_point now, peer_id const &id, known_peer &peer);

    /// What all announcements of a peer say together. Of many addresses so many that a forger cannot make us dial all that he
    /// likes (T15), from each source in turn, so that he cannot hide those that the peer itself announces (T20).
    discovered_peer describe(peer_id const &id, known_peer const &peer) const;

    mdns_options const &options_;
    peer_map peers_;
    std::map<dns_ipv6, std::size_t> sources_; ///< how many peers each source told of first
    std::deque<mdns_event> events_;
    time_point next_ = time_point::max();
    time_point last_pass_{};
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/mdns_peers.ipp"
#endif
