// tests/support/mesh_network.hpp: many gossip meshes and the links between them, in simulated time and without sockets.
#pragma once

#include <gigi/gossip/mesh.hpp>

#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace gigi::test {

/// The id of a peer whose key nobody has.
inline peer_id numbered_peer(std::uint32_t n) {
    bytes multihash{0x12, 0x20};
    for (int i = 0; i < 7; ++i) append_be(multihash, std::uint32_t{0x70656572});
    append_be(multihash, n);
    return peer_id::from_bytes(multihash).value();
}

/// A message whose "signature" is one byte: good or bad.
inline gossip_message unsigned_message(peer_id const &author, std::uint64_t seqno, std::string topic, std::size_t size = 100, bool good = true) {
    gossip_message m;
    m.from = to_bytes(author.data());
    m.data = bytes(size, 'd');
    append_be(m.seqno, seqno);
    m.topic = std::move(topic);
    m.signature = {static_cast<std::uint8_t>(good ? 1 : 0)};
    return m;
}

inline result<peer_id> verify_unsigned(gossip_message const &m) {
    if (m.signature != bytes{1}) return errc::bad_signature;
    return peer_id::from_bytes(m.from);
}

class mesh_network {
  public:
    struct node {
        peer_id id;
        std::unique_ptr<seeded_random> random;
        std::unique_ptr<mesh> router;
        std::set<std::size_t> links;
        std::map<message_id, time_point> got;
        std::uint64_t deliveries = 0, joined = 0, left = 0;
        std::uint64_t next_seqno = 1;
        bool alive = true;
    };

    explicit mesh_network(std::size_t nodes, std::uint64_t seed, gossip_options const &options = {}) : random_{seed}, options_{options} {
        for (std::size_t i = 0; i < nodes; ++i) add();
    }

    std::size_t add() {
        auto &n = nodes_.emplace_back();
        std::size_t const index = nodes_.size() - 1;
        n.id = numbered_peer(static_cast<std::uint32_t>(index));
        by_id_[n.id] = index;
        n.random = std::make_unique<seeded_random>(random_.next());
        mesh_hooks hooks;
        hooks.verify = verify_unsigned;
        n.router = std::make_unique<mesh>(n.id, options_, hooks, *n.random);
        duration const phase{static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(options_.heartbeat_interval.count())))};
        at(now_ + phase, [this, index] { beat(index); });
        return index;
    }

    /// `i` dials `j`.
    void connect(std::size_t i, std::size_t j, gossip_version version = gossip_version::v1_2) {
        if (i == j || nodes_[i].links.contains(j)) return;
        nodes_[i].links.insert(j);
        nodes_[j].links.insert(i);
        ++epochs_[link(i, j)];
        nodes_[i].router->add_peer(nodes_[j].id, version, true);
        nodes_[j].router->add_peer(nodes_[i].id, version, false);
        flush(i);
        flush(j);
    }
    void disconnect(std::size_t i, std::size_t j) {
        if (nodes_[i].links.erase(j) == 0) return;
        nodes_[j].links.erase(i);
        ++epochs_[link(i, j)]; // what is on its way is lost
        nodes_[i].router->remove_peer(nodes_[j].id);
        nodes_[j].router->remove_peer(nodes_[i].id);
        flush(i);
        flush(j);
    }
    void kill(std::size_t i) {
        nodes_[i].alive = false;
        while (!nodes_[i].links.empty()) disconnect(i, *nodes_[i].links.begin());
    }
    /// Each node dials `each` others, chosen at random; a chain keeps the graph in one piece.
    void connect_randomly(std::size_t each) {
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            if (i > 0) connect(i, i - 1);
            for (std::size_t k = 0; k < each; ++k) connect(i, random_.below(nodes_.size()));
        }
    }
    void connect_all() {
        for (std::size_t i = 0; i < nodes_.size(); ++i)
            for (std::size_t j = 0; j < i; ++j) connect(i, j);
    }

    void join(std::size_t i, std::string const &topic) {
        nodes_[i].router->join(now_, topic);
        flush(i);
    }
    void join_all(std::string const &topic) {
        for (std::size_t i = 0; i < nodes_.size(); ++i) join(i, topic);
    }
    void leave(std::size_t i, std::string const &topic) {
        nodes_[i].router->leave(now_, topic);
        flush(i);
    }
    message_id publish(std::size_t i, std::string const &topic, std::size_t size = 100) {
        auto const m = unsigned_message(nodes_[i].id, nodes_[i].next_seqno++, topic, size);
        nodes_[i].router->publish(now_, std::make_shared<gossip_message const>(m));
        message_id id = m.from;
        append(id, m.seqno);
        nodes_[i].got[id] = now_;
        flush(i);
        return id;
    }

    void run_for(duration span) {
        auto const end = now_ + span;
        while (!events_.empty() && events_.top().when <= end) {
            auto const next = events_.top();
            events_.pop();
            now_ = next.when;
            next.what();
        }
        now_ = end;
    }

    /// How many living nodes in the topic have a message.
    std::size_t count_having(message_id const &id) const {
        std::size_t n = 0;
        for (auto const &each : nodes_) n += each.alive && each.got.contains(id);
        return n;
    }
    duration slowest(message_id const &id, time_point since) const {
        duration most{};
        for (auto const &each : nodes_)
            if (auto const found = each.got.find(id); found != each.got.end()) most = std::max<duration>(most, found->second - since);
        return most;
    }
    std::uint64_t total(message_outcome o) const {
        std::uint64_t n = 0;
        for (auto const &each : nodes_) n += each.router->stats()[o];
        return n;
    }
    std::uint64_t total(misbehaviour m) const {
        std::uint64_t n = 0;
        for (auto const &each : nodes_) n += each.router->stats()[m];
        return n;
    }

    node &operator[](std::size_t i) { return nodes_[i]; }
    std::size_t size() const noexcept { return nodes_.size(); }
    time_point now() const noexcept { return now_; }
    seeded_random &random() noexcept { return random_; }
    void at(time_point when, std::function<void()> what) { events_.push({when, next_event_++, std::move(what)}); }

    duration least_latency = std::chrono::milliseconds{5};
    duration most_latency = std::chrono::milliseconds{50};
    bool on_the_wire = false; ///< encode and parse every RPC
    std::function<void(std::size_t from, std::size_t to, rpc const &)> watch;
    std::function<bool(std::size_t from)> silent;                        ///< such a node sends no messages and no IHAVE
    std::function<bool(std::size_t from, gossip_message const &)> drop;  ///< such a message is not passed on by that node

  private:
    struct event {
        time_point when;
        std::uint64_t order;
        std::function<void()> what;
        friend bool operator<(event const &a, event const &b) { return std::tie(b.when, b.order) < std::tie(a.when, a.order); }
    };

    static std::pair<std::size_t, std::size_t> link(std::size_t i, std::size_t j) { return {std::min(i, j), std::max(i, j)}; }

    void beat(std::size_t i) {
        if (!nodes_[i].alive) return;
        nodes_[i].router->heartbeat(now_);
        flush(i);
        at(now_ + options_.heartbeat_interval, [this, i] { beat(i); });
    }

    void flush(std::size_t i) {
        auto out = nodes_[i].router->take_output();
        auto &n = nodes_[i];
        for (auto const &d : out.deliveries) {
            ++n.deliveries;
            if (!n.got.emplace(d.id, now_).second) throw std::logic_error{"delivered twice"};
        }
        for (auto const &m : out.memberships) ++(m.joined ? n.joined : n.left);
        for (auto &s : out.sends) {
            auto const j = by_id_.at(s.to);
            if (!n.links.contains(j)) continue;
            if (watch) watch(i, j, s.what);
            if (silent && silent(i)) {
                s.what.messages.clear();
                s.what.ihave.clear();
            }
            if (drop) std::erase_if(s.what.messages, [&](auto const &m) { return drop(i, *m); });
            auto what = std::make_shared<rpc>(std::move(s.what));
            if (on_the_wire) {
                bytes wire;
                encode(*what, wire);
                *what = parse_rpc(wire).value();
            }
            auto const spread = static_cast<std::uint64_t>((most_latency - least_latency).count()) + 1;
            auto &last = arrivals_[{i, j}]; // a stream keeps its order
            last = std::max<time_point>(last, now_ + least_latency + duration{static_cast<std::int64_t>(random_.below(spread))});
            at(last, [this, i, j, what, epoch = epochs_[link(i, j)]] {
                if (epochs_[link(i, j)] != epoch) return;
                nodes_[j].router->receive(now_, nodes_[i].id, *what);
                flush(j);
            });
        }
    }

    seeded_random random_;
    gossip_options options_;
    std::vector<node> nodes_;
    std::map<peer_id, std::size_t> by_id_;
    std::map<std::pair<std::size_t, std::size_t>, std::uint64_t> epochs_;
    std::map<std::pair<std::size_t, std::size_t>, time_point> arrivals_;
    std::priority_queue<event> events_;
    std::uint64_t next_event_ = 0;
    time_point now_{std::chrono::hours{1}};
};

} // namespace gigi::test
