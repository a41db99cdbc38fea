// The attacks of the gossipsub v1.1 evaluation (arXiv 2007.02754) that a mesh must bear without scores: most of a node's
// neighbours are sybils that join every mesh and forward nothing. Over many seeds, one delivery of 4000 takes more than 5 s.
#include "support/mesh_network.hpp"

#include <doctest/doctest.h>

namespace gossip_attack_test {

using namespace gigi;
using test::mesh_network;

namespace {

std::string const topic = "lobby";

/// Honest nodes, the first ones, each linked to some others; and around each of them sybils that keep silent.
struct besieged {
    besieged(std::size_t honest_nodes, std::size_t sybil_nodes, std::uint64_t seed, gossip_options const &options = {})
        : honest{honest_nodes}, net{honest_nodes + sybil_nodes, seed, options} {
        net.silent = [this](std::size_t i) { return i >= honest; };
    }
    void link_honest(std::size_t each) {
        for (std::size_t i = 0; i < honest; ++i) {
            if (i > 0) net.connect(i, i - 1);
            for (std::size_t k = 0; k < each; ++k) net.connect(i, net.random().below(honest));
        }
    }
    void lay_siege() { // every sybil dials every honest node
        for (std::size_t i = 0; i < honest; ++i)
            for (std::size_t s = honest; s < net.size(); ++s) net.connect(s, i);
    }
    std::size_t reached(message_id const &id) {
        std::size_t n = 0;
        for (std::size_t i = 0; i < honest; ++i) n += net[i].got.contains(id);
        return n;
    }
    double sybil_share() { // of the honest nodes' meshes
        std::size_t all = 0, sybils = 0;
        for (std::size_t i = 0; i < honest; ++i)
            for (auto const &peer : net[i].router->mesh_peers(topic)) {
                ++all;
                sybils += peer.data()[33] >= honest;
            }
        return static_cast<double>(sybils) / static_cast<double>(all);
    }
    std::size_t honest;
    mesh_network net;
};

} // namespace

TEST_CASE("attack: eclipse by four times as many sybils: every message still reaches every honest node") {
    for (std::uint64_t const seed : {1u, 2u}) {
        CAPTURE(seed);
        besieged b{20, 80, seed};
        b.link_honest(4);
        b.net.join_all(topic);
        b.net.run_for(2s);
        b.lay_siege();
        b.net.run_for(10s);
        CAPTURE(b.sybil_share());
        for (int k = 0; k < 5; ++k) {
            auto const id = b.net.publish(b.net.random().below(b.honest), topic);
            b.net.run_for(5s);
            CHECK(b.reached(id) == b.honest);
        }
    }
}

TEST_CASE("attack: cold boot: the sybils were there first") {
    for (std::uint64_t const seed : {1u, 2u}) {
        CAPTURE(seed);
        besieged b{20, 60, seed};
        b.lay_siege();
        b.net.join_all(topic);
        b.net.run_for(5s);
        b.link_honest(5); // the honest nodes find each other only now
        b.net.run_for(5s);
        CAPTURE(b.sybil_share());
        for (int k = 0; k < 5; ++k) {
            auto const id = b.net.publish(b.net.random().below(b.honest), topic);
            b.net.run_for(5s);
            CHECK(b.reached(id) == b.honest);
        }
    }
}

TEST_CASE("attack: covert flash: sybils that behave well for a minute, and then all at once do not") {
    for (std::uint64_t const seed : {1u, 2u}) {
        CAPTURE(seed);
        besieged b{20, 60, seed};
        bool awake = false;
        b.net.silent = [&](std::size_t i) { return awake && i >= b.honest; };
        b.link_honest(5);
        b.lay_siege();
        b.net.join_all(topic);
        b.net.run_for(60s);
        awake = true;
        for (int k = 0; k < 5; ++k) {
            auto const id = b.net.publish(b.net.random().below(b.honest), topic);
            b.net.run_for(5s);
            CHECK(b.reached(id) == b.honest);
        }
    }
}

TEST_CASE("attack: censorship of one author by all sybils") {
    for (std::uint64_t const seed : {1u, 2u}) {
        CAPTURE(seed);
        besieged b{20, 60, seed};
        b.net.silent = {};
        auto const victim = b.net[0].id;
        b.net.drop = [&](std::size_t i, gossip_message const &m) { return i >= b.honest && equal(m.from, victim.data()); };
        b.link_honest(4);
        b.lay_siege();
        b.net.join_all(topic);
        b.net.run_for(5s);
        for (int k = 0; k < 5; ++k) {
            auto const id = b.net.publish(0, topic);
            b.net.run_for(5s);
            CHECK(b.reached(id) == b.honest);
        }
    }
}

} // namespace gossip_attack_test
