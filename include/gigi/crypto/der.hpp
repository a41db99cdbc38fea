// gigi/crypto/der.hpp: as much of DER as strangers' RSA keys need.
//
// Layer: crypto. Our own, since OpenSSL's parser accepts more than one encoding of a key, and a peer id is the hash of the encoding.
#pragma once

#include "../core/bytes.hpp"

#include <cstdint>
#include <optional>

namespace gigi::inline v1 {

/// Takes one element of DER from the front of `rest`: its content, where it has this tag and its length is written as DER wants.
/// Elements of 64 KiB and more are refused; `rest` is as before where nothing is taken.
std::optional<bytes_view> take_der(bytes_view &rest, std::uint8_t tag);

/// The numbers of an RSA key, as parts of its encoding.
struct rsa_key_numbers {
    bytes_view modulus, exponent; ///< big-endian, positive, without leading zeros
};

/// The numbers of a SubjectPublicKeyInfo of an RSA key, where all of `der` is one. Their sizes are not judged.
/// @par Spec RFC 8017, A.1.1; RFC 3279, 2.3.1
std::optional<rsa_key_numbers> parse_rsa_key(bytes_view der);

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/der.ipp"
#endif
