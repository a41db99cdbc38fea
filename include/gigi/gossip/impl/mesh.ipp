// gigi/gossip/impl/mesh.ipp: what mesh.hpp declares.
#pragma once

#include "../mesh.hpp"

#include "../../core/config.hpp"
#include "../../core/error.hpp"

#include <algorithm>
#include <utility>

namespace gigi::inline v1 {

GIGI_INLINE mesh::mesh(peer_id self, gossip_options const &options, mesh_hooks hooks, random_source &random)
    : self_{std::move(self)}, options_{options}, hooks_{std::move(hooks)}, random_{random},
      cache_{options.history_length, options.history_gossip, options.max_cached_messages, options.max_cached_bytes},
      seen_{options.seen_ttl, options.max_seen} {}

GIGI_INLINE void mesh::add_peer(peer_id const &id, gossip_version version, bool dialled) {
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

GIGI_INLINE void mesh::remove_peer(peer_id const &id) {
    auto const found = peers_.find(id);
    if (found == peers_.end()) return;
    auto &p = found->second;
    while (!p.topics.empty()) unsubscribe(p, std::string{*p.topics.begin()});
    promises_.forget(id);
    std::erase(unsent_, &p);
    peers_.erase(found);
}

GIGI_INLINE void mesh::restart_peer(peer_id const &id) {
    auto const found = peers_.find(id);
    if (found == peers_.end()) return;
    auto &p = found->second;
    p.out = {};
    greet(p);
    for (auto const &topic : left_) push(p).subscriptions.push_back({false, topic});
    for (auto const &topic : active_) {
        if (!topics_.find(topic)->second.mesh.contains(id)) continue;
        push(p).graft.push_back(topic);
        announce_messages(topic, cache_.ids(topic), p);
    }
}

GIGI_INLINE bool mesh::join(time_point now, std::string const &topic) {
    if (topic.empty() || topic.size() > options_.max_topic_size) throw error{errc::invalid_name, "topic"};
    if (is_joined(topic)) return false;
    if (joined_ >= options_.max_joined) throw error{errc::limit_exceeded, "too many topics"};
    auto &t = activate(topic);
    t.joined = true;
    ++joined_;
    std::erase(left_, topic);
    announce(topic, true);
    for (auto const &[id, p] : t.peers) output_.memberships.push_back({topic, id, true});
    auto const fanout = std::exchange(t.fanout, {});
    for (auto const &[id, p] : fanout)
        if (t.mesh.size() < options_.degree && may_graft(t, *p, now)) graft(topic, t, *p);
    fill(topic, t, now);
    return true;
}

GIGI_INLINE bool mesh::leave(time_point now, std::string const &topic) {
    auto const found = topics_.find(topic);
    if (found == topics_.end() || !found->second.joined) return false;
    auto &t = found->second;
    while (!t.mesh.empty()) prune(topic, t, *t.mesh.begin()->second, now, options_.unsubscribe_backoff);
    t.joined = false;
    --joined_;
    left_.push_back(topic);
    if (left_.size() > options_.max_joined) left_.pop_front();
    announce(topic, false);
    release(topic);
    return true;
}

GIGI_INLINE std::size_t mesh::publish(time_point now, message_ptr message) {
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

GIGI_INLINE void mesh::receive(time_point now, peer_id const &from, rpc const &r) {
    receive_subscriptions(now, from, r);
    for (auto const &m : r.messages) receive_message(now, from, m);
    receive_control(now, from, r);
}

GIGI_INLINE mesh_output mesh::take_output() {
    for (auto *const p : unsent_) {
        p->queued = false;
        if (!p->out.empty()) output_.sends.push_back({p->id, std::exchange(p->out, {})});
    }
    unsent_.clear();
    return std::exchange(output_, {});
}

GIGI_INLINE bool mesh::is_joined(std::string_view topic) const {
    auto const found = topics_.find(topic);
    return found != topics_.end() && found->second.joined;
}

GIGI_INLINE std::vector<std::string> mesh::joined_topics() const {
    std::vector<std::string> all;
    for (auto const &topic : active_)
        if (is_joined(topic)) all.push_back(topic);
    return all;
}

GIGI_INLINE mesh_stats mesh::stats() const {
    auto now = stats_;
    now.peers = peers_.size();
    now.topics = topics_.size();
    now.cached_messages = cache_.size();
    now.cached_bytes = cache_.byte_size();
    now.seen = seen_.size();
    now.messages_forgotten = cache_.forgotten();
    now.retransmissions_refused = cache_.refused();
    now.ids_forgotten = seen_.forgotten();
    return now;
}

GIGI_INLINE message_id mesh::default_id(gossip_message const &m) {
    message_id id = m.from;
    append(id, m.seqno);
    return id;
}

GIGI_INLINE message_id mesh::understand(mesh_peer &p, message_id const &named) {
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

GIGI_INLINE std::optional<message_id> mesh::name_for(mesh_peer const &p, message_id const &id) const {
    return hooks_.id ? std::optional{id} : from_spec_id(id, p.names);
}

GIGI_INLINE void mesh::misbehaved(peer_id const &id, misbehaviour what) {
    ++stats_.misbehaviours[static_cast<std::size_t>(what)];
    if (hooks_.misbehaved) hooks_.misbehaved(id, what);
}

GIGI_INLINE mesh_peer *mesh::listens_to(peer_id const &id, time_point now) {
    auto const found = peers_.find(id);
    if (found == peers_.end()) return nullptr;
    if (!ignored_.refuses(id, now, duration::zero()) && score(found->second) >= options_.graylist_threshold) return &found->second;
    ++stats_.rpcs_ignored;
    return nullptr;
}

GIGI_INLINE rpc &mesh::push(mesh_peer &p) {
    if (!std::exchange(p.queued, true)) unsent_.push_back(&p);
    return p.out;
}

GIGI_INLINE void mesh::greet(mesh_peer &p) {
    for (auto const &topic : active_)
        if (is_joined(topic)) push(p).subscriptions.push_back({true, topic});
    if (hooks_.id || p.version < gossip_version::v1_2) return;
    message_id never = to_bytes(self_.data());
    append_be(never, std::uint64_t{0});
    push(p).idontwant.push_back(std::move(never));
}

GIGI_INLINE void mesh::announce(std::string const &topic, bool on) {
    for (auto &[id, p] : peers_) push(p).subscriptions.push_back({on, topic});
}

GIGI_INLINE topic_state &mesh::activate(std::string const &topic) {
    active_.insert(topic);
    return topics_[topic];
}

GIGI_INLINE void mesh::release(std::string const &topic) {
    auto const found = topics_.find(topic);
    auto const &t = found->second;
    if (t.joined || !t.fanout.empty() || !t.backoffs.empty()) return;
    bool const unused = t.peers.empty();
    auto const name = active_.find(topic);
    if (unused) topics_.erase(found);
    if (name != active_.end()) active_.erase(name); // last: `topic` may be this very string
}

GIGI_INLINE bool mesh::may_graft(topic_state const &t, mesh_peer const &p, time_point now) const {
    return p.version != gossip_version::floodsub && !t.mesh.contains(p.id) && !t.backoffs.forbids(p.id, now, options_.backoff_slack) &&
           !ignored_.refuses(p.id, now, duration::zero()) && score(p) >= 0;
}

GIGI_INLINE std::vector<mesh_peer *> mesh::candidates(topic_state const &t, time_point now) {
    std::vector<mesh_peer *> all;
    for (auto const &[id, p] : t.peers)
        if (may_graft(t, *p, now)) all.push_back(p);
    random_.shuffle(all);
    return all;
}

GIGI_INLINE void mesh::graft(std::string const &topic, topic_state &t, mesh_peer &p) {
    push(p).graft.push_back(topic);
    admit(topic, t, p);
    ++stats_.grafts_sent;
}

GIGI_INLINE void mesh::admit(std::string const &topic, topic_state &t, mesh_peer &p) {
    t.mesh.emplace(p.id, &p);
    // Once a heartbeat: a peer that leaves and grafts over and over must not have us go through the cache each time (T12).
    if (score(p) >= options_.gossip_threshold && p.announced.insert(topic).second) announce_messages(topic, cache_.ids(topic), p);
}

GIGI_INLINE void mesh::remember(backoff_table &in, peer_id const &peer, time_point until) {
    if (!in.add(peer, until, options_.max_backoffs)) ++stats_.backoffs_forgotten;
}

GIGI_INLINE void mesh::prune(std::string const &topic, topic_state &t, mesh_peer &p, time_point now, duration backoff) {
    t.mesh.erase(p.id);
    remember(t.backoffs, p.id, now + backoff);
    rpc::prune_entry entry{topic, {}, {}};
    if (p.version >= gossip_version::v1_1)
        entry.backoff = static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::seconds>(backoff).count());
    auto &out = push(p);
    std::erase(out.graft, topic); // the last word counts
    if (std::ranges::none_of(out.prune, [&](auto const &e) { return e.topic == topic; })) out.prune.push_back(std::move(entry));
    ++stats_.prunes_sent;
}

GIGI_INLINE void mesh::fill(std::string const &topic, topic_state &t, time_point now) {
    if (t.mesh.size() >= options_.degree) return;
    for (auto *const p : candidates(t, now)) {
        if (t.mesh.size() >= options_.degree) break;
        graft(topic, t, *p);
    }
}

GIGI_INLINE void mesh::graft_newcomer(mesh_peer &p, std::string const &topic, time_point now) {
    auto &t = topics_.find(topic)->second;
    if (t.joined && t.mesh.size() < options_.degree_low && may_graft(t, p, now)) graft(topic, t, p);
}

GIGI_INLINE std::size_t mesh::count_dialled(topic_state const &t) {
    return static_cast<std::size_t>(std::ranges::count_if(t.mesh, [](auto const &entry) { return entry.second->dialled; }));
}

GIGI_INLINE void mesh::announce_messages(std::string const &topic, std::vector<message_id> ids, mesh_peer &p) {
    if (ids.size() > options_.max_ihave_length) { // different ones to each peer
        random_.shuffle(ids);
        stats_.ids_left_out += ids.size() - options_.max_ihave_length;
        ids.resize(options_.max_ihave_length);
    }
    std::vector<message_id> named;
    for (auto const &id : ids)
        if (auto name = name_for(p, id)) named.push_back(std::move(*name));
    if (!named.empty()) push(p).ihave.push_back({topic, std::move(named)});
}

GIGI_INLINE std::vector<peer_id> mesh::ids_of(std::string_view topic, peer_map topic_state::*which) const {
    std::vector<peer_id> all;
    if (auto const found = topics_.find(topic); found != topics_.end())
        for (auto const &[id, p] : found->second.*which) all.push_back(id);
    return all;
}

} // namespace gigi::inline v1
