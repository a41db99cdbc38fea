#include <gigi/link/inbound_limits.hpp>

#include <doctest/doctest.h>

#include <ostream>
#include <string>

namespace inbound_limits_test {

using namespace gigi;
using verdict = inbound_limits::verdict;

namespace {

swarm_options at_most(std::size_t per_host, std::size_t handshakes) {
    swarm_options o;
    o.max_connections_per_address = per_host;
    o.max_pending_handshakes = handshakes;
    return o;
}
std::string host(std::size_t n) { return "10.0." + std::to_string(n / 250) + "." + std::to_string(n % 250); }

} // namespace

TEST_CASE("T4, T29: inbound limits: a host's IPv6 addresses count as one") {
    struct { char const *address, *host; } const cases[] = {
        {"/ip4/192.0.2.7/tcp/1", "192.0.2.7"},
        {"/ip6/::ffff:192.0.2.7/tcp/1", "192.0.2.7"},
        {"/ip6/::192.0.2.7/tcp/1", "::/64"},
        {"/ip6/2001:db8:1:2:3:4:5:6/tcp/1", "2001:db8:1:2::/64"},
        {"/ip6/2001:db8:1:2::1/tcp/1", "2001:db8:1:2::/64"},
        {"/ip6/2001:db8:1:3::1/tcp/1", "2001:db8:1:3::/64"},
        {"/ip6/fd00::1/tcp/1", "fd00::/64"},
        {"/ip6/fe80::1/tcp/1", "fe80::1"},
        {"/ip6zone/eth0/ip6/fe80::2/tcp/1", "fe80::2"},
        {"/ip6/febf::2/tcp/1", "febf::2"},
        {"/ip6/fec0::2/tcp/1", "fec0::/64"},
        {"/ip6/::1/tcp/1", "::/64"},
    };
    for (auto const &c : cases) {
        CAPTURE(c.address);
        CHECK(inbound_limits::host_of(multiaddr::parse(c.address).value()) == c.host);
    }
}

TEST_CASE("T29: inbound limits: no more handshakes at once than there may be, from however many hosts") {
    for (std::size_t const most : {std::size_t{1}, std::size_t{5}, std::size_t{16}, std::size_t{128}}) {
        CAPTURE(most);
        inbound_limits limits{at_most(1000, most)};
        for (std::size_t n = 0; n < most; ++n) {
            REQUIRE(limits.judge(host(n)) == verdict::welcome);
            limits.begin_handshake(host(n));
        }
        CHECK(limits.judge(host(most)) == verdict::full);
        limits.end_handshake(host(0));
        CHECK(limits.judge(host(most)) == verdict::welcome);
    }
}

TEST_CASE("T29: inbound limits: the last eighth of the handshakes is for hosts that have none") {
    inbound_limits limits{at_most(1000, 16)};
    for (int n = 0; n < 14; ++n) {
        REQUIRE(limits.judge("10.0.0.66") == verdict::welcome);
        limits.begin_handshake("10.0.0.66");
    }
    CHECK(limits.judge("10.0.0.66") == verdict::full);
    CHECK(limits.judge("10.0.0.1") == verdict::welcome);
    limits.end_handshake("10.0.0.66");
    CHECK(limits.judge("10.0.0.66") == verdict::welcome);
}

TEST_CASE("T4: inbound limits: a host's handshakes and connections count together, and are forgotten with it") {
    inbound_limits limits{at_most(3, 100)};
    for (int round = 0; round < 3; ++round) {
        limits.add_connection("10.0.0.66");
        limits.begin_handshake("10.0.0.66");
        CHECK(limits.judge("10.0.0.66") == verdict::welcome);
        limits.begin_handshake("10.0.0.66");
        CHECK(limits.judge("10.0.0.66") == verdict::host_has_enough);
        CHECK(limits.judge("10.0.0.1") == verdict::welcome);
        CHECK(limits.hosts() == 1);
        limits.end_handshake("10.0.0.66");
        limits.remove_connection("10.0.0.66");
        limits.end_handshake("10.0.0.66");
        CHECK(limits.hosts() == 0);
    }
}

} // namespace inbound_limits_test
