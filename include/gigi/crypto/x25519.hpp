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
    explicit x25519_pair(x25519_key const &secret)
        : key_{detail::made(EVP_PKEY_new_raw_private_key_ex(nullptr, "X25519", nullptr, secret.data(), secret.size()))} {
        std::size_t size = public_.size();
        detail::must(EVP_PKEY_get_raw_public_key(key_.get(), public_.data(), &size));
    }
    static x25519_pair generate(random_source &random) {
        x25519_key secret{};
        random.fill(secret);
        x25519_pair pair{secret};
        wipe(secret);
        return pair;
    }

    x25519_key const &public_key() const noexcept { return public_; }

    /// The shared secret with the holder of `theirs`; nothing where that is a point of low order, which would give the same
    /// secret to everyone.
    std::optional<x25519_key> shared_secret(x25519_key const &theirs) const {
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

  private:
    detail::evp_ptr<EVP_PKEY> key_;
    x25519_key public_{};
};

} // namespace gigi::inline v1
