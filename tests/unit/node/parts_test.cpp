#include <gigi/node/event.hpp>
#include <gigi/node/event_hub.hpp>
#include <gigi/node/group_payload.hpp>
#include <gigi/node/options.hpp>
#include <gigi/node/people.hpp>
#include <gigi/node/received_file.hpp>
#include <gigi/node/redial.hpp>
#include <gigi/node/types.hpp>
#include <gigi/peer/identity.hpp>
#include <gigi/protocol/direct.hpp>
#include <gigi/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include <unistd.h>

using namespace gigi;
using namespace gigi::testing;

namespace {

std::vector<peer_id> some_peers(std::size_t count) {
    seeded_random random{1};
    std::vector<peer_id> all;
    while (all.size() < count) all.push_back(identity::generate(random).id());
    return all;
}

event left(std::string name) { return event{events::group_left{std::move(name)}}; }

} // namespace

TEST_CASE("event: names itself and its members") {
    event const e = left("lobby");
    CHECK(e.name() == "group_left");
    std::string members;
    std::visit([&](auto const &x) { x.for_each_member([&](std::string_view name, auto const &) { (members += name) += ' '; }); }, static_cast<events::any const &>(e));
    CHECK(members == "group ");
    CHECK(std::get_if<event::group_left>(&e)->group == "lobby");
    CHECK(std::get_if<event::group_joined>(&e) == nullptr);
}

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

TEST_CASE("redial: wanted peers are due at once, then with growing pauses, until they connect; a muted one is left alone") {
    auto const peers = some_peers(3);
    redial_policy policy;
    time_point now{1h};
    policy.want(peers[0], 1, now);
    CHECK(policy.due(now, 10) == std::vector{peers[0]});
    CHECK(policy.due(now, 10).empty()); // busy
    std::vector<duration> pauses;
    for (int i = 0; i < 9; ++i) {
        policy.failed(peers[0], now);
        pauses.push_back(*policy.next() - now);
        now = *policy.next();
        CHECK(policy.due(now - 1ns, 10).empty());
        CHECK(policy.due(now, 10).size() == 1);
    }
    CHECK(pauses == std::vector<duration>{1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s, 60s});
    policy.connected(peers[0]);
    CHECK_FALSE(policy.next());
    policy.disconnected(peers[0], now);
    CHECK(*policy.next() - now == 1s);
    policy.mute(peers[0]);
    CHECK_FALSE(policy.next());
    policy.connected(peers[0]); // it came by itself
    policy.disconnected(peers[0], now);
    CHECK(policy.next());
    policy.want(peers[0], 2, now);
    policy.unwant(peers[0], 1);
    CHECK(policy.wants(peers[0]));
    policy.unwant(peers[0], 2);
    CHECK_FALSE(policy.wants(peers[0]));
}

TEST_CASE("T15: redial: what strangers announce is bounded") {
    redial_policy policy{100};
    for (auto const &peer : some_peers(110)) policy.want(peer, 1, time_point{1h});
    CHECK(policy.due(time_point{2h}, 1'000'000).size() == 100);
}

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
    known.identified(peers[0], "gigi", {"/gigi/nickname/1.0.0"});
    REQUIRE(told.size() == 1);
    CHECK(std::get<event::peer_identified>(told[0]).nickname == "bob");
    CHECK(known.resolve("bob") == peers[0]);
    CHECK_FALSE(known.named(peers[0], "two\nlines"));
    CHECK_FALSE(known.named(peers[0], "\x1b[2J"));

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

TEST_CASE("T21: received_file: files get their own names in the folder, and nothing is overwritten") {
    auto const folder = std::filesystem::temp_directory_path() / ("gigi-received-" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder);
    auto const first = write_received_file(folder, "cat.png", as_bytes("one")), second = write_received_file(folder, "cat.png", as_bytes("two"));
    CHECK(first == folder / "cat.png");
    CHECK(second == folder / "cat (1).png");
    CHECK(to_text(read_small_file(first, 100)) == "one");
    CHECK(to_text(read_small_file(second, 100)) == "two");
    CHECK(std::distance(std::filesystem::directory_iterator{folder}, {}) == 2);
    auto const code_of = [](auto what) {
        try {
            what();
        } catch (std::system_error const &e) {
            return e.code();
        }
        return std::error_code{};
    };
    CHECK(code_of([&] { read_small_file(first, 2); }) == errc::message_too_large);
    CHECK(code_of([&] { read_small_file(folder / "none", 2); }) == errc::file_not_found);
    CHECK(code_of([&] { read_small_file(folder, 2); }) == errc::file_not_found);
    CHECK(code_of([&] { write_received_file(first, "x", {}); }) == condition::io_error); // a file where the folder should be
    std::filesystem::remove_all(folder);
}

TEST_CASE("received_file: MIME types by content, then by name") {
    struct row {
        std::string data;
        char const *name, *expected;
    };
    for (auto const &[data, name, expected] : {row{"\x89PNG\r\n\x1a\n", "x", "image/png"}, row{"\xff\xd8\xff", "x.txt", "image/jpeg"}, row{"GIF89a", "", "image/gif"},
                                               row{"RIFF1234WEBP", "", "image/webp"}, row{"<svg", "A.SVG", "image/svg+xml"}, row{"", "x", "application/octet-stream"}})
        CHECK(mime_type_of(as_bytes(data), name) == std::string{expected});
}

TEST_CASE("messages: a direct message and a group's keep through their encoding; hostile bytes are errors") {
    direct_protocol::request sent;
    sent.id = "0123";
    sent.kind = direct_protocol::kind::image;
    sent.name = "cat.png";
    sent.data = to_bytes(std::string_view{"png"});
    bytes out;
    cereal_codec{}.encode(sent, out);
    auto const got = cereal_codec{}.decode<direct_protocol::request>(out).value();
    CHECK(got.name == "cat.png");
    CHECK(got.data == sent.data);
    CHECK(got.kind == direct_protocol::kind::image);
    for (std::size_t n = 0; n < out.size(); ++n) CHECK_FALSE(cereal_codec{}.decode<direct_protocol::request>(bytes_view{out}.first(n)));
    group_payload said;
    said.text = "hi";
    out.clear();
    cereal_codec{}.encode(said, out);
    CHECK(cereal_codec{}.decode<group_payload>(out)->text == "hi");
    CHECK_FALSE(cereal_codec{}.decode<group_payload>(as_bytes("hello from somebody else's app")));
}

TEST_CASE("node_options: the defaults listen everywhere, on IPv4 and IPv6") {
    node_options const o;
    for (auto const &text : o.listen) CHECK(multiaddr::parse(text)->is_unspecified());
    CHECK(o.mdns);
    CHECK(o.identity_file.empty());
}
