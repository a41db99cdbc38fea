// gigi/peer/multibase.hpp: the text forms of bytes in peer ids and addresses: base58btc, base36, base32 and base64url.
//
// Layer: peer. Spec: multiformats/multibase; here without multibase's prefix. Decoding base58 and base36 is quadratic in the
// length, so the length is capped.
#pragma once

#include "../core/bytes.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace gigi::inline v1 {

inline constexpr std::size_t max_base58_size = 128; ///< characters that are decoded at most, in base58 and base36

/// @param data short: the time is quadratic in its size
std::string to_base58(bytes_view data);

/// @return `errc::invalid_argument` for other characters, and above `max_base58_size`
result<bytes> from_base58(std::string_view text);

/// Lower case. @return as `from_base58`
result<bytes> from_base36(std::string_view text);

/// Lower case, without padding. @par Spec RFC 4648, section 6
result<bytes> from_base32(std::string_view text);

/// Without padding. @par Spec RFC 4648, section 5
result<bytes> from_base64url(std::string_view text);
std::string to_base64url(bytes_view data);

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/multibase.ipp"
#endif
