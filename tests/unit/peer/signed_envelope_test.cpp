#include <gigi/peer/signed_envelope.hpp>

#include <gigi/codec/protobuf.hpp>

#include "peer_support.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>

namespace signed_envelope_test {

using namespace gigi;
using namespace gigi::test;

namespace {

constexpr std::array<std::uint8_t, 2> type{0x03, 0x01};

} // namespace

TEST_CASE("signed_envelope: seals and opens; the golden one has what it should") {
    auto const self = golden_identity();
    auto const sealed = signed_envelope::seal(self, "purpose", type, as_bytes("payload"));
    auto const opened = signed_envelope::open(sealed, "purpose").value();
    CHECK(opened.key == self.public_key());
    CHECK(equal(opened.payload_type, type));
    CHECK(to_text(opened.payload) == "payload");
    auto const golden = signed_envelope::open(from_hex(vector("signedPeerRecord.envelope")).value(), "libp2p-peer-record").value();
    CHECK(golden.key == self.public_key());
    CHECK(equal(golden.payload_type, type));
    auto const empty = signed_envelope::open(signed_envelope::seal(self, "", {}, {}), "").value();
    CHECK(empty.payload.empty());
}

TEST_CASE("T7: signed_envelope: a bit changed anywhere, another purpose, type or key is refused") {
    auto const self = golden_identity();
    auto const sealed = signed_envelope::seal(self, "purpose", type, as_bytes("payload"));
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        for (int const bit : {0, 3, 7}) {
            auto bad = sealed;
            bad[i] ^= static_cast<std::uint8_t>(1 << bit);
            CHECK_FALSE(signed_envelope::open(bad, "purpose"));
        }
        CHECK_FALSE(signed_envelope::open(bytes_view{sealed}.first(i), "purpose"));
    }
    CHECK(signed_envelope::open(sealed, "another purpose").error() == errc::bad_signature);
    CHECK(signed_envelope::open(sealed, "").error() == errc::bad_signature);
    // the lengths are signed, too: bytes do not move from one part to the next
    CHECK(signed_envelope::open(signed_envelope::seal(self, "pur", as_bytes("pose"), as_bytes("x")), "purpose").error() == errc::bad_signature);
    auto const mallory = identity::generate();
    bytes swapped;
    protobuf_writer{swapped}.data(1, mallory.public_key().encode()).data(2, type).data(3, as_bytes("payload")).data(5, bytes_view{sealed}.last(64));
    CHECK(signed_envelope::open(swapped, "purpose").error() == errc::bad_signature);
    bytes unsigned_one;
    protobuf_writer{unsigned_one}.data(1, self.public_key().encode()).data(2, type).data(3, as_bytes("payload"));
    CHECK(signed_envelope::open(unsigned_one, "purpose").error() == errc::bad_signature);
    CHECK(signed_envelope::open({}, "purpose").error() == errc::unsupported_key);
    CHECK(signed_envelope::open(bytes(signed_envelope::max_size + 1), "purpose").error() == errc::message_too_large);
}

} // namespace signed_envelope_test
