// Attacks on one who sends the same to many: T5.
#include "attacks/memory_meter.hpp"

#include <gigi/core/task_group.hpp>
#include <gigi/node/messenger.hpp>
#include <gigi/testing/memory_host.hpp>
#include <gigi/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <list>
#include <string>
#include <vector>

namespace broadcast_test {

using namespace gigi;
using namespace gigi::testing;

TEST_CASE("T5: broadcast: peers that take bytes and read none of them cost their windows, not a copy each") {
    simulation sim{5};
    memory_network network{sim.get_executor(), sim.random()};
    memory_host self{network, "10.0.0.1", sim.random()};
    node_options const options;
    messenger messages{self.net, options, {[](event const &) {}, [](peer_id const &) { return std::string{}; }, self.net.get_executor()}};
    std::list<memory_host> others;
    std::vector<stream> held;
    std::vector<peer_id> everyone;
    for (int i = 2; i < 12; ++i) {
        auto &other = others.emplace_back(network, "10.0.0." + std::to_string(i), sim.random());
        other.net.handle(std::string{bytes_protocol::id}, [&held](stream incoming) -> awaitable<void> {
            held.push_back(std::move(incoming));
            co_return;
        });
        sim.run(self.connect(other));
        everyone.push_back(other.id());
    }
    bytes const data(std::size_t{4} << 20, 7);
    std::size_t taken = 99;
    auto const send = [&]() -> awaitable<void> { taken = co_await messages.send_bytes_to_all(everyone, data); };
    memory_meter::span const cost;
    sim.run(send());
    MESSAGE("4 MiB to 10 peers who do not read: ", cost.most() >> 20, " MiB at most");
    CHECK(taken == 0);
    CHECK(cost.most() < 3 * data.size() + 10 * (std::size_t{1} << 20)); // once, while it is encoded twice; and windows on both sides
    held.clear();
    for (auto &other : others) sim.run(other.net.stop());
    sim.run(self.net.stop());
}

} // namespace broadcast_test
