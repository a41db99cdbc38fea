// gigi/crypto/impl/der.ipp: what der.hpp declares.
#pragma once

#include "../der.hpp"

#include "../../core/config.hpp"

#include <array>
#include <cstddef>

namespace gigi::inline v1 {

GIGI_INLINE std::optional<bytes_view> take_der(bytes_view &rest, std::uint8_t tag) {
    if (rest.size() < 2 || rest[0] != tag) return std::nullopt;
    std::size_t size = rest[1], header = 2;
    if (size == 0x81 && rest.size() >= 3 && rest[2] >= 0x80) {
        size = rest[2];
        header = 3;
    } else if (size == 0x82 && rest.size() >= 4 && rest[2] != 0) {
        size = load_be<std::uint16_t>(rest.data() + 2);
        header = 4;
    } else if (size >= 0x80) {
        return std::nullopt; // not minimal, indefinite, or 64 KiB and more
    }
    if (size > rest.size() - header) return std::nullopt;
    auto const content = rest.subspan(header, size);
    rest = rest.subspan(header + size);
    return content;
}

namespace detail {

/// Takes a positive INTEGER: its bytes without leading zeros.
inline std::optional<bytes_view> take_der_integer(bytes_view &rest) {
    auto const content = take_der(rest, 0x02);
    if (!content || content->empty()) return std::nullopt;
    if ((*content)[0] >= 0x80) return std::nullopt; // negative
    if ((*content)[0] != 0) return content;
    if (content->size() < 2 || (*content)[1] < 0x80) return std::nullopt; // zero, or a zero too many
    return content->subspan(1);
}

} // namespace detail

GIGI_INLINE std::optional<rsa_key_numbers> parse_rsa_key(bytes_view der) {
    static constexpr std::array<std::uint8_t, 15> algorithm{0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};
    auto info = take_der(der, 0x30);
    if (!info || !der.empty() || info->size() < algorithm.size() || !equal(info->first(algorithm.size()), algorithm)) return std::nullopt;
    auto rest = info->subspan(algorithm.size());
    auto const bits = take_der(rest, 0x03);
    if (!bits || !rest.empty() || bits->empty() || (*bits)[0] != 0) return std::nullopt;
    auto inner = bits->subspan(1);
    auto numbers = take_der(inner, 0x30);
    if (!numbers || !inner.empty()) return std::nullopt;
    auto const modulus = detail::take_der_integer(*numbers);
    auto const exponent = modulus ? detail::take_der_integer(*numbers) : std::nullopt;
    if (!exponent || !numbers->empty()) return std::nullopt;
    return rsa_key_numbers{*modulus, *exponent};
}

} // namespace gigi::inline v1
