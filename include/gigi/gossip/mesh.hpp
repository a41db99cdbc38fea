// gigi/gossip/mesh.hpp: the gossip router: who is in which topic, whom messages go to, what is gossiped about.
//
// Layer: gossip. Sans-I/O: events and time in, RPCs and deliveries out; no clock, no sockets. Spec: gossipsub v1.0 "Router
// State" to "Heartbeat", v1.1 (backoff, flood publishing, adaptive gossip, outbound quotas, spam protection), v1.2 (IDONTWANT).
// Scoring and peer exchange are not done here: `mesh_hooks::score` and `::misbehaved` are where a scorer is attached, and
// peers in a PRUNE are ignored. What peers say is taken in impl/mesh_inputs.ipp, what time brings is in impl/mesh_heartbeat.ipp.
#pragma once

#include "../core/clock.hpp"
#include "../crypto/random.hpp"
#include "../peer/peer_id.hpp"
#include "backoff.hpp"
#include "mesh_state.hpp"
#include "message_cache.hpp"
#include "options.hpp"
#include "promises.hpp"
#include "rpc.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace gigi::inline v1 {

/// The router of one node. Every input may add to the output: take it after each (or after a few).
class mesh {
  public:
    /// @param self this node @param random decides who is chosen
    /// @par Lifetime `random` must outlive the mesh.
    mesh(peer_id self, gossip_options const &options, mesh_hooks hooks, random_source &random);
    mesh(mesh const &) = delete;
    mesh &operator=(mesh const &) = delete;

    // ---- peers

    /// A peer is there: it is told our topics. For a peer that is known, only its version changes.
    /// @param dialled whether we dialled it (v1.1 Outbound Mesh Quotas)
    void add_peer(peer_id const &id, gossip_version version, bool dialled);

    /// A peer is gone. What it must not do again too soon is remembered.
    void remove_peer(peer_id const &id);

    /// What was sent to a peer may be lost, and a new stream to it begins: it is told our topics, those that we left of late, and
    /// its place in our meshes anew, so that both sides see the same links, and what messages there are.
    void restart_peer(peer_id const &id);

    // ---- what this node does

    /// Joins a topic. Reports the peers that are in it already as joined.
    /// @return false where it is joined already @throws error: `errc::invalid_name` (empty or too long), `errc::limit_exceeded`
    bool join(time_point now, std::string const &topic);

    /// Leaves a topic. Peers are not reported as left: it is this node that goes. @return false where it was not joined
    bool leave(time_point now, std::string const &topic);

    /// Sends out a message of this node's own, signed already. Where no peer is in the topic it waits in the cache, and is
    /// announced to peers that come before `history_length` heartbeats have passed, and those have one more to ask for it.
    /// @return how many peers it goes to @throws error with `errc::message_too_large`
    std::size_t publish(time_point now, message_ptr message);

    // ---- what peers say

    /// Takes an RPC. Its messages are verified one by one: a shell with better things to do takes it in parts.
    void receive(time_point now, peer_id const &from, rpc const &r);

    /// Takes an RPC's subscriptions only.
    void receive_subscriptions(time_point now, peer_id const &from, rpc const &r);

    /// Takes one message: a duplicate is dropped before its signature is looked at, and only a message whose signature is
    /// good is remembered as seen.
    message_outcome receive_message(time_point now, peer_id const &from, message_ptr const &message);

    /// Takes an RPC's control messages only.
    void receive_control(time_point now, peer_id const &from, rpc const &r);

    // ---- time

    /// Call it every `heartbeat_interval`.
    void heartbeat(time_point now);

    // ---- output and looking

    /// What the inputs since the last call have brought about.
    mesh_output take_output();
    bool is_joined(std::string_view topic) const;
    bool knows(peer_id const &id) const { return peers_.contains(id); }
    std::vector<std::string> joined_topics() const;
    std::vector<peer_id> peers(std::string_view topic) const { return ids_of(topic, &topic_state::peers); }
    std::vector<peer_id> mesh_peers(std::string_view topic) const { return ids_of(topic, &topic_state::mesh); }
    std::vector<peer_id> fanout_peers(std::string_view topic) const { return ids_of(topic, &topic_state::fanout); }
    mesh_stats stats() const;

  private:
    // ---- small things

    message_id id_of(gossip_message const &m) const { return hooks_.id ? hooks_.id(m) : default_id(m); }
    static message_id default_id(gossip_message const &m);

    /// Our name for the message that a peer has named; notes which style the peer uses.
    message_id understand(mesh_peer &p, message_id const &named);
    /// The peer's name for a message; nothing where it is not known.
    std::optional<message_id> name_for(mesh_peer const &p, message_id const &id) const;

    double score(mesh_peer const &p) const { return hooks_.score ? hooks_.score(p.id) : 0; }
    void misbehaved(peer_id const &id, misbehaviour what);

    /// The peer, where it is known and what it says is looked at.
    mesh_peer *listens_to(peer_id const &id, time_point now);

    /// What goes to a peer next.
    rpc &push(mesh_peer &p);
    /// Tells a peer our topics, and how we name messages: by an IDONTWANT for one that will never be, which harms nobody.
    void greet(mesh_peer &p);
    void announce(std::string const &topic, bool on);

    void begin_interval(mesh_peer &p);

    // ---- topics: kept while a peer is in them, or while they are active: joined, published to, or with backoffs

    topic_state &activate(std::string const &topic);
    void release(std::string const &topic);

    bool subscribe(mesh_peer &p, std::string const &topic);
    void unsubscribe(mesh_peer &p, std::string const &topic);

    // ---- the mesh

    bool may_graft(topic_state const &t, mesh_peer const &p, time_point now) const;
    std::vector<mesh_peer *> candidates(topic_state const &t, time_point now);
    void graft(std::string const &topic, topic_state &t, mesh_peer &p);
    /// A new link carries only what comes after it: what came just before is announced over it, once a heartbeat.
    void admit(std::string const &topic, topic_state &t, mesh_peer &p);
    /// Begins a backoff.
    void remember(backoff_table &in, peer_id const &peer, time_point until);
    void prune(std::string const &topic, topic_state &t, mesh_peer &p, time_point now, duration backoff);
    void fill(std::string const &topic, topic_state &t, time_point now);
    /// A peer that comes into a topic whose mesh is thin need not wait for the heartbeat.
    void graft_newcomer(mesh_peer &p, std::string const &topic, time_point now);
    static std::size_t count_dialled(topic_state const &t);

    void maintain(std::string const &topic, topic_state &t, time_point now);
    void thin_out(std::string const &topic, topic_state &t, time_point now);

    // ---- publishing to topics that are not joined (v1.0 Fanout Maintenance)

    void refill_fanout(std::string const &topic);
    void keep_fanout(std::string const &topic, topic_state &t, time_point now);

    // ---- gossip (v1.0 Gossip Emission; v1.1 Adaptive Gossip Dissemination)

    void gossip(std::string const &topic, topic_state &t, std::vector<message_id> const &ids);
    void announce_messages(std::string const &topic, std::vector<message_id> ids, mesh_peer &p);

    // ---- messages

    message_outcome judge(time_point now, peer_id const &from, message_ptr const &message);
    void forward(topic_state &t, message_id const &id, message_ptr const &message, mesh_peer const &from, peer_id const &author);
    void blame(mesh_peer &p, time_point now);

    // ---- control

    /// Whether an id that a peer has named can be one.
    bool fits(message_id const &named);
    void take_ihave(mesh_peer &p, rpc const &r, time_point now);
    void take_iwant(mesh_peer &p, rpc const &r);
    void take_idontwant(mesh_peer &p, rpc const &r);
    void take_graft(mesh_peer &p, rpc const &r, time_point now);
    void take_prune(mesh_peer &p, rpc const &r, time_point now);

    std::vector<peer_id> ids_of(std::string_view topic, peer_map topic_state::*which) const;

    peer_id self_;
    gossip_options options_;
    mesh_hooks hooks_;
    random_source &random_;
    std::map<peer_id, mesh_peer> peers_;
    std::map<std::string, topic_state, std::less<>> topics_;
    std::set<std::string, std::less<>> active_; // topics with something of our own to look after at each heartbeat
    std::size_t joined_ = 0;
    std::deque<std::string> left_; // the topics that this node left last; `max_joined` at most
    std::uint64_t heartbeats_ = 0;
    message_cache cache_;
    seen_cache seen_;
    promise_tracker promises_;
    backoff_table ignored_; // peers that sent bad signatures
    std::vector<mesh_peer *> unsent_;
    mesh_output output_;
    mesh_stats stats_;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/mesh.ipp"
#include "impl/mesh_heartbeat.ipp"
#include "impl/mesh_inputs.ipp"
#endif
