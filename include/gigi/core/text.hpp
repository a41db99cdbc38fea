// gigi/core/text.hpp: text from strangers: is it UTF-8, how may a terminal show it, how is it written in JSON.
//
// Layer: core. What peers say (texts, nicknames, file names) is bytes until it has been looked at: shown as it is, it can
// move the cursor, repaint the screen or turn a line round (T23).
#pragma once

#include "bytes.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gigi::inline v1 {

/// One step through UTF-8: a code point, or a run of bytes that is none.
struct utf8_step {
    char32_t code_point = U'\uFFFD'; ///< the replacement character where the bytes are not UTF-8
    std::size_t length = 0;          ///< how many bytes it takes; 0 at the end of the text
    bool valid = false;
};

/// Reads the first code point of a text. Overlong forms, surrogates and what is past U+10FFFF are not UTF-8.
/// @par Spec Unicode 15, table 3-7; a bad sequence is as long as its longest good beginning
constexpr utf8_step next_utf8(std::string_view text) noexcept {
    if (text.empty()) return {};
    auto const byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    std::uint8_t const first = byte(0);
    if (first < 0x80) return {first, 1, true};
    std::size_t const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4) return {U'\uFFFD', 1, false};
    std::uint8_t low = 0x80, high = 0xbf; // of the second byte; the later ones have the full range
    if (first == 0xe0) low = 0xa0;
    if (first == 0xed) high = 0x9f;
    if (first == 0xf0) low = 0x90;
    if (first == 0xf4) high = 0x8f;
    char32_t value = first & (0x7fu >> length);
    for (std::size_t i = 1; i < length; ++i, low = 0x80, high = 0xbf) {
        if (i >= text.size() || byte(i) < low || byte(i) > high) return {U'\uFFFD', i, false};
        value = value << 6 | (byte(i) & 0x3fu);
    }
    return {value, length, true};
}

constexpr bool is_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        auto const step = next_utf8(text);
        if (!step.valid) return false;
        text.remove_prefix(step.length);
    }
    return true;
}

/// Appends a code point as UTF-8; one that cannot be (a surrogate, too large) as U+FFFD.
inline void append_utf8(std::string &out, char32_t c) {
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

/// Whether a code point is a control character: C0, DEL or C1.
constexpr bool is_control(char32_t c) noexcept { return c < 0x20 || (c >= 0x7f && c < 0xa0); }

/// Whether a code point changes the direction in which the text around it is shown.
constexpr bool is_direction_control(char32_t c) noexcept {
    return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/// A text that any terminal can be shown: one line of valid UTF-8 that cannot do anything but appear.
///
/// Line ends become "↵" and tabs spaces, bytes that are not UTF-8 become U+FFFD, and every other control character (ESC, CSI
/// and their kin) and every direction control is left out.
inline std::string printable(std::string_view text) {
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

/// A text as a JSON string, with its quotes: valid JSON whatever the bytes are (U+FFFD for what is not UTF-8).
/// @par Spec RFC 8259, section 7
inline std::string json_quoted(std::string_view text) {
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

/// Base64 with padding. @par Spec RFC 4648, section 4
inline std::string to_base64(bytes_view data) {
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
