#include <gigi/discovery/mdns_peers.hpp>

#include "mdns_support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <ostream>
#include <set>

namespace mdns_peers_test {

using namespace gigi;
using namespace gigi::testing;
using namespace std::literals;

namespace {

mdns_announcement heard(unsigned peer, std::string const &host = "192.0.2.1", std::chrono::seconds ttl = 120s) {
    mdns_announcement a;
    a.instance = "\1" + std::to_string(peer) + "\4_p2p\4_udp\5local";
    a.peer = numbered_peer(peer);
    a.addresses = {address("/ip4/" + host + "/tcp/1", *a.peer)};
    a.ttl = ttl;
    return a;
}

mdns_origin from(unsigned host, std::uint32_t link = 1) {
    mdns_origin origin{link, from_ipv4(host).host};
    origin.host[14] = static_cast<std::uint8_t>(2 + host / 256); // 192.0.2.0 and on
    return origin;
}

/// What happened since the last time, as short texts: "+peer:addresses" and "-peer".
std::vector<std::string> take(mdns_peers &peers) {
    static std::map<peer_id, unsigned> const numbers = [] {
        std::map<peer_id, unsigned> m;
        for (unsigned i = 0; i < 3000; ++i) m[numbered_peer(i)] = i;
        return m;
    }();
    std::vector<std::string> out;
    for (auto const &event : std::exchange(peers.events(), {}))
        if (auto const *const found = std::get_if<mdns_found>(&event))
            out.push_back("+" + std::to_string(numbers.at(found->peer.peer)) + ":" + std::to_string(found->peer.addresses.size()));
        else
            out.push_back("-" + std::to_string(numbers.at(std::get<mdns_expired>(event).peer)));
    return out;
}

using texts = std::vector<std::string>;
mdns_options const defaults;
seeded_random dice{20};
time_point const t0{1h};

} // namespace

TEST_CASE("mdns_peers: found once, and expired when the TTL is over") {
    mdns_peers peers{defaults, dice};
    CHECK(peers.next_update() == time_point::max());
    peers.add(t0, from(1), heard(5));
    CHECK(take(peers) == texts{"+5:1"});
    CHECK(peers.next_update() == t0 + 120s);
    peers.add(t0 + 60s, from(1), heard(5));
    CHECK(take(peers).empty());
    peers.update(t0 + 121s); // renewed in time
    CHECK(take(peers).empty());
    CHECK(peers.next_update() == t0 + 180s);
    peers.update(t0 + 180s);
    CHECK(take(peers) == texts{"-5"});
    CHECK(peers.size() == 0);
    CHECK(peers.next_update() == time_point::max());
}

TEST_CASE("mdns_peers: goodbye counts after a second, on its link only") {
    mdns_peers peers{defaults, dice};
    peers.add(t0, from(1, 1), heard(5));
    peers.add(t0, from(1, 2), heard(5));
    peers.add(t0, from(1, 1), heard(6));
    CHECK(take(peers) == texts{"+5:1", "+6:1"});
    mdns_announcement bye;
    bye.instance = heard(5).instance;
    bye.goodbye = true;
    peers.add(t0 + 10s, from(1, 1), mdns_announcement{bye});
    peers.update(t0 + 12s);
    CHECK(take(peers).empty()); // link 2 still has it
    peers.add(t0 + 13s, from(1, 2), mdns_announcement{bye});
    peers.update(t0 + 13900ms);
    CHECK(take(peers).empty());
    peers.update(t0 + 14s);
    CHECK(take(peers) == texts{"-5"});
    CHECK(peers.size() == 1);
}

TEST_CASE("mdns_peers: an announcement within that second rescues the peer") {
    mdns_peers peers{defaults, dice};
    peers.add(t0, from(1), heard(5));
    auto bye = heard(5);
    bye.goodbye = true;
    bye.peer.reset();
    peers.add(t0 + 1s, from(1), std::move(bye));
    peers.add(t0 + 1500ms, from(1), heard(5));
    peers.update(t0 + 100s);
    CHECK(take(peers) == texts{"+5:1"});
    CHECK(peers.size() == 1);
}

TEST_CASE("mdns_peers: however many say goodbye, each is heeded, and who comes back stays") {
    mdns_peers peers{defaults, dice};
    auto const leave = [&](std::string instance) {
        mdns_announcement bye;
        bye.instance = std::move(instance);
        bye.goodbye = true;
        peers.add(t0 + 1s, from(1), std::move(bye));
    };
    for (unsigned i = 0; i < 1000; ++i) peers.add(t0, from(i), heard(i));
    CHECK(take(peers).size() == 1000);
    for (unsigned i = 0; i < 900; ++i) leave(heard(i).instance);
    peers.add(t0 + 1s, from(7), heard(7));
    for (unsigned i = 0; i < 200; ++i) leave("nobody" + std::to_string(i)); // more than wait for a pass
    for (unsigned i = 900; i < 999; ++i) leave(heard(i).instance);
    peers.add(t0 + 1s, from(8), heard(8));
    peers.update(t0 + 1900ms);
    CHECK(take(peers).empty());
    peers.update(t0 + 2s);
    CHECK(take(peers).size() == 997);
    CHECK(peers.size() == 3); // 7, 8 and 999
}

TEST_CASE("mdns_peers: addresses of several places are one list; changes are reported at most once a second") {
    mdns_peers peers{defaults, dice};
    peers.add(t0, from(1, 1), heard(5, "192.0.2.1"));
    peers.add(t0, from(1, 2), heard(5, "192.0.2.2"));
    peers.add(t0, from(1, 2), heard(5, "192.0.2.3"));
    CHECK(take(peers) == texts{"+5:1"});
    CHECK(peers.next_update() == t0 + 1s);
    peers.update(t0 + 1s);
    CHECK(take(peers) == texts{"+5:3"});
    auto moved = heard(5, "192.0.2.4"); // replaces what link 2 knew
    moved.flush = true;
    moved.nickname = "eve";
    peers.add(t0 + 5s, from(1, 2), std::move(moved));
    auto const event = std::get<mdns_found>(peers.events().front());
    CHECK(take(peers) == texts{"+5:2"});
    CHECK(event.peer.nickname == "eve");
    CHECK(event.peer.addresses[1].ip_text() == "192.0.2.4");
}

TEST_CASE("mdns_peers: RFC 6762 §10.2: packets of one second belong together") {
    mdns_peers peers{defaults, dice};
    for (auto const *host : {"192.0.2.1", "192.0.2.2"}) { // rust splits a long list like this
        auto part = heard(5, host);
        part.flush = true;
        peers.add(t0, from(1), std::move(part));
    }
    peers.update(t0 + 1s);
    CHECK(take(peers) == texts{"+5:1", "+5:2"});
}

TEST_CASE("mdns_peers: a link that goes away takes its peers with it, unless it comes back") {
    mdns_peers peers{defaults, dice};
    peers.add(t0, from(1, 1), heard(5));
    peers.add(t0, from(1, 2), heard(6));
    peers.remove_link(t0 + 1s, 1);
    peers.update(t0 + 10s);
    CHECK(take(peers) == texts{"+5:1", "+6:1"});
    peers.update(t0 + 11s);
    CHECK(take(peers) == texts{"-5"});
    peers.remove_link(t0 + 20s, 2);
    peers.add(t0 + 25s, from(1, 2), heard(6));
    peers.update(t0 + 60s);
    CHECK(take(peers).empty());
}

TEST_CASE("T18: TTLs are capped") {
    mdns_peers peers{defaults, dice};
    peers.add(t0, from(1), heard(5, "192.0.2.1", std::chrono::seconds{0xffff'ffff}));
    CHECK(peers.next_update() == t0 + 75min);
    peers.add(t0, from(1), heard(6, "192.0.2.1", std::chrono::seconds::max()));
    peers.update(t0 + 75min);
    CHECK(take(peers) == texts{"+5:1", "+6:1", "-5", "-6"});
}

TEST_CASE("T15: addresses and announcements of a peer are bounded") {
    mdns_peers peers{defaults, dice};
    auto many = heard(5);
    for (int i = 0; i < 200; ++i) many.addresses.push_back(address("/ip4/198.51.100." + std::to_string(i) + "/tcp/1", *many.peer));
    peers.add(t0, from(1), std::move(many));
    CHECK(take(peers) == texts{"+5:16"});
    for (unsigned i = 2; i < 200; ++i) peers.add(t0 + 2s, from(i), heard(5, "203.0.113." + std::to_string(i)));
    peers.update(t0 + 10s);
    CHECK(take(peers) == texts{"+5:16", "+5:8"}); // of the last eight that spoke of it
}

TEST_CASE("T20: a source that announces thousands of peers makes room for others, not the other way round") {
    mdns_options small;
    small.max_peers = 100;
    mdns_peers peers{small, dice};
    for (unsigned i = 0; i < 10; ++i) peers.add(t0, from(i), heard(i)); // honest: one each
    for (unsigned i = 100; i < 2100; ++i) peers.add(t0, from(200), heard(i));
    CHECK(peers.size() == 100);
    for (auto const &event : take(peers)) CHECK(event.front() == '+'); // nobody was pushed out
    for (unsigned i = 10; i < 40; ++i) {
        peers.add(t0, from(i), heard(i));
        CHECK(take(peers).back() == "+" + std::to_string(i) + ":1");
        CHECK(peers.size() == 100);
    }
}

TEST_CASE("T15, T20: as many sources as there is room for do not keep anybody out") {
    mdns_peers peers{defaults, dice};
    for (unsigned i = 0; i < 10; ++i) peers.add(t0 - 20s, from(i), heard(i));
    for (unsigned i = 0; i < 10; ++i) peers.add(t0, from(i), heard(i)); // honest, and heard again
    for (unsigned i = 1000; i < 3000; ++i) peers.add(t0, from(i), heard(i, "203.0.113.1", 4500s));
    CHECK(peers.size() == defaults.max_peers);
    auto const flooded = take(peers);
    auto const replaced = std::ranges::count_if(flooded, [](auto const &event) { return event.front() == '-'; });
    CHECK(replaced > 200); // a quarter, not more: that is work, too
    CHECK(replaced < 320);
    for (unsigned i = 0; i < 10; ++i) CHECK(std::ranges::count(flooded, "-" + std::to_string(i)) == 0);
    peers.add(t0 + 1s, from(50), heard(50));
    CHECK(take(peers) == texts{"-" + std::to_string(1000 + replaced), "+50:1"}); // who was not heard of for longest has given way
    peers.add(t0 + 1s, from(1500), heard(51));
    CHECK(take(peers).empty()); // not to a source that has one
    peers.update(t0 + 301s); // where there are so many, none is believed for 75 minutes
    CHECK(take(peers).size() == defaults.max_peers);
    CHECK(peers.size() == 0);
}

TEST_CASE("T15, T20: while a flood from many sources goes on, who is here gets in, and then stays") {
    mdns_options small;
    small.max_peers = 100;
    for (bool const renewed : {false, true}) { // the flood announces new peers; and again and again those that it has invented
        CAPTURE(renewed);
        seeded_random chance{7};
        mdns_peers peers{small, chance};
        std::vector<int> found_after;
        unsigned next = 100, lost = 0;
        auto const flood = [&](time_point now, unsigned number) { peers.add(now, from(number % 60'000), heard(100 + number % 2900, "203.0.113.1", 4500s)); };
        for (unsigned who = 0; who < 20; ++who) {
            auto const arrives = t0 + who * 240s;
            auto const here = "+" + std::to_string(who) + ":1", gone = "-" + std::to_string(who);
            int found = 240;
            for (int second = 0; second < 240; ++second) {
                auto const now = arrives + std::chrono::seconds{second};
                for (unsigned k = 0; k < 5; ++k) {
                    flood(now + k * 100ms, ++next);
                    for (unsigned old = 4; renewed && old < 20; old += 4) flood(now + k * 100ms, next - old);
                }
                if (second % 20 == 10) peers.add(now + 550ms, from(who), heard(who));
                peers.update(now + 600ms);
                for (auto const &event : take(peers)) {
                    if (event == here) found = std::min(found, second);
                    if (event == gone) ++lost;
                }
            }
            found_after.push_back(found);
        }
        std::ranges::sort(found_after);
        MESSAGE("while five new peers a second want one of 100 places: found after ", found_after[10], " s (median), lost ", lost);
        CHECK(found_after[10] <= 120);
        CHECK(found_after[17] < 240);
        CHECK(lost <= 5);
    }
}

TEST_CASE("T20: who is connected is not forgotten for a newcomer") {
    mdns_options small;
    small.max_peers = 100;
    std::set<peer_id> connected;
    for (unsigned i = 0; i < 60; ++i) connected.insert(numbered_peer(i));
    mdns_peers peers{small, dice, [&](peer_id const &peer) { return connected.contains(peer); }};
    for (unsigned i = 0; i < 50; ++i) peers.add(t0, from(i), heard(i, "192.0.2.1", 600s));
    for (unsigned i = 50; i < 60; ++i) peers.add(t0, from(7), heard(i, "192.0.2.1", 600s)); // ten from one source: it makes room first
    for (unsigned i = 0; i < 2000; ++i) peers.add(t0 + i * 100ms, from(1000 + i), heard(100 + i, "203.0.113.1", 4500s));
    CHECK(peers.size() == 100);
    auto const events = take(peers);
    CHECK(events.size() > 200); // many were replaced
    for (unsigned i = 0; i < 60; ++i) CHECK(std::ranges::count(events, "-" + std::to_string(i)) == 0);
    connected.insert(numbered_peer(2999)); // comes in at any time
    for (unsigned i = 0; i < 100; ++i) peers.add(t0 + 200s, from(6000 + i), heard(2500 + i));
    take(peers);
    peers.add(t0 + 200s, from(6000), heard(2999));
    CHECK(take(peers).back() == "+2999:1");
    // and where everybody is connected, there is no room
    for (unsigned i = 0; i < 3000; ++i) connected.insert(numbered_peer(i));
    for (unsigned i = 0; i < 100; ++i) peers.add(t0 + 201s, from(6000 + i), heard(2500 + i));
    CHECK(take(peers).empty());
}

TEST_CASE("T20: a forger's announcements of a peer do not hide the addresses that it announces itself") {
    auto const forged = [](unsigned number, std::chrono::seconds ttl) {
        auto a = heard(5, "203.0.113.1", ttl);
        a.instance += std::to_string(number);
        a.addresses.clear();
        for (unsigned i = 0; i < 16; ++i)
            a.addresses.push_back(address("/ip4/203.0.113." + std::to_string(i) + "/tcp/" + std::to_string(1 + number), *a.peer));
        return a;
    };
    for (bool const early : {true, false}) { // before the peer's own, or after it
        CAPTURE(early);
        mdns_peers peers{defaults, dice};
        if (!early) peers.add(t0, from(1), heard(5));
        for (unsigned i = 0; i < 2 * defaults.max_announcements; ++i) peers.add(t0, from(66), forged(i, 4500s));
        if (early) peers.add(t0, from(1), heard(5));
        peers.update(t0 + 2s);
        REQUIRE(!peers.events().empty());
        auto const last = std::get<mdns_found>(peers.events().back()).peer.addresses;
        CHECK(last.size() == defaults.max_addresses);
        CHECK(std::ranges::count(last, "192.0.2.1", &multiaddr::ip_text) == 1);
    }
}

TEST_CASE("T20: a source that has most announcements of a peer replaces its own") {
    mdns_peers peers{defaults, dice};
    auto const announce = [&](unsigned source, std::string const &net, unsigned number, std::chrono::seconds ttl) {
        auto a = heard(5, net + std::to_string(number), ttl);
        a.instance += std::to_string(number);
        peers.add(t0, from(source), std::move(a));
    };
    for (unsigned i = 0; i < 4; ++i) announce(1, "192.0.2.", i, 120s);
    for (unsigned i = 0; i < 20; ++i) announce(66, "203.0.113.", i, 4500s);
    peers.update(t0 + 2s);
    auto const last = std::get<mdns_found>(peers.events().back()).peer.addresses;
    CHECK(last.size() == 8);
    CHECK(std::ranges::count_if(last, [](multiaddr const &a) { return a.ip_text().starts_with("192.0.2."); }) == 4);
}

TEST_CASE("T20: a flood of changes is a bounded number of reports") {
    mdns_peers peers{defaults, dice};
    for (unsigned i = 0; i < 10'000; ++i) {
        auto const now = t0 + i * 1ms;
        auto a = heard(5, "192.0.2." + std::to_string(i % 200));
        a.ttl = 1s;
        peers.add(now, from(1), std::move(a));
        peers.update(now);
    }
    CHECK(take(peers).size() <= 11);
}

} // namespace mdns_peers_test
