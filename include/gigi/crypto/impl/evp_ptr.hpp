// gigi/crypto/impl/evp_ptr.hpp: owners of what OpenSSL makes.
//
// Layer: crypto.
#pragma once

#include <openssl/types.h>

#include <memory>

namespace gigi::inline v1::detail {

struct evp_free {
    void operator()(EVP_MD_CTX *p) const noexcept;
    void operator()(EVP_MD *p) const noexcept;
    void operator()(EVP_PKEY *p) const noexcept;
    void operator()(EVP_PKEY_CTX *p) const noexcept;
    void operator()(EVP_CIPHER_CTX *p) const noexcept;
    void operator()(EVP_CIPHER *p) const noexcept;
};
template <class T> using evp_ptr = std::unique_ptr<T, evp_free>;

} // namespace gigi::inline v1::detail
