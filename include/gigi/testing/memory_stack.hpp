// gigi/testing/memory_stack.hpp: nodes on an in-process network in simulated time.
//
// Layer: testing. `memory_node` is a whole node (Noise, yamux and all) whose connections are a `memory_network`'s; with
// `simulation` whole networks run in one thread, the same way for the same seed.
#pragma once

#include "../node.hpp"
#include "../transport/memory.hpp"
#include "memory_host.hpp"
#include "simulation.hpp"

#include <string>

namespace gigi::inline v1::testing {

using memory_node = basic_node<memory_stack>;

/// Options for a node on a memory network: it listens on TCP port 4001 of its host, and finds nobody by itself.
node_options memory_node_options(std::string nickname, std::string const &host);

} // namespace gigi::inline v1::testing

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/memory_stack.ipp"
#endif
