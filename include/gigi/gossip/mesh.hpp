// gigi/gossip/mesh.hpp: the gossip router: who is in which topic, whom messages go to, what is gossiped about.
//
// Layer: gossip. Sans-I/O: events and time in, RPCs and deliveries out; no clock, no sockets. Spec: gossipsub v1.0 "Router
// State" to "Heartbeat", v1.1 (backoff, flood publishing, adaptive gossip, outbound quotas, spam protection), v1.2 (IDONTWANT).
// Scoring and peer exchange are not done here: `mesh_hooks::score` and `::misbehaved` are where a scorer is attached, and
// peers in a PRUNE are ignored. What peers say is taken in mesh_inputs.hpp, what time brings is in mesh_heartbeat.hpp.
#pragma once

#include "../core/clock.hpp"
#include "../core/error.hpp"
#include "../core/result.hpp"
#include "../crypto/random.hpp"
#include "../peer/peer_id.hpp"
#include "backoff.hpp"
#include "mesh_state.hpp"
#include "message_cache.hpp"
#include "options.hpp"
#include "promises.hpp"
#include "rpc.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

/// The router of one node. Every input may add to the output: take it after each (or after a few).
class mesh {
  public:
    /// @param self this node @param random decides who is chosen
    /// @par Lifetime `random` must outlive the mesh.
    mesh(peer_id self, gossip_options const &options, mesh_hooks hooks, random_source &random)
        : self_{std::move(self)}, options_{options}, hooks_{std::move(hooks)}, random_{random},
          cache_{options.history_length, options.history_gossip, options.max_cached_messages, options.max_cached_bytes},
          seen_{options.seen_ttl, options.max_seen} {}
    mesh(mesh const &) = delete;
    mesh &operator=(mesh const &) = delete;

    // ---- peers

    /// A peer is there: it is told our topics. For a peer that is known, only its version changes.
    /// @param dialled whether we dialled it (v1.1 Outbound Mesh Quotas)
    void add_peer(peer_id const &id, gossip_version version, bool dialled) {
        auto const [place, added] = peers_.try_emplace(id);
        auto &p = place->second;
        if (!added) {
            if (p.version == gossip_version::floodsub || version != gossip_version::floodsub) p.version = version;
            return;
        }
        p.id = id;
        p.version = version;
        p.dialled = dialled;
        greet(p);
    }

    /// A peer is gone. What it must not do again too soon is remembered.
    void remove_peer(peer_id const &id) {
        auto const found = peers_.find(id);
        if (found == peers_.end()) return;
        auto &p = found->second;
        while (!p.topics.empty()) unsubscribe(p, std::string{*p.topics.begin()});
        promises_.forget(id);
        std::erase(unsent_, &p);
        peers_.erase(found);
    }

    /// What was sent to a peer may be lost, and a new stream to it begins: it is told our topics and its place in our meshes
    /// anew, so that both sides see the same links, and what messages there are.
    void restart_peer(peer_id const &id) {
        auto const found = peers_.find(id);
        if (found == peers_.end()) return;
        auto &p = found->second;
        p.out = {};
        greet(p);
        for (auto const &topic : active_) {
            if (!topics_.find(topic)->second.mesh.contains(id)) continue;
            push(p).graft.push_back(topic);
            announce_messages(topic, cache_.ids(topic), p);
        }
    }

    // ---- what this node does

    /// Joins a topic. Reports the peers that are in it already as joined.
    /// @return false where it is joined already @throws error: `errc::invalid_name` (empty or too long), `errc::limit_exceeded`
    bool join(time_point now, std::string const &topic) {
        if (topic.empty() || topic.size() > options_.max_topic_size) throw error{errc::invalid_name, "topic"};
        if (is_joined(topic)) return false;
        if (joined_ >= options_.max_joined) throw error{errc::limit_exceeded, "too many topics"};
        auto &t = activate(topic);
        t.joined = true;
        ++joined_;
        announce(topic, true);
        for (auto const &[id, p] : t.peers) output_.memberships.push_back({topic, id, true});
        auto const fanout = std::exchange(t.fanout, {});
        for (auto const &[id, p] : fanout)
            if (t.mesh.size() < options_.degree && may_graft(t, *p, now)) graft(topic, t, *p);
        fill(topic, t, now);
        return true;
    }

    /// Leaves a topic. Peers are not reported as left: it is this node that goes. @return false where it was not joined
    bool leave(time_point now, std::string const &topic) {
        auto const found = topics_.find(topic);
        if (found == topics_.end() || !found->second.joined) return false;
        auto &t = found->second;
        while (!t.mesh.empty()) prune(topic, t, *t.mesh.begin()->second, now, options_.unsubscribe_backoff);
        t.joined = false;
        --joined_;
        announce(topic, false);
        release(topic);
        return true;
    }

    /// Sends out a message of this node's own, signed already. Where no peer is in the topic it waits in the cache, and is
    /// announced to peers that come within `history_length` heartbeats.
    /// @return how many peers it goes to @throws error with `errc::message_too_large`
    std::size_t publish(time_point now, message_ptr message) {
        if (message->data.size() > options_.max_message_size) throw error{errc::message_too_large, "gossip message"};
        auto id = id_of(*message);
        if (!seen_.insert(id, now)) return 0;
        cache_.put(id, message);
        ++stats_.published;
        auto const found = topics_.find(message->topic);
        if (found == topics_.end()) return 0;
        std::size_t sent = 0;
        auto const send = [&](mesh_peer &p) {
            if (p.unwanted.contains(id) || score(p) < options_.publish_threshold) return;
            push(p).messages.push_back(message);
            ++sent;
        };
        auto &t = found->second;
        for (auto const &[peer, p] : t.peers)
            if (options_.flood_publish || p->version == gossip_version::floodsub) send(*p);
        if (options_.flood_publish) return sent;
        if (!t.joined) {
            refill_fanout(message->topic);
            t.last_published = now;
        }
        for (auto const &[peer, p] : t.joined ? t.mesh : t.fanout) send(*p);
        return sent;
    }

    // ---- what peers say

    /// Takes an RPC. Its messages are verified one by one: a shell with better things to do takes it in parts.
    void receive(time_point now, peer_id const &from, rpc const &r) {
        receive_subscriptions(now, from, r);
        for (auto const &m : r.messages) receive_message(now, from, m);
        receive_control(now, from, r);
    }

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
    mesh_output take_output() {
        for (auto *const p : unsent_) {
            p->queued = false;
            if (!p->out.empty()) output_.sends.push_back({p->id, std::exchange(p->out, {})});
        }
        unsent_.clear();
        return std::exchange(output_, {});
    }

    bool is_joined(std::string_view topic) const {
        auto const found = topics_.find(topic);
        return found != topics_.end() && found->second.joined;
    }
    bool knows(peer_id const &id) const { return peers_.contains(id); }
    std::vector<std::string> joined_topics() const {
        std::vector<std::string> all;
        for (auto const &topic : active_)
            if (is_joined(topic)) all.push_back(topic);
        return all;
    }
    std::vector<peer_id> peers(std::string_view topic) const { return ids_of(topic, &topic_state::peers); }
    std::vector<peer_id> mesh_peers(std::string_view topic) const { return ids_of(topic, &topic_state::mesh); }
    std::vector<peer_id> fanout_peers(std::string_view topic) const { return ids_of(topic, &topic_state::fanout); }
    mesh_stats stats() const {
        auto now = stats_;
        now.peers = peers_.size();
        now.topics = topics_.size();
        now.cached_messages = cache_.size();
        now.cached_bytes = cache_.byte_size();
        now.seen = seen_.size();
        return now;
    }

  private:
    // ---- small things

    message_id id_of(gossip_message const &m) const { return hooks_.id ? hooks_.id(m) : default_id(m); }
    static message_id default_id(gossip_message const &m) {
        message_id id = m.from;
        append(id, m.seqno);
        return id;
    }

    /// Our name for the message that a peer has named; notes which style the peer uses.
    message_id understand(mesh_peer &p, message_id const &named) {
        if (hooks_.id) return named;
        auto const style = style_of(named);
        if (style != id_style::unknown && style != p.names) {
            bool const first = p.names == id_style::unknown;
            p.names = style;
            if (first) // what was kept from it until now
                for (auto const &topic : p.topics)
                    if (auto const &t = topics_.find(topic)->second; t.mesh.contains(p.id)) announce_messages(topic, cache_.ids(topic), p);
        }
        return to_spec_id(named);
    }
    /// The peer's name for a message; nothing where it is not known.
    std::optional<message_id> name_for(mesh_peer const &p, message_id const &id) const {
        return hooks_.id ? std::optional{id} : from_spec_id(id, p.names);
    }

    double score(mesh_peer const &p) const { return hooks_.score ? hooks_.score(p.id) : 0; }
    void misbehaved(peer_id const &id, misbehaviour what) {
        ++stats_.misbehaviours[static_cast<std::size_t>(what)];
        if (hooks_.misbehaved) hooks_.misbehaved(id, what);
    }

    /// The peer, where it is known and what it says is looked at.
    mesh_peer *listens_to(peer_id const &id, time_point now) {
        auto const found = peers_.find(id);
        if (found == peers_.end()) return nullptr;
        if (!ignored_.refuses(id, now, duration::zero()) && score(found->second) >= options_.graylist_threshold) return &found->second;
        ++stats_.rpcs_ignored;
        return nullptr;
    }

    /// What goes to a peer next.
    rpc &push(mesh_peer &p) {
        if (!std::exchange(p.queued, true)) unsent_.push_back(&p);
        return p.out;
    }
    /// Tells a peer our topics, and how we name messages: by an IDONTWANT for one that will never be, which harms nobody.
    void greet(mesh_peer &p) {
        for (auto const &topic : active_)
            if (is_joined(topic)) push(p).subscriptions.push_back({true, topic});
        if (hooks_.id || p.version < gossip_version::v1_2) return;
        message_id never = to_bytes(self_.data());
        append_be(never, std::uint64_t{0});
        push(p).idontwant.push_back(std::move(never));
    }
    void announce(std::string const &topic, bool on) {
        for (auto &[id, p] : peers_) push(p).subscriptions.push_back({on, topic});
    }

    void begin_interval(mesh_peer &p);

    // ---- topics: kept while a peer is in them, or while they are active: joined, published to, or with backoffs

    topic_state &activate(std::string const &topic) {
        active_.insert(topic);
        return topics_[topic];
    }
    void release(std::string const &topic) {
        auto const found = topics_.find(topic);
        auto const &t = found->second;
        if (t.joined || !t.fanout.empty() || !t.backoffs.empty()) return;
        bool const unused = t.peers.empty();
        auto const name = active_.find(topic);
        if (unused) topics_.erase(found);
        if (name != active_.end()) active_.erase(name); // last: `topic` may be this very string
    }

    bool subscribe(mesh_peer &p, std::string const &topic);
    void unsubscribe(mesh_peer &p, std::string const &topic);

    // ---- the mesh

    bool may_graft(topic_state const &t, mesh_peer const &p, time_point now) const {
        return p.version != gossip_version::floodsub && !t.mesh.contains(p.id) && !t.backoffs.forbids(p.id, now, options_.backoff_slack) &&
               !ignored_.refuses(p.id, now, duration::zero()) && score(p) >= 0;
    }
    std::vector<mesh_peer *> candidates(topic_state const &t, time_point now) {
        std::vector<mesh_peer *> all;
        for (auto const &[id, p] : t.peers)
            if (may_graft(t, *p, now)) all.push_back(p);
        random_.shuffle(all);
        return all;
    }

    void graft(std::string const &topic, topic_state &t, mesh_peer &p) {
        push(p).graft.push_back(topic);
        admit(topic, t, p);
        ++stats_.grafts_sent;
    }
    /// A new link carries only what comes after it: what came just before is announced over it.
    void admit(std::string const &topic, topic_state &t, mesh_peer &p) {
        t.mesh.emplace(p.id, &p);
        if (score(p) >= options_.gossip_threshold) announce_messages(topic, cache_.ids(topic), p);
    }
    void prune(std::string const &topic, topic_state &t, mesh_peer &p, time_point now, duration backoff) {
        t.mesh.erase(p.id);
        t.backoffs.add(p.id, now + backoff, options_.max_backoffs);
        rpc::prune_entry entry{topic, {}, {}};
        if (p.version >= gossip_version::v1_1)
            entry.backoff = static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::seconds>(backoff).count());
        auto &out = push(p);
        std::erase(out.graft, topic); // the last word counts
        if (std::ranges::none_of(out.prune, [&](auto const &e) { return e.topic == topic; })) out.prune.push_back(std::move(entry));
        ++stats_.prunes_sent;
    }

    void fill(std::string const &topic, topic_state &t, time_point now) {
        if (t.mesh.size() >= options_.degree) return;
        for (auto *const p : candidates(t, now)) {
            if (t.mesh.size() >= options_.degree) break;
            graft(topic, t, *p);
        }
    }
    /// A peer that comes into a topic whose mesh is thin need not wait for the heartbeat.
    void graft_newcomer(mesh_peer &p, std::string const &topic, time_point now) {
        auto &t = topics_.find(topic)->second;
        if (t.joined && t.mesh.size() < options_.degree_low && may_graft(t, p, now)) graft(topic, t, p);
    }

    static std::size_t count_dialled(topic_state const &t) {
        return static_cast<std::size_t>(std::ranges::count_if(t.mesh, [](auto const &entry) { return entry.second->dialled; }));
    }

    void maintain(std::string const &topic, topic_state &t, time_point now);
    void thin_out(std::string const &topic, topic_state &t, time_point now);

    // ---- publishing to topics that are not joined (v1.0 Fanout Maintenance)

    void refill_fanout(std::string const &topic);
    void keep_fanout(std::string const &topic, topic_state &t, time_point now);

    // ---- gossip (v1.0 Gossip Emission; v1.1 Adaptive Gossip Dissemination)

    void gossip(std::string const &topic, topic_state &t, std::vector<message_id> const &ids);
    void announce_messages(std::string const &topic, std::vector<message_id> ids, mesh_peer &p) {
        if (ids.size() > options_.max_ihave_length) { // different ones to each peer
            random_.shuffle(ids);
            ids.resize(options_.max_ihave_length);
        }
        std::vector<message_id> named;
        for (auto const &id : ids)
            if (auto name = name_for(p, id)) named.push_back(std::move(*name));
        if (!named.empty()) push(p).ihave.push_back({topic, std::move(named)});
    }

    // ---- messages

    message_outcome judge(time_point now, peer_id const &from, message_ptr const &message);
    void forward(topic_state &t, message_id const &id, message_ptr const &message, mesh_peer const &from, peer_id const &author);
    void blame(mesh_peer &p, time_point now);

    // ---- control

    void take_ihave(mesh_peer &p, rpc const &r, time_point now);
    void take_iwant(mesh_peer &p, rpc const &r);
    void take_idontwant(mesh_peer &p, rpc const &r);
    void take_graft(mesh_peer &p, rpc const &r, time_point now);
    void take_prune(mesh_peer &p, rpc const &r, time_point now);

    std::vector<peer_id> ids_of(std::string_view topic, peer_map topic_state::*which) const {
        std::vector<peer_id> all;
        if (auto const found = topics_.find(topic); found != topics_.end())
            for (auto const &[id, p] : found->second.*which) all.push_back(id);
        return all;
    }

    peer_id self_;
    gossip_options options_;
    mesh_hooks hooks_;
    random_source &random_;
    std::map<peer_id, mesh_peer> peers_;
    std::map<std::string, topic_state, std::less<>> topics_;
    std::set<std::string, std::less<>> active_; // topics with something of our own to look after at each heartbeat
    std::size_t joined_ = 0;
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

#include "mesh_heartbeat.hpp"
#include "mesh_inputs.hpp"
