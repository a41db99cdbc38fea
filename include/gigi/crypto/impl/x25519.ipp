// gigi/crypto/impl/x25519.ipp: what x25519.hpp declares.
#pragma once

#include "../x25519.hpp"

#include "../../core/config.hpp"
#include "evp.hpp"

namespace gigi::inline v1 {

GIGI_INLINE x25519_pair::x25519_pair(x25519_key const &secret)
    : key_{detail::made(EVP_PKEY_new_raw_private_key_ex(nullptr, "X25519", nullptr, secret.data(), secret.size()))} {
    std::size_t size = public_.size();
    detail::must(EVP_PKEY_get_raw_public_key(key_.get(), public_.data(), &size));
}

GIGI_INLINE x25519_pair x25519_pair::generate(random_source &random) {
    x25519_key secret{};
    random.fill(secret);
    x25519_pair pair{secret};
    wipe(secret);
    return pair;
}

GIGI_INLINE std::optional<x25519_key> x25519_pair::shared_secret(x25519_key const &theirs) const {
    detail::error_mark const mark;
    detail::evp_ptr<EVP_PKEY> const peer{EVP_PKEY_new_raw_public_key_ex(nullptr, "X25519", nullptr, theirs.data(), theirs.size())};
    if (!peer) return std::nullopt;
    auto const context = detail::made(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
    x25519_key out{};
    std::size_t size = out.size();
    if (EVP_PKEY_derive_init(context.get()) != 1 || EVP_PKEY_derive_set_peer(context.get(), peer.get()) != 1 ||
        EVP_PKEY_derive(context.get(), out.data(), &size) != 1 || size != out.size())
        return std::nullopt; // OpenSSL refuses an all-zero result
    return out;
}

} // namespace gigi::inline v1
