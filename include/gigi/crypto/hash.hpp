// gigi/crypto/hash.hpp: SHA-256, HMAC and HKDF.
//
// Layer: crypto. RAII over OpenSSL's EVP.
#pragma once

#include "../core/bytes.hpp"
#include "../core/error.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <array>
#include <memory>
#include <string>
#include <utility>

namespace gigi::inline v1 {

using sha256_digest = std::array<std::uint8_t, 32>;

namespace detail {

struct evp_free {
    void operator()(EVP_MD_CTX *p) const noexcept { EVP_MD_CTX_free(p); }
    void operator()(EVP_MD *p) const noexcept { EVP_MD_free(p); }
    void operator()(EVP_PKEY *p) const noexcept { EVP_PKEY_free(p); }
    void operator()(EVP_PKEY_CTX *p) const noexcept { EVP_PKEY_CTX_free(p); }
    void operator()(EVP_CIPHER_CTX *p) const noexcept { EVP_CIPHER_CTX_free(p); }
    void operator()(EVP_CIPHER *p) const noexcept { EVP_CIPHER_free(p); }
};
template <class T> using evp_ptr = std::unique_ptr<T, evp_free>;

/// What does not depend on anybody's input failed: memory ran out, or this build of OpenSSL lacks the algorithm.
[[noreturn]] inline void openssl_failed() {
    char const *const reason = ERR_reason_error_string(ERR_peek_last_error());
    std::string context = std::string{"OpenSSL: "} + (reason ? reason : "unknown reason");
    ERR_clear_error();
    throw error{errc::not_supported, std::move(context)};
}

/// Takes what OpenSSL made.
template <class T> evp_ptr<T> made(T *raw) {
    if (!raw) openssl_failed();
    return evp_ptr<T>{raw};
}
inline void must(int done) {
    if (done != 1) openssl_failed();
}

/// Failing on a stranger's input is no error of this thread: whoever else uses OpenSSL here must not find it in the queue.
class error_mark {
  public:
    error_mark() noexcept { ERR_set_mark(); }
    error_mark(error_mark const &) = delete;
    error_mark &operator=(error_mark const &) = delete;
    ~error_mark() { ERR_pop_to_mark(); }
};

/// Fetched once: a fetch a message would cost more than hashing it.
inline EVP_MD const *sha256_algorithm() {
    static evp_ptr<EVP_MD> const fetched{made(EVP_MD_fetch(nullptr, "SHA256", nullptr))};
    return fetched.get();
}

} // namespace detail

/// Overwrites a secret that is not needed any more, in a way that no optimiser leaves out.
inline void wipe(mutable_bytes secret) noexcept { OPENSSL_cleanse(secret.data(), secret.size()); }

/// SHA-256 of what is fed to it in pieces. Usable again after `finish()`.
class sha256_hasher {
  public:
    sha256_hasher() : context_{detail::made(EVP_MD_CTX_new())} { reset(); }

    sha256_hasher &update(bytes_view data) {
        detail::must(EVP_DigestUpdate(context_.get(), data.data(), data.size()));
        return *this;
    }
    sha256_digest finish() {
        sha256_digest out;
        detail::must(EVP_DigestFinal_ex(context_.get(), out.data(), nullptr));
        reset();
        return out;
    }
    void reset() { detail::must(EVP_DigestInit_ex(context_.get(), detail::sha256_algorithm(), nullptr)); }

  private:
    detail::evp_ptr<EVP_MD_CTX> context_;
};

inline sha256_digest sha256(bytes_view data) {
    thread_local sha256_hasher hasher;
    return hasher.update(data).finish();
}

/// HMAC-SHA-256 (RFC 2104).
inline sha256_digest hmac_sha256(bytes_view key, bytes_view data) {
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
