// gigi/testing/memory_host.hpp: a swarm on a memory network: less than a node, enough for any protocol.
//
// Layer: testing. As the subject of a test it listens and serves what it is told; as an attacker it is right up to the
// streams, and says on those whatever a test likes. Compiles in a fraction of the time that a whole node takes.
#pragma once

#include "../core/asio.hpp"
#include "../core/offload.hpp"
#include "../crypto/random.hpp"
#include "../link/swarm.hpp"
#include "../mux/yamux.hpp"
#include "../security/noise.hpp"
#include "../transport/memory.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gigi::inline v1::testing {

/// A stack for one host of a memory network: of a node (memory_stack.hpp), or of a swarm alone.
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

/// One host: an identity and a swarm, which listens on TCP port 4001 of its address.
/// @par Lifetime `co_await net.stop()` before it is destroyed.
class memory_host {
  public:
    /// @param ip its address, e.g. "10.0.0.1" @param random where its key comes from
    memory_host(memory_network &network, std::string ip, random_source &random, swarm_options const &options = {});
    memory_host(memory_host const &) = delete;
    memory_host &operator=(memory_host const &) = delete;

    peer_id const &id() const noexcept { return self.id(); }

    /// Makes sure that there is a connection to another host.
    [[nodiscard]] awaitable<void> connect(memory_host &to);
    /// Opens a stream for one protocol.
    [[nodiscard]] awaitable<stream> open(memory_host &to, std::string protocol);

    identity self;
    std::map<peer_id, std::vector<multiaddr>> known; ///< whom it can dial by id
    swarm net;
    multiaddr address;                               ///< with its id
};

} // namespace gigi::inline v1::testing

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/memory_host.ipp"
#endif
