// gigi/crypto/x25519.hpp: Diffie-Hellman on Curve25519 (RFC 7748).
//
// Layer: crypto.
#pragma once

#include "hash.hpp"
#include "random.hpp"

#include <array>
#include <optional>

namespace gigi::inline v1 {

using x25519_key = std::array<std::uint8_t, 32>;

/// A Diffie-Hellman key of this side.
class x25519_pair {
  public:
    /// From 32 secret bytes.
    explicit x25519_pair(x25519_key const &secret);
    static x25519_pair generate(random_source &random);

    x25519_key const &public_key() const noexcept { return public_; }

    /// The shared secret with the holder of `theirs`; nothing where that is a point of low order, which would give the same
    /// secret to everyone.
    std::optional<x25519_key> shared_secret(x25519_key const &theirs) const;

  private:
    detail::evp_ptr<EVP_PKEY> key_;
    x25519_key public_{};
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/x25519.ipp"
#endif
