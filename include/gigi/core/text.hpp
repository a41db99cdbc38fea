// gigi/core/text.hpp: text from strangers: is it UTF-8, how may a terminal show it, how is it written in JSON.
//
// Layer: core. What peers say (texts, nicknames, file names) is bytes until it has been looked at: shown as it is, it can
// move the cursor, repaint the screen or turn a line round (T23).
#pragma once

#include "bytes.hpp"

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
void append_utf8(std::string &out, char32_t c);

/// Whether a code point is a control character: C0, DEL or C1.
constexpr bool is_control(char32_t c) noexcept { return c < 0x20 || (c >= 0x7f && c < 0xa0); }

/// Whether a code point changes the direction in which the text around it is shown.
constexpr bool is_direction_control(char32_t c) noexcept {
    return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/// Whether a code point is shown as nothing at all, so that two texts look the same and are not: joiners, soft hyphens, fillers,
/// tags. Variation selectors are not among them: emoji have them.
constexpr bool is_invisible(char32_t c) noexcept {
    return c == 0xad || c == 0x034f || c == 0x115f || c == 0x1160 || c == 0x17b4 || c == 0x17b5 || c == 0x180e ||
           (c >= 0x200b && c <= 0x200d) || (c >= 0x2060 && c <= 0x206f) || c == 0x2800 || c == 0x3164 || c == 0xfeff || c == 0xffa0 ||
           (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

/// A text that any terminal can be shown: one line of valid UTF-8 that cannot do anything but appear.
///
/// Line ends become "↵" and tabs spaces, bytes that are not UTF-8 become U+FFFD, and every other control character (ESC, CSI
/// and their kin) and every direction control is left out.
std::string printable(std::string_view text);

/// A text as a JSON string, with its quotes: valid JSON whatever the bytes are (U+FFFD for what is not UTF-8).
/// @par Spec RFC 8259, section 7
std::string json_quoted(std::string_view text);

/// Base64 with padding. @par Spec RFC 4648, section 4
std::string to_base64(bytes_view data);

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/text.ipp"
#endif
