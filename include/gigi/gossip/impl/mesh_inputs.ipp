// gigi/gossip/impl/mesh_inputs.ipp: the part of the mesh that takes what peers say: subscriptions, messages, control.
//
// Layer: gossip. Spec: gossipsub v1.0 "Message Processing", v1.1 "Spam Protection
// Measures", v1.2 "IDONTWANT Message".
#pragma once

#include "../mesh.hpp"

#include "../../core/config.hpp"

namespace gigi::inline v1 {

GIGI_INLINE void mesh::receive_subscriptions(time_point now, peer_id const &from, rpc const &r) {
    auto *const p = listens_to(from, now);
    if (!p || r.subscriptions.empty()) return;
    std::map<std::string_view, bool> last; // a topic's last word in this RPC is what counts
    for (auto const &s : r.subscriptions) last[s.topic] = s.subscribe;
    for (auto const &[topic, on] : last) {
        if (++p->changes > options_.max_subscription_changes) {
            ++stats_.subscriptions_refused;
            break;
        }
        if (!on)
            unsubscribe(*p, std::string{topic});
        else if (subscribe(*p, std::string{topic}))
            graft_newcomer(*p, std::string{topic}, now);
    }
}

GIGI_INLINE message_outcome mesh::receive_message(time_point now, peer_id const &from, message_ptr const &message) {
    auto const outcome = judge(now, from, message);
    ++stats_.received[static_cast<std::size_t>(outcome)];
    return outcome;
}

GIGI_INLINE void mesh::receive_control(time_point now, peer_id const &from, rpc const &r) {
    auto *const p = listens_to(from, now);
    if (!p || !r.has_control()) return;
    take_idontwant(*p, r);
    take_ihave(*p, r, now);
    take_iwant(*p, r);
    take_graft(*p, r, now);
    take_prune(*p, r, now);
}

GIGI_INLINE bool mesh::subscribe(mesh_peer &p, std::string const &topic) {
    if (p.topics.contains(topic)) return true;
    if (topic.empty() || topic.size() > options_.max_topic_size || p.topics.size() >= options_.max_peer_topics) {
        ++stats_.subscriptions_refused;
        return false;
    }
    auto &t = topics_[topic];
    p.topics.insert(topic);
    t.peers.emplace(p.id, &p);
    if (t.joined) output_.memberships.push_back({topic, p.id, true});
    return true;
}

GIGI_INLINE void mesh::unsubscribe(mesh_peer &p, std::string const &topic) {
    if (p.topics.erase(topic) == 0) return;
    auto const found = topics_.find(topic);
    auto &t = found->second;
    t.peers.erase(p.id);
    t.mesh.erase(p.id);
    t.fanout.erase(p.id);
    if (t.joined) output_.memberships.push_back({topic, p.id, false});
    if (t.peers.empty() && !active_.contains(topic)) topics_.erase(found);
}

GIGI_INLINE message_outcome mesh::judge(time_point now, peer_id const &from, message_ptr const &message) {
    using enum message_outcome;
    auto *const p = listens_to(from, now);
    if (!p) return unheard;
    auto const &m = *message;
    auto const found = topics_.find(m.topic);
    if (found == topics_.end() || !found->second.joined) return not_joined;
    if (m.data.size() > options_.max_message_size) return too_large;
    auto id = id_of(m);
    if (seen_.contains(id)) return duplicate;
    if (equal(m.from, self_.data())) return own; // published by us, or forged: nobody else can tell us about it
    auto const author = hooks_.verify(m);
    if (!author) {
        blame(*p, now);
        return invalid;
    }
    seen_.insert(id, now);
    promises_.fulfil(id);
    auto &t = found->second;
    if (m.data.size() >= options_.idontwant_threshold)
        for (auto const &[peer, q] : t.mesh)
            if (q != p && q->id != *author && q->version >= gossip_version::v1_2)
                if (auto name = name_for(*q, id)) push(*q).idontwant.push_back(std::move(*name));
    switch (hooks_.validate ? hooks_.validate(*author, from, m) : validity::accept) {
    case validity::accept: break;
    case validity::ignore: return ignored;
    case validity::reject: misbehaved(from, misbehaviour::rejected_message); return rejected;
    }
    output_.deliveries.push_back({*author, from, id, message});
    forward(t, id, message, *p, *author);
    cache_.put(std::move(id), message);
    return delivered;
}

GIGI_INLINE void mesh::forward(topic_state &t, message_id const &id, message_ptr const &message, mesh_peer const &from, peer_id const &author) {
    auto const send = [&](mesh_peer &q) {
        if (&q == &from || q.id == author || q.unwanted.contains(id)) return;
        push(q).messages.push_back(message);
        ++stats_.forwarded;
    };
    for (auto const &[peer, q] : t.mesh) send(*q);
    for (auto const &[peer, q] : t.peers)
        if (q->version == gossip_version::floodsub) send(*q);
}

/// Checking signatures is the dearest thing that a peer can make us do: one that sends bad ones is not listened to for a while.
GIGI_INLINE void mesh::blame(mesh_peer &p, time_point now) {
    misbehaved(p.id, misbehaviour::invalid_message);
    if (++p.invalid <= options_.max_invalid) return;
    p.invalid = 0;
    remember(ignored_, p.id, now + options_.ignore_time);
    for (auto const &topic : p.topics)
        if (auto &t = topics_.find(topic)->second; t.mesh.contains(p.id)) prune(topic, t, p, now, options_.prune_backoff);
}

GIGI_INLINE bool mesh::fits(message_id const &named) {
    if (named.size() > options_.max_id_size) ++stats_.ids_left_out;
    return !named.empty() && named.size() <= options_.max_id_size;
}

GIGI_INLINE void mesh::take_ihave(mesh_peer &p, rpc const &r, time_point now) {
    if (r.ihave.empty() || score(p) < options_.gossip_threshold) return;
    if (++p.ihave_rpcs > options_.max_ihave_messages) {
        ++stats_.ihaves_refused;
        return;
    }
    std::map<message_id, message_id const *> wanted; // by our name, the peer's
    for (auto const &h : r.ihave) {
        if (!is_joined(h.topic)) continue;
        std::size_t const considered = std::min(h.ids.size(), options_.max_ihave_length);
        stats_.ids_left_out += h.ids.size() - considered;
        for (std::size_t i = 0; i < considered; ++i) {
            if (!fits(h.ids[i])) continue;
            if (auto id = understand(p, h.ids[i]); !seen_.contains(id)) wanted.emplace(std::move(id), &h.ids[i]);
        }
    }
    std::vector<decltype(wanted)::value_type const *> chosen;
    for (auto const &entry : wanted) chosen.push_back(&entry);
    random_.shuffle(chosen);
    std::size_t const asked = std::min(chosen.size(), options_.max_ihave_length - p.asked);
    stats_.ids_left_out += chosen.size() - asked;
    chosen.resize(asked);
    if (chosen.empty()) return;
    p.asked += chosen.size();
    stats_.asked_for += chosen.size();
    auto const &watched = chosen.front()->first;
    if (hooks_.id || style_of(watched) == id_style::spec) promises_.add(watched, p.id, now + options_.iwant_followup); // else it could not be recognised
    for (auto const *const entry : chosen) push(p).iwant.push_back(*entry->second);
}

GIGI_INLINE void mesh::take_iwant(mesh_peer &p, rpc const &r) {
    if (r.iwant.empty() || score(p) < options_.gossip_threshold) return;
    for (auto const &named : r.iwant) {
        if (++p.looked_up > options_.max_iwant_length) {
            ++stats_.iwants_refused;
            return;
        }
        auto const id = understand(p, named);
        if (p.unwanted.contains(id)) continue;
        if (auto message = cache_.get_for(id, p.id, options_.max_retransmissions)) {
            push(p).messages.push_back(std::move(message));
            ++stats_.retransmitted;
        }
    }
}

GIGI_INLINE void mesh::take_idontwant(mesh_peer &p, rpc const &r) {
    for (auto const &named : r.idontwant) {
        if (p.unwanted.size() >= options_.max_idontwant_ids) {
            ++stats_.idontwants_refused;
            return;
        }
        if (!fits(named)) continue;
        auto id = understand(p, named);
        if (hooks_.id || style_of(id) == id_style::spec) p.unwanted.insert_or_assign(std::move(id), heartbeats_); // others match nothing
    }
}

GIGI_INLINE void mesh::take_graft(mesh_peer &p, rpc const &r, time_point now) {
    if (p.version == gossip_version::floodsub) return;
    for (auto const &topic : r.graft) {
        if (++p.grafts > options_.max_grafts) {
            ++stats_.grafts_refused;
            return;
        }
        // A GRAFT for a topic that is not ours is ignored (v1.1), for one that is also says that the peer is in it.
        if (!is_joined(topic) || !subscribe(p, topic)) continue;
        auto &t = topics_.find(topic)->second;
        if (t.mesh.contains(p.id)) continue;
        if (t.backoffs.refuses(p.id, now, options_.heartbeat_interval)) {
            misbehaved(p.id, misbehaviour::early_graft);
        } else if (score(p) >= 0 && (t.mesh.size() < options_.degree_high || p.dialled)) {
            admit(topic, t, p);
            continue;
        }
        prune(topic, t, p, now, options_.prune_backoff);
        ++stats_.grafts_refused;
    }
}

GIGI_INLINE void mesh::take_prune(mesh_peer &p, rpc const &r, time_point now) {
    for (auto const &entry : r.prune) {
        if (++p.prunes > options_.max_grafts) {
            ++stats_.prunes_refused;
            return;
        }
        if (!active_.contains(entry.topic)) continue;
        auto &t = topics_.find(entry.topic)->second;
        t.mesh.erase(p.id);
        bool const named = entry.backoff && *entry.backoff > 0;
        auto const backoff = named ? capped_seconds(*entry.backoff, options_.max_backoff) : options_.prune_backoff;
        if (named && *entry.backoff > static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::seconds>(backoff).count())) ++stats_.backoffs_cut;
        remember(t.backoffs, p.id, now + backoff);
    }
}

} // namespace gigi::inline v1
