// gigi/crypto/key.hpp: signatures: Ed25519 for our own, and verification of what other libp2p nodes use.
//
// Layer: crypto. Strangers' keys are taken apart here, in the one form that libp2p has for each, and not by OpenSSL's decoders,
// which know every key type and form there is: a key of another form or size costs a few comparisons (T9).
#pragma once

#include "hash.hpp"
#include "random.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <bit>
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
    explicit ed25519_pair(ed25519_seed const &seed)
        : key_{detail::made(EVP_PKEY_new_raw_private_key_ex(nullptr, "ED25519", nullptr, seed.data(), seed.size()))} {
        std::size_t size = public_.size();
        detail::must(EVP_PKEY_get_raw_public_key(key_.get(), public_.data(), &size));
    }
    static ed25519_pair generate(random_source &random) {
        ed25519_seed seed{};
        random.fill(seed);
        ed25519_pair pair{seed};
        wipe(seed);
        return pair;
    }

    /// Secret: `wipe` it after use.
    ed25519_seed seed() const {
        ed25519_seed out{};
        std::size_t size = out.size();
        detail::must(EVP_PKEY_get_raw_private_key(key_.get(), out.data(), &size));
        return out;
    }
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
    detail::evp_ptr<EVP_PKEY> key_;
    ed25519_public public_{};
};

namespace detail {

/// Takes one element of DER from the front of `rest`: its content, where it has this tag and its length is written as DER wants.
inline std::optional<bytes_view> take_der(bytes_view &rest, std::uint8_t tag) {
    if (rest.size() < 2 || rest[0] != tag) return std::nullopt;
    std::size_t size = rest[1], header = 2;
    if (size == 0x81 && rest.size() >= 3 && rest[2] >= 0x80) {
        size = rest[2];
        header = 3;
    } else if (size == 0x82 && rest.size() >= 4 && rest[2] != 0) {
        size = load_be<std::uint16_t>(rest.data() + 2);
        header = 4;
    } else if (size >= 0x80) {
        return std::nullopt; // not minimal, indefinite, or 64 KiB and more
    }
    if (size > rest.size() - header) return std::nullopt;
    auto const content = rest.subspan(header, size);
    rest = rest.subspan(header + size);
    return content;
}

/// Takes a positive INTEGER: its bytes without leading zeros.
inline std::optional<bytes_view> take_der_integer(bytes_view &rest) {
    auto const content = take_der(rest, 0x02);
    if (!content || content->empty()) return std::nullopt;
    if ((*content)[0] >= 0x80) return std::nullopt; // negative
    if ((*content)[0] != 0) return content;
    if (content->size() < 2 || (*content)[1] < 0x80) return std::nullopt; // zero, or a zero too many
    return content->subspan(1);
}

struct rsa_numbers {
    bytes_view modulus, exponent; ///< big-endian, without leading zeros
};

/// The numbers of a SubjectPublicKeyInfo of an RSA key (RFC 8017, A.1.1; RFC 3279, 2.3.1), where all of `der` is one.
inline std::optional<rsa_numbers> rsa_numbers_of(bytes_view der) {
    static constexpr std::array<std::uint8_t, 15> algorithm{0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};
    auto info = take_der(der, 0x30);
    if (!info || !der.empty() || info->size() < algorithm.size() || !equal(info->first(algorithm.size()), algorithm)) return std::nullopt;
    auto rest = info->subspan(algorithm.size());
    auto const bits = take_der(rest, 0x03);
    if (!bits || !rest.empty() || bits->empty() || (*bits)[0] != 0) return std::nullopt;
    auto inner = bits->subspan(1);
    auto numbers = take_der(inner, 0x30);
    if (!numbers || !inner.empty()) return std::nullopt;
    auto const modulus = take_der_integer(*numbers);
    auto const exponent = modulus ? take_der_integer(*numbers) : std::nullopt;
    if (!exponent || !numbers->empty()) return std::nullopt;
    return rsa_numbers{*modulus, *exponent};
}

} // namespace detail

/// A public key that verifies signatures: Ed25519, or ECDSA or RSA with SHA-256.
class verifying_key {
  public:
    /// 32 bytes. Nothing where they are not a key.
    static std::optional<verifying_key> ed25519(bytes_view raw) {
        if (raw.size() != 32) return std::nullopt;
        detail::error_mark const mark;
        return wrap(EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, raw.data(), raw.size()), false);
    }

    /// A compressed point of secp256k1: 33 bytes.
    static std::optional<verifying_key> secp256k1(bytes_view point) {
        if (point.size() != 33) return std::nullopt;
        return ec("secp256k1", point);
    }

    /// A SubjectPublicKeyInfo (DER) of a P-256 key; the point is not compressed, as every implementation writes it.
    static std::optional<verifying_key> p256(bytes_view der) {
        // Everything before the point's coordinates is the same for every key: id-ecPublicKey, prime256v1, 66 bytes, 04.
        static constexpr std::array<std::uint8_t, 27> head{0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
                                                           0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
        if (der.size() != head.size() + 64 || !equal(der.first(head.size()), head)) return std::nullopt;
        return ec("prime256v1", der.subspan(head.size() - 1));
    }

    /// A SubjectPublicKeyInfo (DER) of an RSA key of 2048 to 4096 bits, with an odd exponent of at most 32 bits; others are refused
    /// before any arithmetic (T9).
    static std::optional<verifying_key> rsa(bytes_view der) {
        auto const numbers = detail::rsa_numbers_of(der);
        if (!numbers) return std::nullopt;
        auto const [modulus, exponent] = *numbers;
        std::size_t const bits = modulus.size() * 8 - static_cast<std::size_t>(std::countl_zero(modulus[0]));
        if (bits < 2048 || bits > 4096 || modulus.back() % 2 == 0) return std::nullopt;
        if (exponent.size() > 4 || exponent.back() % 2 == 0 || (exponent.size() == 1 && exponent[0] == 1)) return std::nullopt;
        std::array<std::uint8_t, 512> n{};
        std::array<std::uint8_t, 4> e{};
        OSSL_PARAM params[] = {native_number(OSSL_PKEY_PARAM_RSA_N, modulus, n), native_number(OSSL_PKEY_PARAM_RSA_E, exponent, e), OSSL_PARAM_construct_end()};
        return from_params("RSA", params);
    }

    /// Whether `signature` is this key's over `message`: 64 bytes for Ed25519, DER for ECDSA, PKCS #1 v1.5 for RSA.
    bool verify(bytes_view message, bytes_view signature) const {
        detail::error_mark const mark;
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
    static std::optional<verifying_key> from_params(char const *algorithm, OSSL_PARAM *params) {
        detail::error_mark const mark;
        detail::evp_ptr<EVP_PKEY_CTX> const context{EVP_PKEY_CTX_new_from_name(nullptr, algorithm, nullptr)};
        EVP_PKEY *key = nullptr;
        if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 || EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
            EVP_PKEY_free(key);
            return std::nullopt;
        }
        return wrap(key, true);
    }
    /// That the point is on the curve is OpenSSL's to check.
    static std::optional<verifying_key> ec(std::string_view curve, bytes_view point) {
        OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char *>(curve.data()), curve.size()),
                               OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, const_cast<std::uint8_t *>(point.data()), point.size()),
                               OSSL_PARAM_construct_end()};
        return from_params("EC", params);
    }
    /// A number as OpenSSL's parameters have it: in the machine's byte order, in `room`.
    static OSSL_PARAM native_number(char const *name, bytes_view big_endian, std::span<std::uint8_t> room) {
        std::ranges::copy(big_endian, room.begin());
        auto const number = room.first(big_endian.size());
        if constexpr (std::endian::native == std::endian::little) std::ranges::reverse(number);
        return OSSL_PARAM_construct_BN(name, number.data(), number.size());
    }

    detail::evp_ptr<EVP_PKEY> key_;
    bool digests_;
};

} // namespace gigi::inline v1
