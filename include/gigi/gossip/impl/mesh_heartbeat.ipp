// gigi/gossip/impl/mesh_heartbeat.ipp: the part of the mesh that time drives: meshes and fanouts are kept, gossip is emitted.
//
// Layer: gossip. Spec: gossipsub v1.0 "Heartbeat", v1.1 "Heartbeat Maintenance",
// "Outbound Mesh Quotas" and "Adaptive Gossip Dissemination".
#pragma once

#include "../mesh.hpp"

#include "../../core/config.hpp"

namespace gigi::inline v1 {

GIGI_INLINE void mesh::heartbeat(time_point now) {
    ++heartbeats_;
    for (auto const &id : promises_.take_broken(now)) misbehaved(id, misbehaviour::broken_promise);
    for (auto &[id, p] : peers_) begin_interval(p);
    ignored_.forget_ended(now, duration::zero());
    seen_.forget_old(now);
    auto const announced = cache_.gossip_ids();
    for (auto i = active_.begin(); i != active_.end();) {
        auto const &topic = *i++; // `release` may erase it
        auto &t = topics_.find(topic)->second;
        t.backoffs.forget_ended(now, options_.backoff_slack);
        if (t.joined) maintain(topic, t, now);
        else keep_fanout(topic, t, now);
        if (auto const ids = announced.find(topic); ids != announced.end() && (t.joined || !t.fanout.empty())) gossip(topic, t, ids->second);
        release(topic);
    }
    cache_.shift();
}

GIGI_INLINE void mesh::begin_interval(mesh_peer &p) {
    p.ihave_rpcs = p.asked = p.looked_up = p.grafts = p.prunes = p.changes = 0;
    p.announced.clear();
    if (p.invalid > 0) --p.invalid;
    std::erase_if(p.unwanted, [&](auto const &entry) { return entry.second + options_.idontwant_heartbeats <= heartbeats_; });
}

/// v1.0 Mesh Maintenance; v1.1 Heartbeat Maintenance and Outbound Mesh Quotas.
GIGI_INLINE void mesh::maintain(std::string const &topic, topic_state &t, time_point now) {
    std::vector<mesh_peer *> bad;
    for (auto const &[id, p] : t.mesh)
        if (score(*p) < 0) bad.push_back(p);
    for (auto *const p : bad) prune(topic, t, *p, now, options_.prune_backoff);
    if (t.mesh.size() < options_.degree_low) fill(topic, t, now);
    if (t.mesh.size() > options_.degree_high) thin_out(topic, t, now);
    auto dialled = count_dialled(t);
    if (t.mesh.size() < options_.degree_low || dialled >= options_.degree_out) return;
    for (auto *const p : candidates(t, now)) {
        if (dialled >= options_.degree_out) break;
        if (!p->dialled) continue;
        graft(topic, t, *p);
        ++dialled;
    }
}

GIGI_INLINE void mesh::thin_out(std::string const &topic, topic_state &t, time_point now) {
    std::vector<mesh_peer *> all;
    for (auto const &[id, p] : t.mesh) all.push_back(p);
    random_.shuffle(all);
    std::ranges::stable_sort(all, [&](auto *a, auto *b) { return score(*a) > score(*b); });
    std::vector<mesh_peer *> rest{all.begin() + static_cast<std::ptrdiff_t>(options_.degree_score), all.end()};
    random_.shuffle(rest);
    std::ranges::copy(rest, all.begin() + static_cast<std::ptrdiff_t>(options_.degree_score));
    // The first `degree` stay; peers that we dialled move up among them until there are enough.
    auto const is_dialled = [](mesh_peer const *p) { return p->dialled; };
    auto const middle = all.begin() + static_cast<std::ptrdiff_t>(options_.degree);
    auto enough = static_cast<std::size_t>(std::count_if(all.begin(), middle, is_dialled));
    for (auto outside = middle; outside != all.end() && enough < options_.degree_out; ++outside) {
        if (!is_dialled(*outside)) continue;
        auto const inside = std::find_if_not(std::make_reverse_iterator(middle), all.rend(), is_dialled);
        if (inside == all.rend()) break;
        std::iter_swap(outside, inside);
        ++enough;
    }
    for (auto i = middle; i != all.end(); ++i) prune(topic, t, **i, now, options_.prune_backoff);
}

GIGI_INLINE void mesh::refill_fanout(std::string const &topic) {
    auto &t = activate(topic);
    std::vector<mesh_peer *> all;
    for (auto const &[id, p] : t.peers)
        if (p->version != gossip_version::floodsub && !t.fanout.contains(id) && score(*p) >= options_.publish_threshold) all.push_back(p);
    random_.shuffle(all);
    for (auto *const p : all) {
        if (t.fanout.size() >= options_.degree) break;
        t.fanout.emplace(p->id, p);
    }
}

GIGI_INLINE void mesh::keep_fanout(std::string const &topic, topic_state &t, time_point now) {
    if (t.fanout.empty()) return;
    if (now - t.last_published > options_.fanout_ttl) {
        t.fanout.clear();
        return;
    }
    std::erase_if(t.fanout, [&](auto const &entry) { return score(*entry.second) < options_.publish_threshold; });
    refill_fanout(topic);
}

GIGI_INLINE void mesh::gossip(std::string const &topic, topic_state &t, std::vector<message_id> const &ids) {
    std::vector<mesh_peer *> all;
    for (auto const &[id, p] : t.peers)
        if (p->version != gossip_version::floodsub && !t.mesh.contains(id) && !t.fanout.contains(id) && score(*p) >= options_.gossip_threshold)
            all.push_back(p);
    random_.shuffle(all);
    auto const part = static_cast<std::size_t>(options_.gossip_factor * static_cast<double>(all.size()));
    all.resize(std::min(all.size(), std::max(options_.degree_lazy, part)));
    for (auto *const p : all) announce_messages(topic, ids, *p);
}

} // namespace gigi::inline v1
