// Gossip over the whole stack (swarm, yamux, noise, a network in memory), while connections break and come back.
#include "support/gossip_node.hpp"

#include <doctest/doctest.h>

namespace gossip_network_test {

using namespace gigi;
using namespace gigi::test;

namespace {

std::string const topic = "lobby";

bool has(gossip_node const &n, std::string const &text) {
    auto const all = n.texts();
    return std::ranges::find(all, text) != all.end();
}

} // namespace

TEST_CASE("gossip: nodes whose connections are cut and dialled again lose nothing that is said meanwhile, and hear nothing twice") {
    for (std::uint64_t const fallback : {1u, 2u}) {
        memory_network_options options;
        options.latency = 5ms;
        options.jitter = 20ms;
        gossip_world w{fallback, options};
        CAPTURE(w.sim.seed());
        std::size_t const count = 10;
        for (std::size_t i = 0; i < count; ++i) w.add().chat.subscribe(topic);
        auto const connect = [&](std::size_t i, std::size_t j) {
            if (i != j && !w.nodes[i]->net.is_connected(w.nodes[j]->id())) w.connect(*w.nodes[i], *w.nodes[j]);
        };
        for (std::size_t i = 0; i < count; ++i) {
            connect(i, (i + 1) % count);
            connect(i, (i + 3) % count);
        }
        w.run_for(2s);
        std::vector<std::pair<std::string, std::size_t>> said;
        for (int round = 0; round < 20; ++round) {
            std::size_t const author = w.sim.random().below(count);
            said.emplace_back("message " + std::to_string(round), author);
            w.nodes[author]->publish(topic, said.back().first);
            std::size_t const victim = w.sim.random().below(count);
            w.network.cut(w.nodes[victim]->ip); // with the message still under way
            w.run_for(200ms);
            for (std::size_t const step : {1u, 3u, 7u, 9u}) connect(victim, (victim + step) % count);
            w.run_for(800ms);
        }
        w.run_for(3s);
        for (auto const &[text, author] : said)
            for (std::size_t i = 0; i < count; ++i) {
                CAPTURE(text);
                CAPTURE(i);
                CHECK(has(*w.nodes[i], text) == (i != author));
            }
        for (auto const &n : w.nodes) {
            CHECK(n->got.size() == said.size() - static_cast<std::size_t>(std::ranges::count_if(said, [&](auto const &s) { return w.nodes[s.second] == n; })));
            CHECK(n->chat.stats().rpcs_malformed == 0);
            CHECK(n->chat.stats().router[message_outcome::invalid] == 0);
            CHECK(n->chat.stats().router[misbehaviour::early_graft] == 0); // T14
        }
        w.stop();
    }
}

} // namespace gossip_network_test
