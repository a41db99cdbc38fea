// gigi/codec/impl/json.ipp: what json.hpp declares.
#pragma once

#include "../json.hpp"

#include "../../core/config.hpp"

#include <cstddef>
#include <string_view>
#include <utility>

namespace gigi::inline v1 {

namespace detail {

GIGI_INLINE bool json_is_plain(std::string_view text, int limit) noexcept {
    constexpr std::string_view words = " \t\r\n:,-aeflnrstu"; // beside digits, of integers, true, false and null
    constexpr int max_digits = 20; // of 2^64 - 1
    int depth = 0, digits = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char const c = text[i];
        int const digits_before = std::exchange(digits, 0);
        if (in_string) {
            if (c == '\\')
                ++i;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > limit) return false;
        } else if (c == ']' || c == '}') {
            --depth;
        } else if (c >= '0' && c <= '9') {
            digits = digits_before + 1;
            if (digits > max_digits) return false;
        } else if (words.find(c) == words.npos || (c == 'e' && digits_before > 0)) {
            return false;
        }
    }
    return true;
}

} // namespace detail

} // namespace gigi::inline v1
