// gigi/link/connection.hpp: one connection to one peer, as the swarm keeps it.
//
// Layer: link.
#pragma once

#include "../core/asio.hpp"
#include "../core/clock.hpp"
#include "../core/task_group.hpp"
#include "upgrade.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <system_error>

namespace gigi::inline v1 {

enum class direction { inbound, outbound };

/// What is known about a connection.
struct connection_info {
    peer_id peer;
    multiaddr remote;
    multiaddr local;
    direction dir = direction::inbound;
    time_point since{};
};

/// A live connection; owned by the swarm.
class connection {
  public:
    connection(any_io_executor const &executor, established made, direction dir, time_point now);

    connection_info const info;
    std::unique_ptr<muxed_connection> const mux;
    task_group tasks;                           ///< the accept loop and the handlers of inbound streams
    std::map<std::string, std::size_t, std::less<>> in_flight; ///< inbound streams being handled, by protocol
    std::error_code closing;                    ///< why this side is ending it, where it is
    std::error_code departed;                   ///< why the peer is gone with it, until that has been told
    bool retired = false;                       ///< another connection to the peer has taken its place
    bool over = false;                          ///< it carries nothing any more; its last handlers may still run
};

/// Which of two connections to one peer stays.
///
/// Where both sides dialled at about the same time, both must decide alike: the connection that the peer with the smaller
/// id dialled stays. Otherwise the newer one does: a peer that dials again has lost the older one.
/// @return whether `newer` stays
bool newer_connection_wins(connection_info const &older, connection_info const &newer, peer_id const &self);

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/connection.ipp"
#endif
