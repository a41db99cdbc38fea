// gigi/protocol/ping.hpp: is the peer there, and how far away.
//
// Layer: protocol. Spec: libp2p ping (ping/ping.md): 32 bytes are echoed, several times on one stream if the dialler likes.
#pragma once

#include "../core/clock.hpp"
#include "../link/swarm.hpp"

#include <string_view>

namespace gigi::inline v1 {

namespace ping {

inline constexpr std::string_view protocol = "/ipfs/ping/1.0.0";
inline constexpr std::size_t size = 32;

/// Echoes until the peer ends the stream, or is silent for two minutes.
awaitable<void> echo(any_io_executor executor, stream incoming);

/// Answers pings on a swarm.
void serve(swarm &on);

/// Sends one ping. @return the round trip
/// @throws error: `errc::protocol_violation` where something else came back; `errc::timed_out`; and as `swarm::open_stream`
[[nodiscard]] awaitable<duration> measure(swarm &through, peer_id peer, duration limit);

} // namespace ping

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/ping.ipp"
#endif
