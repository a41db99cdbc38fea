// gigi/node/options.hpp: everything that can be set about a node, each with a default that works.
//
// Layer: node.
#pragma once

#include "../core/clock.hpp"
#include "../gossip/options.hpp"

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
    /// What other people see: 1–64 bytes of UTF-8, see `valid_nickname`. Empty: "peer-" and the end of the id.
    std::string nickname;

    /// Multiaddrs to listen on; port 0 takes any free one. Empty: the node only dials.
    std::vector<std::string> listen = default_listen_addresses(); // g++ 12 fails on a list here
    /// Use only this network interface, by name, for listening and discovery. Empty: every usable one.
    std::string interface_name;

    /// Where the node's key is kept (created with mode 0600). Empty: a new identity for each node object, and none is kept.
    std::filesystem::path identity_file;
    /// The JSON list of what is shared. Empty: shares last as long as the node.
    std::filesystem::path share_list;
    /// Where downloads and received images go; made when first needed.
    std::filesystem::path output_directory = "downloads";
    /// Where known addresses and nickname pins are kept. Empty: they last as long as the node.
    std::filesystem::path peer_store_file;

    /// Announce and find peers by multicast DNS on the local network.
    bool mdns = true;
    /// Peers to connect to at start, and again whenever the connection is lost, however many connections there are: multiaddrs
    /// that end in `/p2p/<id>`.
    std::vector<std::string> bootstrap;
    /// Discovered peers are dialled by themselves while there are fewer connections than this.
    std::size_t auto_dial_limit = 64;

    // Limits. Each says what it bounds, why it is what it is, what happens beyond it, and which counter of `node.stats()` grows
    // then. Counters are named as `node_stats::for_each_member` names them.

    // Connections

    /// In total; each takes a descriptor, of which systems often give 1024. Beyond: one without streams that nothing protects
    /// makes room (`connections_idle`), else inbound ones are closed and dials throw `limit_exceeded`: `connections_refused`.
    /// Each peer has one; a second one is closed when its streams end, or at once when there is a third: `connections_replaced`.
    std::size_t max_connections = 1000;
    /// Inbound, from one IPv4 address or one IPv6 network of 64 bits, in which a host may take any address: a household or a
    /// school behind one fits. Beyond: closed before the handshake:
    /// `handshakes_refused_per_address`.
    std::size_t max_connections_per_address = 128;
    /// Inbound, not yet authenticated, so of anybody. Beyond, and in the last eighth a host's second one: closed: `handshakes_refused`.
    std::size_t max_pending_handshakes = 128;
    /// For an inbound handshake: several round trips, however far. Beyond: closed: `handshakes_failed`. And for the
    /// choice of a stream's protocol. Beyond: `timed_out`, an inbound one is reset: `streams_timed_out`.
    duration handshake_timeout = std::chrono::seconds{10};
    /// Peers that are dialled at once. Beyond: `limit_exceeded`: `dials_refused`.
    std::size_t max_pending_dials = 128;
    /// Of a peer, that one dial tries: those of several interfaces, in both IP versions, and two DNS names.
    /// Beyond: left out, the worst first: `addresses_left_out`.
    std::size_t max_addresses_per_dial = 16;
    /// For all addresses of a peer together. Beyond: `timed_out`: `dials_failed`.
    duration dial_timeout = std::chrono::seconds{15};
    /// Before the next address is tried beside the ones under way (RFC 8305).
    duration dial_stagger = std::chrono::milliseconds{250};
    /// Without a stream that is not in the background. Beyond: the connection is closed, but not of peers dialled by hand,
    /// discovered, in a joined group, or known by nickname: `connections_idle`.
    duration idle_timeout = std::chrono::minutes{10};

    // Streams

    /// Inbound, of all protocols; js-libp2p opens at most 32 of one. Beyond: reset: `streams_refused`.
    std::size_t max_streams_per_peer = 256;
    /// Inbound, of one protocol at once. Beyond: reset: `streams_refused_per_protocol`.
    std::size_t max_requests_per_peer = 64;
    /// To one peer, which may allow fewer; what js-libp2p and go-libp2p allow. Beyond: `limit_exceeded`: `streams_denied`.
    std::size_t max_outbound_streams = 1000;
    /// Bytes that a peer may send ahead of the reader of a stream: 1.3 Gbit/s over 100 ms. At least 256 KiB, which yamux begins
    /// with. Beyond: the peer waits, one that does not is disconnected: `windows_capped`.
    std::size_t max_stream_window = std::size_t{16} << 20;
    /// Received bytes that nobody has read, of all streams of a connection. Beyond: the stream is reset: `streams_overrun`.
    std::size_t max_connection_buffer = std::size_t{128} << 20;
    /// Likewise, of all connections, looked at every second. Beyond: the connection that holds most is closed: `connections_overrun`.
    std::size_t max_buffered = std::size_t{512} << 20;

    // Messages

    /// A receipt or an answer must have come. Beyond: `timed_out`: `streams_timed_out`.
    duration request_timeout = std::chrono::seconds{20};
    /// Of a direct or group text: a long book. At most 1 MiB, which groups carry. Beyond: `message_too_large` at the sender,
    /// and at the receiver where that is stricter: `messages_refused`. Of a group's text only the receiver hears of that.
    std::size_t max_message_size = std::size_t{1} << 20;
    /// Of an image or of raw bytes, which are held in memory: a photograph. At most 16 MiB, the protocols' largest frame; files
    /// have no such limit. Beyond: as `max_message_size`; a frame above its protocol's maximum is not read, its stream is reset:
    /// `frames_too_large`.
    std::size_t max_image_size = std::size_t{16} << 20;
    /// Of requests and large gossip, of all peers, while they arrive and are handled: eight images. No peer gets more than a
    /// quarter, or one message. Beyond: they wait unread, for half of `request_timeout` (`requests_delayed`), and are then refused with
    /// `limit_exceeded` (`requests_refused`). Decoding takes up to as much again.
    std::size_t max_receiving = std::size_t{128} << 20;
    /// Of an image that is taken unasked. Beyond, or where too many wait: a group's is offered (`file_offered`), not fetched:
    /// `images_not_fetched`; a direct one is refused: `messages_refused`. 0: none is taken.
    std::uint64_t auto_accept_size = 16 << 20;

    // Groups

    /// Joined at once; each costs control messages with every peer. At most 512. Beyond: `limit_exceeded`: `groups_refused`.
    std::size_t max_groups = 256;
    /// The mesh and its limits, as the gossipsub specification has them; `max_groups` and the message size above come first.
    /// Counted in `gossip`, as docs/gossip.md has it.
    gossip_options gossip;
    /// Authors whose sequence numbers are remembered, so that nobody can send their old messages again. Beyond: the one that was
    /// silent longest is forgotten: `authors_forgotten`. Replays are dropped: `replays_refused`.
    std::size_t max_authors = 16'384;

    // Peers

    /// Remembered, with their addresses. Beyond: the least useful is forgotten: `peers_forgotten`.
    std::size_t max_peers = 4096;
    /// Of one peer, remembered. Beyond: the least useful is forgotten: `addresses_forgotten`.
    std::size_t max_addresses_per_peer = 16;
    /// Nicknames whose first owner is remembered. Beyond: not pinned: `pins_refused`.
    std::size_t max_pinned_nicknames = 16'384;
    /// Found by discovery at once: more than one network segment holds. Beyond: passed over: `discoveries_refused`.
    std::size_t max_discovered_peers = 1024;

    // Events

    /// Waiting for each reader. Beyond: the oldest are dropped, and the reader is told: `events_dropped`.
    std::size_t max_queued_events = 4096;
    /// Likewise, in bytes: four events with the largest raw bytes; the newest event stays in any case.
    std::size_t max_queued_event_bytes = std::size_t{64} << 20;

    // Files

    /// Shared at once. Beyond: `limit_exceeded`: `shares_refused`.
    std::size_t max_shared_files = 100'000;
    /// Of a peer's list. Beyond: left out: `lists_cut`.
    std::size_t max_listed_files = 100'000;
    /// At once, of what was asked for; each holds up to a dozen chunks of 4 MiB at most. Beyond: they wait: `downloads_queued`.
    /// Images of groups have four places of their own.
    std::size_t max_downloads = 8;
    /// Peers that one download uses at once. Beyond: they wait until one of these ends: `sources_delayed`.
    std::size_t max_download_sources = 8;
    /// Bytes a second of all downloads; 0: no limit. Slow rates make senders give up: 9 KiB a second for each source is the least.
    /// Beyond: they wait, in turn by peer: `downloads_delayed`.
    std::uint64_t max_download_rate = 0;
    /// Streams that send chunks at once, of one peer a quarter; each has its file open. Beyond: the peer is told "busy", and tries
    /// others or again: `uploads_refused`.
    std::size_t max_uploads = 32;
    /// Bytes a second of all uploads; 0: no limit. Beyond: they wait, in turn by peer: `uploads_delayed`.
    std::uint64_t max_upload_rate = 0;
    /// For hashing and disk work, so that the network never waits for a disk.
    std::size_t file_threads = 2;
};

} // namespace gigi::inline v1
