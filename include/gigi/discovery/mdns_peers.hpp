// gigi/discovery/mdns_peers.hpp: the peers that announcements have told of, until they expire; bounded.
//
// Layer: discovery, sans-I/O. Announcements are not authenticated: anyone can announce any peer (T20). So what one source
// says never grows at the cost of others, and a peer's addresses are a set of proposals that a dial has to prove.
#pragma once

#include "../core/clock.hpp"
#include "discovery.hpp"
#include "mdns_options.hpp"
#include "mdns_records.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
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
/// The work of a call does not depend on how many peers are known, but for a pass over all of them that comes at most
/// ten times a second.
class mdns_peers {
  public:
    /// @param options are kept as a reference
    explicit mdns_peers(mdns_options const &options) : options_{options} {}

    /// What has happened and was not yet taken, in order.
    std::deque<mdns_event> &events() noexcept { return events_; }

    /// Takes what an announcement says.
    void add(time_point now, mdns_origin const &from, mdns_announcement &&heard) {
        if (heard.goodbye) goodbye(now, from.link, heard.instance);
        if (heard.goodbye || !heard.peer || heard.addresses.empty()) return;
        auto known = peers_.find(*heard.peer);
        if (known == peers_.end()) {
            if (peers_.size() >= options_.max_peers && !make_room(from.host)) return;
            known = peers_.try_emplace(*heard.peer).first;
            known->second.owner = from.host;
            ++sources_[from.host];
        }
        auto &peer = known->second;
        auto &entry = entry_of(peer, from, heard.instance);
        auto const expires = now + std::clamp<std::chrono::seconds>(heard.ttl, std::chrono::seconds{1}, options_.max_ttl);
        if (heard.flush) // RFC 6762 §10.2: what came within the last second may be part of the same announcement
            std::erase_if(entry.addresses, [now](auto const &a) { return a.heard + flush_grace < now; });
        for (auto &address : heard.addresses) {
            auto const same = std::ranges::find(entry.addresses, address, &announced_address::address);
            if (same != entry.addresses.end())
                same->heard = now, same->expires = expires;
            else if (entry.addresses.size() < options_.max_addresses)
                entry.addresses.push_back({std::move(address), now, expires});
        }
        if (heard.flush || !heard.nickname.empty()) entry.nickname = std::move(heard.nickname);
        report(now, known->first, peer);
        next_ = std::min(next_, expires);
    }

    /// A link is gone: what only it told of follows soon, unless the link comes back.
    void remove_link(time_point now, std::uint32_t link) {
        for (auto &[id, peer] : peers_)
            for (auto &entry : peer.entries)
                if (entry.from.link == link) shorten(entry, now + link_grace);
    }

    /// Forgets what has expired, and reports what changed. Does nothing before `next_update()`.
    void update(time_point now) {
        if (now < next_update()) return;
        last_pass_ = now;
        next_ = time_point::max();
        for (auto i = peers_.begin(); i != peers_.end();) {
            auto &[id, peer] = *i;
            for (auto &entry : peer.entries)
                std::erase_if(entry.addresses, [now](auto const &a) { return a.expires <= now; });
            std::erase_if(peer.entries, [](auto const &entry) { return entry.addresses.empty(); });
            if (peer.entries.empty()) {
                i = forget(i);
                continue;
            }
            report(now, id, peer);
            for (auto const &entry : peer.entries)
                for (auto const &address : entry.addresses) next_ = std::min(next_, address.expires);
            ++i;
        }
    }

    /// When `update()` has something to do; `time_point::max()` for never.
    time_point next_update() const noexcept {
        return next_ == time_point::max() ? next_ : std::max(next_, last_pass_ + pass_interval);
    }

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

    void shorten(announcement &entry, time_point end) {
        for (auto &address : entry.addresses) address.expires = std::min(address.expires, end);
        next_ = std::min(next_, end);
    }

    void goodbye(time_point now, std::uint32_t link, std::string const &instance) {
        auto const hash = std::hash<std::string>{}(instance);
        for (auto &[id, peer] : peers_)
            for (auto &entry : peer.entries)
                if (entry.from.link == link && entry.hash == hash && entry.instance == instance)
                    shorten(entry, now + goodbye_grace);
    }

    /// The place of this announcement; the one that is to expire first gives way to a new one.
    announcement &entry_of(known_peer &peer, mdns_origin const &from, std::string const &instance) {
        for (auto &entry : peer.entries)
            if (entry.from == from && entry.instance == instance) return entry;
        if (peer.entries.size() >= options_.max_announcements)
            peer.entries.erase(std::ranges::min_element(peer.entries, {}, [](auto const &entry) {
                auto last = time_point::min();
                for (auto const &address : entry.addresses) last = std::max(last, address.expires);
                return last;
            }));
        return peer.entries.emplace_back(announcement{from, std::hash<std::string>{}(instance), instance, {}, {}});
    }

    /// Forgets a peer of the source that announces most, if that is more than the newcomer's source would then have.
    bool make_room(dns_ipv6 const &newcomer) {
        auto const heaviest = std::ranges::max_element(sources_, {}, [](auto const &source) { return source.second; });
        auto const own = sources_.find(newcomer);
        if (heaviest == sources_.end() || heaviest->second <= (own == sources_.end() ? 0 : own->second) + 1) return false;
        auto const victim = std::ranges::find(peers_, heaviest->first, [](auto const &peer) { return peer.second.owner; });
        if (victim == peers_.end()) return false;
        forget(victim);
        return true;
    }

    peer_map::iterator forget(peer_map::iterator peer) {
        if (peer->second.reported) events_.push_back(mdns_expired{peer->first});
        if (auto const source = sources_.find(peer->second.owner); source != sources_.end() && --source->second == 0)
            sources_.erase(source);
        return peers_.erase(peer);
    }

    void report(time_point now, peer_id const &id, known_peer &peer) {
        auto current = describe(id, peer);
        if (current == peer.reported) return;
        if (peer.reported && now < peer.reported_at + report_interval) {
            next_ = std::min(next_, peer.reported_at + report_interval);
            return;
        }
        peer.reported_at = now;
        peer.reported = std::move(current);
        events_.push_back(mdns_found{*peer.reported});
    }

    /// What all announcements of a peer say together; of many addresses the first, so that a forger cannot make us dial
    /// all that he likes (T15).
    discovered_peer describe(peer_id const &id, known_peer const &peer) const {
        discovered_peer description{id, {}, {}};
        auto &addresses = description.addresses;
        for (auto const &entry : peer.entries) {
            for (auto const &[address, heard, expires] : entry.addresses)
                if (addresses.size() < options_.max_addresses && std::ranges::find(addresses, address) == addresses.end())
                    addresses.push_back(address);
            if (description.nickname.empty()) description.nickname = entry.nickname;
        }
        return description;
    }

    mdns_options const &options_;
    peer_map peers_;
    std::map<dns_ipv6, std::size_t> sources_; ///< how many peers each source told of first
    std::deque<mdns_event> events_;
    time_point next_ = time_point::max();
    time_point last_pass_{};
};

} // namespace gigi::inline v1
