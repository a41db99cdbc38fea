#include <gigi/peer/peer_id.hpp>

#include <gigi/peer/multibase.hpp>

#include "peer_support.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <unordered_set>
#include <vector>

namespace peer_id_test {

using namespace gigi;
using namespace gigi::test;

TEST_CASE("peer_id: text forms, and what is none") {
    auto const id = golden_identity().id();
    CHECK(peer_id::parse(test::vector("peerId")).value() == id);
    CHECK(id.short_string() == "jCaq");
    // a CIDv1 of the libp2p-key codec: 'b', and base32 of 01 72 and the multihash
    bytes cid{0x01, 0x72};
    append(cid, id.data());
    std::string text = "b";
    for (std::size_t bit = 0; bit < cid.size() * 8; bit += 5) {
        unsigned value = 0;
        for (std::size_t i = bit; i < bit + 5; ++i) value = value << 1 | (i < cid.size() * 8 ? cid[i / 8] >> (7 - i % 8) & 1u : 0u);
        text += "abcdefghijklmnopqrstuvwxyz234567"[value];
    }
    CHECK(text.starts_with("bafzaajaiaejca"));
    CHECK(peer_id::parse(text).value() == id);
    CHECK(peer_id::parse("k51qzi5uqu5dl1ajdk9ynifsj4zxn2gzz6h53v2r2vbzbazutsq5vjzv4skz3q")->key()->type() == key_type::ed25519); // base36, as IPNS names are written
    CHECK(peer_id::parse("z" + to_base58(cid)).value() == id);
    CHECK(peer_id::parse("f" + to_hex(cid)).error() == errc::invalid_address);
    for (auto const *bad : {"", "Qm", "12D3KooW", "12D3KooWHapb8N5NzEmvQeSPLE5LJhhXKEciBGGKRsif47pnjCa0", "bafy", "hello", "1111", "b"})
        CHECK(peer_id::parse(bad).error() == errc::invalid_address);
    CHECK_FALSE(peer_id::parse(std::string(5000, '1')));
    bytes sha_id{0x12, 0x20};
    sha_id.resize(34, 7);
    auto const qm = peer_id::from_bytes(sha_id).value();
    CHECK(qm.to_string().starts_with("Qm"));
    CHECK(peer_id::parse(qm.to_string()).value() == qm);
    CHECK_FALSE(qm.key());
    for (std::size_t n = 0; n < sha_id.size(); ++n) CHECK_FALSE(peer_id::from_bytes(bytes_view{sha_id}.first(n)));
    CHECK(peer_id{} != id);
    CHECK((peer_id{} < id) != (id < peer_id{}));
}

TEST_CASE("peer_id: the specification's keys and examples") {
    auto const id_of = [](char const *key) { return peer_id::from_public_key(public_key::decode(from_hex(key).value()).value()); };
    auto const ed25519 = id_of("080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e");
    CHECK(ed25519.to_string().starts_with("12D3KooW"));
    CHECK(ed25519.key());
    auto const secp256k1 = id_of("08021221037777e994e452c21604f91de093ce415f5432f701dd8cd1a7a6fea0e630bfca99");
    CHECK(secp256k1.to_string().starts_with("16Uiu2HA"));
    CHECK(secp256k1.key()->type() == key_type::secp256k1);
    auto const ecdsa = id_of("0803125b3059301306072a8648ce3d020106082a8648ce3d03010703420004de3d300fa36ae0e8f5d530899d83abab44abf3161f162a4bc901d8e6ecda020e8b6d5f8da30525e71d6851510c098e5c47c646a597fb4dcec034e9f77c409e62");
    CHECK(ecdsa.to_string().starts_with("Qm"));
    CHECK_FALSE(ecdsa.key());
    CHECK(peer_id::parse("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N")->to_string() == "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N");
    CHECK(peer_id::parse("12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA")->key()->type() == key_type::ed25519);
    CHECK(peer_id::parse("bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe")->to_string() == "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N");
}

TEST_CASE("peer_id: a key has one id only: other encodings of it, and other hashes, are none") {
    auto const id = golden_identity().id();
    bytes const key = to_bytes(id.data().subspan(2));
    auto const with = [](bytes encoded) {
        bytes out{0x00, static_cast<std::uint8_t>(encoded.size())};
        append(out, encoded);
        return peer_id::from_bytes(out);
    };
    CHECK(with(key).value() == id);
    bytes swapped = to_bytes(bytes_view{key}.subspan(2)); // Data before Type
    append(swapped, bytes_view{key}.first(2));
    CHECK_FALSE(with(swapped));
    bytes longer = key; // an unknown field
    append(longer, bytes{0x18, 0x01});
    CHECK_FALSE(with(longer));
    bytes wide{0x08, 0x81, 0x00}; // a varint that is not minimal
    append(wide, bytes_view{key}.subspan(2));
    CHECK_FALSE(with(wide));
    CHECK_FALSE(peer_id::from_bytes(from_hex("1114" + std::string(40, '0')).value())); // SHA-1
    CHECK_FALSE(peer_id::from_bytes(from_hex("1221" + std::string(66, '0')).value()));
    CHECK_FALSE(peer_id::from_bytes(from_hex("0000").value()));
    CHECK_FALSE(peer_id::from_bytes(bytes(1000)));
}

TEST_CASE("peer_id: equality, order and hash agree") {
    seeded_random random{1};
    std::vector<peer_id> ids;
    for (int i = 0; i < 50; ++i) ids.push_back(identity::generate(random).id());
    std::set<peer_id> const ordered(ids.begin(), ids.end());
    std::unordered_set<peer_id> const hashed(ids.begin(), ids.end());
    CHECK(ordered.size() == ids.size());
    CHECK(hashed.size() == ids.size());
    for (auto const &id : ids) {
        auto const again = peer_id::parse(id.to_string()).value();
        CHECK(ordered.contains(again));
        CHECK(hashed.contains(again));
    }
    CHECK(peer_id{}.empty());
    CHECK(peer_id{}.to_string().empty());
    CHECK(peer_id{}.short_string().empty());
    static_assert(std::is_trivially_copyable_v<peer_id>);
}

} // namespace peer_id_test
