// gigi/crypto/impl/evp.hpp: how the bodies of crypto/ call OpenSSL.
//
// Layer: crypto.
#pragma once

#include "../../core/error.hpp"
#include "evp_ptr.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <string>
#include <utility>

namespace gigi::inline v1::detail {

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

} // namespace gigi::inline v1::detail
