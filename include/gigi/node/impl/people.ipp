// gigi/node/impl/people.ipp: what people.hpp declares.
#pragma once

#include "../people.hpp"

#include "../../core/config.hpp"
#include "../../core/error.hpp"
#include "../../peer/nickname.hpp"

#include <algorithm>
#include <utility>

namespace gigi::inline v1 {

GIGI_INLINE people::people(peer_store &store, context_clock clock, std::function<void(event const &)> emit)
    : store_{store}, clock_{clock}, emit_{std::move(emit)} {}

GIGI_INLINE void people::identified(peer_id const &peer, std::string agent, std::vector<std::string> protocols) {
    auto const found = present_.find(peer);
    if (found == present_.end()) return;
    if (!agent.empty()) found->second.agent = std::move(agent);
    if (!protocols.empty()) found->second.protocols = std::move(protocols);
    found->second.identified = true;
    announce(peer, found->second);
}

GIGI_INLINE bool people::named(peer_id const &peer, std::string const &nickname) {
    if (!valid_nickname(nickname)) return false;
    std::string const previous = nickname_of(peer);
    auto const conflict = store_.set_nickname(peer, nickname, clock_.unix_seconds());
    if (conflict && previous != nickname) emit_(event{events::nickname_conflict{peer, nickname, *conflict}});
    if (!previous.empty() && previous != nickname) emit_(event{events::nickname_changed{peer, nickname, previous}});
    if (auto const found = present_.find(peer); found != present_.end()) {
        found->second.named = true;
        announce(peer, found->second);
    }
    return true;
}

GIGI_INLINE std::string people::agent_of(peer_id const &peer) const {
    auto const found = present_.find(peer);
    return found == present_.end() ? std::string{} : found->second.agent;
}

GIGI_INLINE bool people::is_named(peer_id const &peer) const {
    auto const found = present_.find(peer);
    return found != present_.end() && found->second.named;
}

GIGI_INLINE bool people::speaks(peer_id const &peer, std::string_view protocol) const {
    auto const found = present_.find(peer);
    return found != present_.end() && std::ranges::find(found->second.protocols, protocol) != found->second.protocols.end();
}

GIGI_INLINE bool people::may_speak(peer_id const &peer, std::string_view protocol) const {
    auto const found = present_.find(peer);
    return found != present_.end() && (!found->second.identified || speaks(peer, protocol));
}

GIGI_INLINE peer_id people::resolve(peer_ref const &who) const {
    if (who.has_id()) return who.id();
    std::string const text{who.text()};
    auto const candidates = meant_by(text);
    if (candidates.empty()) {
        if (!hinted_at(text).empty()) throw error{errc::unknown_peer, text + " (somebody announces this name, but is not connected: dial first)"};
        if (text.find_first_of(":./") != text.npos) throw error{errc::unknown_peer, text + " (an address looks like /ip4/192.0.2.7/tcp/4001)"};
        throw error{errc::unknown_peer, text};
    }
    if (candidates.size() == 1) return candidates.front();
    auto const is_here = [this](peer_id const &peer) { return present_.contains(peer); };
    auto const owner = store_.pinned(text);
    if (owner && is_here(*owner) && std::ranges::find(candidates, *owner) != candidates.end() &&
        std::ranges::count_if(candidates, is_here) == 1)
        return *owner;
    throw_ambiguous(text, candidates);
}

GIGI_INLINE peer_id people::resolve_to_dial(std::string_view text) const {
    std::string const name{text};
    if (!meant_by(name).empty()) return resolve(name);
    auto const hinted = hinted_at(name);
    if (hinted.size() > 1) throw_ambiguous(name, hinted);
    return hinted.empty() ? resolve(name) : hinted.front();
}

GIGI_INLINE std::vector<peer_id> people::meant_by(std::string const &text) const {
    auto candidates = store_.resolve(text);
    if (text.size() > 4 && text.starts_with('~'))
        for (auto const &[peer, p] : present_) // of whom nothing may be stored
            if (peer.to_string().ends_with(text.substr(1)) && std::ranges::find(candidates, peer) == candidates.end()) candidates.push_back(peer);
    auto const owner = store_.pinned(text);
    // An owner of whom only the pin is left still owns the name; one that took another name has given it up.
    if (owner && !candidates.empty() && std::ranges::find(candidates, *owner) == candidates.end() && nickname_of(*owner).empty())
        candidates.push_back(*owner);
    return candidates;
}

GIGI_INLINE std::vector<peer_id> people::hinted_at(std::string const &text) const {
    std::vector<peer_id> all;
    if (!hints_) return all;
    auto const tilde = text.rfind('~');
    std::string const name = text.substr(0, tilde), end = tilde == text.npos ? std::string{} : text.substr(tilde + 1);
    if (name.empty() || (tilde != text.npos && end.size() < 4)) return all;
    auto const owner = store_.pinned(name);
    for (auto const &[peer, hint] : *hints_)
        if (hint == name && peer.to_string().ends_with(end) && (!owner || *owner == peer)) all.push_back(peer);
    return all;
}

GIGI_INLINE void people::throw_ambiguous(std::string const &text, std::vector<peer_id> const &candidates) {
    std::string all;
    for (auto const &name : distinct_names(text.substr(0, text.find('~')), candidates)) all += (all.empty() ? "" : ", ") + name;
    throw error{errc::ambiguous_nickname, all};
}

GIGI_INLINE std::vector<std::string> people::distinct_names(std::string const &name, std::vector<peer_id> const &peers) {
    std::vector<std::string> ids, names;
    for (auto const &peer : peers) ids.push_back(peer.to_string());
    for (auto const &id : ids) {
        std::size_t size = 4;
        auto const same_end = [&](std::string const &other) { return other.ends_with(id.substr(id.size() - size)); };
        while (size < id.size() && std::ranges::count_if(ids, same_end) > 1) ++size;
        names.push_back(name + "~" + id.substr(id.size() - size));
    }
    return names;
}

GIGI_INLINE void people::announce(peer_id const &peer, presence &p) {
    bool const has_nickname = std::ranges::find(p.protocols, "/gigi/nickname/1.0.0") != p.protocols.end();
    if (p.announced || !p.identified || (has_nickname && !p.named)) return;
    p.announced = true;
    emit_(event{events::peer_identified{peer, nickname_of(peer), p.agent, p.protocols}});
}

} // namespace gigi::inline v1
