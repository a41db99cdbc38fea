// gigi/node/presence.hpp: makes peers that are found into peers that are connected, identified and known by nickname.
//
// Layer: node. Discovery and the bootstrap list say who is wanted (redial.hpp says when); every connection is identified and
// exchanges nicknames.
#pragma once

#include "../core/clock.hpp"
#include "../core/task_group.hpp"
#include "../discovery/discovery.hpp"
#include "../link/swarm.hpp"
#include "../peer/peer_store.hpp"
#include "../protocol/identify.hpp"
#include "event.hpp"
#include "options.hpp"
#include "people.hpp"
#include "redial.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gigi::inline v1 {

class presence {
  public:
    /// @par Lifetime Everything referred to must outlive this; call `stop()` before destroying it.
    presence(swarm &on, peer_store &store, people &known, node_options const &options, std::function<std::string()> own_nickname,
             std::function<std::vector<multiaddr>()> own_addresses, std::function<void(event const &)> emit);

    /// Begins to dial who is wanted.
    void start(std::vector<multiaddr> const &bootstrap);

    /// What discovery is to call.
    discovery_handler handler();

    /// The user wants this peer to stay away.
    void mute(peer_id const &peer) { redial_.mute(peer); }

    /// Tells every connected peer that has nicknames this node's.
    void nickname_changed();
    /// Tells every connected peer, soon, that this node's addresses or protocols changed.
    void addresses_changed() { identify_.push_soon(); }

    /// Peers that discovery shows now, with the nickname that each announces.
    std::map<peer_id, std::string> const &discovered_now() const noexcept { return discovered_; }

    std::uint64_t refused() const noexcept { return refused_; } ///< discovered peers that there was no room for

    /// Dials and asks nobody any more. Connections that end are told until this is destroyed.
    [[nodiscard]] awaitable<void> stop();

  private:
    /// The dials under way to peers of one kind.
    struct dialler {
        redial_policy::reason kind;
        std::size_t at_once;
        std::size_t busy = 0;
        std::size_t free() const noexcept { return at_once > busy ? at_once - busy : 0; }
    };

    void discovered(discovered_peer const &found);
    void expired(peer_id const &peer);
    void connected(connection_info const &info);
    void disconnected(peer_id const &peer, std::error_code why);
    void identified(peer_id const &peer, identify_message const &message);

    /// Whether an address that a peer tells would have us dial ourselves, or whoever has it on our own network (T15).
    static bool leads_here(multiaddr const &address);

    /// Who tells a nickname is somebody, and stays on the list of who is here although nothing is said for long.
    void take_nickname(peer_id const &peer, std::string const &nickname);
    awaitable<void> identify(peer_id peer);
    awaitable<void> exchange_nickname(peer_id peer);
    awaitable<void> dial_wanted();
    /// Dials who is due, at most `limit`. @return when to look again
    std::optional<time_point> dial_due(dialler &by, std::size_t limit);
    awaitable<void> dial(peer_id peer, dialler &by);

    swarm &swarm_;
    peer_store &store_;
    people &people_;
    node_options const &options_;
    std::function<std::string()> own_nickname_;
    std::function<void(event const &)> emit_;
    context_clock clock_;
    redial_policy redial_;
    std::map<peer_id, std::string> discovered_;
    // Apart, so that neither kind keeps the other waiting: what is announced may be nobody.
    dialler for_bootstrap_{redial_policy::bootstrap, 4}, for_discovered_{redial_policy::discovered, 8};
    std::uint64_t refused_ = 0;
    timer due_;
    subscription_token observing_;
    task_group tasks_;
    identify_service identify_;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/presence.ipp"
#endif
