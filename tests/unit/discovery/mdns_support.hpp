// Peers and simulated networks for the tests of multicast DNS.
#pragma once

#include <gigi/discovery/mdns_core.hpp>

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace gigi::inline v1::testing {

/// A well-formed peer id, one for each number.
inline peer_id numbered_peer(unsigned number) {
    auto raw = from_hex("002408011220").value();
    raw.resize(38);
    store_be(&raw[6], static_cast<std::uint32_t>(number));
    return peer_id::from_bytes(raw).value();
}

inline multiaddr address(std::string const &text, peer_id const &peer) { return multiaddr::parse(text).value().with_peer(peer); }

inline dns_name name(std::string_view text) { return dns_name::from_text(text).value(); }

inline mdns_endpoint from_ipv4(unsigned last, std::uint16_t port = 5353) {
    return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, static_cast<std::uint8_t>(last)}, port};
}

/// A core with what it has sent and said, on one link (number 1) of host 192.0.2.`number`.
struct mdns_node {
    explicit mdns_node(unsigned host, mdns_options const &options = mdns_options())
        : number{host}, id{numbered_peer(host)}, random{host}, core{id, options, random, [this](peer_id const &peer) { return connected.contains(peer); }} {}

    mdns_link link() const {
        mdns_link l;
        l.id = 1;
        l.zone = "eth0";
        l.ipv4 = {{192, 0, 2, static_cast<std::uint8_t>(number)}};
        l.addresses = {address("/ip4/192.0.2." + std::to_string(number) + "/tcp/" + std::to_string(4000 + number), id)};
        return l;
    }

    std::size_t found_count(peer_id const &peer) const {
        return static_cast<std::size_t>(std::ranges::count(found, peer, [](auto const &f) { return f.peer; }));
    }

    unsigned number;
    peer_id id;
    seeded_random random;
    std::set<peer_id> connected; ///< what the core is told
    mdns_core core;
    std::vector<mdns_datagram> sent;
    std::vector<discovered_peer> found;
    std::vector<peer_id> expired;
};

/// An Ethernet of nodes: everybody hears every multicast, the sender too. Time passes only in `run()`.
class mdns_network {
  public:
    mdns_node &add(mdns_options const &options = mdns_options()) {
        nodes.push_back(std::make_unique<mdns_node>(static_cast<unsigned>(nodes.size() + 1), options));
        nodes.back()->core.set_link(now, nodes.back()->link());
        return *nodes.back();
    }

    void run(duration span) {
        auto const end = now + span;
        for (;;) {
            for (bool busy = true; busy;) {
                busy = false;
                for (auto &node : nodes) busy |= deliver(*node);
            }
            auto next = end;
            for (auto &node : nodes) next = std::min(next, node->core.next_wakeup());
            now = std::max(now, next);
            if (next >= end) return;
            for (auto &node : nodes) node->core.tick(now);
        }
    }

    /// Sends and reports what a node has come to. @return whether there was anything
    bool deliver(mdns_node &node) {
        auto const datagrams = std::exchange(node.core.datagrams(), {});
        for (auto const &datagram : datagrams) {
            node.sent.push_back(datagram);
            for (auto &other : nodes)
                if (datagram.to == mdns_endpoint() || datagram.to.host == from_ipv4(other->number).host)
                    if (!lost(node, *other)) other->core.receive(now, 1, from_ipv4(node.number), datagram.data);
        }
        for (auto &event : node.core.events()) {
            if (auto const *const found = std::get_if<mdns_found>(&event)) node.found.push_back(found->peer);
            if (auto const *const gone = std::get_if<mdns_expired>(&event)) node.expired.push_back(gone->peer);
        }
        bool const busy = !datagrams.empty() || !node.core.events().empty();
        node.core.events().clear();
        return busy;
    }

    time_point now{std::chrono::hours{1}};
    std::vector<std::unique_ptr<mdns_node>> nodes;
    std::function<bool(mdns_node const &from, mdns_node const &to)> lost = [](auto const &, auto const &) { return false; };
};

} // namespace gigi::inline v1::testing
