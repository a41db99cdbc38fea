// gigi/peer/signed_envelope.hpp: data that a peer has signed for one purpose.
//
// Layer: peer. Spec: libp2p RFC 0002.
#pragma once

#include "../core/bytes.hpp"
#include "identity.hpp"
#include "public_key.hpp"

#include <string_view>

namespace gigi::inline v1 {

/// A payload, who signed it, and what kind of payload it is.
struct signed_envelope {
    static constexpr std::size_t max_size = 16 << 10; ///< bytes

    gigi::public_key key;
    bytes payload_type;
    bytes payload;

    /// Signs a payload. @param domain separates purposes: a signature for one is none for another
    static bytes seal(identity const &signer, std::string_view domain, bytes_view payload_type, bytes_view payload);

    /// Reads an envelope and verifies its signature.
    /// @return `errc::protocol_violation`, `errc::unsupported_key`, `errc::bad_signature`
    static result<signed_envelope> open(bytes_view sealed, std::string_view domain);

  private:
    static bytes signed_bytes(std::string_view domain, bytes_view payload_type, bytes_view payload);
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/signed_envelope.ipp"
#endif
