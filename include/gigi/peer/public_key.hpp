// gigi/peer/public_key.hpp: a peer's public key, of any type that libp2p knows.
//
// Layer: peer. Spec: peer-ids/peer-ids.md, "Keys": protobuf of Type = 1 and Data = 2, in this order.
#pragma once

#include "../core/bytes.hpp"
#include "../crypto/key.hpp"

#include <cstdint>

namespace gigi::inline v1 {

enum class key_type : std::uint8_t { rsa = 0, ed25519 = 1, secp256k1 = 2, ecdsa = 3 };

/// A public key in libp2p's encoding. It is checked when it is used: an encoding may name a key that verifies nothing.
class public_key {
  public:
    static constexpr std::size_t max_size = 1024; ///< of the encoding, in bytes

    public_key() = default;
    explicit public_key(ed25519_public const &raw) : type_{key_type::ed25519}, data_{raw.begin(), raw.end()} {}

    /// @return `errc::unsupported_key` for other types and for sizes that the type cannot have
    static result<public_key> decode(bytes_view encoded);
    bytes encode() const;

    key_type type() const noexcept { return type_; }
    bytes_view data() const noexcept { return data_; } ///< as the type defines it

    /// Whether `signature` over `message` was made with this key. A key that is not valid verifies nothing.
    bool verify(bytes_view message, bytes_view signature) const;

    friend bool operator==(public_key const &, public_key const &) = default;

  private:
    key_type type_ = key_type::ed25519;
    bytes data_;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/public_key.ipp"
#endif
