// gigi/node/people.hpp: who is who: nicknames, agents and protocols of the peers, and how to find them by name.
//
// Layer: node. Keeps what identify and the nickname exchange say, and the peer store that outlives connections.
#pragma once

#include "../core/clock.hpp"
#include "../link/connection.hpp"
#include "../peer/peer_store.hpp"
#include "event.hpp"
#include "types.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace gigi::inline v1 {

/// What is known of the peers that are connected now, over the store of all peers ever met.
class people {
  public:
    /// @param emit gets the events about names
    people(peer_store &store, context_clock clock, std::function<void(event const &)> emit);

    void connected(connection_info const &info) { present_.insert_or_assign(info.peer, presence{}); }
    void disconnected(peer_id const &peer) { present_.erase(peer); }

    /// Takes what identify said; what it left empty stays as it was.
    void identified(peer_id const &peer, std::string agent, std::vector<std::string> protocols);

    /// Takes the nickname that an authenticated peer gives itself.
    /// @return false where it is not a nickname
    bool named(peer_id const &peer, std::string const &nickname);

    /// The nickname that a peer gave itself on an authenticated connection, now or earlier; empty where it gave none.
    std::string nickname_of(peer_id const &peer) const { return store_.nickname(peer).value_or(std::string{}); }

    std::string agent_of(peer_id const &peer) const;
    bool is_named(peer_id const &peer) const;
    bool speaks(peer_id const &peer, std::string_view protocol) const;
    /// Whether a connected peer has said that it speaks a protocol, or not said yet what it speaks.
    bool may_speak(peer_id const &peer, std::string_view protocol) const;

    /// Finds the peer that a caller means: by id, by a nickname that only one peer has, by `name~abcd`, or by `~abcd`.
    ///
    /// A nickname that several peers have means the one who was first seen with it, if of all of them only that one is here;
    /// a stranger who takes somebody's nickname gets nothing that was meant for its owner, even while the owner is away.
    /// @throws error: `errc::unknown_peer`; `errc::ambiguous_nickname`, naming the candidates as `name~abcd`
    peer_id resolve(peer_ref const &who) const;

    /// As `resolve`, for somebody to be dialled: where nobody is known by that name, the one who announces it. No owner of a
    /// name is overlooked for an announcement (T20), and nothing that is meant for a name goes to one.
    peer_id resolve_to_dial(std::string_view text) const;

    /// Where to look up the names that are only announced. @par Lifetime `hints` must outlive what resolves names here.
    void look_up(std::map<peer_id, std::string> const &hints) { hints_ = &hints; }

  private:
    struct presence {
        std::string agent;
        std::vector<std::string> protocols;
        bool identified = false;
        bool named = false;
        bool announced = false;
    };

    /// Every peer that a text can mean, by what is authenticated.
    std::vector<peer_id> meant_by(std::string const &text) const;
    /// Every peer that announces the name.
    std::vector<peer_id> hinted_at(std::string const &text) const;
    [[noreturn]] static void throw_ambiguous(std::string const &text, std::vector<peer_id> const &candidates);

    /// Each peer as `name~` and as much of the end of its id as tells it from the others.
    static std::vector<std::string> distinct_names(std::string const &name, std::vector<peer_id> const &peers);

    /// A peer counts as identified when its identify message is here and, where it has nicknames, its nickname is.
    void announce(peer_id const &peer, presence &p);

    peer_store &store_;
    context_clock clock_;
    std::function<void(event const &)> emit_;
    std::map<peer_id, presence> present_;
    std::map<peer_id, std::string> const *hints_ = nullptr;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/people.ipp"
#endif
