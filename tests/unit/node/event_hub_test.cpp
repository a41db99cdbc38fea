#include <gigi/node/event_hub.hpp>

#include <gigi/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <utility>

namespace event_hub_test {

using namespace gigi;
using namespace gigi::testing;

namespace {

event left(std::string name) { return event{events::group_left{std::move(name)}}; }

} // namespace

TEST_CASE("event_hub: every reader gets every event; a slow one loses the oldest and is told how many") {
    simulation sim;
    event_hub hub{sim.get_executor(), event_limits{3}};
    auto slow = hub.subscribe(), quick = hub.subscribe();
    event e;
    for (int i = 0; i < 5; ++i) {
        hub.emit(left(std::to_string(i)));
        CHECK(quick.try_next(e));
        CHECK(std::get<event::group_left>(e).group == std::to_string(i));
    }
    CHECK_FALSE(quick.try_next(e));
    CHECK(hub.dropped() == 2);
    auto const first = sim.run(slow.next());
    CHECK(std::get<event::events_dropped>(first).count == 2);
    for (auto const *expected : {"2", "3", "4"}) {
        auto const next = sim.run(slow.next());
        CHECK(std::get<event::group_left>(next).group == expected);
    }
    hub.emit(left("last"));
    hub.set_open(false);
    auto const last = sim.run(slow.next());
    CHECK(std::get<event::group_left>(last).group == "last");
    CHECK_THROWS_AS(sim.run(slow.next()), error);
    hub.set_open(true);
    hub.emit(left("again"));
    auto const again = sim.run(slow.next());
    CHECK(std::get<event::group_left>(again).group == "again");
}

TEST_CASE("limits: event_hub: the bytes that wait are bounded too; the newest event stays in any case") {
    simulation sim;
    event_hub hub{sim.get_executor(), event_limits{100, 10'000}};
    auto reader = hub.subscribe();
    auto const received = [](std::size_t size) { return event{events::bytes_received{peer_id{}, "bob", bytes(size)}}; };
    CHECK(size_of(received(4000)) == sizeof(event) + 4003);
    for (std::size_t const size : {4000u, 4000u, 4000u}) hub.emit(received(size));
    CHECK(hub.waiting().events == 2);
    CHECK(hub.waiting().bytes <= 10'000);
    CHECK(hub.dropped() == 1);
    hub.emit(received(50'000));
    CHECK(hub.waiting().events == 1);
    CHECK(hub.dropped() == 3);
    event e;
    REQUIRE(reader.try_next(e));
    CHECK(std::get<event::events_dropped>(e).count == 3);
    REQUIRE(reader.try_next(e));
    CHECK(std::get<event::bytes_received>(e).bytes.size() == 50'000);
    CHECK(hub.waiting().bytes == 0);
    for (int i = 0; i < 500; ++i) hub.emit(left("lobby"));
    CHECK(hub.waiting().events <= 100);
    CHECK(hub.waiting().bytes <= 10'000);
}

TEST_CASE("event_hub: a reader that may never read holds nothing when it is full, and is told what it missed once it does") {
    simulation sim;
    event_hub hub{sim.get_executor(), event_limits{3}};
    auto patient = hub.subscribe(true);
    for (int i = 0; i < 3; ++i) hub.emit(left(std::to_string(i)));
    CHECK(hub.waiting().events == 3);
    for (int i = 3; i < 10; ++i) hub.emit(left(std::to_string(i)));
    CHECK(hub.waiting().events == 0);
    CHECK(hub.dropped() == 0); // nobody was slow
    event e;
    REQUIRE(patient.try_next(e));
    CHECK(std::get<event::events_dropped>(e).count == 10);
    CHECK_FALSE(patient.try_next(e));
    for (int i = 0; i < 4; ++i) hub.emit(left(std::to_string(i))); // from now on it is as any other
    CHECK(hub.dropped() == 1);
    CHECK(hub.waiting().events == 3);
}

TEST_CASE("T4, T29: event_hub: the lists of an event count, too, so that strangers do not fill more than the queue may hold") {
    events::peer_identified who;
    std::size_t const alone = size_of(event{who});
    for (int i = 0; i < 256; ++i) who.protocols.emplace_back(300, 'p');
    CHECK(size_of(event{who}) >= alone + 256 * (300 + sizeof(std::string)));
    events::peer_discovered found;
    found.addresses.assign(16, multiaddr::parse("/ip4/10.0.0.1/tcp/1/http-path/" + std::string(500, 'a')).value());
    CHECK(size_of(event{found}) >= alone + 16 * (500 + sizeof(multiaddr)));
    events::download_finished done;
    done.path = std::string(1000, 'd');
    CHECK(size_of(event{done}) >= alone + 1000);

    simulation sim;
    event_limits limits;
    limits.bytes = 200'000;
    event_hub hub{sim.get_executor(), limits};
    auto const reader = hub.subscribe();
    for (int i = 0; i < 10; ++i) hub.emit(event{who});
    CHECK(hub.waiting().events == 2);
    CHECK(hub.dropped() == 8);
}

} // namespace event_hub_test
