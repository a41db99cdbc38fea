// gigi/gossip/options.hpp: everything that can be set about gossip, each with a default that works.
//
// Layer: gossip. Spec: libp2p gossipsub v1.0 "Parameters", v1.1 "Overview of New Parameters" and "Spam Protection
// Measures", v1.2 "Parameters". Trivial members only. Sizes are in bytes.
#pragma once

#include "../core/clock.hpp"

#include <cstddef>

namespace gigi::inline v1 {

/// How gossip behaves.
struct gossip_options {
    // The mesh (v1.0 Parameters; v1.1 Outbound Mesh Quotas)
    std::size_t degree = 6;           ///< D: how many peers a topic's mesh should have
    std::size_t degree_low = 5;       ///< D_low: below it peers are added. The spec allows 4; go and rust use 5, and it costs nothing
    std::size_t degree_high = 12;     ///< D_high: above it peers are removed, and inbound peers' GRAFTs refused
    std::size_t degree_score = 4;     ///< D_score: the best peers that an overfull mesh keeps
    std::size_t degree_out = 2;       ///< D_out: members that we dialled ourselves, against sybils that dial us. Below D_low, at most D/2
    std::size_t degree_lazy = 6;      ///< D_lazy: the fewest peers that IHAVE goes to
    double gossip_factor = 0.25;      ///< IHAVE goes to this part of the topic's other peers, if that is more than D_lazy
    duration heartbeat_interval = std::chrono::seconds{1};
    duration fanout_ttl = std::chrono::seconds{60};   ///< how long the peers of a topic we only publish to are kept
    bool flood_publish = true;        ///< own messages go to every peer of the topic: against eclipses (v1.1 Flood Publishing)

    // Backoff (v1.1 PRUNE Backoff)
    duration prune_backoff = std::chrono::seconds{60};       ///< after a PRUNE, before a GRAFT is in order again
    duration unsubscribe_backoff = std::chrono::seconds{10}; ///< likewise, after leaving a topic
    duration max_backoff = std::chrono::hours{1};            ///< a longer one that a peer asks for is cut to this (T13)
    duration backoff_slack = std::chrono::seconds{2};        ///< we wait this much longer, for latency and clocks that differ (T14)
    std::size_t max_backoffs = 4096;                         ///< remembered for each topic; the one that ends first is forgotten

    // The message cache (v1.0 Message Cache)
    std::size_t history_length = 5;                   ///< heartbeats for which a message can be asked for
    std::size_t history_gossip = 3;                   ///< heartbeats for which it is announced
    std::size_t max_cached_messages = 16'384;         ///< then the oldest are dropped
    std::size_t max_cached_bytes = std::size_t{64} << 20;
    duration seen_ttl = std::chrono::seconds{120};    ///< how long a message's id is remembered
    std::size_t max_seen = 131'072;                   ///< ids remembered; then the oldest are forgotten

    // Lazy gossip and its limits (v1.1 Spam Protection Measures), for each peer and heartbeat unless another span is named
    std::size_t max_ihave_length = 5000;     ///< ids in one IHAVE, and ids that are asked of one peer
    std::size_t max_ihave_messages = 10;     ///< RPCs with IHAVEs that are looked at: an honest peer sends one, and one at each GRAFT
    std::size_t max_iwant_length = 50'000;   ///< ids looked up: what `max_ihave_messages` full IHAVEs may lead an honest peer to ask
    std::size_t max_retransmissions = 3;     ///< of one message to one peer that asks for it
    duration iwant_followup = std::chrono::seconds{3}; ///< how long a peer has to send what it announced

    // IDONTWANT (v1.2)
    std::size_t idontwant_threshold = 512;   ///< for messages with at least so many bytes of data
    std::size_t max_idontwant_ids = 5000;    ///< of one peer that are honoured at once; further ones have no effect
    std::size_t idontwant_heartbeats = 3;    ///< how long they are honoured

    // Limits
    std::size_t max_rpc_size = std::size_t{4} << 20;     ///< larger frames end the stream; larger RPCs are sent in parts
    std::size_t max_message_size = std::size_t{1} << 20; ///< of a message's data; below `max_rpc_size` by 4 KiB at least
    std::size_t max_topic_size = 256;                    ///< of a topic's name; subscriptions to longer ones are passed over (T11)
    std::size_t max_id_size = 640;                       ///< of a message id (js-libp2p's of an RSA-4096 author has 563); longer ones in control messages are passed over
    std::size_t max_joined = 512;                        ///< topics joined at once; `subscribe` throws limit_exceeded
    std::size_t max_peer_topics = 512;                   ///< topics remembered of one peer; further subscriptions are passed over (T11)
    std::size_t max_subscription_changes = 2048;         ///< of one peer in one heartbeat; further ones are passed over (T11)
    std::size_t max_grafts = 1024;                       ///< GRAFTs and PRUNEs, each, of one peer in one heartbeat; likewise (T12)
    std::size_t max_invalid = 32;                        ///< messages with a bad signature of one peer, then it is not listened to
    duration ignore_time = std::chrono::seconds{60};     ///< … for so long
    std::size_t max_verifications = 1000;                ///< signatures checked a second for one peer; it is read more slowly then

    // Scores (v1.1 Score Thresholds)
    double gossip_threshold = -10;    ///< below: no IHAVE to and from the peer
    double publish_threshold = -50;   ///< below: own messages are not sent to it
    double graylist_threshold = -80;  ///< below: nothing it sends is looked at

    // The shell
    std::size_t max_queued_bytes = std::size_t{8} << 20;   ///< of messages for one peer; then the oldest are dropped
    std::size_t max_queued_messages = 4096;                ///< likewise
    std::size_t max_queued_control = std::size_t{1} << 20; ///< of control for one peer; then its stream is given up
    duration write_timeout = std::chrono::seconds{30};     ///< a peer that does not take 64 KiB in so long loses its stream
    duration receive_timeout = std::chrono::seconds{60};   ///< for an RPC above 64 KiB: for its turn (link/receive_budget.hpp), and again to arrive; then its stream is reset
    duration reopen_backoff = std::chrono::seconds{1};     ///< before a stream is opened again; doubles up to a minute
};

/// Whether options go together.
constexpr bool is_valid(gossip_options const &o) noexcept {
    return o.degree_low <= o.degree && o.degree <= o.degree_high && o.degree_score <= o.degree &&
           (o.degree_out == 0 || (o.degree_out < o.degree_low && o.degree_out <= o.degree / 2)) && o.history_gossip <= o.history_length &&
           o.history_length > 0 && o.heartbeat_interval > duration::zero() && o.max_message_size + 4096 <= o.max_rpc_size;
}
static_assert(is_valid(gossip_options{}));

} // namespace gigi::inline v1
