#include <gigi/crypto/key.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

namespace key_test {

using namespace gigi;

namespace {

bytes hex(std::string_view text) { return from_hex(text).value(); }

template <std::size_t N> std::array<std::uint8_t, N> array_of(std::string_view text) {
    std::array<std::uint8_t, N> out{};
    auto const raw = hex(text);
    std::copy_n(raw.begin(), N, out.begin());
    return out;
}

/// A key of another kind, as another implementation would hold it.
struct foreign_key {
    explicit foreign_key(EVP_PKEY *made) : key{made} { REQUIRE(made); }
    ~foreign_key() { EVP_PKEY_free(key); }
    bytes spki() const {
        unsigned char *der = nullptr;
        int const n = i2d_PUBKEY(key, &der);
        bytes out{der, der + n};
        OPENSSL_free(der);
        return out;
    }
    bytes compressed_point() const {
        EVP_PKEY_set_utf8_string_param(key, "point-format", "compressed");
        unsigned char *point = nullptr;
        auto const n = EVP_PKEY_get1_encoded_public_key(key, &point);
        bytes out{point, point + n};
        OPENSSL_free(point);
        if (out.size() == 65) { // x, and whether y is odd
            out[0] = static_cast<std::uint8_t>(2 + (out[64] & 1));
            out.resize(33);
        }
        return out;
    }
    bytes sign(bytes_view message) const {
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        bytes out(1024);
        std::size_t size = out.size();
        EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key);
        EVP_DigestSign(context, out.data(), &size, message.data(), message.size());
        EVP_MD_CTX_free(context);
        out.resize(size);
        return out;
    }
    EVP_PKEY *key;
};


bytes der(std::uint8_t tag, bytes_view content) {
    bytes out{tag};
    if (content.size() >= 256) {
        out.push_back(0x82);
        append_be(out, static_cast<std::uint16_t>(content.size()));
    } else if (content.size() >= 128) {
        out.push_back(0x81);
        out.push_back(static_cast<std::uint8_t>(content.size()));
    } else {
        out.push_back(static_cast<std::uint8_t>(content.size()));
    }
    append(out, content);
    return out;
}
bytes joined(bytes a, bytes_view b) {
    append(a, b);
    return a;
}

/// An RSA key of these INTEGERs, whatever they are.
bytes rsa_spki(bytes_view modulus, bytes_view exponent) {
    bytes const numbers = der(0x30, joined(der(0x02, modulus), der(0x02, exponent)));
    return der(0x30, joined(hex("300d06092a864886f70d0101010500"), der(0x03, joined(bytes{0}, numbers))));
}
/// An odd number of so many bits, as DER has it.
bytes number_of(std::size_t bits) {
    bytes out((bits + 7) / 8, 0xa5);
    out.front() = static_cast<std::uint8_t>(1u << ((bits - 1) % 8));
    if (bits % 8 == 0) out.insert(out.begin(), 0);
    return out;
}

} // namespace

TEST_CASE("ed25519: RFC 8032, tests 1 to 3") {
    struct row {
        char const *seed, *key, *message, *signature;
    };
    for (auto const &[seed, key, message, signature] :
         {row{"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
              "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
          row{"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
              "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
          row{"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
              "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"}}) {
        ed25519_pair const pair{array_of<32>(seed)};
        CHECK(to_hex(pair.public_key()) == key);
        CHECK(to_hex(pair.seed()) == seed);
        CHECK(to_hex(pair.sign(hex(message))) == signature);
        auto const verifying = verifying_key::ed25519(pair.public_key());
        REQUIRE(verifying);
        CHECK(verifying->verify(hex(message), hex(signature)));
        auto bad = hex(signature);
        bad[10] ^= 1;
        CHECK_FALSE(verifying->verify(hex(message), bad));
        CHECK_FALSE(verifying->verify(as_bytes("other"), hex(signature)));
        CHECK_FALSE(verifying->verify(hex(message), {}));
    }
    for (std::size_t const size : {0u, 31u, 33u}) CHECK_FALSE(verifying_key::ed25519(bytes(size)));
}

TEST_CASE("ed25519: a signature whose second half is not below the group's order is refused, as are points that are none") {
    seeded_random random{1};
    auto const pair = ed25519_pair::generate(random);
    auto const key = verifying_key::ed25519(pair.public_key()).value();
    auto signature = pair.sign(as_bytes("once"));
    CHECK(key.verify(as_bytes("once"), signature));
    unsigned carry = 0; // S + L verifies where S is not checked
    auto const order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    for (std::size_t i = 0; i < 32; ++i) {
        carry += static_cast<unsigned>(signature[32 + i]) + order[i];
        signature[32 + i] = static_cast<std::uint8_t>(carry);
        carry >>= 8;
    }
    CHECK_FALSE(key.verify(as_bytes("once"), signature));
    auto const no_point = verifying_key::ed25519(bytes(32, 0xff));
    CHECK((!no_point || !no_point->verify(as_bytes("once"), pair.sign(as_bytes("once")))));
}

TEST_CASE("keys of others: secp256k1, P-256 and RSA verify what they signed, and nothing else") {
    bytes const message = to_bytes(std::string_view{"signed by somebody else's library"});
    struct row {
        char const *name;
        std::optional<verifying_key> key;
        bytes signature;
    };
    std::vector<row> rows;
    foreign_key const p256{EVP_EC_gen("P-256")}, k1{EVP_EC_gen("secp256k1")}, rsa2048{EVP_RSA_gen(2048)}, rsa3072{EVP_RSA_gen(3072)};
    rows.push_back({"P-256", verifying_key::p256(p256.spki()), p256.sign(message)});
    rows.push_back({"secp256k1", verifying_key::secp256k1(k1.compressed_point()), k1.sign(message)});
    rows.push_back({"RSA 2048", verifying_key::rsa(rsa2048.spki()), rsa2048.sign(message)});
    rows.push_back({"RSA 3072", verifying_key::rsa(rsa3072.spki()), rsa3072.sign(message)});
    for (auto const &[name, key, signature] : rows) {
        CAPTURE(name);
        REQUIRE(key);
        CHECK(key->verify(message, signature));
        CHECK_FALSE(key->verify(as_bytes("other"), signature));
        for (std::size_t i = 0; i < signature.size(); i += 7) {
            bytes bad = signature;
            bad[i] ^= 1;
            CHECK_FALSE(key->verify(message, bad));
        }
        bytes longer = signature;
        longer.push_back(0);
        CHECK_FALSE(key->verify(message, longer));
        CHECK_FALSE(key->verify(message, bytes_view{signature}.first(signature.size() - 1)));
        CHECK_FALSE(key->verify(message, {}));
        for (auto const &other : rows)
            if (&other.key != &key) CHECK_FALSE(key->verify(message, other.signature));
    }
    CHECK(ERR_peek_error() == 0); // refusing leaves nothing in OpenSSL's error queue of this thread
}

TEST_CASE("T9: RSA keys of other sizes than 2048 to 4096 bits, and of strange exponents, are refused before any arithmetic") {
    bytes const usual = hex("010001");
    CHECK(verifying_key::rsa(rsa_spki(number_of(2048), usual)));
    CHECK(verifying_key::rsa(rsa_spki(number_of(4096), usual)));
    for (std::size_t const bits : {512u, 1024u, 2047u, 4097u, 8192u, 65'536u, 400'000u}) {
        CAPTURE(bits);
        CHECK_FALSE(verifying_key::rsa(rsa_spki(number_of(bits), usual)));
    }
    auto const good = number_of(2048);
    CHECK(verifying_key::rsa(rsa_spki(good, bytes{3})));
    for (auto const &exponent : {bytes{}, bytes{0}, bytes{1}, bytes{2}, hex("010000"), hex("00010001"), hex("0100000001"), number_of(2048), bytes{0x81}}) {
        CAPTURE(to_hex(exponent));
        CHECK_FALSE(verifying_key::rsa(rsa_spki(good, exponent)));
    }
    auto even = good;
    even.back() = 2;
    auto negative = good;
    negative.erase(negative.begin());
    auto padded = good;
    padded.insert(padded.begin(), 0);
    for (auto const &modulus : {even, negative, padded, bytes{}}) CHECK_FALSE(verifying_key::rsa(rsa_spki(modulus, usual)));
}

TEST_CASE("T9: keys in any other form than libp2p's are refused, cut at any place, with any byte of their frame changed") {
    bytes const rsa = rsa_spki(number_of(2048), hex("010001"));
    for (std::size_t n = 0; n < rsa.size(); ++n) CHECK_FALSE(verifying_key::rsa(bytes_view{rsa}.first(n)));
    for (std::size_t n = 0; n < 24; ++n) { // up to the modulus's length, whose change leaves a rest
        bytes bad = rsa;
        bad[n] ^= 0x11;
        CHECK_FALSE(verifying_key::rsa(bad));
    }
    CHECK_FALSE(verifying_key::rsa(joined(rsa, bytes{0})));
    CHECK_FALSE(verifying_key::rsa(bytes(4096, 0x30)));
    CHECK_FALSE(verifying_key::rsa(hex("3080")));
    CHECK_FALSE(verifying_key::rsa(hex("3084ffffffff")));
    CHECK_FALSE(verifying_key::rsa(joined(hex("308100"), rsa)));

    // lengths that are longer than need be, and what follows the numbers
    bytes const algorithm = hex("300d06092a864886f70d0101010500"), modulus = der(0x02, number_of(2048)), exponent = hex("0203010001");
    auto const with = [&](bytes_view bits) { return verifying_key::rsa(der(0x30, joined(algorithm, der(0x03, bits)))); };
    CHECK(with(joined(bytes{0}, der(0x30, joined(modulus, exponent)))));
    CHECK_FALSE(with(joined(bytes{0}, der(0x30, joined(modulus, hex("028103010001"))))));
    CHECK_FALSE(with(joined(bytes{0}, der(0x30, joined(modulus, hex("02820003010001"))))));
    CHECK_FALSE(with(joined(bytes{0}, der(0x30, joined(modulus, hex("020301000100"))))));
    CHECK_FALSE(with(joined(bytes{0}, joined(der(0x30, joined(modulus, exponent)), bytes{0}))));
    CHECK_FALSE(with(joined(bytes{1}, der(0x30, joined(modulus, exponent)))));
    CHECK_FALSE(with({}));

    foreign_key const ec{EVP_EC_gen("P-256")}, other_curve{EVP_EC_gen("P-384")}, k1{EVP_EC_gen("secp256k1")};
    bytes const p256 = ec.spki();
    CHECK(verifying_key::p256(p256));
    for (std::size_t n = 0; n < p256.size(); ++n) {
        CHECK_FALSE(verifying_key::p256(bytes_view{p256}.first(n)));
        bytes bad = p256;
        bad[n] ^= 1; // in the frame; or a point that is on no curve
        CHECK_FALSE(verifying_key::p256(bad));
    }
    CHECK_FALSE(verifying_key::p256(joined(p256, bytes{0})));
    CHECK_FALSE(verifying_key::p256(other_curve.spki()));
    CHECK_FALSE(verifying_key::p256(k1.spki()));
    CHECK_FALSE(verifying_key::p256(rsa));
    CHECK_FALSE(verifying_key::rsa(p256));
    CHECK_FALSE(verifying_key::secp256k1(bytes(33, 0xff)));
    CHECK_FALSE(verifying_key::secp256k1(bytes(33)));
    CHECK_FALSE(verifying_key::secp256k1(bytes(1)));
    CHECK_FALSE(verifying_key::secp256k1({}));
    CHECK(ERR_peek_error() == 0);
}

} // namespace key_test
