#include <gigi/peer/peer_record.hpp>

#include <gigi/codec/protobuf.hpp>
#include <gigi/peer/signed_envelope.hpp>

#include "peer_support.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace peer_record_test {

using namespace gigi;
using namespace gigi::test;

TEST_CASE("signed records: the golden one, byte for byte, both ways") {
    identity const self = golden_identity();
    std::vector<multiaddr> const addresses{address("/ip4/127.0.0.1/tcp/4001"), address("/ip6/::1/udp/4001/quic-v1")};
    auto const sealed = seal_peer_record(self, addresses, 1'700'000'000'000);
    CHECK(to_hex(sealed) == test::vector("signedPeerRecord.envelope"));
    auto const record = open_peer_record(sealed).value();
    CHECK(record.peer == self.id());
    CHECK(record.sequence == 1'700'000'000'000);
    CHECK(record.addresses == addresses);
}

TEST_CASE("T7: signed records: a bit changed anywhere, another signer or another purpose is refused") {
    identity const self = golden_identity(), mallory = identity::generate();
    std::vector<multiaddr> const addresses{address("/ip4/127.0.0.1/tcp/4001")};
    auto const sealed = seal_peer_record(self, addresses, 1);
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        auto bad = sealed;
        bad[i] ^= 1;
        CHECK_FALSE(open_peer_record(bad));
        CHECK_FALSE(open_peer_record(bytes_view{sealed}.first(i)));
    }
    CHECK(signed_envelope::open(sealed, "another purpose").error() == errc::bad_signature);
    // mallory signs a record that speaks of somebody else
    bytes payload;
    protobuf_writer{payload}.data(1, self.id().data()).varint(2, 1);
    auto const forged = signed_envelope::seal(mallory, peer_record::domain, peer_record::payload_type, payload);
    CHECK(open_peer_record(forged).error() == errc::peer_mismatch);
    auto const other_type = signed_envelope::seal(self, peer_record::domain, as_bytes("x"), payload);
    CHECK(open_peer_record(other_type).error() == errc::protocol_violation);
    CHECK(open_peer_record(bytes(signed_envelope::max_size + 1)).error() == errc::message_too_large);
}

TEST_CASE("peer_record: addresses of unknown kinds are passed over, and those past the bound") {
    auto const self = golden_identity();
    bytes payload;
    protobuf_writer out{payload};
    out.data(1, self.id().data()).varint(2, 5);
    out.message(3, [](protobuf_writer &info) { info.data(1, bytes{0xad, 0x02, 0x01}); });
    out.message(3, [](protobuf_writer &) {});
    for (int i = 0; i < 200; ++i)
        out.message(3, [&](protobuf_writer &info) { info.data(1, address("/ip4/10.0.0.1/tcp/" + std::to_string(i + 1)).bytes()); });
    auto const record = open_peer_record(signed_envelope::seal(self, peer_record::domain, peer_record::payload_type, payload)).value();
    CHECK(record.sequence == 5);
    CHECK(record.addresses.size() == peer_record::max_addresses);
    CHECK(record.addresses.front() == address("/ip4/10.0.0.1/tcp/1"));
    auto const none = open_peer_record(seal_peer_record(self, {}, 0)).value();
    CHECK(none.addresses.empty());
    bytes nobody;
    protobuf_writer{nobody}.varint(2, 1);
    CHECK(open_peer_record(signed_envelope::seal(self, peer_record::domain, peer_record::payload_type, nobody)).error() == errc::protocol_violation);
}

} // namespace peer_record_test
