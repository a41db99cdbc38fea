#include <gigi/peer/multiaddr.hpp>

#include "peer_support.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

namespace multiaddr_test {

using namespace gigi;
using namespace gigi::test;

TEST_CASE("multiaddr: golden bytes, text and bytes and back") {
    for (auto const *text : {"/ip4/127.0.0.1/tcp/4001", "/ip6/::1/udp/4001/quic-v1", "/ip4/10.0.0.1/tcp/1/p2p/12D3KooWHapb8N5NzEmvQeSPLE5LJhhXKEciBGGKRsif47pnjCaq",
                             "/dns4/example.local/tcp/443"}) {
        auto const a = address(text);
        CHECK(to_hex(a.bytes()) == vector(text));
        CHECK(a.to_string() == text);
        CHECK(multiaddr::from_bytes(a.bytes()).value() == a);
    }
    CHECK(address("/ip6/2001:DB8:0:0::1/tcp/1").to_string() == "/ip6/2001:db8::1/tcp/1");
    CHECK(address("/ip4/1.2.3.4/tcp/5/ipfs/12D3KooWHapb8N5NzEmvQeSPLE5LJhhXKEciBGGKRsif47pnjCaq").peer().value() == golden_identity().id());
    CHECK(address("/ip6zone/eth0/ip6/fe80::1/tcp/1").zone() == "eth0");
    CHECK(address("/ip4/1.2.3.4/udp/5/quic-v1/p2p/12D3KooWHapb8N5NzEmvQeSPLE5LJhhXKEciBGGKRsif47pnjCaq/p2p-circuit").to_string().ends_with("/p2p-circuit"));
}

TEST_CASE("multiaddr: what it says") {
    auto const id = golden_identity().id();
    auto const a = address("/ip4/192.0.2.7/tcp/4001");
    CHECK(a.is_tcp());
    CHECK(a.tcp_port() == 4001);
    CHECK(a.ip_text() == "192.0.2.7");
    CHECK_FALSE(a.peer());
    CHECK(a.with_peer(id).peer() == id);
    CHECK(a.with_peer(id).is_tcp());
    CHECK(a.with_peer(id).without_peer() == a);
    CHECK(a.with_peer(id).with_peer(id) == a.with_peer(id));
    CHECK(address("/ip6/::/tcp/1").is_unspecified());
    CHECK(address("/ip4/127.8.8.8/tcp/1").is_loopback());
    CHECK(address("/ip6/::1/tcp/1").is_loopback());
    CHECK(address("/ip6/::ffff:127.8.8.8/tcp/1").is_loopback());
    CHECK(address("/ip6/::ffff:0.0.0.0/tcp/1").is_unspecified());
    CHECK_FALSE(address("/ip6/::127.0.0.1/tcp/1").is_loopback()); // no longer a mapped form (RFC 4291 §2.5.5.1)
    CHECK(equal(address("/ip6/::ffff:192.0.2.7/tcp/1").ip_unmapped(), address("/ip4/192.0.2.7/tcp/1").ip()));
    CHECK(address("/ip6/::fffe:192.0.2.7/tcp/1").ip_unmapped().size() == 16);
    CHECK_FALSE(address("/ip4/1.1.1.1/udp/1/quic-v1").is_tcp());
    CHECK_FALSE(address("/ip4/1.1.1.1/tcp/1/ws").is_tcp());
    CHECK(address("/dns/example.org/tcp/1").ip_text() == "example.org");
    CHECK(multiaddr::tcp(bytes{1, 2, 3, 4}, 5) == address("/ip4/1.2.3.4/tcp/5"));
}

TEST_CASE("multiaddr: what is none is refused: texts, and bytes cut at any place") {
    for (auto const *bad : {"", "/", "ip4/1.2.3.4/tcp/1", "/ip4", "/ip4/", "/ip4/1.2.3", "/ip4/1.2.3.4/tcp", "/ip4/1.2.3.4/tcp/65536", "/ip4/1.2.3.4/tcp/-1", "/ip4/1.2.3.4/tcp/1x",
                            "/ip6/1.2.3.4/tcp/1", "/ip4/::1/tcp/1", "/what/1", "/dns4//tcp/1", "/dns4/a b/tcp/1", "/p2p/nobody", "/ip4/1.2.3.4//tcp/1"})
        CHECK(multiaddr::parse(bad).error() == errc::invalid_address);
    CHECK_FALSE(multiaddr::parse("/dns4/" + std::string(300, 'a') + "/tcp/1"));
    std::string many;
    for (int i = 0; i < 20; ++i) many += "/ip4/1.2.3.4";
    CHECK_FALSE(multiaddr::parse(many));
    auto const whole = address("/dns4/example.local/tcp/443/p2p/12D3KooWHapb8N5NzEmvQeSPLE5LJhhXKEciBGGKRsif47pnjCaq");
    std::size_t sound = 0;
    for (std::size_t n = 0; n < whole.bytes().size(); ++n) sound += multiaddr::from_bytes(whole.bytes().first(n)).has_value();
    CHECK(sound == 2); // after the name, and after the port
    CHECK_FALSE(multiaddr::from_bytes(from_hex("ffff7f").value()));
    CHECK_FALSE(multiaddr::from_bytes(from_hex("36ffffffff0f61").value()));
}

TEST_CASE("multiaddr: what gigi cannot dial is kept and written as others write it") {
    for (auto const *text : {"/ip4/1.2.3.4/udp/4001/quic-v1/webtransport/certhash/uEiAkH5a4DPGKUuOBjYw0CgwjvcJCJMD2K_1aluKR_tpevQ", "/ip4/1.2.3.4/tcp/443/tls/sni/example.org/ws",
                             "/dns/example.org/tcp/443/wss", "/dnsaddr/bootstrap.libp2p.io", "/ip4/1.2.3.4/udp/1/webrtc-direct", "/ip4/1.2.3.4/tcp/80/http/http-path/a%2fb~c",
                             "/ip4/1.2.3.4/tcp/1/p2p/12D3KooWHapb8N5NzEmvQeSPLE5LJhhXKEciBGGKRsif47pnjCaq/p2p-circuit"}) {
        CAPTURE(text);
        auto const a = address(text);
        CHECK(a.to_string() == text);
        CHECK(multiaddr::from_bytes(a.bytes()).value() == a);
        CHECK_FALSE(a.is_tcp());
    }
    CHECK(to_hex(address("/http-path/a%2Fb").bytes()) == "e103" "03" "612f62");
    // in binary any bytes may stand there; as text they come back whole
    auto const path = multiaddr::from_bytes(from_hex("e1030400ff2f25").value()).value();
    CHECK(multiaddr::parse(path.to_string()).value() == path);
    auto longest = from_hex("e103fc07").value(); // as many of them as fit
    longest.resize(multiaddr::max_size, 0xff);
    auto const long_path = multiaddr::from_bytes(longest).value();
    CHECK(multiaddr::parse(long_path.to_string()).value() == long_path);
    for (auto const *bad : {"/certhash/u", "/certhash/zabc", "/certhash/uE!", "/certhash/", "/http-path/%", "/http-path/%2", "/http-path/%zz", "/sni/"}) CHECK_FALSE(multiaddr::parse(bad));
    CHECK_FALSE(multiaddr::from_bytes(from_hex("ad0201").value())); // a protocol whose form is not known
}

TEST_CASE("multiaddr: texts of one address are one value") {
    CHECK(address("/ip6/0:0:0:0:0:0:0:1/tcp/00080/") == address("/ip6/::1/tcp/80"));
    CHECK(address("/ip6/::ffff:1.2.3.4/tcp/1").ip().size() == 16);
    CHECK(std::hash<multiaddr>{}(address("/ip6/::0001/tcp/1")) == std::hash<multiaddr>{}(address("/ip6/::1/tcp/1")));
    CHECK(address("/ip4/1.2.3.4/tcp/1") < address("/ip4/1.2.3.4/tcp/2"));
    CHECK_FALSE(multiaddr::parse(std::string_view{"/ip4/1.2.3.4\0/tcp/1", 19}));
    CHECK_FALSE(multiaddr::parse("/ip4/1.2.3.04/tcp/1"));
    CHECK_FALSE(multiaddr::parse("/ip4/1.2.3.4.5/tcp/1"));
    CHECK_FALSE(multiaddr::parse("/ip6/fe80::1%eth0/tcp/1"));
    CHECK(multiaddr::tcp(bytes{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 7, "eth0").to_string() == "/ip6zone/eth0/ip6/fe80::1/tcp/7");
    CHECK(multiaddr{}.to_string().empty());
    CHECK_FALSE(multiaddr{}.peer());
    CHECK(multiaddr{}.ip().empty());
}

TEST_CASE("T2: multiaddr: random bytes never do more than be refused, and what is taken comes back through its text") {
    seeded_random random{7};
    std::vector<bytes> const seeds{to_bytes(address("/dns4/example.local/tcp/443/p2p/12D3KooWHapb8N5NzEmvQeSPLE5LJhhXKEciBGGKRsif47pnjCaq").bytes()),
                                   to_bytes(address("/ip6zone/eth0/ip6/fe80::1/tcp/1").bytes()), to_bytes(address("/ip4/1.2.3.4/udp/1/quic-v1/webtransport/certhash/uEiAA").bytes())};
    int taken = 0;
    for (int i = 0; i < 3000; ++i) {
        bytes data = seeds[random.below(seeds.size())];
        for (auto n = 1 + random.below(3); n > 0; --n) data[random.below(data.size())] = static_cast<std::uint8_t>(random.next());
        auto const a = multiaddr::from_bytes(data);
        if (!a) continue;
        ++taken;
        CHECK(multiaddr::parse(a->to_string()).value() == *a);
    }
    CHECK(taken > 100);
    CHECK_FALSE(multiaddr::from_bytes(bytes(multiaddr::max_size + 1, 4)));
}

} // namespace multiaddr_test
