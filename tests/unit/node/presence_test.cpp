#include <gigi/node/presence.hpp>

#include "support/gossip_node.hpp"

#include <gigi/node/options.hpp>
#include <gigi/testing/memory_host.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

namespace presence_test {

using namespace gigi;

TEST_CASE("limits: presence: peers that discovery finds") {
    testing::simulation sim;
    memory_network network{sim.get_executor(), sim.random()};
    test::host self{sim.get_executor(), network, 1};
    node_options options;
    options.max_discovered_peers = 3;
    peer_store store;
    std::vector<std::string> told;
    auto const emit = [&](event const &e) { told.emplace_back(e.name()); };
    people known{store, context_clock{sim.get_executor()}, emit};
    presence around{self.net, store, known, options, [] { return std::string{"me"}; }, [] { return std::vector<multiaddr>(); }, emit};
    auto const handler = around.handler();
    std::vector<discovered_peer> found;
    for (int i = 2; i < 8; ++i) {
        discovered_peer one;
        one.peer = identity::from_seed(test::host::seed(i)).id();
        found.push_back(one);
    }
    for (auto const &one : found) handler.on_found(one);
    for (auto const &one : found) handler.on_found(one);
    CHECK(around.discovered_now().size() == 3);
    CHECK(around.refused() == 6);
    handler.on_expired(found[0].peer);
    handler.on_found(found[5]);
    CHECK(around.discovered_now().contains(found[5].peer));
    CHECK(told.size() == 3 + 3 + 1 + 1);
    sim.run(around.stop());
    sim.run(self.net.stop());
}

TEST_CASE("T20: presence: a nickname in an announcement is nobody's name, and takes nobody's") {
    testing::simulation sim;
    memory_network network{sim.get_executor(), sim.random()};
    test::host self{sim.get_executor(), network, 1}, bob{sim.get_executor(), network, 2}, liar{sim.get_executor(), network, 3};
    node_options const options;
    peer_store store;
    auto const emit = [](event const &) {};
    people known{store, context_clock{sim.get_executor()}, emit};
    presence around{self.net, store, known, options, [] { return std::string{"me"}; }, [] { return std::vector<multiaddr>(); }, emit};
    discovered_peer found;
    found.peer = liar.id();
    found.nickname = "bob";
    around.handler().on_found(found);
    CHECK(around.discovered_now().at(liar.id()) == "bob"); // a hint, for those who look
    CHECK_THROWS_AS(known.resolve("bob"), error);
    CHECK_FALSE(store.pinned("bob"));
    CHECK(known.named(bob.id(), "bob")); // as an authenticated peer says of itself
    CHECK(known.resolve("bob") == bob.id());
    CHECK(known.nickname_of(liar.id()).empty());
    sim.run(around.stop());
    for (auto *h : {&self, &bob, &liar}) sim.run(h->net.stop());
}

TEST_CASE("limits: presence: who is announced stays connected while it is, but keeps nobody out") {
    testing::simulation sim;
    memory_network network{sim.get_executor(), sim.random()};
    swarm_options links;
    links.max_connections = 2;
    links.idle_timeout = 1min;
    test::host self{sim.get_executor(), network, 1, links}, quiet{sim.get_executor(), network, 2}, other{sim.get_executor(), network, 3};
    test::host more{sim.get_executor(), network, 4};
    node_options const options;
    peer_store store;
    auto const emit = [](event const &) {};
    people known{store, context_clock{sim.get_executor()}, emit};
    presence around{self.net, store, known, options, [] { return std::string{"me"}; }, [] { return std::vector<multiaddr>(); }, emit};
    auto const handler = around.handler();
    for (auto *h : {&quiet, &other, &more}) h->net.protect(self.id(), "x"); // or it would end it
    for (auto *h : {&quiet, &other}) {
        discovered_peer found;
        found.peer = h->id();
        found.addresses.push_back(h->address());
        handler.on_found(found);
        sim.run(self.net.dial(h->address()));
    }
    sim.run_for(10min);
    CHECK(self.net.is_connected(quiet.id()));
    CHECK(self.net.is_connected(other.id()));
    sim.run(more.net.dial(self.address()));
    sim.run_for(1s);
    CHECK(self.net.is_connected(more.id()));
    CHECK(self.net.connection_count() == 2);
    auto const &left = self.net.is_connected(quiet.id()) ? quiet : other;
    handler.on_expired(left.id());
    sim.run_for(10min);
    CHECK_FALSE(self.net.is_connected(left.id()));
    sim.run(around.stop());
    for (auto *h : {&self, &quiet, &other, &more}) sim.run(h->net.stop());
}

TEST_CASE("T15: presence: addresses at which a peer would have us dial our own host are not remembered, unless it is on it") {
    testing::simulation sim;
    memory_network network{sim.get_executor(), sim.random()};
    testing::memory_host self{network, "10.0.0.1", sim.random()}, away{network, "10.0.0.2", sim.random()}, beside{network, "127.0.0.1", sim.random()};
    node_options const options;
    peer_store store;
    auto const emit = [](event const &) {};
    people known{store, context_clock{sim.get_executor()}, emit};
    presence around{self.net, store, known, options, [] { return std::string{"me"}; }, [] { return std::vector<multiaddr>(); }, emit};
    auto const addresses = [] {
        std::vector<multiaddr> all;
        for (auto const *const ip : {"/ip4/192.0.2.7", "/ip6/fd77::7", "/ip6zone/eth0/ip6/fe80::7", "/ip4/127.0.0.1", "/ip6/::1", "/ip4/0.0.0.0", "/ip6/::", "/ip6/fe80::8",
                                    "/ip6/::ffff:127.0.0.1", "/ip6/::ffff:0.0.0.0"})
            all.push_back(multiaddr::parse(std::string{ip} + "/tcp/631").value());
        return all;
    };
    auto const ignore = [](peer_id const &, identify_message const &) {};
    identify_service away_one{away.net, "away", addresses, ignore}, beside_one{beside.net, "beside", addresses, ignore};
    auto const remembered = [&](peer_id const &peer) {
        std::set<std::string> all;
        for (auto const &address : store.addresses(peer)) all.insert(address.ip_text());
        return all;
    };
    for (auto *h : {&away, &beside}) sim.run(self.net.dial(h->address));
    sim.run_for(5s);
    CHECK(remembered(away.id()) == std::set<std::string>{"192.0.2.7", "fd77::7", "fe80::7"});
    CHECK(remembered(beside.id()).size() == addresses().size());
    sim.run(around.stop());
    for (auto *one : {&away_one, &beside_one}) sim.run(one->stop());
    for (auto *h : {&self, &away, &beside}) sim.run(h->net.stop());
}

TEST_CASE("T15: presence: bootstrap peers are dialled again whenever they are lost, however many connections there are; others are not") {
    for (std::size_t const limit : {0u, 1u}) {
        CAPTURE(limit);
        testing::simulation sim;
        memory_network network{sim.get_executor(), sim.random()};
        test::host self{sim.get_executor(), network, 1}, listed{sim.get_executor(), network, 2}, stranger{sim.get_executor(), network, 3}, here{sim.get_executor(), network, 4};
        sim.run(here.connect(self)); // as many as there may be
        sim.run_for(1s);
        node_options options;
        options.auto_dial_limit = limit;
        peer_store store;
        auto const emit = [](event const &) {};
        people known{store, context_clock{sim.get_executor()}, emit};
        presence around{self.net, store, known, options, [] { return std::string{"me"}; }, [] { return std::vector<multiaddr>(); }, emit};
        self.known[listed.id()] = {listed.address()};
        self.known[stranger.id()] = {stranger.address()};
        around.start({listed.address().with_peer(listed.id())});
        discovered_peer found;
        found.peer = stranger.id();
        found.addresses.push_back(stranger.address());
        around.handler().on_found(found);
        sim.run_for(10s);
        CHECK(self.net.is_connected(listed.id()));
        CHECK_FALSE(self.net.is_connected(stranger.id()));
        sim.run(listed.net.disconnect(self.id()));
        CHECK_FALSE(self.net.is_connected(listed.id()));
        sim.run_for(10s);
        CHECK(self.net.is_connected(listed.id()));
        sim.run(around.stop());
        for (auto *h : {&self, &listed, &stranger, &here}) sim.run(h->net.stop());
    }
}

} // namespace presence_test
