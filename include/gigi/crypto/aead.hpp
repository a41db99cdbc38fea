// gigi/crypto/aead.hpp: ChaCha20-Poly1305 (RFC 8439) with Noise's nonces.
//
// Layer: crypto.
#pragma once

#include "hash.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace gigi::inline v1 {

/// One key in one direction. The key is set up once; a message costs only its nonce and its bytes.
class chacha20_poly1305 {
  public:
    static constexpr std::size_t key_size = 32;
    static constexpr std::size_t tag_size = 16;

    /// @param sealing whether the key is for `seal` (true) or for `open`
    chacha20_poly1305(std::span<std::uint8_t const, key_size> key, bool sealing);

    /// Encrypts the pieces, one after the other, as one message.
    /// @param nonce counts messages; never use one twice
    /// @param pieces less than 2 GiB each. Remainders of 440 to 511 modulo 512 in all cost OpenSSL 3.0 a quarter of its speed.
    /// @param out room for all pieces and `tag_size`; may be the place of a single piece
    void seal(std::uint64_t nonce, bytes_view ad, std::span<bytes_view const> pieces, std::uint8_t *out);
    void seal(std::uint64_t nonce, bytes_view ad, bytes_view plain, std::uint8_t *out);

    /// Decrypts a message that ends in its tag. @param out room for the plaintext; may be the ciphertext's own place
    /// @return false where it is not authentic; `out` then holds nothing of use
    [[nodiscard]] bool open(std::uint64_t nonce, bytes_view ad, bytes_view sealed, std::uint8_t *out);

  private:
    void begin(std::uint64_t nonce, bytes_view ad);

    detail::evp_ptr<EVP_CIPHER_CTX> context_;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/aead.ipp"
#endif
