// gigi/node/options.hpp: everything that can be set about a node, each with a default that works.
//
// Layer: node.
#pragma once

#include "../core/clock.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace gigi::inline v1 {

/// Every interface, any free port, IPv4 and IPv6.
inline std::vector<std::string> default_listen_addresses() { return {"/ip4/0.0.0.0/tcp/0", "/ip6/::/tcp/0"}; }

/// How a node of `gigi::node` behaves. Times are durations, sizes are bytes.
struct node_options {
    /// What other people see: 1–64 bytes of UTF-8 without control characters, quotes or '~'. Empty: "peer-" and the end of the id.
    std::string nickname;

    /// Multiaddrs to listen on; port 0 takes any free one. Empty: the node only dials.
    std::vector<std::string> listen = default_listen_addresses(); // g++ 12 fails on a list here
    /// Use only this network interface, by name, for listening and discovery. Empty: every usable one.
    std::string interface;

    /// Where the node's key is kept (created with mode 0600). Empty: a new identity at every start.
    std::filesystem::path identity_file;
    /// The JSON list of what is shared. Empty: shares last as long as the node.
    std::filesystem::path share_list;
    /// Where downloads and received images go; made when first needed.
    std::filesystem::path output_directory = "downloads";
    /// Where known addresses and nickname pins are kept. Empty: they last as long as the node.
    std::filesystem::path peer_store_file;

    /// Announce and find peers by multicast DNS on the local network.
    bool mdns = true;
    /// Peers to connect to at start, and again whenever the connection is lost: multiaddrs that end in `/p2p/<id>`.
    std::vector<std::string> bootstrap;
    /// Discovered peers are dialled by themselves while there are fewer connections than this.
    std::size_t auto_dial_limit = 64;

    // Limits. Going past one gives a defined result, which the comment names, and counts in `node.stats()`.
    std::size_t max_connections = 1000;             ///< in total; further inbound ones are closed, dials throw limit_exceeded
    std::size_t max_connections_per_address = 128;  ///< from one IP address; further inbound ones are closed
    std::size_t max_pending_handshakes = 128;       ///< inbound, not yet authenticated; further ones are closed
    duration handshake_timeout = std::chrono::seconds{10};
    duration dial_timeout = std::chrono::seconds{15};       ///< for all addresses of a peer together
    duration dial_stagger = std::chrono::milliseconds{250}; ///< before the next address is tried beside the ones under way
    duration request_timeout = std::chrono::seconds{20};    ///< an ack or an answer must have come
    duration idle_timeout = std::chrono::minutes{10};       ///< a connection without streams is closed, but not of peers dialled by hand, discovered, or in a joined group
    std::size_t max_streams_per_peer = 256;                 ///< inbound, of all protocols; further ones are reset
    std::size_t max_requests_per_peer = 64;                 ///< inbound streams of one protocol at once; further ones are reset
    std::size_t max_message_size = 1 << 20;                 ///< of a direct or group text, in bytes: 1 MiB
    std::size_t max_image_size = 16 << 20;                  ///< of an image or of raw bytes, in bytes: 16 MiB
    std::uint64_t auto_accept_size = 16 << 20;              ///< group images up to this size are fetched by themselves
    std::size_t max_queued_events = 4096;                   ///< for each reader; then the oldest are dropped and counted
    std::size_t max_peers = 4096;                           ///< remembered; the least useful is forgotten
    std::size_t max_groups = 256;                           ///< joined at once
    std::size_t max_shared_files = 100'000;
    std::size_t max_downloads = 8;                          ///< at once; further ones wait
    std::size_t max_uploads = 32;                           ///< at once; further ones are refused
    std::size_t file_threads = 2;                           ///< for hashing and disk work
};

} // namespace gigi::inline v1
