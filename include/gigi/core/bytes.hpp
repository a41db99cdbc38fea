// gigi/core/bytes.hpp: byte strings and views, fixed-width integers, hex.
//
// Layer: core.
#pragma once

#include "result.hpp"

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gigi::inline v1 {

using bytes = std::vector<std::uint8_t>;             ///< owned bytes
using bytes_view = std::span<std::uint8_t const>;    ///< bytes to read
using mutable_bytes = std::span<std::uint8_t>;       ///< bytes to write into

/// The bytes of a text; valid as long as the text is.
inline bytes_view as_bytes(std::string_view text) noexcept {
    return {reinterpret_cast<std::uint8_t const *>(text.data()), text.size()};
}

/// The bytes as text, unchecked: they may hold anything. Valid as long as the bytes are.
inline std::string_view as_text(bytes_view data) noexcept {
    return {reinterpret_cast<char const *>(data.data()), data.size()};
}

inline bytes to_bytes(bytes_view data) { return {data.begin(), data.end()}; }
inline bytes to_bytes(std::string_view text) { return to_bytes(as_bytes(text)); }
inline std::string to_text(bytes_view data) { return std::string{as_text(data)}; }

inline void append(bytes &out, bytes_view data) { out.insert(out.end(), data.begin(), data.end()); }
inline void append(bytes &out, std::string_view text) { append(out, as_bytes(text)); }

/// Whether two byte strings are equal, content by content.
inline bool equal(bytes_view a, bytes_view b) noexcept { return std::ranges::equal(a, b); }

template <std::unsigned_integral T> void store_be(std::uint8_t *out, T value) noexcept {
    for (std::size_t i = sizeof(T); i-- > 0; value = static_cast<T>(value >> 7 >> 1)) out[i] = static_cast<std::uint8_t>(value);
}
template <std::unsigned_integral T> T load_be(std::uint8_t const *in) noexcept {
    T value{};
    for (std::size_t i = 0; i < sizeof(T); ++i) value = static_cast<T>(static_cast<T>(value << 7 << 1) | in[i]);
    return value;
}
template <std::unsigned_integral T> void store_le(std::uint8_t *out, T value) noexcept {
    for (std::size_t i = 0; i < sizeof(T); ++i, value = static_cast<T>(value >> 7 >> 1)) out[i] = static_cast<std::uint8_t>(value);
}
template <std::unsigned_integral T> T load_le(std::uint8_t const *in) noexcept {
    T value{};
    for (std::size_t i = sizeof(T); i-- > 0;) value = static_cast<T>(static_cast<T>(value << 7 << 1) | in[i]);
    return value;
}
template <std::unsigned_integral T> void append_be(bytes &out, T value) {
    std::uint8_t raw[sizeof(T)];
    store_be(raw, value);
    append(out, raw);
}

/// Lower-case hexadecimal.
std::string to_hex(bytes_view data);

/// The bytes that a hexadecimal text names, either case; `errc::invalid_argument` otherwise.
result<bytes> from_hex(std::string_view text);

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/bytes.ipp"
#endif
