// Addresses and peer ids, as text and as bytes: both forms lead to each other; the bases (58, 36, 32, 64) decode what they encode.
#include "fuzz.hpp"

#include <gigi/peer/multiaddr.hpp>
#include <gigi/peer/multibase.hpp>

#include "support/vectors.hpp"

namespace multiaddr_fuzz {

using namespace gigi;

namespace {

void check_peer(peer_id const &id) {
    FUZZ_CHECK(!id.empty() && id.data().size() <= peer_id::max_size);
    FUZZ_CHECK(peer_id::parse(id.to_string()).value() == id && peer_id::from_bytes(id.data()).value() == id);
    if (auto const key = id.key()) FUZZ_CHECK(id.matches(*key) && peer_id::from_public_key(*key) == id);
}

void check_address(multiaddr const &address) {
    FUZZ_CHECK(!address.empty() && address.bytes().size() <= multiaddr::max_size);
    auto const text = address.to_string();
    for (auto const c : text) FUZZ_CHECK(c > ' ' && c < 0x7f); // whatever bytes came, the text can be shown
    auto const again = multiaddr::parse(text);
    FUZZ_CHECK(again && *again == address && again->to_string() == text);
    FUZZ_CHECK(multiaddr::from_bytes(address.bytes()).value() == address);
    auto const bare = address.without_peer();
    if (auto const peer = address.peer()) {
        check_peer(*peer);
        FUZZ_CHECK(address.with_peer(*peer) == address);
        if (!bare.peer()) FUZZ_CHECK(bare.with_peer(*peer) == address); // two in a row can be said, and the last one counts
    } else {
        FUZZ_CHECK(bare == address);
    }
    auto const ip = address.ip();
    FUZZ_CHECK(ip.empty() || ip.size() == 4 || ip.size() == 16);
    FUZZ_CHECK(!ip.empty() || (!address.is_loopback() && !address.is_unspecified()));
    if (address.is_tcp()) FUZZ_CHECK(address.tcp_port() && !address.ip_text().empty());
    FUZZ_CHECK(address.zone().empty() || address.has("ip6zone"));
}

} // namespace

FUZZ_TARGET(multiaddr) {
    {
        fuzz::memory_limit const limit{fuzz::several_times(8, data)};
        auto const from_text = multiaddr::parse(as_text(data));
        fuzz::check_result(from_text);
    }
    if (auto const address = multiaddr::parse(as_text(data))) check_address(*address);
    auto const from_raw = multiaddr::from_bytes(data);
    fuzz::check_result(from_raw);
    if (from_raw) check_address(*from_raw);

    for (auto const &id : {peer_id::parse(as_text(data)), peer_id::from_bytes(data)}) {
        fuzz::check_result(id);
        if (id) check_peer(*id);
    }
    auto const part = data.first(std::min<std::size_t>(data.size(), 80));
    FUZZ_CHECK(equal(from_base58(to_base58(part)).value(), part));
    FUZZ_CHECK(equal(from_base64url(to_base64url(part)).value(), part));
    if (auto const raw = from_base64url(as_text(part))) FUZZ_CHECK(to_base64url(*raw) == as_text(part)); // one text for one value
    if (auto const raw = from_base58(as_text(part))) FUZZ_CHECK(to_base58(*raw) == as_text(part));
    fuzz::check_result(from_base32(as_text(data)));
    fuzz::check_result(from_base36(as_text(data)));
    fuzz::check_result(from_hex(as_text(data)));
    FUZZ_CHECK(equal(from_hex(to_hex(part)).value(), part));
}

FUZZ_SEEDS {
    fuzz::inputs all;
    for (std::string const text : {"/ip4/127.0.0.1/tcp/4001", "/ip6/::1/udp/4001/quic-v1", "/ip6zone/eth0/ip6/fe80::1/tcp/1", "/dns4/example.local/tcp/443/wss",
                                   "/ip4/10.0.0.1/tcp/1/p2p/12D3KooWHapb8N5NzEmvQeSPLE5LJhhXKEciBGGKRsif47pnjCaq",
                                   "/ip4/1.2.3.4/udp/1/webrtc-direct/certhash/uEiAkH5a4DPGKUuOBjYw0CgwjLa2R_RF71v86aVxlqdKNOQ", "/dns/x/tcp/80/http/http-path/a%2fb",
                                   "/dnsaddr/x/p2p-circuit/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N"}) {
        all.push_back(to_bytes(text));
        all.push_back(to_bytes(multiaddr::parse(text).value().bytes()));
    }
    all.push_back(to_bytes(test::vector("peerId")));
    all.push_back(from_hex(test::vector("peerIdMultihash")).value());
    auto path = from_hex("e103fc07").value(); // the longest text for so few bytes
    path.resize(multiaddr::max_size, 0xff);
    all.push_back(path);
    all.push_back(to_bytes(std::string_view{"k51qzi5uqu5dkwkqm42v9j9kqcam2jiuvloi16g72i4i4amoo2m8u3ol3mqu6s"}));
    return all;
}

} // namespace multiaddr_fuzz
