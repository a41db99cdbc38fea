// gigi/codec/impl/json.ipp: what json.hpp declares.
#pragma once

#include "../json.hpp"

#include "../../core/config.hpp"

namespace gigi::inline v1 {

namespace detail {

GIGI_INLINE bool json_is_plain(std::string_view text, int limit) noexcept {
    constexpr std::string_view words = " \t\r\n:,-0123456789aeflnrstu"; // of integers, true, false and null
    int depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char const c = text[i];
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
        } else if (words.find(c) == words.npos || (c == 'e' && i > 0 && text[i - 1] >= '0' && text[i - 1] <= '9')) {
            return false;
        }
    }
    return true;
}

} // namespace detail

} // namespace gigi::inline v1
