#include <gigi/discovery/mdns_core.hpp>
#include <gigi/discovery/mdns_options.hpp>

#include "mdns_support.hpp"

#include <doctest/doctest.h>

#include <ostream>

namespace mdns_core_test {

using namespace gigi;
using namespace gigi::testing;
using namespace std::literals;

namespace {

bool is_query(mdns_datagram const &d) { return !dns_message::parse(d.data).value().is_response; }
bool is_response(mdns_datagram const &d) { return !is_query(d); }
bool is_goodbye(mdns_datagram const &d) {
    auto const m = dns_message::parse(d.data).value();
    return m.is_response && !m.answers.empty() && m.answers[0].ttl == 0s;
}

/// A lone node that a test talks to, with the first announcements behind it.
struct lone_node : mdns_network {
    explicit lone_node(mdns_options const &options = mdns_options()) : node{add(options)} {
        run(10s);
        node.sent.clear();
    }

    void hear(dns_message const &m, mdns_endpoint const &from = from_ipv4(77)) {
        auto const wire = m.build().value();
        node.core.receive(now, 1, from, wire);
    }

    dns_message ask(dns_name const &what, dns_type type, bool unicast = false) const {
        dns_message m;
        m.questions.push_back({what, type, unicast});
        return m;
    }

    /// The responses of this time.
    std::vector<mdns_datagram> responses(duration span) {
        node.sent.clear();
        run(span);
        std::erase_if(node.sent, is_query);
        return node.sent;
    }

    mdns_node &node;
    dns_name const service = name("_p2p._udp.local");
};

dns_message announcement_of(unsigned peer, std::string const &at, std::string const &instance = "x") {
    dns_message m;
    m.is_response = true;
    auto const full = name(instance + "._p2p._udp.local");
    m.answers.push_back({name("_p2p._udp.local"), 120s, false, full});
    m.additionals.push_back({full, 120s, true, dns_strings{"dnsaddr=" + at + "/p2p/" + numbered_peer(peer).to_string()}});
    return m;
}

} // namespace

TEST_CASE("mdns_core: nodes find each other within half a second") {
    mdns_network network;
    auto &a = network.add();
    network.run(30s);
    auto &b = network.add();
    b.core.set_nickname(network.now, "bob");
    network.run(500ms);
    REQUIRE(a.found_count(b.id) >= 1);
    REQUIRE(b.found_count(a.id) >= 1);
    CHECK(b.found[0].addresses == a.link().addresses);
    CHECK(a.found[0].nickname == "bob");
    CHECK(a.found_count(a.id) == 0); // not ourselves, though we hear ourselves
    network.run(10min);
    CHECK(a.found.size() == 1); // and nothing expires or is reported again while both are there
    CHECK(a.expired.empty());
}

TEST_CASE("mdns_core: the name of a node is random") {
    mdns_node a{1}, b{2};
    auto const label = a.core.records().instance().first_label();
    CHECK(label.size() == 40);
    CHECK(std::ranges::all_of(label, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }));
    CHECK_FALSE(a.core.records().instance() == b.core.records().instance());
}

TEST_CASE("mdns_core: a goodbye at the end") {
    mdns_network network;
    auto &a = network.add(), &b = network.add();
    network.run(5s);
    a.core.stop();
    CHECK(a.core.next_wakeup() > network.now + 10s);
    network.run(2s);
    CHECK(is_goodbye(a.sent.back()));
    CHECK(b.expired == std::vector{a.id});
    a.sent.clear();
    network.run(1min);
    CHECK(a.sent.empty());
}

TEST_CASE("mdns_core: without a goodbye, the TTL") {
    mdns_network network;
    auto &a = network.add(), &b = network.add();
    network.run(5s);
    network.lost = [&](auto const &from, auto const &) { return &from == &a; };
    network.run(100s);
    CHECK(b.expired.empty());
    network.run(60s);
    CHECK(b.expired == std::vector{a.id});
}

TEST_CASE("mdns_core: a lossy network is no reason to expire anybody") {
    mdns_network network;
    for (int i = 0; i < 5; ++i) network.add();
    seeded_random random{1};
    network.lost = [&](auto const &, auto const &) { return random.fraction() < 0.3; };
    network.run(30min);
    for (auto const &node : network.nodes) {
        CHECK(node->core.peer_count() == 4);
        CHECK(node->expired.empty());
    }
}

TEST_CASE("mdns_core: queries at 0, 1 and 3 seconds, then about every 20") {
    mdns_network network;
    auto &a = network.add();
    auto const queries = [&](duration span) {
        a.sent.clear();
        network.run(span);
        return std::ranges::count_if(a.sent, is_query);
    };
    CHECK(queries(500ms) == 1);
    CHECK(queries(1s) == 1);
    CHECK(queries(1s) == 0);
    CHECK(queries(1s) == 1);
    CHECK(queries(10s) == 0);
    auto const many = queries(1000s);
    CHECK(many >= 40);
    CHECK(many <= 70);
}

TEST_CASE("mdns_core: RFC 6762 §7.3: nodes do not all ask") {
    mdns_network network;
    for (int i = 0; i < 20; ++i) network.add();
    network.run(10s);
    for (auto &node : network.nodes) node->sent.clear();
    network.run(200s);
    std::ptrdiff_t queries = 0;
    for (auto &node : network.nodes) queries += std::ranges::count_if(node->sent, is_query);
    CHECK(queries >= 8);
    CHECK(queries <= 20); // rather than 200
    for (auto &node : network.nodes) CHECK(node->core.peer_count() == 19);
}

TEST_CASE("mdns_core: one multicast answer a second, however often it is asked (RFC 6762 §6)") {
    lone_node n;
    n.node.sent.clear();
    for (int i = 0; i < 1000; ++i) {
        n.hear(n.ask(n.service, dns_type::ptr));
        n.run(5ms);
    }
    auto const answers = std::ranges::count_if(n.node.sent, is_response);
    CHECK(answers >= 4);
    CHECK(answers <= 6);
    n.hear(n.ask(n.service, dns_type::ptr));
    auto const late = n.responses(2s);
    REQUIRE(late.size() == 1); // and whoever asks is answered, if later
    CHECK(late[0].to == mdns_endpoint());
}

TEST_CASE("mdns_core: what is asked for is answered") {
    lone_node n;
    auto const &records = n.node.core.records();
    auto const upper = [](dns_name const &from) {
        auto text = from.to_text();
        for (auto &c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        return name(text);
    };
    struct { char const *what; dns_message query; std::size_t answers; dns_type first; } const cases[] = {
        {"service", n.ask(n.service, dns_type::ptr), 1, dns_type::ptr},
        {"service, any", n.ask(n.service, dns_type::any), 1, dns_type::ptr},
        {"service in upper case", n.ask(upper(n.service), dns_type::ptr), 1, dns_type::ptr},
        {"service types", n.ask(records.meta(), dns_type::ptr), 1, dns_type::ptr},
        {"instance SRV", n.ask(records.instance(), dns_type::srv), 1, dns_type::srv},
        {"instance TXT", n.ask(upper(records.instance()), dns_type::txt), 1, dns_type::txt},
        {"instance any", n.ask(records.instance(), dns_type::any), 2, dns_type::txt},
        {"host A", n.ask(records.host(), dns_type::a), 1, dns_type::a},
        {"host any", n.ask(records.host(), dns_type::any), 1, dns_type::a},
        {"service, wrong type", n.ask(n.service, dns_type::a), 0, {}},
        {"instance, wrong type", n.ask(records.instance(), dns_type::a), 0, {}},
        {"another service", n.ask(name("_http._tcp.local"), dns_type::ptr), 0, {}},
        {"another instance", n.ask(name("x._p2p._udp.local"), dns_type::any), 0, {}},
    };
    for (auto const &c : cases) {
        CAPTURE(c.what);
        n.run(2s);
        n.hear(c.query);
        auto const answers = n.responses(500ms);
        REQUIRE(answers.size() == (c.answers ? 1 : 0));
        if (!c.answers) continue;
        auto const m = dns_message::parse(answers[0].data).value();
        CHECK(m.answers.size() == c.answers);
        CHECK(m.answers[0].type() == c.first);
        CHECK(m.questions.empty());
        CHECK(m.id == 0);
    }
    n.run(5s);
    auto both = n.ask(records.meta(), dns_type::ptr); // js wants the announcement alone, so nothing else is with it
    both.questions.push_back({n.service, dns_type::ptr, false});
    both.questions.push_back({records.instance(), dns_type::txt, false});
    n.hear(both);
    CHECK(n.responses(500ms).size() == 3);
}

TEST_CASE("mdns_core: known answers are not repeated") {
    lone_node n;
    auto query = n.ask(n.service, dns_type::ptr);
    query.answers.push_back({n.service, 61s, false, n.node.core.records().instance()});
    n.hear(query);
    CHECK(n.responses(500ms).empty());
    query.answers[0].ttl = 59s; // less than half of it is left
    n.hear(query);
    CHECK(n.responses(500ms).size() == 1);
    query.answers[0] = {n.service, 120s, false, name("another._p2p._udp.local")};
    n.run(2s);
    n.hear(query);
    CHECK(n.responses(500ms).size() == 1);
}

TEST_CASE("mdns_core: unicast answers for those who ask for them") {
    lone_node n;
    SUBCASE("QU: to the asker alone where all have heard us lately") {
        n.run(5s);
        n.hear(n.ask(n.service, dns_type::ptr));
        n.run(1s);
        n.hear(n.ask(n.service, dns_type::ptr, true), from_ipv4(9));
        auto const answers = n.responses(500ms);
        REQUIRE(answers.size() == 1);
        CHECK(answers[0].to == from_ipv4(9));
        auto const m = dns_message::parse(answers[0].data).value();
        CHECK(m.answers.at(0).ttl == 120s);
        CHECK(m.questions.empty());
    }
    SUBCASE("QU: to all where nobody has heard us for long") {
        n.node.core.set_link(n.now, n.node.link());
        n.lost = [](auto const &, auto const &) { return true; }; // not even our own queries
        n.run(40s);
        n.hear(n.ask(n.service, dns_type::ptr, true), from_ipv4(9));
        auto const answers = n.responses(500ms);
        REQUIRE(answers.size() == 1);
        CHECK(answers[0].to == mdns_endpoint());
    }
    SUBCASE("legacy: a resolver with a port of its own") {
        auto query = n.ask(n.service, dns_type::ptr);
        query.id = 4711;
        n.hear(query, from_ipv4(9, 40000));
        auto const answers = n.responses(500ms);
        REQUIRE(answers.size() == 1);
        CHECK(answers[0].to == from_ipv4(9, 40000));
        auto const m = dns_message::parse(answers[0].data).value();
        CHECK(m.id == 4711);
        CHECK(m.questions.size() == 1);
        CHECK(m.answers.at(0).ttl == 10s);
    }
    SUBCASE("not more than 20 a second: we are no amplifier") {
        for (int i = 0; i < 1000; ++i) n.hear(n.ask(n.service, dns_type::ptr), from_ipv4(9, 40000));
        CHECK(n.responses(100ms).size() <= 21);
        n.run(2s);
        n.hear(n.ask(n.service, dns_type::ptr), from_ipv4(9, 40000));
        CHECK(n.responses(100ms).size() == 1);
    }
}

TEST_CASE("mdns_core: what is not announced") {
    mdns_network network;
    auto &a = network.add();
    auto silent = a.link();
    silent.addresses.clear();
    SUBCASE("no addresses: it asks, and says nothing about itself") {
        network.nodes[0] = std::make_unique<mdns_node>(1u);
        auto &quiet = *network.nodes[0];
        quiet.core.set_link(network.now, silent);
        auto &b = network.add();
        network.run(5s);
        CHECK(std::ranges::none_of(quiet.sent, is_response));
        CHECK(quiet.found_count(b.id) == 1);
        CHECK(b.found.empty());
        quiet.core.stop();
        CHECK(quiet.core.datagrams().empty());
    }
    SUBCASE("no addresses any more: goodbye") {
        auto &b = network.add();
        network.run(5s);
        a.core.set_link(network.now, silent);
        network.run(2s);
        CHECK(b.expired == std::vector{a.id});
        a.core.set_link(network.now, a.link());
        network.run(1s);
        CHECK(b.found_count(a.id) == 2);
    }
}

TEST_CASE("mdns_core: changes are announced") {
    mdns_network network;
    auto &a = network.add(), &b = network.add();
    network.run(5s);
    auto moved = a.link();
    moved.addresses = {address("/ip4/192.0.2.1/tcp/9999", a.id)};
    a.core.set_link(network.now, moved);
    network.run(2s);
    CHECK(b.found.back().addresses == moved.addresses); // and not the old one
    a.core.set_nickname(network.now, "al");
    network.run(2s);
    CHECK(b.found.back().nickname == "al");
    a.core.set_nickname(network.now, "al\x07");
    network.run(2s);
    CHECK(b.found.back().nickname.empty());
    auto const before = b.found.size();
    a.sent.clear();
    a.core.set_link(network.now, moved); // no change
    network.run(1s);
    CHECK(std::ranges::none_of(a.sent, is_response));
    CHECK(b.found.size() == before);
}

TEST_CASE("T31: a link that goes and comes back") {
    mdns_network network;
    auto &a = network.add(), &b = network.add();
    network.run(5s);
    b.core.remove_link(network.now, 1);
    a.sent.clear();
    network.run(5s);
    CHECK(b.expired.empty());
    network.run(10s);
    CHECK(b.expired == std::vector{a.id});
    b.core.set_link(network.now, b.link());
    network.run(500ms);
    CHECK(b.found_count(a.id) == 2);
    SUBCASE("and time that jumps: a machine that slept expires nobody wrongly for long") {
        network.now += 24h;
        network.run(3s);
        CHECK(a.core.peer_count() == 1);
        CHECK(b.core.peer_count() == 1);
    }
}

TEST_CASE("mdns_core: messages that are not for us") {
    lone_node n;
    auto good = announcement_of(50, "/ip4/192.0.2.50/tcp/1");
    SUBCASE("a response from another port than 5353") { n.hear(good, from_ipv4(50, 5354)); }
    SUBCASE("an opcode") { good.opcode = 1, n.hear(good); }
    SUBCASE("an error") { good.response_code = 3, n.hear(good); }
    SUBCASE("garbage") {
        bytes const garbage(100, 0xff);
        n.node.core.receive(n.now, 1, from_ipv4(50), garbage);
    }
    SUBCASE("an unknown link") { n.node.core.receive(n.now, 9, from_ipv4(50), good.build().value()); }
    SUBCASE("our own id") { n.hear(announcement_of(1, "/ip4/192.0.2.50/tcp/1")); }
    SUBCASE("our own name") {
        n.hear(announcement_of(50, "/ip4/192.0.2.50/tcp/1", std::string{n.node.core.records().instance().first_label()}));
    }
    n.run(1s);
    CHECK(n.node.found.empty());
    n.hear(announcement_of(50, "/ip4/192.0.2.50/tcp/1"));
    n.run(1s);
    CHECK(n.node.found.size() == 1); // the same, but as it should be
}

TEST_CASE("T20: a goodbye in our name is contradicted") {
    lone_node n;
    dns_message bye;
    bye.is_response = true;
    bye.answers.push_back({n.service, 0s, false, n.node.core.records().instance()});
    n.hear(bye);
    CHECK_FALSE(n.responses(500ms).empty()); // within the second that RFC 6762 §10.1 gives us
}

TEST_CASE("T15: addresses that cannot be another node's are not passed on") {
    lone_node n;
    struct { char const *address; unsigned source; bool good; } const cases[] = {
        {"/ip4/192.0.2.50/tcp/1", 50, true}, {"/ip6/fd77::50/tcp/1", 50, true}, {"/dns4/example.org/tcp/1", 50, false},
        {"/dns4/localhost/tcp/22", 50, false}, {"/dns4/localhost/tcp/22", 1, false},
        {"/ip4/10.0.0.1/tcp/22", 50, true},
        {"/ip4/127.0.0.1/tcp/22", 50, false}, {"/ip6/::1/tcp/22", 50, false}, {"/ip4/0.0.0.0/tcp/1", 50, false},
        {"/ip6/::ffff:127.0.0.1/tcp/22", 50, false}, {"/ip6/::ffff:0.0.0.0/tcp/1", 50, false}, {"/ip6/::ffff:224.0.0.251/tcp/1", 50, false},
        {"/ip6/::/tcp/1", 50, false}, {"/ip4/224.0.0.251/tcp/1", 50, false}, {"/ip6/ff02::fb/tcp/1", 50, false},
        {"/ip4/127.0.0.1/tcp/22", 1, true}, // another node on this host
    };
    unsigned peer = 100;
    for (auto const &c : cases) {
        CAPTURE(c.address);
        n.node.found.clear();
        ++peer;
        n.hear(announcement_of(peer, c.address, "x" + std::to_string(peer)), from_ipv4(c.source));
        n.run(1ms);
        CHECK(n.node.found.size() == (c.good ? 1 : 0));
    }
}

TEST_CASE("mdns_core: a link-local address is one of the network where it was heard") {
    lone_node n;
    n.hear(announcement_of(50, "/ip6/fe80::50/tcp/1"));
    n.run(1ms);
    REQUIRE(n.node.found.size() == 1);
    CHECK(n.node.found[0].addresses.at(0).to_string() == "/ip6zone/eth0/ip6/fe80::50/tcp/1/p2p/" + numbered_peer(50).to_string());
}

TEST_CASE("mdns_core: another service is another world") {
    mdns_options other;
    other.service = "_p2p-0123abcd._udp.local";
    mdns_network network;
    auto &a = network.add(), &b = network.add(other), &c = network.add(other);
    network.run(5s);
    CHECK(a.found.empty());
    CHECK(b.found_count(c.id) == 1);
    CHECK(b.found_count(a.id) == 0);
    other.service = "..";
    CHECK_THROWS_AS(mdns_node(9, other), error);
}

TEST_CASE("T20: a hostile flood leaves the node with what it has, and working") {
    lone_node n;
    auto &friendly = n.add();
    n.run(2s);
    REQUIRE(n.node.found_count(friendly.id) == 1);
    seeded_random random{3};
    for (unsigned i = 0; i < 3000; ++i) {
        auto m = announcement_of(1000 + i, "/ip4/192.0.2.66/tcp/1", "evil" + std::to_string(i));
        if (i % 3 == 0) m.answers.push_back({n.service, 0s, false, name("evil" + std::to_string(i / 2) + "._p2p._udp.local")});
        auto wire = m.build().value();
        if (i % 2) wire[random.below(wire.size())] ^= static_cast<std::uint8_t>(1 << random.below(8));
        n.node.core.receive(n.now, 1, from_ipv4(66), wire);
        if (i % 10 == 0) n.run(1ms);
    }
    CHECK(n.node.core.peer_count() <= mdns_options().max_peers);
    CHECK(std::ranges::count(n.node.expired, friendly.id) == 0);
    auto &late = n.add();
    n.run(2s);
    CHECK(n.node.found_count(late.id) == 1);
}

} // namespace mdns_core_test
