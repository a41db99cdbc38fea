// gigi/crypto/hash.hpp: SHA-256, HMAC and HKDF.
//
// Layer: crypto. RAII over OpenSSL's EVP.
#pragma once

#include "../core/bytes.hpp"
#include "impl/evp_ptr.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace gigi::inline v1 {

using sha256_digest = std::array<std::uint8_t, 32>;

namespace detail {

/// Fetched once: a fetch a message would cost more than hashing it.
EVP_MD const *sha256_algorithm();

} // namespace detail

/// Overwrites a secret that is not needed any more, in a way that no optimiser leaves out.
void wipe(mutable_bytes secret) noexcept;

/// SHA-256 of what is fed to it in pieces. Usable again after `finish()`.
class sha256_hasher {
  public:
    sha256_hasher();
    sha256_hasher &update(bytes_view data);
    sha256_digest finish();
    void reset();

  private:
    detail::evp_ptr<EVP_MD_CTX> context_;
};

sha256_digest sha256(bytes_view data);

/// HMAC-SHA-256 (RFC 2104).
sha256_digest hmac_sha256(bytes_view key, bytes_view data);

/// HKDF as the Noise framework defines it (section 4.3): `N` outputs of 32 bytes each.
template <std::size_t N> std::array<sha256_digest, N> noise_hkdf(bytes_view chaining_key, bytes_view input) {
    static_assert(N == 2 || N == 3);
    auto secret = hmac_sha256(chaining_key, input);
    std::array<sha256_digest, N> out;
    std::array<std::uint8_t, 33> message; // the output before, and a counter
    for (std::size_t i = 0; i < N; ++i) {
        if (i > 0) std::ranges::copy(out[i - 1], message.begin());
        message.back() = static_cast<std::uint8_t>(i + 1);
        out[i] = hmac_sha256(secret, bytes_view{message}.subspan(i > 0 ? 0 : 32));
    }
    wipe(secret);
    wipe(message);
    return out;
}

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/hash.ipp"
#endif
