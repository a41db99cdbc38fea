// gigi/discovery/impl/mdns_peers.ipp: what mdns_peers.hpp declares.
#pragma once

#include "../mdns_peers.hpp"

#include "../../core/config.hpp"

#include <algorithm>
#include <functional>
#include <tuple>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

GIGI_INLINE void mdns_peers::add(time_point now, mdns_origin const &from, mdns_announcement &&heard) {
    if (heard.goodbye) goodbye(now, from.link, std::move(heard.instance));
    if (heard.goodbye || !heard.peer || heard.addresses.empty()) return;
    auto known = peers_.find(*heard.peer);
    if (known == peers_.end()) {
        if (peers_.size() >= options_.max_peers && !make_room(now, *heard.peer, from.host)) return;
        bool const roomy = !is_crowded();
        known = remember(now, *heard.peer, from.host);
        if (roomy && is_crowded()) next_ = now; // the pass shortens what was believed for longer
    } else {
        refresh(known, known->second.regular || now >= known->second.since + regular_after);
    }
    auto &peer = known->second;
    auto &entry = entry_of(peer, from, heard.instance);
    heed_goodbye(entry);
    entry.turn = turn_;
    auto expires = now + std::clamp<std::chrono::seconds>(heard.ttl, std::chrono::seconds{1}, options_.max_ttl);
    if (is_crowded()) expires = std::min(expires, now + crowded_ttl);
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

GIGI_INLINE void mdns_peers::remove_link(time_point now, std::uint32_t link) {
    for (auto &[id, peer] : peers_)
        for (auto &entry : peer.entries)
            if (entry.from.link == link) shorten(entry, now + link_grace);
    next_ = std::min(next_, now + link_grace);
}

GIGI_INLINE void mdns_peers::update(time_point now) {
    if (now < next_update()) return;
    last_pass_ = now;
    next_ = time_point::max();
    bool const crowded = is_crowded();
    for (auto i = peers_.begin(); i != peers_.end();) {
        auto &[id, peer] = *i;
        bool changed = peer.unreported;
        for (auto &entry : peer.entries) {
            heed_goodbye(entry);
            for (auto &a : entry.addresses)
                if (crowded) a.expires = std::min(a.expires, a.heard + crowded_ttl);
            changed |= std::erase_if(entry.addresses, [now](auto const &a) { return a.expires <= now; }) > 0;
        }
        std::erase_if(peer.entries, [](auto const &entry) { return entry.addresses.empty(); });
        if (peer.entries.empty()) {
            i = forget(i);
            continue;
        }
        if (changed) report(now, id, peer);
        for (auto const &entry : peer.entries)
            for (auto const &address : entry.addresses) next_ = std::min(next_, address.expires);
        ++i;
    }
    goodbyes_.clear();
}

GIGI_INLINE time_point mdns_peers::next_update() const noexcept {
    return next_ == time_point::max() ? next_ : std::max(next_, last_pass_ + pass_interval);
}

GIGI_INLINE void mdns_peers::shorten(announcement &entry, time_point end) {
    for (auto &address : entry.addresses) address.expires = std::min(address.expires, end);
}

GIGI_INLINE void mdns_peers::goodbye(time_point now, std::uint32_t link, std::string &&instance) {
    auto const hash = std::hash<std::string>{}(instance);
    goodbyes_.insert_or_assign({hash, link, std::move(instance)}, said_goodbye{++turn_, now + goodbye_grace});
    next_ = std::min(next_, now + goodbye_grace);
    if (goodbyes_.size() < max_goodbyes) return;
    for (auto &[id, peer] : peers_)
        for (auto &entry : peer.entries) heed_goodbye(entry);
    goodbyes_.clear();
}

GIGI_INLINE void mdns_peers::heed_goodbye(announcement &entry) const {
    if (goodbyes_.empty()) return;
    auto const said = goodbyes_.find(std::tie(entry.hash, entry.from.link, entry.instance));
    if (said != goodbyes_.end() && said->second.turn > entry.turn) shorten(entry, said->second.end);
}

GIGI_INLINE mdns_peers::announcement &mdns_peers::entry_of(known_peer &peer, mdns_origin const &from, std::string const &instance) {
    for (auto &entry : peer.entries)
        if (entry.from == from && entry.instance == instance) return entry;
    if (peer.entries.size() >= options_.max_announcements) {
        auto const rank = [&](announcement const &entry) {
            auto const same_source = std::ranges::count(peer.entries, entry.from.host, [](auto const &e) { return e.from.host; });
            auto last = time_point::min();
            for (auto const &address : entry.addresses) last = std::max(last, address.expires);
            return std::tuple{-same_source, entry.from.host != from.host, last};
        };
        peer.entries.erase(std::ranges::min_element(peer.entries, {}, rank));
    }
    return peer.entries.emplace_back(announcement{from, std::hash<std::string>{}(instance), turn_, instance, {}, {}});
}

GIGI_INLINE bool mdns_peers::make_room(time_point now, peer_id const &newcomer, dns_ipv6 const &source) {
    if (by_weight_.empty()) return false;
    auto const [weight, heaviest] = *by_weight_.rbegin();
    auto const own = sources_.find(source);
    if (weight > (own == sources_.end() ? 0 : own->second.size()) + 1 && forget_one(sources_.at(heaviest))) return true;
    // As many sources as peers: source addresses cost nothing, and most of these peers may be nobody.
    if (!is_connected(newcomer) && (own != sources_.end() || !may_replace(now))) return false;
    bool const newcomers_first = newcomers_.size() > options_.max_peers / 4;
    return forget_one(newcomers_first ? newcomers_ : regulars_) || forget_one(newcomers_first ? regulars_ : newcomers_);
}

GIGI_INLINE bool mdns_peers::forget_one(turn_map const &of) {
    for (std::size_t looked = 0; looked < max_looks && !of.empty(); ++looked) {
        auto const oldest = of.begin()->second;
        if (!is_connected(oldest->first)) {
            forget(oldest);
            return true;
        }
        refresh(oldest, true);
    }
    return false;
}

GIGI_INLINE bool mdns_peers::may_replace(time_point now) {
    auto const most = static_cast<double>(options_.max_peers);
    bool const first = replacements_counted_ == time_point::min();
    auto const elapsed = first ? turnover : now - replacements_counted_;
    replacements_counted_ = now;
    auto const earned = most * (std::chrono::duration<double>{elapsed} / std::chrono::duration<double>{turnover});
    replacements_ = std::min(replacements_ + earned, std::max(1.0, most / 4));
    if (replacements_ <= 0) return false;
    replacements_ -= static_cast<double>(random_.below(2001)) / 1000; // one on average: nobody can tell when to come just before others
    return true;
}

GIGI_INLINE mdns_peers::peer_map::iterator mdns_peers::remember(time_point now, peer_id const &id, dns_ipv6 const &owner) {
    auto const peer = peers_.try_emplace(id).first;
    peer->second.owner = owner;
    peer->second.since = now;
    peer->second.turn = ++turn_;
    newcomers_.emplace(turn_, peer);
    auto &own = sources_[owner];
    by_weight_.erase({own.size(), owner});
    own.emplace(turn_, peer);
    by_weight_.emplace(own.size(), owner);
    return peer;
}

GIGI_INLINE mdns_peers::peer_map::iterator mdns_peers::forget(peer_map::iterator peer) {
    if (peer->second.reported) events_.push_back(mdns_expired{peer->first});
    auto const source = sources_.find(peer->second.owner);
    by_weight_.erase({source->second.size(), source->first});
    source->second.erase(peer->second.turn);
    if (source->second.empty())
        sources_.erase(source);
    else
        by_weight_.emplace(source->second.size(), source->first);
    order_of(peer->second).erase(peer->second.turn);
    return peers_.erase(peer);
}

GIGI_INLINE void mdns_peers::refresh(peer_map::iterator peer, bool regular) {
    auto &known = peer->second;
    auto const old = std::exchange(known.turn, ++turn_);
    auto const move = [&](turn_map &from, turn_map &to) {
        auto place = from.extract(old);
        place.key() = turn_;
        to.insert(to.end(), std::move(place));
    };
    auto &from = order_of(known);
    known.regular = regular;
    move(from, order_of(known));
    move(sources_.at(known.owner), sources_.at(known.owner));
}

GIGI_INLINE void mdns_peers::report(time_point now, peer_id const &id, known_peer &peer) {
    auto current = describe(id, peer);
    peer.unreported = false;
    if (current == peer.reported) return;
    if (peer.reported && now < peer.reported_at + report_interval) {
        peer.unreported = true;
        next_ = std::min(next_, peer.reported_at + report_interval);
        return;
    }
    peer.reported_at = now;
    peer.reported = std::move(current);
    events_.push_back(mdns_found{*peer.reported});
}

GIGI_INLINE discovered_peer mdns_peers::describe(peer_id const &id, known_peer const &peer) const {
    discovered_peer description{id, {}, {}};
    std::vector<std::pair<dns_ipv6, std::vector<multiaddr const *>>> sources; // in the order in which they came
    std::size_t longest = 0;
    for (auto const &entry : peer.entries) {
        auto source = std::ranges::find(sources, entry.from.host, [](auto const &s) { return s.first; });
        if (source == sources.end()) source = sources.insert(source, {entry.from.host, {}});
        for (auto const &a : entry.addresses) source->second.push_back(&a.address);
        longest = std::max(longest, source->second.size());
        if (description.nickname.empty()) description.nickname = entry.nickname;
    }
    auto &addresses = description.addresses;
    for (std::size_t turn = 0; turn < longest; ++turn)
        for (auto const &[host, said] : sources)
            if (turn < said.size() && addresses.size() < options_.max_addresses && std::ranges::find(addresses, *said[turn]) == addresses.end())
                addresses.push_back(*said[turn]);
    return description;
}

} // namespace gigi::inline v1
