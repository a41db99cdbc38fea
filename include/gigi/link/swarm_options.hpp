// gigi/link/swarm_options.hpp: the swarm's limits and what it counts.
//
// Layer: link.
#pragma once

#include "../core/clock.hpp"
#include "../mux/muxer.hpp"

#include <cstddef>
#include <cstdint>

namespace gigi::inline v1 {

/// Limits and deadlines of a swarm.
struct swarm_options {
    std::size_t max_connections = 1000;            ///< in total; the idlest unprotected one makes room, or inbound is closed and a dial throws limit_exceeded
    std::size_t max_connections_per_address = 128; ///< inbound, from one IPv4 address or /64 of IPv6; further ones are closed
    std::size_t max_pending_handshakes = 128;      ///< inbound, not yet authenticated; further ones are closed, and so are a host's second ones in the last eighth of these places
    std::size_t max_buffered = std::size_t{512} << 20; ///< received bytes that nobody has read, of all connections; then the one that holds most is closed
    std::size_t max_receiving = std::size_t{128} << 20; ///< bytes of requests that arrive or are handled; see receive_budget.hpp
    std::size_t max_pending_dials = 128;           ///< peers being dialled at once; further dials throw limit_exceeded
    std::size_t max_addresses_per_dial = 16;       ///< addresses of one peer that one dial tries, two DNS names among them
    std::size_t max_streams_per_peer = 256;        ///< inbound, of all protocols; further ones are reset
    std::size_t max_streams_per_protocol = 64;     ///< inbound, of one protocol and peer; further ones are reset
    duration handshake_timeout = std::chrono::seconds{10};       ///< of an inbound connection, and of a stream's negotiation
    duration dial_timeout = std::chrono::seconds{15};            ///< for all addresses of one peer together
    duration dial_stagger = std::chrono::milliseconds{250};      ///< RFC 8305's connection attempt delay
    duration idle_timeout = std::chrono::minutes{10};            ///< without a stream that is not in the background, where nothing protects the connection
    duration closing_grace = std::chrono::seconds{2};            ///< handlers may finish for so long after the peer has closed the connection in order
    duration retire_timeout = std::chrono::seconds{4};           ///< a duplicate connection's streams have so long to end; it is kept for a quarter of that
};

/// What a swarm has done and refused since it was made, and what it holds now.
struct swarm_stats {
    std::uint64_t connections_opened = 0;
    std::uint64_t connections_closed = 0;
    std::uint64_t connections_replaced = 0; ///< a peer's second, when there was a third; see `retire_timeout`
    std::uint64_t connections_overrun = 0;  ///< closed over max_buffered
    std::uint64_t dials_failed = 0;
    std::uint64_t dials_refused = 0;        ///< over max_pending_dials
    std::uint64_t addresses_left_out = 0;   ///< of peers that were dialled, over max_addresses_per_dial; and DNS names after the second
    std::uint64_t handshakes_failed = 0;
    std::uint64_t handshakes_refused = 0;   ///< over max_pending_handshakes or max_connections_per_address
    std::uint64_t handshakes_refused_per_address = 0; ///< those of them over max_connections_per_address
    std::uint64_t connections_refused = 0;  ///< over max_connections
    std::uint64_t connections_idle = 0;     ///< closed for being idle, or to make room
    std::uint64_t streams_refused = 0;      ///< over max_streams_per_peer or max_streams_per_protocol
    std::uint64_t streams_refused_per_protocol = 0; ///< those of them over max_streams_per_protocol
    std::uint64_t streams_denied = 0;       ///< to us, over `mux_limits::max_outbound_streams`
    std::uint64_t frames_too_large = 0;     ///< messages above their protocol's maximum; each ended its stream
    std::uint64_t requests_delayed = 0;     ///< waited, over max_receiving
    std::uint64_t requests_refused = 0;     ///< waited in vain, or could never fit
    std::uint64_t streams_unsupported = 0;  ///< asked for a protocol that nobody here serves
    mux_counts mux;                         ///< of all connections, those that have ended included; `bytes_buffered` is of now
    std::size_t streams = 0;                ///< open now, whoever opened them
    std::size_t bytes_receiving = 0;        ///< of requests, now
};

} // namespace gigi::inline v1
