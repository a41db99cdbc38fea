#include <gigi/crypto/aead.hpp>

#include <doctest/doctest.h>

#include <algorithm>

namespace aead_test {

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

TEST_CASE("aead: RFC 8439, A.5, whose nonce has the form of Noise's") {
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

TEST_CASE("aead: what is in place, in pieces and of any size is one and the same message") {
    chacha20_poly1305 sealing{array_of<32>("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"), true},
        opening{array_of<32>("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"), false};
    bytes plain(70'000);
    for (std::size_t i = 0; i < plain.size(); ++i) plain[i] = static_cast<std::uint8_t>(i * 31);
    std::uint64_t nonce = 0;
    for (std::size_t const size : {0u, 1u, 15u, 16u, 17u, 63u, 64u, 65u, 255u, 511u, 1024u, 65'519u, 70'000u}) {
        CAPTURE(size);
        auto const text = bytes_view{plain}.first(size);
        bytes whole(size + 16), pieces(size + 16), in_place = to_bytes(text);
        sealing.seal(nonce, {}, text, whole.data());
        std::size_t const cut = std::min<std::size_t>(size, 12);
        bytes_view const parts[] = {text.first(cut), text.subspan(cut, (size - cut) / 2), text.subspan(cut + (size - cut) / 2)};
        sealing.seal(nonce, {}, parts, pieces.data());
        CHECK(whole == pieces);
        in_place.resize(size + 16);
        sealing.seal(nonce, {}, bytes_view{in_place}.first(size), in_place.data());
        CHECK(in_place == whole);
        CHECK(opening.open(nonce, {}, in_place, in_place.data()));
        CHECK(equal(bytes_view{in_place}.first(size), text));
        ++nonce;
    }
    bytes tag(16);
    sealing.seal(UINT64_MAX, {}, bytes_view{}, tag.data());
    CHECK(opening.open(UINT64_MAX, {}, tag, tag.data()));
}

} // namespace aead_test
