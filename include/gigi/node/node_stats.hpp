// gigi/node/node_stats.hpp: what a node has done and refused since it was started.
//
// Layer: node.
#pragma once

#include "../link/swarm_options.hpp"

#include <cstddef>
#include <cstdint>

namespace gigi::inline v1 {

/// Counters since `start()`, but for the two numbers of what is there now.
struct node_stats {
    std::size_t connections = 0;        ///< now
    std::size_t peers_known = 0;        ///< now
    swarm_stats links;
    std::uint64_t events_dropped = 0;   ///< because readers were slow

    template <class F> void for_each_member(F &&f) const {
        f("connections", connections), f("peers_known", peers_known), f("connections_opened", links.connections_opened),
            f("connections_closed", links.connections_closed), f("connections_refused", links.connections_refused),
            f("connections_idle", links.connections_idle), f("dials_failed", links.dials_failed),
            f("handshakes_failed", links.handshakes_failed), f("handshakes_refused", links.handshakes_refused),
            f("streams_refused", links.streams_refused), f("streams_unsupported", links.streams_unsupported),
            f("events_dropped", events_dropped);
    }
};

} // namespace gigi::inline v1
