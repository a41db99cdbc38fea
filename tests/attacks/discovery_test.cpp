// Attacks by multicast DNS: T16–T18, T20. The packets are written by hand.
#include "attacks/memory_meter.hpp"
#include "unit/discovery/mdns_support.hpp"

#include <gigi/testing/hostile_bytes.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <ctime>
#include <limits>
#include <string>
#include <vector>

namespace discovery_test {

using namespace gigi;
using namespace gigi::testing;

namespace {

constexpr std::string_view service = "_p2p._udp.local";
constexpr std::uint16_t response = 0x8400, ptr = 12, txt = 16;

/// Two nodes that know each other, and somebody who sends what it likes.
struct attacked_network : mdns_network {
    attacked_network() : victim{add()}, honest{add()} { run(10s); }
    void hear(bytes_view packet, unsigned from = 66) { victim.core.receive(now, 1, from_ipv4(from), packet); }
    /// The nodes still know each other, and a new one is found by all.
    void check_unharmed() {
        CHECK(std::ranges::count(victim.expired, honest.id) == 0);
        auto &late = add();
        run(5s);
        CHECK(victim.found_count(late.id) == 1);
        CHECK(late.found_count(victim.id) == 1);
    }
    mdns_node &victim, &honest;
};

std::string address_of(unsigned peer, std::string const &at = "/ip4/192.0.2.66/tcp/1") { return "dnsaddr=" + at + "/p2p/" + numbered_peer(peer).to_string(); }

/// One of the addresses that a single host may take on a link.
mdns_endpoint link_local(unsigned number) {
    mdns_endpoint e;
    e.host[0] = 0xfe, e.host[1] = 0x80;
    store_be(&e.host[12], static_cast<std::uint32_t>(number));
    e.port = 5353;
    return e;
}

/// The processor's time that datagrams take, in seconds; the least of several tries.
double cost(mdns_core &core, time_point now, std::vector<bytes> const &datagrams) {
    auto least = std::numeric_limits<double>::max();
    for (int tries = 0; tries < 3; ++tries) {
        auto const begin = std::clock();
        for (auto const &datagram : datagrams) {
            core.receive(now, 1, from_ipv4(66), datagram);
            core.events().clear();
            core.datagrams().clear();
        }
        least = std::min(least, static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
    }
    return least;
}

/// An announcement as it should be, but for its TTL.
bytes announcement(unsigned peer, std::uint32_t ttl, std::string const &instance) {
    dns_bytes m{response, 0, 1, 0, 1};
    m.name(service);
    bytes target;
    target.push_back(static_cast<std::uint8_t>(instance.size()));
    append(target, instance);
    append(target, from_hex("c00c").value());
    m.record(ptr, ttl, target.size(), target);
    m.label(instance).pointer(12);
    std::string const text = address_of(peer);
    bytes string{static_cast<std::uint8_t>(text.size())};
    append(string, text);
    m.record(txt, ttl, string.size(), string);
    return m.data();
}

std::vector<std::pair<std::string, bytes>> const &broken_packets() {
    static std::vector<std::pair<std::string, bytes>> const all{
        {"T16: a pointer to itself", dns_bytes{response, 0, 1}.pointer(12).record(ptr, 120, 0).data()},
        {"T16: two that point at each other", dns_bytes{response, 2}.pointer(18).question(ptr).pointer(12).question(ptr).data()},
        {"T16: a pointer beyond the end", dns_bytes{response, 0, 1}.pointer(0x3fff).record(ptr, 120, 0).data()},
        {"T16: a pointer into the header", dns_bytes{response, 0, 1}.pointer(2).record(ptr, 120, 0).data()},
        {"T16: a label that loops through its own pointer", dns_bytes{response, 0, 1}.label("a").pointer(12).record(ptr, 120, 0).data()},
        {"T17: a PTR of no bytes", dns_bytes{response, 0, 1}.name(service).record(ptr, 120, 0).data()},
        {"T17: data beyond the packet", dns_bytes{response, 0, 1}.name(service).record(ptr, 120, 0xffff, bytes(4)).data()},
        {"T17: a TXT string beyond its record", dns_bytes{response, 0, 1}.name(service).record(txt, 120, 2, bytes{200, 'a'}).data()},
        {"T17: an A of one byte", dns_bytes{response, 0, 1}.name(service).record(1, 120, 1, bytes(1)).data()},
        {"T17: an NSEC of one byte", dns_bytes{response, 0, 1}.name(service).record(47, 120, 1, bytes(1)).data()},
        {"T2: counts of 65535", dns_bytes{response, 0xffff, 0xffff, 0xffff, 0xffff}.name(service).data()},
        {"T16: a label of 255 bytes", dns_bytes{response, 0, 1}.label(std::string(255, 'x')).end().record(ptr, 120, 0).data()},
        {"nothing at all", {}},
        {"half a header", bytes(6)},
        {"9001 bytes", bytes(9001, 0xc0)},
    };
    return all;
}

} // namespace

TEST_CASE("T16, T17: mdns: broken packets, and all that lies between them and good ones, change nothing") {
    attacked_network n;
    seeded_random random{16};
    memory_meter::span const used;
    bytes const good = announcement(500, 120, "good");
    n.hear(good);
    n.run(1s);
    REQUIRE(n.victim.found_count(numbered_peer(500)) == 1); // it is good
    std::size_t found = n.victim.found.size();
    for (auto const &[what, packet] : broken_packets()) {
        CAPTURE(what);
        n.hear(packet);
        for (std::size_t i = 0; i < packet.size(); ++i) { // cut, and with any byte changed
            n.hear(bytes_view{packet}.first(i));
            bytes changed = packet;
            changed[i] ^= static_cast<std::uint8_t>(1 + random.below(255));
            n.hear(changed);
            if (i > 64) break;
        }
        n.run(10ms);
        CHECK(n.victim.found.size() == found);
    }
    for (std::size_t i = 0; i < good.size(); ++i) n.hear(bytes_view{good}.first(i));
    n.run(1s);
    CHECK(n.victim.found.size() == found);
    CHECK(used.held() < 256 * 1024);
    n.check_unharmed();
}

TEST_CASE("T18: mdns: no TTL keeps an announcement longer than the cap, or makes a clock overflow") {
    attacked_network n;
    std::vector<std::uint32_t> const ttls{0x7fffffff, 0x80000000, 0xffffffff, 4501};
    for (unsigned i = 0; i < ttls.size(); ++i) n.hear(announcement(600 + i, ttls[i], "long" + std::to_string(i)));
    n.run(1s);
    for (unsigned i = 0; i < ttls.size(); ++i) CHECK(n.victim.found_count(numbered_peer(600 + i)) == 1);
    n.run(76min);
    for (unsigned i = 0; i < ttls.size(); ++i) CHECK(std::ranges::count(n.victim.expired, numbered_peer(600 + i)) == 1);
    n.check_unharmed();
}

TEST_CASE("T15, T20: mdns: 20,000 peers announced by one host: as many are remembered as may be, and the honest ones stay") {
    attacked_network n;
    memory_meter::span const used;
    for (unsigned i = 0; i < 20'000; ++i) {
        n.hear(announcement(1000 + i, 120, "flood" + std::to_string(i)));
        if (i % 500 == 0) {
            n.run(10ms);
            n.victim.found.clear(); // the test's own record
        }
    }
    CHECK(n.victim.core.peer_count() <= mdns_options().max_peers);
    CHECK(used.most() < 8 * 1024 * 1024);
    MESSAGE("20,000 announcements: ", n.victim.core.peer_count(), " peers remembered, ", used.most() / 1024, " KiB at most");
    n.check_unharmed();
}

TEST_CASE("T15, T20: mdns: peers announced from as many addresses as there is room for do not blind us") {
    attacked_network n;
    for (unsigned i = 0; i < 1500; ++i) n.victim.core.receive(n.now, 1, link_local(i), announcement(1000 + i, 4500, "flood" + std::to_string(i)));
    n.run(1s);
    CHECK(n.victim.core.peer_count() == mdns_options().max_peers);
    n.check_unharmed(); // who was here stays, and who comes is found
    n.run(5min);
    CHECK(n.victim.core.peer_count() == 2); // none of them is believed for 75 minutes
    n.check_unharmed();
}

TEST_CASE("T15, T20: mdns: while a flood from many addresses goes on, others get in, and are not lost once connected") {
    attacked_network n;
    unsigned number = 0;
    auto const flood = [&](int seconds) {
        for (int i = 0; i < seconds * 20; ++i, ++number) {
            n.victim.core.receive(n.now, 1, link_local(number), announcement(1000 + number, 4500, "flood" + std::to_string(number)));
            n.run(50ms);
        }
    };
    while (n.victim.core.peer_count() < mdns_options().max_peers) flood(1);
    flood(20); // the first quarter is replaced at once
    std::vector<mdns_node *> late;
    for (int i = 0; i < 8; ++i) late.push_back(&n.add());
    for (auto *one : late) one->sent.clear();
    flood(60);
    int found = 0;
    for (auto *one : late)
        if (n.victim.found_count(one->id) > 0) {
            ++found;
            n.victim.connected.insert(one->id);
        }
    CHECK(found >= 6);
    n.victim.expired.clear();
    n.lost = [&late](auto const &from, auto const &) { return std::ranges::find(late, &from) != late.end(); }; // silent, but connected
    flood(60);
    for (auto *one : late)
        if (n.victim.connected.contains(one->id)) CHECK(std::ranges::count(n.victim.expired, one->id) == 0);
    CHECK(std::ranges::count(n.victim.expired, n.honest.id) == 0);
}

TEST_CASE("T15, T20: mdns: what a datagram costs does not grow with what is known") {
    attacked_network n;
    mdns_node other{9}; // knows nobody
    other.core.set_link(n.now, other.link());
    for (unsigned peer = 0; peer < 512; ++peer)
        for (unsigned k = 0; k < 8; ++k) n.victim.core.receive(n.now, 1, link_local(peer), announcement(1000 + peer, 120, "i" + std::to_string(8 * peer + k)));
    n.victim.core.events().clear();
    REQUIRE(n.victim.core.peer_count() > 500);
    auto const names = name(service);
    std::vector<bytes> goodbyes;
    for (unsigned i = 0; i < 16; ++i) {
        dns_message m;
        m.is_response = true;
        for (unsigned k = 0; k < 64; ++k) m.answers.push_back({names, 0s, false, names.child("i" + std::to_string(64 * i + k)).value()});
        goodbyes.push_back(m.build().value());
    }
    auto const full = cost(n.victim.core, n.now, goodbyes), empty = cost(other.core, n.now, goodbyes);
    CHECK(full < 5 * empty);
    MESSAGE("64 goodbyes: ", full / empty, " times as much where 512 peers are known as where nobody is");
}

TEST_CASE("T15: mdns: what a query costs does not grow with questions times known answers") {
    attacked_network n;
    auto const names = name(service);
    auto const query = [&](int questions) {
        dns_message m;
        for (int i = 0; i < 512; ++i) m.answers.push_back({names, 120s, false, names});
        for (int i = 0; i < questions; ++i) m.questions.push_back({names, dns_type::ptr, false});
        return std::vector<bytes>(4, m.build().value());
    };
    auto const one = cost(n.victim.core, n.now, query(1)), many = cost(n.victim.core, n.now, query(128));
    CHECK(many < 3 * one);
    MESSAGE("128 questions: ", many / one, " times as much as one");
}

TEST_CASE("T15: mdns: what a response costs does not grow with records times instances") {
    attacked_network n;
    auto const names = name(service);
    auto const response_of = [&](unsigned instances) {
        dns_message m;
        m.is_response = true;
        for (unsigned i = 0; i < 448; ++i) {
            auto const number = std::to_string(i % instances + 100);
            m.answers.push_back({names.child(std::string(28, 'x') + number).value(), 120s, false, dns_strings{"x"}});
        }
        return std::vector<bytes>(4, m.build().value());
    };
    auto const one = cost(n.victim.core, n.now, response_of(1)), many = cost(n.victim.core, n.now, response_of(64));
    CHECK(many < 4 * one);
    MESSAGE("64 instances: ", many / one, " times as much as one");
}

} // namespace discovery_test
