// gigi/crypto/impl/hash.ipp: what hash.hpp declares.
#pragma once

#include "../hash.hpp"

#include "../../core/config.hpp"
#include "evp.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>

namespace gigi::inline v1 {

namespace detail {

GIGI_INLINE void evp_free::operator()(EVP_MD_CTX *p) const noexcept { EVP_MD_CTX_free(p); }
GIGI_INLINE void evp_free::operator()(EVP_MD *p) const noexcept { EVP_MD_free(p); }
GIGI_INLINE void evp_free::operator()(EVP_PKEY *p) const noexcept { EVP_PKEY_free(p); }
GIGI_INLINE void evp_free::operator()(EVP_PKEY_CTX *p) const noexcept { EVP_PKEY_CTX_free(p); }
GIGI_INLINE void evp_free::operator()(EVP_CIPHER_CTX *p) const noexcept { EVP_CIPHER_CTX_free(p); }
GIGI_INLINE void evp_free::operator()(EVP_CIPHER *p) const noexcept { EVP_CIPHER_free(p); }

GIGI_INLINE EVP_MD const *sha256_algorithm() {
    static evp_ptr<EVP_MD> const fetched{made(EVP_MD_fetch(nullptr, "SHA256", nullptr))};
    return fetched.get();
}

} // namespace detail

GIGI_INLINE void wipe(mutable_bytes secret) noexcept { OPENSSL_cleanse(secret.data(), secret.size()); }

GIGI_INLINE sha256_hasher::sha256_hasher() : context_{detail::made(EVP_MD_CTX_new())} { reset(); }

GIGI_INLINE sha256_hasher &sha256_hasher::update(bytes_view data) {
    detail::must(EVP_DigestUpdate(context_.get(), data.data(), data.size()));
    return *this;
}

GIGI_INLINE sha256_digest sha256_hasher::finish() {
    sha256_digest out;
    detail::must(EVP_DigestFinal_ex(context_.get(), out.data(), nullptr));
    reset();
    return out;
}

GIGI_INLINE void sha256_hasher::reset() { detail::must(EVP_DigestInit_ex(context_.get(), detail::sha256_algorithm(), nullptr)); }

GIGI_INLINE sha256_digest sha256(bytes_view data) {
    thread_local sha256_hasher hasher;
    return hasher.update(data).finish();
}

GIGI_INLINE sha256_digest hmac_sha256(bytes_view key, bytes_view data) {
    std::array<std::uint8_t, 64> block{};
    if (key.size() > block.size()) {
        auto const digest = sha256(key);
        std::ranges::copy(digest, block.begin());
    } else {
        std::ranges::copy(key, block.begin());
    }
    auto inner = block, outer = block;
    for (auto &b : inner) b ^= 0x36;
    for (auto &b : outer) b ^= 0x5c;
    thread_local sha256_hasher hasher;
    auto const first = hasher.update(inner).update(data).finish();
    auto const out = hasher.update(outer).update(first).finish();
    for (auto *const keyed : {&block, &inner, &outer}) wipe(*keyed);
    return out;
}

} // namespace gigi::inline v1
