// gigi/crypto/key.hpp: signatures: Ed25519 for our own, and verification of what other libp2p nodes use.
//
// Layer: crypto. Strangers' keys are taken apart here, in the one form that libp2p has for each, and not by OpenSSL's decoders,
// which know every key type and form there is: a key of another form or size costs a few comparisons (T9).
#pragma once

#include "hash.hpp"
#include "random.hpp"

#include <array>
#include <optional>
#include <span>
#include <utility>

namespace gigi::inline v1 {

using ed25519_seed = std::array<std::uint8_t, 32>;
using ed25519_public = std::array<std::uint8_t, 32>;
using ed25519_signature = std::array<std::uint8_t, 64>;

/// A signing key of this node (RFC 8032).
class ed25519_pair {
  public:
    explicit ed25519_pair(ed25519_seed const &seed);
    static ed25519_pair generate(random_source &random);

    /// Secret: `wipe` it after use.
    ed25519_seed seed() const;
    ed25519_public const &public_key() const noexcept { return public_; }

    ed25519_signature sign(bytes_view message) const;

  private:
    detail::evp_ptr<EVP_PKEY> key_;
    ed25519_public public_{};
};

/// A public key that verifies signatures: Ed25519, or ECDSA or RSA with SHA-256.
class verifying_key {
  public:
    /// 32 bytes. Nothing where they are not a key.
    static std::optional<verifying_key> ed25519(bytes_view raw);

    /// A compressed point of secp256k1: 33 bytes.
    static std::optional<verifying_key> secp256k1(bytes_view point);

    /// A SubjectPublicKeyInfo (DER) of a P-256 key; the point is not compressed, as every implementation writes it.
    static std::optional<verifying_key> p256(bytes_view der);

    /// A SubjectPublicKeyInfo (DER) of an RSA key of 2048 to 4096 bits, with an odd exponent of at most 32 bits; others are refused
    /// before any arithmetic (T9).
    static std::optional<verifying_key> rsa(bytes_view der);

    /// Whether `signature` is this key's over `message`: 64 bytes for Ed25519, DER for ECDSA, PKCS #1 v1.5 for RSA.
    bool verify(bytes_view message, bytes_view signature) const;

  private:
    verifying_key(detail::evp_ptr<EVP_PKEY> key, bool digests) : key_{std::move(key)}, digests_{digests} {}

    static std::optional<verifying_key> wrap(EVP_PKEY *raw, bool digests);
    static std::optional<verifying_key> from_params(char const *algorithm, OSSL_PARAM *params);
    /// That the point is on the curve is OpenSSL's to check.
    static std::optional<verifying_key> ec(std::string_view curve, bytes_view point);
    /// A number as OpenSSL's parameters have it: in the machine's byte order, in `room`.
    static OSSL_PARAM native_number(char const *name, bytes_view big_endian, std::span<std::uint8_t> room);

    detail::evp_ptr<EVP_PKEY> key_;
    bool digests_;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/key.ipp"
#endif
