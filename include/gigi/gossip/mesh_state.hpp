// gigi/gossip/mesh_state.hpp: what the mesh knows of peers and topics, what it asks of its owner and what it puts out.
//
// Layer: gossip. Sans-I/O. Spec: gossipsub v1.0 "Router State".
#pragma once

#include "../core/clock.hpp"
#include "../core/result.hpp"
#include "../peer/peer_id.hpp"
#include "backoff.hpp"
#include "id_style.hpp"
#include "rpc.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace gigi::inline v1 {

/// What a peer speaks, the older first.
enum class gossip_version : std::uint8_t { floodsub, v1_0, v1_1, v1_2 };

/// The version that a protocol id names; floodsub's for what is none of them.
constexpr gossip_version gossip_version_of(std::string_view protocol) noexcept {
    if (protocol == "/meshsub/1.2.0") return gossip_version::v1_2;
    if (protocol == "/meshsub/1.1.0") return gossip_version::v1_1;
    if (protocol == "/meshsub/1.0.0") return gossip_version::v1_0;
    return gossip_version::floodsub;
}

/// What the app says of a message whose signature is good.
enum class validity {
    accept, ///< deliver and forward it
    ignore, ///< neither; nobody is to blame
    reject, ///< neither, and who forwarded it should have known better
};

/// What became of a message.
enum class message_outcome : std::uint8_t {
    delivered,  ///< and forwarded
    duplicate,  ///< seen before
    not_joined, ///< its topic is not ours
    own,        ///< says that this node is its author
    too_large,
    unheard,    ///< from a peer that is not listened to
    invalid,    ///< bad signature, or none
    ignored,    ///< by the validation
    rejected,   ///< by the validation
};
inline constexpr std::size_t message_outcomes = 9;

/// Whether a signature was checked for it.
constexpr bool was_verified(message_outcome o) noexcept {
    return o == message_outcome::delivered || o == message_outcome::invalid || o == message_outcome::ignored || o == message_outcome::rejected;
}

/// What a scorer may hold against a peer (v1.1: P4 and P7).
enum class misbehaviour : std::uint8_t { early_graft, broken_promise, invalid_message, rejected_message };
inline constexpr std::size_t misbehaviour_kinds = 4;

/// What the mesh asks of its owner. Called inside the mesh's functions: must not call the mesh.
struct mesh_hooks {
    std::function<result<peer_id>(gossip_message const &)> verify; ///< who wrote it, or why not; must be set
    /// From and seqno where not set, and then peers that use js-libp2p's ids are understood as well. One that is set must be
    /// the same at all peers.
    std::function<message_id(gossip_message const &)> id;
    std::function<validity(peer_id const &author, peer_id const &forwarder, gossip_message const &)> validate; ///< all are accepted where not set
    std::function<double(peer_id const &)> score;                  ///< 0 where not set (v1.1 Peer Scoring)
    std::function<void(peer_id const &, misbehaviour)> misbehaved;
};

/// What is to be done.
struct mesh_output {
    struct send {
        peer_id to;
        rpc what;
    };
    struct delivery {
        peer_id author;
        peer_id forwarder;
        message_id id;
        message_ptr message;
    };
    struct membership {
        std::string topic;
        peer_id peer;
        bool joined = false; ///< or left
    };
    std::vector<send> sends;
    std::vector<delivery> deliveries;
    std::vector<membership> memberships; ///< of the topics that this node is in

    bool empty() const noexcept { return sends.empty() && deliveries.empty() && memberships.empty(); }
};

/// What a mesh has done and refused since it was made, and how much it holds now.
struct mesh_stats {
    std::array<std::uint64_t, message_outcomes> received{}; ///< messages, by `message_outcome`
    std::array<std::uint64_t, misbehaviour_kinds> misbehaviours{}; ///< by `misbehaviour`
    std::uint64_t published = 0;
    std::uint64_t forwarded = 0;
    std::uint64_t asked_for = 0;              ///< ids that were asked of peers
    std::uint64_t retransmitted = 0;          ///< messages that peers asked for
    std::uint64_t grafts_sent = 0;
    std::uint64_t prunes_sent = 0;
    std::uint64_t grafts_refused = 0;         ///< each, and once an RPC that has some over `max_grafts`
    std::uint64_t prunes_refused = 0;         ///< RPCs with some over `max_grafts`
    std::uint64_t backoffs_cut = 0;           ///< a peer's, over `max_backoff`
    std::uint64_t backoffs_forgotten = 0;     ///< over `max_backoffs`
    std::uint64_t subscriptions_refused = 0;  ///< over `max_topic_size` or `max_peer_topics`, and RPCs with some over `max_subscription_changes`
    std::uint64_t ihaves_refused = 0;         ///< RPCs, over `max_ihave_messages`
    std::uint64_t iwants_refused = 0;         ///< RPCs with ids over `max_iwant_length`
    std::uint64_t idontwants_refused = 0;     ///< RPCs with ids over `max_idontwant_ids`
    std::uint64_t ids_left_out = 0;           ///< over `max_ihave_length`, neither announced nor asked for; and peers' over `max_id_size`
    std::uint64_t retransmissions_refused = 0; ///< over `max_retransmissions`
    std::uint64_t messages_forgotten = 0;     ///< before their time, over `max_cached_messages` or `max_cached_bytes`
    std::uint64_t ids_forgotten = 0;          ///< likewise, of seen messages, over `max_seen`
    std::uint64_t rpcs_ignored = 0;           ///< of peers that are not listened to, and each message of them
    std::size_t peers = 0, topics = 0, cached_messages = 0, cached_bytes = 0, seen = 0; ///< now

    template <class F> void for_each_member(F &&f) const {
        f("peers", peers), f("topics", topics), f("cached_messages", cached_messages), f("cached_bytes", cached_bytes), f("seen", seen);
        f("published", published), f("forwarded", forwarded), f("asked_for", asked_for), f("retransmitted", retransmitted);
        constexpr std::array<std::string_view, message_outcomes> outcomes{"delivered", "duplicates", "not_joined", "own",     "too_large",
                                                                          "unheard",   "invalid",    "ignored",    "rejected"};
        for (std::size_t i = 0; i < outcomes.size(); ++i) f(outcomes[i], received[i]);
        constexpr std::array<std::string_view, misbehaviour_kinds> kinds{"early_grafts", "broken_promises", "invalid_messages", "rejected_messages"};
        for (std::size_t i = 0; i < kinds.size(); ++i) f(kinds[i], misbehaviours[i]);
        f("grafts_sent", grafts_sent), f("prunes_sent", prunes_sent), f("grafts_refused", grafts_refused),
            f("subscriptions_refused", subscriptions_refused), f("ihaves_refused", ihaves_refused), f("iwants_refused", iwants_refused),
            f("idontwants_refused", idontwants_refused), f("rpcs_ignored", rpcs_ignored);
        f("prunes_refused", prunes_refused), f("backoffs_cut", backoffs_cut), f("backoffs_forgotten", backoffs_forgotten),
            f("ids_left_out", ids_left_out), f("retransmissions_refused", retransmissions_refused),
            f("messages_forgotten", messages_forgotten), f("ids_forgotten", ids_forgotten);
    }
    std::uint64_t operator[](message_outcome o) const noexcept { return received[static_cast<std::size_t>(o)]; }
    std::uint64_t operator[](misbehaviour m) const noexcept { return misbehaviours[static_cast<std::size_t>(m)]; }
};

/// A peer, as the mesh sees it. The counters are of the present heartbeat.
struct mesh_peer {
    peer_id id;
    gossip_version version = gossip_version::floodsub;
    bool dialled = false;                            ///< by us
    id_style names = id_style::unknown;              ///< how it names messages
    std::set<std::string, std::less<>> topics;
    std::map<message_id, std::uint64_t> unwanted;    ///< IDONTWANT, and the heartbeat at which it came
    std::size_t ihave_rpcs = 0, asked = 0, looked_up = 0, grafts = 0, prunes = 0, changes = 0;
    std::set<std::string, std::less<>> announced;    ///< topics whose messages it was told of over a new link
    std::size_t invalid = 0;                         ///< bad signatures; one is forgiven each heartbeat
    rpc out;
    bool queued = false;                             ///< whether it is on the list of peers with something to send
};

using peer_map = std::map<peer_id, mesh_peer *>;

struct topic_state {
    bool joined = false;
    peer_map peers;               ///< all that are in it
    peer_map mesh;                ///< those whom messages go to; empty where it is not joined
    peer_map fanout;              ///< likewise, where it is only published to
    time_point last_published{};  ///< through `fanout`
    backoff_table backoffs;
};

} // namespace gigi::inline v1
