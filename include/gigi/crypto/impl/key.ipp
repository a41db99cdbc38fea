// gigi/crypto/impl/key.ipp: what key.hpp declares.
#pragma once

#include "../key.hpp"

#include "../../core/config.hpp"
#include "../der.hpp"
#include "evp.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>
#include <bit>

namespace gigi::inline v1 {

GIGI_INLINE ed25519_pair::ed25519_pair(ed25519_seed const &seed)
    : key_{detail::made(EVP_PKEY_new_raw_private_key_ex(nullptr, "ED25519", nullptr, seed.data(), seed.size()))} {
    std::size_t size = public_.size();
    detail::must(EVP_PKEY_get_raw_public_key(key_.get(), public_.data(), &size));
}

GIGI_INLINE ed25519_pair ed25519_pair::generate(random_source &random) {
    ed25519_seed seed{};
    random.fill(seed);
    ed25519_pair pair{seed};
    wipe(seed);
    return pair;
}

GIGI_INLINE ed25519_seed ed25519_pair::seed() const {
    ed25519_seed out{};
    std::size_t size = out.size();
    detail::must(EVP_PKEY_get_raw_private_key(key_.get(), out.data(), &size));
    return out;
}

GIGI_INLINE ed25519_signature ed25519_pair::sign(bytes_view message) const {
    ed25519_signature out{};
    std::size_t size = out.size();
    auto const context = detail::made(EVP_MD_CTX_new());
    detail::must(EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key_.get(), nullptr));
    detail::must(EVP_DigestSign(context.get(), out.data(), &size, message.data(), message.size()));
    return out;
}

GIGI_INLINE std::optional<verifying_key> verifying_key::ed25519(bytes_view raw) {
    if (raw.size() != 32) return std::nullopt;
    detail::error_mark const mark;
    return wrap(EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, raw.data(), raw.size()), false);
}

GIGI_INLINE std::optional<verifying_key> verifying_key::secp256k1(bytes_view point) {
    if (point.size() != 33) return std::nullopt;
    return ec("secp256k1", point);
}

GIGI_INLINE std::optional<verifying_key> verifying_key::p256(bytes_view der) {
    // Everything before the point's coordinates is the same for every key: id-ecPublicKey, prime256v1, 66 bytes, 04.
    static constexpr std::array<std::uint8_t, 27> head{0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
                                                       0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
    if (der.size() != head.size() + 64 || !equal(der.first(head.size()), head)) return std::nullopt;
    return ec("prime256v1", der.subspan(head.size() - 1));
}

GIGI_INLINE std::optional<verifying_key> verifying_key::rsa(bytes_view der) {
    auto const numbers = parse_rsa_key(der);
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

GIGI_INLINE bool verifying_key::verify(bytes_view message, bytes_view signature) const {
    detail::error_mark const mark;
    detail::evp_ptr<EVP_MD_CTX> const context{EVP_MD_CTX_new()};
    if (!context) return false;
    if (EVP_DigestVerifyInit_ex(context.get(), nullptr, digests_ ? "SHA256" : nullptr, nullptr, nullptr, key_.get(), nullptr) != 1) return false;
    return EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1;
}

GIGI_INLINE std::optional<verifying_key> verifying_key::wrap(EVP_PKEY *raw, bool digests) {
    if (!raw) return std::nullopt;
    return verifying_key{detail::evp_ptr<EVP_PKEY>{raw}, digests};
}

GIGI_INLINE std::optional<verifying_key> verifying_key::from_params(char const *algorithm, OSSL_PARAM *params) {
    detail::error_mark const mark;
    detail::evp_ptr<EVP_PKEY_CTX> const context{EVP_PKEY_CTX_new_from_name(nullptr, algorithm, nullptr)};
    EVP_PKEY *key = nullptr;
    if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 || EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        EVP_PKEY_free(key);
        return std::nullopt;
    }
    return wrap(key, true);
}

GIGI_INLINE std::optional<verifying_key> verifying_key::ec(std::string_view curve, bytes_view point) {
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char *>(curve.data()), curve.size()),
                           OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, const_cast<std::uint8_t *>(point.data()), point.size()),
                           OSSL_PARAM_construct_end()};
    return from_params("EC", params);
}

GIGI_INLINE OSSL_PARAM verifying_key::native_number(char const *name, bytes_view big_endian, std::span<std::uint8_t> room) {
    std::ranges::copy(big_endian, room.begin());
    auto const number = room.first(big_endian.size());
    if constexpr (std::endian::native == std::endian::little) std::ranges::reverse(number);
    return OSSL_PARAM_construct_BN(name, number.data(), number.size());
}

} // namespace gigi::inline v1
