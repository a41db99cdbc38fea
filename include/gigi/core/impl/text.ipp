// gigi/core/impl/text.ipp: what text.hpp declares.
#pragma once

#include "../text.hpp"

#include "../config.hpp"

#include <algorithm>

namespace gigi::inline v1 {

GIGI_INLINE void append_utf8(std::string &out, char32_t c) {
    if ((c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff) c = U'\uFFFD';
    auto const put = [&](char32_t value) { out += static_cast<char>(static_cast<std::uint8_t>(value)); };
    if (c < 0x80) return put(c);
    if (c < 0x800) {
        put(0xc0 | c >> 6);
    } else {
        if (c < 0x10000) {
            put(0xe0 | c >> 12);
        } else {
            put(0xf0 | c >> 18);
            put(0x80 | (c >> 12 & 0x3f));
        }
        put(0x80 | (c >> 6 & 0x3f));
    }
    put(0x80 | (c & 0x3f));
}

GIGI_INLINE std::string printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (char32_t previous = 0; !text.empty();) {
        auto const step = next_utf8(text);
        text.remove_prefix(step.length);
        char32_t const c = step.code_point;
        if (c == '\r' || c == '\n' || c == 0x85 || c == 0x2028 || c == 0x2029) {
            if (c != '\n' || previous != '\r') append_utf8(out, U'\u21B5');
        } else if (c == '\t') {
            out += ' ';
        } else if (!is_control(c) && !is_direction_control(c)) {
            append_utf8(out, c);
        }
        previous = c;
    }
    return out;
}

GIGI_INLINE std::string json_quoted(std::string_view text) {
    std::string out;
    out.reserve(text.size() + 2);
    out += '"';
    while (!text.empty()) {
        auto const step = next_utf8(text);
        text.remove_prefix(step.length);
        switch (step.code_point) {
        case '"': out += "\\\""; break;
        case '\\': out += "\\\\"; break;
        case '\n': out += "\\n"; break;
        case '\r': out += "\\r"; break;
        case '\t': out += "\\t"; break;
        default:
            // Harmless on a terminal, too; and one line to whoever counts U+2028 and U+2029 among the line ends.
            if (is_control(step.code_point) || is_direction_control(step.code_point) || step.code_point == 0x2028 || step.code_point == 0x2029) {
                std::uint8_t value[2];
                store_be(value, static_cast<std::uint16_t>(step.code_point));
                out += "\\u" + to_hex(value);
            } else {
                append_utf8(out, step.code_point);
            }
        }
    }
    out += '"';
    return out;
}

GIGI_INLINE std::string to_base64(bytes_view data) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    out.reserve((data.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < data.size(); i += 3) {
        std::size_t const have = std::min<std::size_t>(3, data.size() - i);
        std::uint32_t group = 0;
        for (std::size_t j = 0; j < 3; ++j) group = group << 8 | (j < have ? data[i + j] : 0u);
        for (std::size_t j = 0; j < 4; ++j) out += j <= have ? digits[group >> (18 - 6 * j) & 63] : '=';
    }
    return out;
}

} // namespace gigi::inline v1
