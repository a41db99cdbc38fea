// gigi/peer/impl/peer_record.ipp: what peer_record.hpp declares.
#pragma once

#include "../peer_record.hpp"

#include "../../codec/protobuf.hpp"
#include "../../core/config.hpp"
#include "../signed_envelope.hpp"

namespace gigi::inline v1 {

GIGI_INLINE bytes seal_peer_record(identity const &signer, std::span<multiaddr const> addresses, std::uint64_t sequence) {
    bytes payload;
    protobuf_writer out{payload};
    out.data(1, signer.id().data()).varint(2, sequence);
    for (auto const &address : addresses)
        out.message(3, [&](protobuf_writer &info) { info.data(1, address.bytes()); });
    return signed_envelope::seal(signer, peer_record::domain, peer_record::payload_type, payload);
}

GIGI_INLINE result<peer_record> open_peer_record(bytes_view sealed) {
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
