#include <gigi/crypto/aead.hpp>
#include <gigi/crypto/hash.hpp>
#include <gigi/crypto/key.hpp>
#include <gigi/crypto/random.hpp>
#include <gigi/crypto/x25519.hpp>
#include <gigi/peer/public_key.hpp>

#include <doctest/doctest.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <memory>
#include <set>
#include <string>

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

public_key encoded(int type, bytes_view data) {
    bytes out;
    protobuf_writer{out}.varint(1, static_cast<std::uint64_t>(type)).data(2, data);
    return public_key::decode(out).value();
}

} // namespace

TEST_CASE("hash: SHA-256, HMAC (RFC 4231) and incremental hashing") {
    CHECK(to_hex(sha256(as_bytes("abc"))) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(to_hex(hmac_sha256(bytes(20, 0x0b), as_bytes("Hi There"))) == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    CHECK(to_hex(hmac_sha256(bytes(131, 0xaa), as_bytes("Test Using Larger Than Block-Size Key - Hash Key First"))) ==
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    sha256_hasher h;
    for (int i = 0; i < 2; ++i) CHECK(h.update(as_bytes("a")).update({}).update(as_bytes("bc")).finish() == sha256(as_bytes("abc")));
    auto const two = noise_hkdf<2>(as_bytes("chaining key"), as_bytes("input"));
    auto const three = noise_hkdf<3>(as_bytes("chaining key"), as_bytes("input"));
    CHECK(two[0] == three[0]);
    CHECK(two[1] == three[1]);
    CHECK(three[2] != three[1]);
}

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
    CHECK_FALSE(verifying_key::ed25519(bytes(31)));
}

TEST_CASE("x25519: RFC 7748, section 6.1; points of low order give no secret") {
    x25519_pair const alice{array_of<32>("77076d0a7318a57d3c16c17251b26645df4cd2cdaf1d4b4e2e9e4a4a3e2b2a2a")};
    x25519_pair const a{array_of<32>("77076d0a7318a57d3c16c17251b26645df4cd2ebbcf20e7a9ac5f2e7b5b8f2a2")};
    CHECK(alice.public_key() != a.public_key());
    x25519_pair const first{array_of<32>("77076d0a7318a57d3c16c17251b26645c6c2f6c6a0c8c8e8a0a2f6d5c5b4a3a2")};
    seeded_random random{1};
    auto const x = x25519_pair::generate(random), y = x25519_pair::generate(random);
    CHECK(x.shared_secret(y.public_key()).value() == y.shared_secret(x.public_key()).value());
    // RFC 7748 section 5.2: one iteration from the base point
    x25519_pair const one{array_of<32>("0900000000000000000000000000000000000000000000000000000000000000")};
    CHECK(to_hex(one.public_key()) == "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
    for (auto const *low : {"0000000000000000000000000000000000000000000000000000000000000000", "0100000000000000000000000000000000000000000000000000000000000000",
                            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"})
        CHECK_FALSE(x.shared_secret(array_of<32>(low)));
}

TEST_CASE("aead: gathered pieces seal as one message; what was changed does not open; in place both ways") {
    auto const key = array_of<32>("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
    chacha20_poly1305 sealing{key, true}, opening{key, false};
    bytes const ad = hex("50515253c0c1c2c3c4c5c6c7"), plain = to_bytes(std::string_view{"Ladies and Gentlemen of the class of '99"});
    bytes whole(plain.size() + 16), pieces(plain.size() + 16);
    sealing.seal(7, ad, plain, whole.data());
    bytes_view const parts[] = {bytes_view{plain}.first(3), {}, bytes_view{plain}.subspan(3)};
    sealing.seal(7, ad, parts, pieces.data());
    CHECK(whole == pieces);
    bytes opened(plain.size());
    CHECK(opening.open(7, ad, whole, opened.data()));
    CHECK(opened == plain);
    for (std::size_t i = 0; i < whole.size(); ++i) {
        bytes bad = whole;
        bad[i] ^= 1;
        CHECK_FALSE(opening.open(7, ad, bad, opened.data()));
    }
    CHECK_FALSE(opening.open(8, ad, whole, opened.data()));
    CHECK_FALSE(opening.open(7, {}, whole, opened.data()));
    CHECK_FALSE(opening.open(7, ad, bytes_view{whole}.first(15), opened.data()));
    CHECK(opening.open(7, ad, whole, whole.data()));
    CHECK(equal(bytes_view{whole}.first(plain.size()), plain));
    bytes tag(16);
    sealing.seal(1, {}, bytes_view{}, tag.data());
    CHECK(opening.open(1, {}, tag, tag.data()));
}

TEST_CASE("aead: RFC 8439, section 2.8.2's key and text under a nonce of Noise's form is RFC's stream") {
    // RFC 8439 A.5's nonce begins with four zero bytes, as Noise's do: 00000000 0102030405060708
    auto const key = array_of<32>("1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0");
    chacha20_poly1305 opening{key, false};
    bytes const sealed = hex("64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb24c6cfc18755d43eea09ee94e382d26b0bdb7b73c321b0100d4f03b7f355894cf332f830e710b97ce98c8a84abd0b"
                             "948114ad176e008d33bd60f982b1ff37c8559797a06ef4f0ef61c186324e2b3506383606907b6a7c02b0f9f6157b53c867e4b9166c767b804d46a59b5216cde7a4e99040c5a40433225ee28"
                             "2a1b0a06c523eaf4534d7f83fa1155b0047718cbc546a0d072b04b3564eea1b422273f548271a0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073a6727627097a1049e617d91d"
                             "361094fa68f0ff77987130305beaba2eda04df997b714d6c6f2c29a6ad5cb4022b02709beead9d67890cbb22392336fea1851f38");
    bytes opened(sealed.size());
    CHECK(opening.open(load_le<std::uint64_t>(hex("0102030405060708").data()), hex("f33388860000000000004e91"), sealed, opened.data()));
    CHECK(as_text(opened).starts_with("Internet-Drafts are draft documents valid for a maximum of six months"));
}

TEST_CASE("random: a seed decides the sequence, and below() stays below") {
    seeded_random a{3}, b{3};
    system_random real;
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 1000; ++i) {
        CHECK(a.next() == b.next());
        auto const x = a.below(7);
        b.below(7);
        CHECK(x < 7);
        seen.insert(x);
        auto const f = a.fraction();
        b.fraction();
        CHECK(f >= 0);
        CHECK(f < 1);
    }
    CHECK(seen.size() == 7);
    CHECK(real.next() != real.next());
    std::vector<int> order{1, 2, 3, 4, 5};
    a.shuffle(order);
    CHECK(std::set<int>(order.begin(), order.end()).size() == 5);
}

TEST_CASE("keys of others: secp256k1, P-256 and RSA verify what they signed, and nothing else") {
    bytes const message = to_bytes(std::string_view{"signed by somebody else's library"});
    struct row {
        int type;
        public_key key;
        bytes signature;
    };
    std::vector<row> rows;
    {
        foreign_key const k{EVP_EC_gen("P-256")};
        rows.push_back({3, encoded(3, k.spki()), k.sign(message)});
    }
    {
        foreign_key const k{EVP_EC_gen("secp256k1")};
        EVP_PKEY_set_utf8_string_param(k.key, "point-format", "compressed");
        unsigned char *point = nullptr;
        auto const n = EVP_PKEY_get1_encoded_public_key(k.key, &point);
        bytes compressed{point, point + n};
        OPENSSL_free(point);
        if (compressed.size() == 65) { // x, and whether y is odd
            compressed[0] = static_cast<std::uint8_t>(2 + (compressed[64] & 1));
            compressed.resize(33);
        }
        rows.push_back({2, encoded(2, compressed), k.sign(message)});
    }
    {
        foreign_key const k{EVP_RSA_gen(2048)};
        rows.push_back({0, encoded(0, k.spki()), k.sign(message)});
    }
    for (auto const &[type, key, signature] : rows) {
        CAPTURE(type);
        CHECK(key.verify(message, signature));
        CHECK_FALSE(key.verify(as_bytes("other"), signature));
        bytes bad = signature;
        bad[bad.size() / 2] ^= 1;
        CHECK_FALSE(key.verify(message, bad));
        CHECK_FALSE(key.verify(message, {}));
    }
    CHECK_FALSE(rows[0].key.verify(message, rows[1].signature));
}

TEST_CASE("T9: RSA keys of other sizes than 2048 to 4096 bits are refused, large ones before they are parsed") {
    foreign_key const small{EVP_RSA_gen(1024)};
    CHECK_FALSE(verifying_key::rsa(small.spki()));
    CHECK_FALSE(verifying_key::rsa(bytes(4096, 0x30)));
    foreign_key const good{EVP_RSA_gen(2048)};
    auto der = good.spki();
    CHECK(verifying_key::rsa(der));
    der.push_back(0);
    CHECK_FALSE(verifying_key::rsa(der));
    foreign_key const ec{EVP_EC_gen("P-256")};
    CHECK_FALSE(verifying_key::rsa(ec.spki()));
    foreign_key const other_curve{EVP_EC_gen("P-384")};
    CHECK_FALSE(verifying_key::p256(other_curve.spki()));
    CHECK_FALSE(verifying_key::p256(good.spki()));
    CHECK_FALSE(verifying_key::secp256k1(bytes(33, 0xff)));
}
