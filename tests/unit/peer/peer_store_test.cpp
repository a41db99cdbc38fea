#include <gigi/peer/peer_store.hpp>

#include "peer_support.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace peer_store_test {

using namespace gigi;
using namespace gigi::test;

namespace {

std::vector<peer_id> some_peers(int n) {
    seeded_random random{1};
    std::vector<peer_id> out;
    for (int i = 0; i < n; ++i) out.push_back(identity::generate(random).id());
    return out;
}
auto const home = "/ip4/10.0.0.1/tcp/1";

} // namespace

TEST_CASE("T10: peer_store: peers and addresses are bounded, the least useful go first") {
    peer_store store{peer_store_limits{10}};
    auto const ids = some_peers(30);
    for (std::size_t i = 0; i < ids.size(); ++i) store.add_address(ids[i], address("/ip4/10.0.0.1/tcp/1"), address_source::discovered, i);
    CHECK(store.size() == 10);
    CHECK(store.contains(ids.back()));
    CHECK_FALSE(store.contains(ids.front()));
    auto const peer = ids.back();
    store.add_address(peer, address("/ip4/10.0.0.2/tcp/1").with_peer(peer), address_source::manual, 5);
    for (int i = 0; i < 100; ++i) store.add_address(peer, address("/ip4/10.1.0.1/tcp/" + std::to_string(i + 1)), address_source::discovered, 100);
    auto const known = store.addresses(peer);
    CHECK(known.size() == peer_store_limits{}.addresses);
    CHECK(known.front() == address("/ip4/10.0.0.2/tcp/1"));
}

TEST_CASE("limits: peer_store: what does not fit is counted, and what is new shows in `changes`") {
    peer_store store{peer_store_limits{2, 3, 4}};
    auto const ids = some_peers(3);
    auto last = store.changes();
    auto const changed = [&] { return std::exchange(last, store.changes()) != store.changes(); };
    for (std::size_t i = 0; i < 3; ++i) {
        store.add_address(ids[i], address(home), address_source::identified, 1);
        CHECK(changed());
    }
    CHECK(store.stats().peers_forgotten == 1);
    for (int i = 0; i < 5; ++i) store.add_address(ids[2], address("/ip4/10.1.0.1/tcp/" + std::to_string(i + 1)), address_source::identified, 1);
    CHECK(store.addresses(ids[2]).size() == 3);
    CHECK(store.stats().addresses_forgotten == 3);
    for (std::size_t i = 0; i < 6; ++i) store.set_nickname(ids[i % 2 + 1], "n" + std::to_string(i), 2);
    CHECK(store.stats().pins_refused == 2);
    CHECK_FALSE(store.pinned("n5"));
    changed();
    store.set_nickname(ids[2], "n5", 3);
    store.add_address(ids[2], store.addresses(ids[2]).front(), address_source::identified, 3);
    store.expire(3);
    CHECK_FALSE(changed()); // seen again
    store.add_address(ids[2], store.addresses(ids[2]).front(), address_source::manual, 3);
    CHECK(changed()); // but now the user says so
    store.set_nickname(ids[2], "n0", 4);
    CHECK(changed());
}

TEST_CASE("T10: peer_store: a flood of announcements does not make it forget whom it knows, and new peers still get in") {
    auto const ids = some_peers(60);
    peer_store store{peer_store_limits{20}};
    for (std::size_t i = 0; i < 2; ++i) store.add_address(ids[i], address(home), address_source::manual, 1);
    for (std::size_t i = 2; i < 20; ++i) store.set_nickname(ids[i], "n" + std::to_string(i), i);
    for (std::size_t i = 20; i < 60; ++i) {
        store.add_address(ids[i], address(home), address_source::discovered, 1000 + i);
        CHECK(store.size() == 20);
        CHECK(store.contains(ids[i])); // the newest can be dialled
    }
    std::size_t known = 0;
    for (std::size_t i = 0; i < 20; ++i) known += store.contains(ids[i]);
    CHECK(known == 15);
    CHECK(store.contains(ids[0]));
    CHECK(store.contains(ids[19])); // those seen longest ago went
    CHECK_FALSE(store.contains(ids[2]));
    // whom somebody authenticated displaces strangers first
    for (std::size_t i = 2; i < 7; ++i) store.set_nickname(ids[i], "n" + std::to_string(i), 1);
    for (std::size_t i = 0; i < 20; ++i) CHECK(store.contains(ids[i]));
    // and what the user entered nobody displaces
    peer_store full{peer_store_limits{2}};
    for (std::size_t i = 0; i < 2; ++i) full.add_address(ids[i], address(home), address_source::manual, 1);
    full.set_nickname(ids[2], "two", 9);
    full.add_address(ids[3], address(home), address_source::discovered, 9);
    CHECK(full.contains(ids[0]));
    CHECK(full.contains(ids[1]));
    full.add_address(ids[4], address(home), address_source::manual, 9);
    CHECK(full.contains(ids[4]));
    CHECK(full.size() == 2);
}

TEST_CASE("T10, T20: peer_store: no crowd makes its text longer than can be read again, and no pin is left out of it") {
    peer_store_limits limits;
    limits.text = 100'000;
    peer_store store{limits};
    auto const ids = some_peers(120);
    for (std::size_t i = 0; i < 10; ++i) {
        store.add_address(ids[i], address(home), address_source::manual, 5);
        store.set_nickname(ids[i], "friend " + std::to_string(i), 5);
    }
    std::string const longest = std::string{home} + "/http-path/" + std::string(900, 'a');
    for (std::size_t i = 10; i < ids.size(); ++i)
        for (int k = 0; k < 16; ++k) store.add_address(ids[i], address(longest + std::to_string(k)), address_source::discovered, 10 + i);
    std::string const text = store.write();
    CHECK(text.size() > 80'000);
    CHECK(text.size() <= 100'000 + 128 + 10 * 160);
    CHECK(text.size() <= store.largest_text());
    peer_store copy{limits};
    CHECK(copy.read(text));
    CHECK(copy.write() == text);
    CHECK(copy.size() == ids.size()); // addresses go first
    for (std::size_t i = 0; i < 10; ++i) {
        CHECK(copy.pinned("friend " + std::to_string(i)) == ids[i]);
        CHECK(copy.addresses(ids[i]).size() == 1);
    }
    CHECK(copy.addresses(ids[10]).empty());
    CHECK(copy.addresses(ids.back()).size() == 16); // the one that was seen last

    limits.text = 300;
    peer_store narrow{limits};
    CHECK(narrow.read(text));
    peer_store left{limits};
    CHECK(left.read(narrow.write()));
    CHECK(left.size() < 6);
    for (std::size_t i = 0; i < 10; ++i) CHECK(left.pinned("friend " + std::to_string(i)) == ids[i]);
}

TEST_CASE("T10: peer_store: whoever takes all names in turn pins few") {
    auto const ids = some_peers(2);
    peer_store store;
    for (int i = 0; i < 100; ++i) store.set_nickname(ids[0], "name" + std::to_string(i), 1);
    std::size_t pinned = 0;
    for (int i = 0; i < 100; ++i) pinned += store.pinned("name" + std::to_string(i)).has_value();
    CHECK(pinned == peer_store::max_pins_of_peer);
    CHECK(store.pinned("name99") == ids[0]);
    CHECK_FALSE(store.set_nickname(ids[1], "name0", 1));
    CHECK(store.set_nickname(ids[1], "name99", 1) == ids[0]);
    peer_store copy; // the file keeps whose pin is the oldest
    CHECK(copy.read(store.write()));
    copy.set_nickname(ids[0], "one more", 2);
    CHECK_FALSE(copy.pinned("name92"));
    CHECK(copy.pinned("name93") == ids[0]);
    CHECK_FALSE(store.set_nickname(ids[1], "two\nlines", 1));
    CHECK(store.nickname(ids[1]) == "name99");
}

TEST_CASE("peer_store: addresses: the best first, better knowledge stays, stale ones expire") {
    auto const ids = some_peers(3);
    peer_store store;
    auto const first = address("/ip4/10.0.0.1/tcp/1"), second = address("/ip4/10.0.0.2/tcp/1"), third = address("/ip4/10.0.0.3/tcp/1");
    store.add_address(ids[0], first, address_source::discovered, 100);
    store.add_address(ids[0], second, address_source::discovered, 200);
    store.add_address(ids[0], third, address_source::identified, 50);
    CHECK(store.addresses(ids[0]) == std::vector{third, second, first});
    store.add_address(ids[0], first.with_peer(ids[0]), address_source::manual, 10);
    store.add_address(ids[0], first, address_source::discovered, 20); // what the user said remains said
    CHECK(store.addresses(ids[0]) == std::vector{first, third, second});
    store.add_address(ids[0], multiaddr{}, address_source::manual, 1);
    CHECK(store.addresses(ids[0]).size() == 3);
    CHECK(store.addresses(ids[1]).empty());

    store.add_address(ids[1], address(home), address_source::discovered, 100);
    store.set_nickname(ids[2], "carol", 100);
    store.expire(200 + peer_store::discovered_lifetime);
    CHECK(store.addresses(ids[0]).size() == 3);
    CHECK_FALSE(store.contains(ids[1])); // nothing of it is left
    store.expire(201 + peer_store::discovered_lifetime);
    CHECK(store.addresses(ids[0]) == std::vector{first, third});
    store.expire(0); // T31: a clock that went back
    CHECK(store.addresses(ids[0]).size() == 2);
    store.expire(UINT64_MAX);
    CHECK(store.addresses(ids[0]) == std::vector{first});
    CHECK(store.nickname(ids[2]) == "carol");
}

TEST_CASE("peer_store: names resolve and are pinned; the store keeps through its text; damage loses only what is damaged") {
    seeded_random random{1};
    peer_store store;
    auto const a = identity::generate(random).id(), b = identity::generate(random).id(), stranger = identity::generate(random).id();
    CHECK_FALSE(store.set_nickname(a, "bob", 1));
    CHECK_FALSE(store.set_nickname(a, "bob", 2));
    CHECK(store.set_nickname(b, "bob", 3).value() == a);
    CHECK(store.pinned("bob").value() == a);
    CHECK(store.resolve("bob").size() == 2);
    CHECK(store.resolve("bob~" + b.short_string()) == std::vector{b});
    CHECK(store.resolve("bob~" + b.to_string()) == std::vector{b});
    CHECK(store.resolve("bob~x").empty());
    CHECK(store.resolve("~" + b.short_string()) == std::vector{b}); // of any name, or none
    CHECK(store.resolve("alice").empty());
    CHECK(store.resolve(stranger.to_string()) == std::vector{stranger});
    store.add_address(a, address("/ip4/10.0.0.2/tcp/1"), address_source::identified, 7);
    std::string const text = store.write();
    peer_store copy;
    CHECK(copy.read(text));
    CHECK(copy.write() == text);
    peer_store damaged;
    CHECK_FALSE(damaged.read(text + "nonsense\n" + "peer\tx\t1\tbob\n" + "address\t" + a.to_string() + "\t1\tstolen\t/ip4/1.2.3.4/tcp/1\n" + "peer\t" +
                             a.to_string() + "\t99999999999999999999\tbob\n" + "pin\t" + a.to_string() + "\tno~name\n"));
    CHECK(damaged.write() == text);
    CHECK_FALSE(damaged.read("something else\n"));
    CHECK_FALSE(damaged.read("something else"));
    CHECK_FALSE(damaged.read("gigi-peers 1\npeer\t" + stranger.to_string() + "\t1\tbo")); // torn off: perhaps bob
    CHECK_FALSE(damaged.contains(stranger));
    for (std::size_t n = 0; n < text.size(); ++n) peer_store{}.read(std::string_view{text}.substr(0, n));
}

} // namespace peer_store_test
