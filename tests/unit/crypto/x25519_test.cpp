#include <gigi/crypto/x25519.hpp>

#include <doctest/doctest.h>

#include <algorithm>

#include <openssl/err.h>

namespace x25519_test {

using namespace gigi;

namespace {

bytes hex(std::string_view text) { return from_hex(text).value(); }

template <std::size_t N> std::array<std::uint8_t, N> array_of(std::string_view text) {
    std::array<std::uint8_t, N> out{};
    auto const raw = hex(text);
    std::copy_n(raw.begin(), N, out.begin());
    return out;
}

} // namespace

TEST_CASE("x25519: RFC 7748, sections 5.2 and 6.1") {
    x25519_pair const alice{array_of<32>("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")};
    x25519_pair const bob{array_of<32>("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")};
    CHECK(to_hex(alice.public_key()) == "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    CHECK(to_hex(bob.public_key()) == "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
    CHECK(to_hex(alice.shared_secret(bob.public_key()).value()) == "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
    CHECK(bob.shared_secret(alice.public_key()) == alice.shared_secret(bob.public_key()));
    x25519_pair const one{array_of<32>("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4")};
    CHECK(to_hex(one.shared_secret(array_of<32>("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")).value()) ==
          "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
    x25519_pair const two{array_of<32>("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d")}; // the highest bit of a point does not count
    CHECK(to_hex(two.shared_secret(array_of<32>("e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493")).value()) ==
          "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
}

TEST_CASE("x25519: points of low order give no secret, and leave no error behind") {
    seeded_random random{1};
    auto const x = x25519_pair::generate(random), y = x25519_pair::generate(random);
    CHECK(x.public_key() != y.public_key());
    for (auto const *low : {"0000000000000000000000000000000000000000000000000000000000000000", "0100000000000000000000000000000000000000000000000000000000000000",
                            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800", "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
                            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"})
        CHECK_FALSE(x.shared_secret(array_of<32>(low)));
    CHECK(ERR_peek_error() == 0);
}

} // namespace x25519_test
