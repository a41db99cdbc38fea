// Wall clocks that jump by a year, forward and back, at one node or at all: what is said then is still heard, once.
#include "failure/world.hpp"

#include <string>
#include <vector>

namespace clock_test {

using namespace failure;

namespace {

/// What a reader heard in the group since the last time.
std::vector<std::string> heard(event_reader &reader) {
    std::vector<std::string> all;
    event e;
    while (reader.try_next(e))
        if (auto const *const m = std::get_if<event::group_message>(&e)) all.push_back(m->text);
    return all;
}

} // namespace

TEST_CASE("a clock that jumps by a year, forward or back: groups, names and addresses go on, also after a restart") {
    for (auto const jump : {24h * 365, -24h * 365}) {
        CAPTURE(jump.count());
        world w{[](node_options &o) { o.peer_store_file = o.share_list.parent_path() / "peers"; }};
        w.gather();
        auto at_bob = w.bob->subscribe(), at_alice = w.alice->subscribe();
        w.alice->publish("lobby", "before");
        w.sim.run_for(2s);
        CHECK(heard(at_bob) == std::vector<std::string>{"before"});
        for (int turn = 0; turn < 2; ++turn) { // there, and back again
            w.sim.turn_clock(turn == 0 ? jump : -jump);
            w.sim.run_for(20s);
            w.alice->publish("lobby", "a" + std::to_string(turn));
            w.bob->publish("lobby", "b" + std::to_string(turn));
            w.sim.run_for(3s);
            CHECK(heard(at_bob) == std::vector<std::string>{"a" + std::to_string(turn)});
            CHECK(heard(at_alice) == std::vector<std::string>{"b" + std::to_string(turn)});
            CHECK(w.alice->resolve("bob") == w.bob->id());
            CHECK(w.alice->stats().connections == 1);
            // A year later nobody knows old addresses any more, but those that were given by hand stay, and a contact renews the others.
            w.network.cut(world::alice_host);
            w.sim.run_for(1s);
            w.check_alive();
            w.sim.run(w.alice->stop());
            w.sim.run(w.alice->start());
            w.check_alive();
            w.sim.run(enter(*w.alice, "lobby"));
            w.sim.run_for(3s);
            at_alice = w.alice->subscribe();
            w.alice->publish("lobby", "back");
            w.sim.run_for(2s);
            CHECK(heard(at_bob) == std::vector<std::string>{"back"});
        }
        CHECK(w.bob->stats().replays_refused == 0);
        w.check_stops();
    }
}

} // namespace clock_test
