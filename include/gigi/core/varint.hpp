// gigi/core/varint.hpp: the unsigned varints of multiformats (and, but for minimality, of protobuf).
//
// Layer: core. Spec: multiformats/unsigned-varint: at most 9 bytes, 63 bits, minimal.
#pragma once

#include "bytes.hpp"

#include <cstddef>
#include <cstdint>

namespace gigi::inline v1 {

inline constexpr std::size_t max_varint_size = 9;                             ///< in bytes
inline constexpr std::uint64_t max_varint = (std::uint64_t{1} << 63) - 1;     ///< the largest that may be encoded

/// How many bytes `value` takes; `value` is at most `max_varint`.
constexpr std::size_t varint_size(std::uint64_t value) noexcept {
    std::size_t n = 1;
    for (; value >= 0x80; value >>= 7) ++n;
    return n;
}

/// Writes `value` to `out`, which has room for `varint_size(value)`; returns that size.
constexpr std::size_t store_varint(std::uint8_t *out, std::uint64_t value) noexcept {
    std::size_t n = 0;
    for (; value >= 0x80; value >>= 7) out[n++] = static_cast<std::uint8_t>(value | 0x80);
    out[n++] = static_cast<std::uint8_t>(value);
    return n;
}

void append_varint(bytes &out, std::uint64_t value);

/// What stands at the front of a byte string.
struct varint_result {
    enum class status {
        complete,   ///< `value` was read from the first `size` bytes
        incomplete, ///< more bytes are needed
        invalid,    ///< longer than 9 bytes, or not minimal
    };
    status state = status::incomplete;
    std::uint64_t value = 0;
    std::size_t size = 0;
};

/// Reads one varint from the front of `data`. Never reads past 9 bytes.
constexpr varint_result read_varint(bytes_view data) noexcept {
    using enum varint_result::status;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < max_varint_size; ++i) {
        if (i == data.size()) return {incomplete, 0, 0};
        value |= std::uint64_t{data[i] & 0x7fu} << (7 * i);
        if (data[i] < 0x80) {
            if (data[i] == 0 && i > 0) return {invalid, 0, 0};
            return {complete, value, i + 1};
        }
    }
    return {invalid, 0, 0};
}

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/varint.ipp"
#endif
