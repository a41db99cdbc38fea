#include <gigi/discovery/mdns_records.hpp>

#include "mdns_support.hpp"

#include <doctest/doctest.h>

#include <ostream>

namespace mdns_records_test {

using namespace gigi;
using namespace gigi::testing;
using namespace std::literals;

namespace {

auto const self = numbered_peer(7);
mdns_records const records{"_p2p._udp.local", "abcdefghijabcdefghijabcdefghijab", 120s, 1452};

mdns_link link_of(std::size_t addresses = 2) {
    mdns_link link;
    for (std::size_t i = 0; i < addresses; ++i) link.addresses.push_back(address("/ip4/192.0.2." + std::to_string(i + 1) + "/tcp/4001", self));
    link.ipv4 = {{192, 0, 2, 1}};
    link.ipv6 = {{0xfd, 0x77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
    return link;
}

mdns_announcement read_one(dns_message const &m) {
    auto all = read_announcements(m, records.service(), 16);
    REQUIRE(all.size() == 1);
    return all.front();
}

dns_message response(std::vector<dns_record> answers, std::vector<dns_record> additionals = {}) {
    dns_message m;
    m.is_response = true;
    m.answers = std::move(answers);
    m.additionals = std::move(additionals);
    return m;
}

} // namespace

TEST_CASE("mdns_records: the announcement has the form that every libp2p node takes") {
    auto const m = records.announcement(link_of(), "alice");
    CHECK(m.is_response);
    CHECK(m.is_authoritative);
    CHECK(m.questions.empty());
    REQUIRE(m.answers.size() == 1);
    CHECK(m.answers[0].name == name("_p2p._udp.local"));
    CHECK(std::get<dns_name>(m.answers[0].data) == records.instance());
    CHECK_FALSE(m.answers[0].cache_flush); // shared with every other node
    CHECK(m.answers[0].ttl == 120s);
    REQUIRE(m.additionals.size() == 4);
    CHECK(m.additionals[0].name == records.instance());
    CHECK(std::get<dns_strings>(m.additionals[0].data) == dns_strings{"dnsaddr=/ip4/192.0.2.1/tcp/4001/p2p/" + self.to_string(),
                                                                     "dnsaddr=/ip4/192.0.2.2/tcp/4001/p2p/" + self.to_string(),
                                                                     "nickname=alice"});
    CHECK(std::get<dns_service>(m.additionals[1].data).port == 4001);
    CHECK(std::get<dns_service>(m.additionals[1].data).target == name("abcdefghijabcdefghijabcdefghijab.p2p.local"));
    CHECK(std::get<dns_ipv4>(m.additionals[2].data) == dns_ipv4{192, 0, 2, 1});
    CHECK(m.additionals[2].name == records.host());
    CHECK(m.additionals[3].type() == dns_type::aaaa);
    for (auto const &record : m.additionals) CHECK(record.cache_flush);
    // and every name is in lower case, on the wire too
    auto const wire = m.build().value();
    CHECK(to_text(wire).find("\4_p2p\4_udp\5local") != std::string::npos);
}

TEST_CASE("mdns_records: an announcement fits into one Ethernet frame") {
    auto const m = records.announcement(link_of(40), "alice");
    CHECK(m.build().value().size() <= 1452);
    auto const &strings = std::get<dns_strings>(m.additionals[0].data);
    CHECK(strings.size() > 10);
    CHECK(strings.front().starts_with("dnsaddr=/ip4/192.0.2.1/"));
    CHECK(strings.back() == "nickname=alice");
    CHECK(std::get<dns_strings>(records.announcement(link_of(40), "").additionals[0].data).back().starts_with("dnsaddr="));

    auto long_one = link_of(0);
    long_one.addresses = {address("/dns4/" + std::string(250, 'x') + "/tcp/1", self)};
    CHECK(std::get<dns_strings>(records.announcement(long_one, "").additionals[0].data).empty()); // above 255 bytes
    long_one.ipv4.assign(100, {});
    CHECK(records.announcement(long_one, "").additionals.size() < 10);
}

TEST_CASE("mdns_records: goodbye, service types and single records") {
    auto const bye = records.goodbye(link_of());
    REQUIRE(bye.answers.size() == 1);
    CHECK(bye.answers[0].ttl == 0s);
    for (auto const &record : bye.additionals) {
        CHECK(record.ttl == 0s);
        CHECK(record.type() != dns_type::txt); // js would take it for an announcement
    }
    CHECK(read_one(bye).goodbye);

    auto const types = records.service_types();
    CHECK(types.answers.at(0).name == name("_services._dns-sd._udp.local"));
    CHECK(std::get<dns_name>(types.answers.at(0).data) == name("_p2p._udp.local"));

    auto const srv = records.details(link_of(), "", {.service = true, .text = false, .ipv4 = false, .ipv6 = false});
    REQUIRE(srv.answers.size() == 1);
    CHECK(srv.answers[0].type() == dns_type::srv);
    CHECK(srv.additionals.size() == 2); // the addresses of its target
    auto const host = records.details(link_of(), "", {.service = false, .text = false, .ipv4 = true, .ipv6 = true});
    CHECK(host.answers.size() == 2);
    CHECK(host.additionals.empty());
}

TEST_CASE("mdns_records: for a legacy resolver") {
    dns_message query = records.query();
    query.id = 0x1234;
    query.questions[0].unicast_response = true;
    auto m = records.announcement(link_of(), "");
    mdns_records::make_legacy(m, query);
    CHECK(m.id == 0x1234);
    REQUIRE(m.questions.size() == 1);
    CHECK_FALSE(m.questions[0].unicast_response);
    for (auto const *section : {&m.answers, &m.additionals})
        for (auto const &record : *section) {
            CHECK(record.ttl <= 10s);
            CHECK_FALSE(record.cache_flush);
        }
}

TEST_CASE("mdns_records: a bad service or instance name") {
    CHECK_THROWS_AS((mdns_records{"a..b", "x", 1s, 1452}), error);
    CHECK_THROWS_AS((mdns_records{"_p2p._udp.local", std::string(64, 'x'), 1s, 1452}), error);
}

TEST_CASE("mdns_records: announcements of every libp2p are read") {
    auto const peer = numbered_peer(9);
    auto const one = "dnsaddr=/ip4/192.0.2.9/tcp/1/p2p/" + peer.to_string(), two = "dnsaddr=/ip6/fd77::9/tcp/1/p2p/" + peer.to_string();
    auto const instance = name("Xyz._p2p._udp.local"), lower = name("xyz._P2P._udp.local");
    dns_record const pointer{records.service(), 120s, false, instance};

    SUBCASE("js: one TXT for each address, in Answer") {
        auto const a = read_one(response({pointer, {instance, 120s, false, dns_strings{one}}, {instance, 120s, false, dns_strings{two}}}));
        CHECK(a.peer == peer);
        CHECK(a.addresses.size() == 2);
        CHECK_FALSE(a.flush);
        CHECK(a.ttl == 120s);
        CHECK(a.instance == "\3xyz\4_p2p\4_udp\5local");
    }
    SUBCASE("rust and gigi: in Additional, case does not matter") {
        auto const a = read_one(response({pointer}, {{lower, 360s, true, dns_strings{one, "nickname=bob", two}}}));
        CHECK(a.addresses.size() == 2);
        CHECK(a.flush);
        CHECK(a.nickname == "bob");
        CHECK(a.addresses[0].peer() == peer);
    }
    SUBCASE("Avahi: two services of one host in one message") {
        auto const other = numbered_peer(10);
        auto const all = read_announcements(
            response({pointer, {instance, 120s, true, dns_strings{one}},
                      {name("b._p2p._udp.local"), 120s, true, dns_strings{"dnsaddr=/ip4/192.0.2.9/tcp/2/p2p/" + other.to_string()}}}),
            records.service(), 16);
        REQUIRE(all.size() == 2);
        CHECK(all[0].peer == peer);
        CHECK(all[1].peer == other);
    }
    SUBCASE("other services are nothing to us") {
        CHECK(read_announcements(response({{name("a._http._tcp.local"), 120s, true, dns_strings{one}}, {name("_p2p._udp.local"), 120s, true, dns_strings{one}}}),
                                 records.service(), 16).empty());
    }
    SUBCASE("TTL 0 of the text only: nothing is announced") {
        CHECK(read_announcements(response({{instance, 0s, true, dns_strings{one}}}), records.service(), 16).empty());
    }
}

TEST_CASE("T20: what does not fit together is left out") {
    auto const peer = numbered_peer(9), other = numbered_peer(10);
    auto const at = [](std::string const &host, peer_id const &p) { return "dnsaddr=/ip4/" + host + "/tcp/1/p2p/" + p.to_string(); };
    auto const read = [](dns_strings strings) { return read_one(response({{name("a._p2p._udp.local"), 120s, true, std::move(strings)}})); };
    auto const mixed = read({at("192.0.2.1", peer), at("192.0.2.2", other), at("192.0.2.1", peer)});
    CHECK(mixed.peer == peer);
    CHECK(mixed.addresses.size() == 1);
    for (auto const *wrong : {"", "dnsaddr=", "dnsaddr=/", "dnsaddr=/ip4/192.0.2.1/tcp/1", "dnsaddr=/ip4/1.2.3/tcp/1/p2p/x", "dnsaddr",
                              "DNSADDR=/ip4/192.0.2.1/tcp/1", "dnsaddr=/ip4/192.0.2.1/tcp/1/p2p/12D3KooW", "\xff\xfe"}) {
        CAPTURE(wrong);
        auto const a = read({wrong});
        CHECK_FALSE(a.peer);
        CHECK(a.addresses.empty());
    }
    dns_strings many;
    for (int i = 0; i < 100; ++i) many.push_back(at("192.0.2." + std::to_string(i), peer));
    CHECK(read(many).addresses.size() == 16);

    std::vector<dns_record> crowd;
    for (int i = 0; i < 500; ++i) crowd.push_back({name("p" + std::to_string(i) + "._p2p._udp.local"), 120s, true, dns_strings{at("192.0.2.1", numbered_peer(static_cast<unsigned>(i)))}});
    CHECK(read_announcements(response(std::move(crowd)), records.service(), 16).size() == 64);
}

TEST_CASE("T23: a nickname with control characters is no nickname") {
    auto const nickname = [](std::string text) {
        return read_one(response({{name("a._p2p._udp.local"), 120s, true, dns_strings{"nickname=" + std::move(text)}}})).nickname;
    };
    CHECK(nickname("Jürgen") == "Jürgen");
    CHECK(nickname("\x1b[2J").empty());
    CHECK(nickname("a\nb").empty());
    CHECK(nickname("\xff").empty());
    CHECK(nickname(std::string(65, 'x')).empty());
}

} // namespace mdns_records_test
