#include <gigi/node/people.hpp>

#include "unit/node/some_peers.hpp"

#include <gigi/core/error.hpp>
#include <gigi/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

namespace people_test {

using namespace gigi;
using namespace gigi::testing;

TEST_CASE("people: nicknames resolve, conflicts and changes are told, ambiguity names the candidates") {
    simulation sim;
    auto const peers = some_peers(3);
    peer_store store;
    std::vector<event> told;
    people known{store, context_clock{sim.get_executor()}, [&](event const &e) { told.push_back(e); }};
    auto const meet = [&](peer_id const &peer) {
        connection_info info;
        info.peer = peer;
        known.connected(info);
    };
    meet(peers[0]);
    CHECK(known.named(peers[0], "bob"));
    CHECK(told.empty()); // nothing is told before identify
    CHECK(known.may_speak(peers[0], "/other/1.0.0"));
    CHECK_FALSE(known.may_speak(peers[1], "/other/1.0.0")); // not here
    known.identified(peers[0], "gigi", {"/gigi/nickname/1.0.0"});
    REQUIRE(told.size() == 1);
    CHECK(std::get<event::peer_identified>(told[0]).nickname == "bob");
    CHECK(known.resolve("bob") == peers[0]);
    CHECK_FALSE(known.named(peers[0], "two\nlines"));
    CHECK_FALSE(known.named(peers[0], "\x1b[2J"));

    known.identified(peers[0], "", {}); // a push that says something else
    CHECK(known.agent_of(peers[0]) == "gigi");
    CHECK(known.speaks(peers[0], "/gigi/nickname/1.0.0"));
    CHECK(known.may_speak(peers[0], "/gigi/nickname/1.0.0"));
    CHECK_FALSE(known.may_speak(peers[0], "/other/1.0.0"));
    known.identified(peers[0], "gigi/2", {"/gigi/direct/1.0.0"});
    CHECK(known.agent_of(peers[0]) == "gigi/2");
    CHECK_FALSE(known.speaks(peers[0], "/gigi/nickname/1.0.0"));
    CHECK(told.size() == 1);

    meet(peers[1]);
    known.identified(peers[1], "js", {"/ipfs/ping/1.0.0"}); // no nickname to wait for
    CHECK(std::get<event::peer_identified>(told.back()).nickname.empty());
    CHECK(known.named(peers[1], "bob"));
    CHECK(std::get<event::nickname_conflict>(told.back()).pinned == peers[0]);
    try {
        known.resolve("bob");
        CHECK(false);
    } catch (error const &e) {
        CHECK(e.code() == errc::ambiguous_nickname);
        CHECK(std::string{e.what()}.find("bob~" + peers[0].short_string()) != std::string::npos);
        CHECK(std::string{e.what()}.find("bob~" + peers[1].short_string()) != std::string::npos);
    }
    std::string const exact = "bob~" + peers[1].short_string();
    CHECK(known.resolve(exact) == peers[1]);
    known.disconnected(peers[1]);
    CHECK(known.resolve("bob") == peers[0]); // of two, who had the name first and is here
    meet(peers[1]);
    known.disconnected(peers[0]); // who took the name gets nothing that is meant for its owner, even while the owner is away
    CHECK_THROWS_AS(known.resolve("bob"), error);
    known.disconnected(peers[1]);
    CHECK_THROWS_AS(known.resolve("bob"), error);
    CHECK(known.named(peers[1], "robert"));
    CHECK(std::get<event::nickname_changed>(told.back()).previous == "bob");
    CHECK(known.resolve("bob") == peers[0]); // gone, but remembered
    std::string const id = peers[2].to_string();
    CHECK(known.resolve(id) == peers[2]);
    CHECK(known.resolve(peers[2]) == peers[2]);
    CHECK_THROWS_AS(known.resolve("nobody"), error);

    CHECK(known.named(peers[0], "rob")); // gives the name up
    CHECK(known.named(peers[1], "bob"));
    CHECK(known.resolve("bob") == peers[1]);
}

TEST_CASE("T20: people: a nickname stays its owner's when only the pin is left of the owner") {
    simulation sim;
    auto const peers = some_peers(2);
    peer_store store{peer_store_limits{1}}; // remembers one peer
    people known{store, context_clock{sim.get_executor()}, [](event const &) {}};
    known.named(peers[0], "bob");
    known.named(peers[1], "bob");
    REQUIRE_FALSE(store.nickname(peers[0]));
    CHECK_THROWS_AS(known.resolve("bob"), error);
    CHECK(known.resolve("bob~" + peers[1].short_string()) == peers[1]);
}

TEST_CASE("people: a name that is only announced is for dialling, and an unknown one says what would be known") {
    simulation sim;
    auto const peers = some_peers(4);
    peer_store store;
    people known{store, context_clock{sim.get_executor()}, [](event const &) {}};
    auto const what = [&](std::string const &text) {
        try {
            known.resolve(text);
        } catch (error const &e) {
            CHECK(e.code() == errc::unknown_peer);
            return std::string{e.what()};
        }
        return std::string{};
    };
    CHECK_THROWS_AS(known.resolve_to_dial("bob"), error); // nothing is announced
    std::map<peer_id, std::string> hints{{peers[0], "bob"}};
    known.look_up(hints);
    CHECK(what("bob").find("not connected") != std::string::npos);
    CHECK(known.resolve_to_dial("bob") == peers[0]);
    CHECK(known.resolve_to_dial("bob~" + peers[0].short_string()) == peers[0]);
    CHECK_THROWS_AS(known.resolve_to_dial("bob~" + peers[1].short_string()), error);
    CHECK_THROWS_AS(known.resolve_to_dial(""), error);
    CHECK(what("192.0.2.7:4001").find("/ip4/192.0.2.7/tcp/4001") != std::string::npos);
    CHECK(what("carol").find("/ip4") == std::string::npos);

    hints[peers[1]] = "bob";
    try {
        known.resolve_to_dial("bob");
        CHECK(false);
    } catch (error const &e) {
        CHECK(e.code() == errc::ambiguous_nickname);
        CHECK(std::string{e.what()}.find("bob~" + peers[1].short_string()) != std::string::npos);
    }
}

TEST_CASE("T20: people: nobody is dialled for a name that is somebody else's, whatever he announces") {
    simulation sim;
    auto const peers = some_peers(2);
    peer_store store;
    people known{store, context_clock{sim.get_executor()}, [](event const &) {}};
    std::map<peer_id, std::string> hints{{peers[1], "bob"}};
    known.look_up(hints);
    CHECK(known.named(peers[0], "bob"));
    CHECK(known.resolve_to_dial("bob") == peers[0]);
    peer_store pins_only;
    CHECK(pins_only.read("gigi-peers 1\npin\t" + peers[0].to_string() + "\tbob\n"));
    people later{pins_only, context_clock{sim.get_executor()}, [](event const &) {}};
    later.look_up(hints);
    CHECK_THROWS_AS(later.resolve_to_dial("bob"), error); // the owner's address is forgotten, not that the name is the owner's
    hints.emplace(peers[0], "bob");
    CHECK(later.resolve_to_dial("bob") == peers[0]);
}

TEST_CASE("people: a peer without a name is found by the end of its id") {
    simulation sim;
    auto const peers = some_peers(3);
    peer_store store;
    people known{store, context_clock{sim.get_executor()}, [](event const &) {}};
    connection_info info;
    info.peer = peers[0];
    known.connected(info); // and nothing is stored of it
    store.add_address(peers[1], multiaddr::parse("/ip4/10.0.0.1/tcp/1").value(), address_source::manual, 1);
    CHECK(known.named(peers[2], "carol"));
    for (auto const &peer : peers) CHECK(known.resolve("~" + peer.short_string()) == peer);
    CHECK_THROWS_AS(known.resolve("~"), error);
    CHECK_THROWS_AS(known.resolve("~" + peers[0].short_string(3)), error);
}

} // namespace people_test
