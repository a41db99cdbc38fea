// gigi/crypto/key.hpp: signatures: Ed25519 for our own, and verification of what other libp2p nodes use.
//
// Layer: crypto.
#pragma once

#include "hash.hpp"
#include "random.hpp"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include <array>
#include <optional>

namespace gigi::inline v1 {

using ed25519_seed = std::array<std::uint8_t, 32>;
using ed25519_public = std::array<std::uint8_t, 32>;
using ed25519_signature = std::array<std::uint8_t, 64>;

/// A signing key of this node (RFC 8032).
class ed25519_pair {
  public:
    explicit ed25519_pair(ed25519_seed const &seed)
        : seed_{seed}, key_{detail::made(EVP_PKEY_new_raw_private_key_ex(nullptr, "ED25519", nullptr, seed.data(), seed.size()))} {
        std::size_t size = public_.size();
        detail::must(EVP_PKEY_get_raw_public_key(key_.get(), public_.data(), &size));
    }
    static ed25519_pair generate(random_source &random) {
        ed25519_seed seed{};
        random.fill(seed);
        return ed25519_pair{seed};
    }

    ed25519_seed const &seed() const noexcept { return seed_; } ///< secret
    ed25519_public const &public_key() const noexcept { return public_; }

    ed25519_signature sign(bytes_view message) const {
        ed25519_signature out{};
        std::size_t size = out.size();
        auto const context = detail::made(EVP_MD_CTX_new());
        detail::must(EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key_.get(), nullptr));
        detail::must(EVP_DigestSign(context.get(), out.data(), &size, message.data(), message.size()));
        return out;
    }

  private:
    ed25519_seed seed_;
    detail::evp_ptr<EVP_PKEY> key_;
    ed25519_public public_{};
};

/// A public key that verifies signatures: Ed25519, or ECDSA or RSA with SHA-256.
class verifying_key {
  public:
    /// 32 bytes. Nothing where they are not a key.
    static std::optional<verifying_key> ed25519(bytes_view raw) {
        if (raw.size() != 32) return std::nullopt;
        return wrap(EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, raw.data(), raw.size()), false);
    }

    /// A point of secp256k1, compressed (33 bytes) or not (65).
    static std::optional<verifying_key> secp256k1(bytes_view point) {
        if (point.size() != 33 && point.size() != 65) return std::nullopt;
        char curve[] = "secp256k1";
        OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve, 0),
                               OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, const_cast<std::uint8_t *>(point.data()), point.size()),
                               OSSL_PARAM_construct_end()};
        detail::evp_ptr<EVP_PKEY_CTX> const context{EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr)};
        EVP_PKEY *key = nullptr;
        if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 || EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
            return std::nullopt;
        return wrap(key, true);
    }

    /// A SubjectPublicKeyInfo (DER) of a P-256 key.
    static std::optional<verifying_key> p256(bytes_view der) {
        auto key = from_der(der, 512);
        if (!key || EVP_PKEY_is_a(key.get(), "EC") != 1) return std::nullopt;
        char curve[32] = {};
        std::size_t size = 0;
        if (EVP_PKEY_get_group_name(key.get(), curve, sizeof curve, &size) != 1 || std::string_view{curve} != "prime256v1") return std::nullopt;
        return verifying_key{std::move(key), true};
    }

    /// A SubjectPublicKeyInfo (DER) of an RSA key of 2048 to 4096 bits; others are refused before any arithmetic.
    static std::optional<verifying_key> rsa(bytes_view der) {
        auto key = from_der(der, 4096 / 8 + 128);
        if (!key || EVP_PKEY_is_a(key.get(), "RSA") != 1) return std::nullopt;
        int const bits = EVP_PKEY_get_bits(key.get());
        if (bits < 2048 || bits > 4096) return std::nullopt;
        return verifying_key{std::move(key), true};
    }

    /// Whether `signature` is this key's over `message`: 64 bytes for Ed25519, DER for ECDSA, PKCS #1 v1.5 for RSA.
    bool verify(bytes_view message, bytes_view signature) const {
        detail::evp_ptr<EVP_MD_CTX> const context{EVP_MD_CTX_new()};
        if (!context) return false;
        if (EVP_DigestVerifyInit_ex(context.get(), nullptr, digests_ ? "SHA256" : nullptr, nullptr, nullptr, key_.get(), nullptr) != 1) return false;
        return EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1;
    }

  private:
    verifying_key(detail::evp_ptr<EVP_PKEY> key, bool digests) : key_{std::move(key)}, digests_{digests} {}

    static std::optional<verifying_key> wrap(EVP_PKEY *raw, bool digests) {
        if (!raw) return std::nullopt;
        return verifying_key{detail::evp_ptr<EVP_PKEY>{raw}, digests};
    }
    static detail::evp_ptr<EVP_PKEY> from_der(bytes_view der, std::size_t limit) {
        if (der.empty() || der.size() > limit) return nullptr; // T9: the size bounds the key before it is parsed
        auto const *position = der.data();
        detail::evp_ptr<EVP_PKEY> key{d2i_PUBKEY(nullptr, &position, static_cast<long>(der.size()))};
        if (position != der.data() + der.size()) return nullptr;
        return key;
    }

    detail::evp_ptr<EVP_PKEY> key_;
    bool digests_;
};

} // namespace gigi::inline v1
