// gigi/testing/memory_stack.hpp: nodes on an in-process network in simulated time.
//
// Layer: testing. `memory_node` is a whole node (Noise, yamux and all) whose connections are a `memory_network`'s; with
// `simulation` whole networks run in one thread, the same way for the same seed.
#pragma once

#include "../node.hpp"
#include "memory_host.hpp"
#include "simulation.hpp"

#include <string>
#include <utility>

namespace gigi::inline v1::testing {

using memory_node = basic_node<memory_stack>;

/// Options for a node on a memory network: it listens on TCP port 4001 of its host, and finds nobody by itself.
inline node_options memory_node_options(std::string nickname, std::string const &host) {
    node_options o;
    o.nickname = std::move(nickname);
    o.listen.assign(1, "/ip4/" + host + "/tcp/4001");
    o.mdns = false;
    return o;
}

} // namespace gigi::inline v1::testing
