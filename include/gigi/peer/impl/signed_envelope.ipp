// gigi/peer/impl/signed_envelope.ipp: what signed_envelope.hpp declares.
#pragma once

#include "../signed_envelope.hpp"

#include "../../codec/protobuf.hpp"
#include "../../core/config.hpp"
#include "../../core/varint.hpp"

#include <utility>

namespace gigi::inline v1 {

GIGI_INLINE bytes signed_envelope::seal(identity const &signer, std::string_view domain, bytes_view payload_type, bytes_view payload) {
    auto const signature = signer.sign(signed_bytes(domain, payload_type, payload));
    bytes out;
    bytes const key = signer.public_key().encode();
    protobuf_writer{out}.data(1, key).data(2, payload_type).data(3, payload).data(5, signature);
    return out;
}

GIGI_INLINE result<signed_envelope> signed_envelope::open(bytes_view sealed, std::string_view domain) {
    if (sealed.size() > max_size) return errc::message_too_large;
    signed_envelope envelope;
    bytes_view key, signature;
    protobuf_reader in{sealed};
    while (in.next()) switch (in.field()) {
        case 1: key = in.data(); break;
        case 2: in.read(envelope.payload_type); break;
        case 3: in.read(envelope.payload); break;
        case 5: signature = in.data(); break;
        }
    if (in.error()) return in.error();
    auto decoded = gigi::public_key::decode(key);
    if (!decoded) return decoded.error();
    envelope.key = std::move(*decoded);
    if (!envelope.key.verify(signed_bytes(domain, envelope.payload_type, envelope.payload), signature)) return errc::bad_signature;
    return envelope;
}

GIGI_INLINE bytes signed_envelope::signed_bytes(std::string_view domain, bytes_view payload_type, bytes_view payload) {
    bytes out;
    for (bytes_view const part : {as_bytes(domain), payload_type, payload}) {
        append_varint(out, part.size());
        append(out, part);
    }
    return out;
}

} // namespace gigi::inline v1
