// gigi/peer/signed_envelope.hpp: data that a peer has signed for one purpose.
//
// Layer: peer. Spec: libp2p RFC 0002.
#pragma once

#include "../codec/protobuf.hpp"
#include "../core/bytes.hpp"
#include "../core/varint.hpp"
#include "identity.hpp"
#include "public_key.hpp"

#include <string_view>
#include <utility>

namespace gigi::inline v1 {

/// A payload, who signed it, and what kind of payload it is.
struct signed_envelope {
    static constexpr std::size_t max_size = 16 << 10; ///< bytes

    gigi::public_key key;
    bytes payload_type;
    bytes payload;

    /// Signs a payload. @param domain separates purposes: a signature for one is none for another
    static bytes seal(identity const &signer, std::string_view domain, bytes_view payload_type, bytes_view payload) {
        auto const signature = signer.sign(signed_bytes(domain, payload_type, payload));
        bytes out;
        bytes const key = signer.public_key().encode();
        protobuf_writer{out}.data(1, key).data(2, payload_type).data(3, payload).data(5, signature);
        return out;
    }

    /// Reads an envelope and verifies its signature.
    /// @return `errc::protocol_violation`, `errc::unsupported_key`, `errc::bad_signature`
    static result<signed_envelope> open(bytes_view sealed, std::string_view domain) {
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

  private:
    static bytes signed_bytes(std::string_view domain, bytes_view payload_type, bytes_view payload) {
        bytes out;
        for (bytes_view const part : {as_bytes(domain), payload_type, payload}) {
            append_varint(out, part.size());
            append(out, part);
        }
        return out;
    }
};

} // namespace gigi::inline v1
