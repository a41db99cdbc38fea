// gigi/node/node_stats.hpp: what a node holds now, and what it has done and refused since it was started.
//
// Layer: node.
#pragma once

#include "../file/transfer.hpp"
#include "../gossip/gossip.hpp"
#include "../link/swarm_options.hpp"
#include "../peer/peer_store.hpp"

#include <cstddef>
#include <cstdint>

namespace gigi::inline v1 {

/// Plain numbers: those of now first, then counters since `start()`. `node_options` says of each limit which one counts it.
struct node_stats {
    std::size_t connections = 0;           ///< now
    std::size_t peers_known = 0;           ///< now
    std::size_t peers_discovered = 0;      ///< now
    std::size_t groups = 0;                ///< now
    std::size_t downloads = 0;             ///< now, with those that wait
    std::size_t uploads = 0;               ///< now
    std::size_t files_shared = 0;          ///< now
    std::size_t events_queued = 0;         ///< now, for the reader that is furthest behind
    std::size_t event_bytes_queued = 0;    ///< likewise
    swarm_stats links;                     ///< connections and streams
    peer_store_stats peers;                ///< what the peer store forgot
    gossip_stats gossip;
    file_stats files;
    std::uint64_t events_dropped = 0;      ///< because readers were slow, over all of them
    std::uint64_t messages_refused = 0;    ///< inbound, also of groups, over `max_message_size` or `max_image_size`
    std::uint64_t groups_refused = 0;      ///< over `max_groups`
    std::uint64_t replays_refused = 0;     ///< old group messages that were sent again
    std::uint64_t authors_forgotten = 0;   ///< over `max_authors`
    std::uint64_t images_not_fetched = 0;  ///< of groups, over `auto_accept_size`, or too many at once
    std::uint64_t discoveries_refused = 0; ///< over `max_discovered_peers`
    std::uint64_t store_saves = 0;         ///< of the peer store, to the disk

    /// Calls `f(name, number)` for each, with names that are unique; `gossip` is a structure of its own.
    template <class F> void for_each_member(F &&f) const {
        f("connections", connections), f("streams", links.streams), f("bytes_buffered", links.mux.bytes_buffered),
            f("bytes_receiving", links.bytes_receiving), f("peers_known", peers_known), f("peers_discovered", peers_discovered), f("groups", groups),
            f("downloads", downloads), f("uploads", uploads), f("files_shared", files_shared), f("events_queued", events_queued),
            f("event_bytes_queued", event_bytes_queued);
        f("bytes_sent", links.mux.bytes_sent), f("bytes_received", links.mux.bytes_received), f("connections_opened", links.connections_opened),
            f("connections_closed", links.connections_closed), f("connections_refused", links.connections_refused),
            f("connections_replaced", links.connections_replaced), f("connections_idle", links.connections_idle),
            f("connections_overrun", links.connections_overrun), f("dials_failed", links.dials_failed), f("dials_refused", links.dials_refused), f("addresses_left_out", links.addresses_left_out),
            f("handshakes_failed", links.handshakes_failed), f("handshakes_refused", links.handshakes_refused),
            f("handshakes_refused_per_address", links.handshakes_refused_per_address);
        f("streams_refused", links.streams_refused + links.mux.streams_refused), f("streams_refused_per_protocol", links.streams_refused_per_protocol),
            f("streams_denied", links.streams_denied), f("streams_unsupported", links.streams_unsupported),
            f("streams_overrun", links.mux.streams_overrun), f("windows_capped", links.mux.windows_capped),
            f("streams_timed_out", links.mux.streams_timed_out);
        f("frames_too_large", links.frames_too_large), f("requests_delayed", links.requests_delayed), f("requests_refused", links.requests_refused),
            f("messages_refused", messages_refused), f("groups_refused", groups_refused), f("replays_refused", replays_refused),
            f("authors_forgotten", authors_forgotten), f("images_not_fetched", images_not_fetched), f("peers_forgotten", peers.peers_forgotten),
            f("addresses_forgotten", peers.addresses_forgotten), f("pins_refused", peers.pins_refused), f("discoveries_refused", discoveries_refused),
            f("store_saves", store_saves), f("events_dropped", events_dropped);
        f("bytes_uploaded", files.bytes_uploaded), f("bytes_downloaded", files.bytes_downloaded), f("downloads_finished", files.downloads_finished),
            f("downloads_failed", files.downloads_failed), f("downloads_queued", files.downloads_queued),
            f("downloads_delayed", files.downloads_delayed), f("uploads_refused", files.uploads_refused), f("uploads_delayed", files.uploads_delayed),
            f("sources_delayed", files.sources_delayed), f("shares_refused", files.shares_refused), f("lists_cut", files.lists_cut);
        f("gossip", gossip);
    }
};

} // namespace gigi::inline v1
