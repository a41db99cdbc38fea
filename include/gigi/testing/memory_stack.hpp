// gigi/testing/memory_stack.hpp: nodes on an in-process network in simulated time.
//
// Layer: testing. `memory_node` is a whole node (Noise, yamux and all) whose connections are a `memory_network`'s; with
// `simulation` whole networks run in one thread, the same way for the same seed.
#pragma once

#include "../crypto/random.hpp"
#include "../node.hpp"
#include "../transport/memory.hpp"
#include "simulation.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace gigi::inline v1::testing {

/// A stack for one host of a memory network.
struct memory_stack {
    using transport = memory_transport;
    template <class Raw> using secure = noise<Raw>;
    template <class Channel> using muxer = yamux<Channel>;
    using offload = inline_offload;

    memory_network *network = nullptr;
    std::string host;       ///< the IP address
    std::uint64_t seed = 0; ///< of this node's randomness

    transport make_transport(any_io_executor const &) const { return transport{*network, host}; }
    std::unique_ptr<random_source> make_random() const { return std::make_unique<seeded_random>(seed); }
};

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
