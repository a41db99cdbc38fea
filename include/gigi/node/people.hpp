// gigi/node/people.hpp: who is who: nicknames, agents and protocols of the peers, and how to find them by name.
//
// Layer: node. Keeps what identify and the nickname exchange say, and the peer store that outlives connections.
#pragma once

#include "../core/clock.hpp"
#include "../core/error.hpp"
#include "../link/connection.hpp"
#include "../peer/nickname.hpp"
#include "../peer/peer_store.hpp"
#include "event.hpp"
#include "types.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

/// What is known of the peers that are connected now, over the store of all peers ever met.
class people {
  public:
    /// @param emit gets the events about names
    people(peer_store &store, context_clock clock, std::function<void(event const &)> emit)
        : store_{store}, clock_{clock}, emit_{std::move(emit)} {}

    void connected(connection_info const &info) { present_.insert_or_assign(info.peer, presence{}); }
    void disconnected(peer_id const &peer) { present_.erase(peer); }

    /// Takes what identify said.
    void identified(peer_id const &peer, std::string agent, std::vector<std::string> protocols) {
        auto const found = present_.find(peer);
        if (found == present_.end()) return;
        found->second.agent = std::move(agent);
        found->second.protocols = std::move(protocols);
        found->second.identified = true;
        announce(peer, found->second);
    }

    /// Takes the nickname that an authenticated peer gives itself.
    /// @return false where it is not a nickname
    bool named(peer_id const &peer, std::string const &nickname) {
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

    /// The nickname that a peer gave itself on an authenticated connection, now or earlier; empty where it gave none.
    std::string nickname_of(peer_id const &peer) const { return store_.nickname(peer).value_or(std::string{}); }

    std::string agent_of(peer_id const &peer) const {
        auto const found = present_.find(peer);
        return found == present_.end() ? std::string{} : found->second.agent;
    }
    bool is_named(peer_id const &peer) const {
        auto const found = present_.find(peer);
        return found != present_.end() && found->second.named;
    }
    bool speaks(peer_id const &peer, std::string_view protocol) const {
        auto const found = present_.find(peer);
        return found != present_.end() && std::ranges::find(found->second.protocols, protocol) != found->second.protocols.end();
    }

    /// Finds the peer that a caller means: by id, by a nickname that only one peer has, or by `name~abcd`.
    ///
    /// A nickname that several peers have means the one who was first seen with it, if of all of them only that one is here;
    /// a stranger who takes somebody's nickname gets nothing that was meant for its owner, even while the owner is away.
    /// @throws error: `errc::unknown_peer`; `errc::ambiguous_nickname`, naming the candidates as `name~abcd`
    peer_id resolve(peer_ref const &who) const {
        if (who.has_id()) return who.id();
        std::string const text{who.text()};
        auto candidates = store_.resolve(text);
        auto const owner = store_.pinned(text);
        // An owner of whom only the pin is left still owns the name; one that took another name has given it up.
        if (owner && !candidates.empty() && std::ranges::find(candidates, *owner) == candidates.end() && nickname_of(*owner).empty())
            candidates.push_back(*owner);
        if (candidates.empty()) throw error{errc::unknown_peer, text};
        if (candidates.size() == 1) return candidates.front();
        auto const is_here = [this](peer_id const &peer) { return present_.contains(peer); };
        if (owner && is_here(*owner) && std::ranges::find(candidates, *owner) != candidates.end() &&
            std::ranges::count_if(candidates, is_here) == 1)
            return *owner;
        std::string all;
        for (auto const &name : distinct_names(text.substr(0, text.find('~')), candidates)) all += (all.empty() ? "" : ", ") + name;
        throw error{errc::ambiguous_nickname, all};
    }

  private:
    struct presence {
        std::string agent;
        std::vector<std::string> protocols;
        bool identified = false;
        bool named = false;
        bool announced = false;
    };

    /// Each peer as `name~` and as much of the end of its id as tells it from the others.
    static std::vector<std::string> distinct_names(std::string const &name, std::vector<peer_id> const &peers) {
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

    /// A peer counts as identified when its identify message is here and, where it has nicknames, its nickname is.
    void announce(peer_id const &peer, presence &p) {
        bool const has_nickname = std::ranges::find(p.protocols, "/gigi/nickname/1.0.0") != p.protocols.end();
        if (p.announced || !p.identified || (has_nickname && !p.named)) return;
        p.announced = true;
        emit_(event{events::peer_identified{peer, nickname_of(peer), p.agent, p.protocols}});
    }

    peer_store &store_;
    context_clock clock_;
    std::function<void(event const &)> emit_;
    std::map<peer_id, presence> present_;
};

} // namespace gigi::inline v1
