// gigi/crypto/impl/aead.ipp: what aead.hpp declares.
#pragma once

#include "../aead.hpp"

#include "../../core/config.hpp"
#include "evp.hpp"

#include <array>

namespace gigi::inline v1 {

GIGI_INLINE chacha20_poly1305::chacha20_poly1305(std::span<std::uint8_t const, key_size> key, bool sealing) : context_{detail::made(EVP_CIPHER_CTX_new())} {
    static detail::evp_ptr<EVP_CIPHER> const algorithm{detail::made(EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr))};
    detail::must(EVP_CipherInit_ex(context_.get(), algorithm.get(), nullptr, key.data(), nullptr, sealing ? 1 : 0));
}

GIGI_INLINE void chacha20_poly1305::seal(std::uint64_t nonce, bytes_view ad, std::span<bytes_view const> pieces, std::uint8_t *out) {
    begin(nonce, ad);
    int n = 0;
    for (auto const &piece : pieces) {
        detail::must(EVP_EncryptUpdate(context_.get(), out, &n, piece.data(), static_cast<int>(piece.size())));
        out += n;
    }
    detail::must(EVP_EncryptFinal_ex(context_.get(), out, &n));
    detail::must(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, tag_size, out));
}

GIGI_INLINE void chacha20_poly1305::seal(std::uint64_t nonce, bytes_view ad, bytes_view plain, std::uint8_t *out) {
    bytes_view const pieces[] = {plain};
    seal(nonce, ad, pieces, out);
}

GIGI_INLINE bool chacha20_poly1305::open(std::uint64_t nonce, bytes_view ad, bytes_view sealed, std::uint8_t *out) {
    if (sealed.size() < tag_size) return false;
    std::size_t const size = sealed.size() - tag_size;
    std::array<std::uint8_t, tag_size> tag;
    std::ranges::copy(sealed.subspan(size), tag.begin());
    begin(nonce, ad);
    detail::error_mark const mark;
    int n = 0;
    detail::must(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, tag_size, tag.data()));
    if (size > 0) detail::must(EVP_DecryptUpdate(context_.get(), out, &n, sealed.data(), static_cast<int>(size)));
    return EVP_DecryptFinal_ex(context_.get(), out + size, &n) == 1;
}

GIGI_INLINE void chacha20_poly1305::begin(std::uint64_t nonce, bytes_view ad) {
    std::array<std::uint8_t, 12> iv{};
    store_le(iv.data() + 4, nonce);
    detail::must(EVP_CipherInit_ex(context_.get(), nullptr, nullptr, nullptr, iv.data(), -1));
    int n = 0;
    if (!ad.empty()) detail::must(EVP_CipherUpdate(context_.get(), nullptr, &n, ad.data(), static_cast<int>(ad.size())));
}

} // namespace gigi::inline v1
