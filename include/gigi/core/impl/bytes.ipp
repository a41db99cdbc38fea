// gigi/core/impl/bytes.ipp: what bytes.hpp declares.
#pragma once

#include "../bytes.hpp"

#include "../config.hpp"
#include "../error.hpp"

namespace gigi::inline v1 {

GIGI_INLINE std::string to_hex(bytes_view data) {
    constexpr char digits[] = "0123456789abcdef";
    std::string out;
    out.reserve(data.size() * 2);
    for (auto b : data) {
        out += digits[b >> 4];
        out += digits[b & 15];
    }
    return out;
}

GIGI_INLINE result<bytes> from_hex(std::string_view text) {
    auto const digit = [](char c) -> int {
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'a' && c <= 'f') return c - 'a' + 10;
        if (c >= 'A' && c <= 'F') return c - 'A' + 10;
        return -1;
    };
    if (text.size() % 2) return errc::invalid_argument;
    bytes out;
    out.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        int const high = digit(text[i]), low = digit(text[i + 1]);
        if (high < 0 || low < 0) return errc::invalid_argument;
        out.push_back(static_cast<std::uint8_t>(high << 4 | low));
    }
    return out;
}

} // namespace gigi::inline v1
