// gigi/peer/peer_record.hpp: a peer's own addresses, signed by it.
//
// Layer: peer. Spec: libp2p RFC 0003.
#pragma once

#include "../codec/protobuf.hpp"
#include "identity.hpp"
#include "multiaddr.hpp"
#include "peer_id.hpp"
#include "signed_envelope.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace gigi::inline v1 {

struct peer_record {
    static constexpr std::string_view domain = "libp2p-peer-record";
    static constexpr std::array<std::uint8_t, 2> payload_type{0x03, 0x01};
    static constexpr std::size_t max_addresses = 64; ///< further ones are passed over

    peer_id peer;
    std::uint64_t sequence = 0; ///< a later record replaces an earlier one
    std::vector<multiaddr> addresses;
};

/// Signs the record of this node's addresses.
inline bytes seal_peer_record(identity const &signer, std::span<multiaddr const> addresses, std::uint64_t sequence) {
    bytes payload;
    protobuf_writer out{payload};
    out.data(1, signer.id().data()).varint(2, sequence);
    for (auto const &address : addresses)
        out.message(3, [&](protobuf_writer &info) { info.data(1, address.bytes()); });
    return signed_envelope::seal(signer, peer_record::domain, peer_record::payload_type, payload);
}

/// Reads a signed record: the signature must verify, and the signer must be the peer that it speaks of (T7).
/// @return `errc::bad_signature`, `errc::peer_mismatch`, `errc::protocol_violation`, …
inline result<peer_record> open_peer_record(bytes_view sealed) {
    auto const envelope = signed_envelope::open(sealed, peer_record::domain);
    if (!envelope) return envelope.error();
    if (!equal(envelope->payload_type, peer_record::payload_type)) return errc::protocol_violation;
    peer_record record;
    bytes_view id;
    protobuf_reader in{envelope->payload};
    while (in.next()) switch (in.field()) {
        case 1: id = in.data(); break;
        case 2: in.read(record.sequence); break;
        case 3: {
            protobuf_reader info{in.data()};
            while (info.next())
                if (info.field() == 1 && record.addresses.size() < peer_record::max_addresses)
                    if (auto address = multiaddr::from_bytes(info.data())) record.addresses.push_back(std::move(*address));
            if (info.error()) return info.error();
            break;
        }
        }
    if (in.error()) return in.error();
    auto const peer = peer_id::from_bytes(id);
    if (!peer) return errc::protocol_violation;
    if (!peer->matches(envelope->key)) return errc::peer_mismatch;
    record.peer = *peer;
    return record;
}

} // namespace gigi::inline v1
