#include <gigi/peer/public_key.hpp>

#include <gigi/codec/protobuf.hpp>

#include <doctest/doctest.h>

#include <string>

namespace public_key_test {

using namespace gigi;

namespace {

/// The specification's own keys (peer-ids.md, "Test vectors").
struct spec_key {
    key_type type;
    std::string encoded;
};
spec_key const spec_keys[] = {
    {key_type::ed25519, "080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"},
    {key_type::secp256k1, "08021221037777e994e452c21604f91de093ce415f5432f701dd8cd1a7a6fea0e630bfca99"},
    {key_type::ecdsa, "0803125b3059301306072a8648ce3d020106082a8648ce3d03010703420004de3d300fa36ae0e8f5d530899d83abab44abf3161f162a4bc901d8e6ecda020e8b6d5f8da30525e71d6851510c098e5c47c646a597fb4dcec034e9f77c409e62"},
    {key_type::rsa,
         "080012a60430820222300d06092a864886f70d01010105000382020f003082020a0282020100e1beab071d08200bde24eef00d049449b07770ff9910257b2d7d5dda242ce8f0"
         "e2f12e1af4b32d9efd2c090f66b0f29986dbb645dae9880089704a94e5066d594162ae6ee8892e6ec70701db0a6c445c04778eb3de1293aa1a23c3825b85c6620a2bc3f82f9b"
         "0c309bc0ab3aeb1873282bebd3da03c33e76c21e9beb172fd44c9e43be32e2c99827033cf8d0f0c606f4579326c930eb4e854395ad941256542c793902185153c474bed109d6"
         "ff5141ebf9cd256cf58893a37f83729f97e7cb435ec679d2e33901d27bb35aa0d7e20561da08885ef0abbf8e2fb48d6a5487047a9ecb1ad41fa7ed84f6e3e8ecd5d98b3982d2"
         "a901b4454991766da295ab78822add5612a2df83bcee814cf50973e80d7ef38111b1bd87da2ae92438a2c8cbcc70b31ee319939a3b9c761dbc13b5c086d6b64bf7ae7dacc146"
         "22375d92a8ff9af7eb962162bbddebf90acb32adb5e4e4029f1c96019949ecfbfeffd7ac1e3fbcc6b6168c34be3d5a2e5999fcbb39bba7adbca78eab09b9bc39f7fa4b93411f"
         "4cc175e70c0a083e96bfaefb04a9580b4753c1738a6a760ae1afd851a1a4bdad231cf56e9284d832483df215a46c1c21bdf0c6cfe951c18f1ee4078c79c13d63edb6e14feaef"
         "fabc90ad317e4875fe648101b0864097e998f0ca3025ef9638cd2b0caecd3770ab54a1d9c6ca959b0f5dcbc90caeefc4135baca6fd475224269bbe1b0203010001"},
};

bytes encoded(std::uint64_t type, bytes_view data) {
    bytes out;
    protobuf_writer{out}.varint(1, type).data(2, data);
    return out;
}

} // namespace

TEST_CASE("public_key: the specification's keys of every type, byte for byte, and as keys") {
    for (auto const &[type, text] : spec_keys) {
        CAPTURE(text);
        auto const key = public_key::decode(from_hex(text).value()).value();
        CHECK(key.type() == type);
        CHECK(to_hex(key.encode()) == text);
        switch (type) {
        case key_type::ed25519: CHECK(verifying_key::ed25519(key.data())); break;
        case key_type::secp256k1: CHECK(verifying_key::secp256k1(key.data())); break;
        case key_type::ecdsa: CHECK(verifying_key::p256(key.data())); break;
        case key_type::rsa: CHECK(verifying_key::rsa(key.data())); break;
        }
        for (auto const &[other_type, other] : spec_keys) CHECK((public_key::decode(from_hex(other).value()).value() == key) == (other == text));
    }
}

TEST_CASE("public_key: what its own key signed verifies; a key that is none verifies nothing") {
    seeded_random random{1};
    auto const pair = ed25519_pair::generate(random);
    public_key const key{pair.public_key()};
    auto const signature = pair.sign(as_bytes("text"));
    CHECK(key.verify(as_bytes("text"), signature));
    CHECK_FALSE(key.verify(as_bytes("other"), signature));
    CHECK_FALSE(key.verify(as_bytes("text"), {}));
    for (auto const &[type, text] : spec_keys) CHECK_FALSE(public_key::decode(from_hex(text).value())->verify(as_bytes("text"), signature));
    for (auto const type : {0, 3}) // T9: the size decides before anybody calculates
        for (std::size_t const size : {1u, 91u, 1000u}) CHECK_FALSE(public_key::decode(encoded(static_cast<std::uint64_t>(type), bytes(size, 0x30)))->verify(as_bytes("text"), signature));
    CHECK_FALSE(public_key{}.verify(as_bytes("text"), signature));
}

TEST_CASE("public_key: what is no key, cut at any place") {
    bytes const sound = from_hex(spec_keys[0].encoded).value();
    for (std::size_t n = 0; n < sound.size(); ++n) CHECK_FALSE(public_key::decode(bytes_view{sound}.first(n)));
    CHECK(public_key::decode(encoded(4, bytes(32))).error() == errc::unsupported_key);
    CHECK(public_key::decode(encoded(UINT64_MAX, bytes(32))).error() == condition::protocol_violation);
    for (std::size_t const size : {0u, 31u, 33u}) CHECK(public_key::decode(encoded(1, bytes(size))).error() == errc::unsupported_key);
    for (std::size_t const size : {0u, 32u, 65u}) CHECK(public_key::decode(encoded(2, bytes(size))).error() == errc::unsupported_key);
    CHECK(public_key::decode(encoded(0, {})).error() == errc::unsupported_key);
    CHECK(public_key::decode(encoded(0, bytes(public_key::max_size))).error() == errc::unsupported_key);
    CHECK_FALSE(public_key::decode(from_hex("1a00").value()));
}

} // namespace public_key_test
