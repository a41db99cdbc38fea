// gigi/discovery/mdns_options.hpp: what can be set about multicast DNS.
//
// Layer: discovery.
#pragma once

#include "../core/clock.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace gigi::inline v1 {

/// How `mdns` looks for peers and announces this one. Times are durations, sizes are bytes.
struct mdns_options {
    /// The service to announce and look for. A private network has one of its own (libp2p specs, discovery/mdns.md).
    std::string service = "_p2p._udp.local";
    /// Use only this interface, by name; loopback is used only where it is named here. Empty: every usable one.
    std::string interface_name;
    bool ipv4 = true; ///< over 224.0.0.251
    bool ipv6 = true; ///< over ff02::fb
    std::uint16_t port = 5353;

    /// Between two queries, give or take a quarter; another peer's query counts as ours.
    duration query_interval = std::chrono::seconds{20};
    /// How long others may remember us without hearing from us: six queries may be lost.
    std::chrono::seconds ttl{120};
    /// No announcement of others is believed for longer (RFC 6762 §10 has nothing above 75 minutes); once three quarters of
    /// `max_peers` are known, none for longer than five minutes.
    std::chrono::seconds max_ttl{75 * 60};
    /// How often interfaces are looked for; what comes up later is joined, what failed is tried again.
    duration scan_interval = std::chrono::seconds{5};

    // Bounds. What comes after them replaces what the source that announces most has announced, or a peer that was heard of longest
    // ago and to which there is no connection; or is not remembered.
    std::size_t max_interfaces = 32;
    std::size_t max_peers = 1024;        ///< at once
    std::size_t max_addresses = 16;      ///< of one peer
    std::size_t max_announcements = 8;   ///< of one peer: by interface, IP version and instance name
    /// Of a datagram that we send: what an Ethernet frame carries over IPv6. Addresses that do not fit are left out.
    std::size_t max_datagram_size = 1452;
};

} // namespace gigi::inline v1
