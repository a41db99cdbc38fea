// gigi/codec/impl/json.ipp: what json.hpp declares.
#pragma once

#include "../json.hpp"

#include "../../core/config.hpp"

namespace gigi::inline v1 {

namespace detail {

GIGI_INLINE bool json_is_plain(std::string_view text, int limit) noexcept {
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
        } else if ((c == '.' || c == 'e' || c == 'E') && i > 0 && text[i - 1] >= '0' && text[i - 1] <= '9') {
            return false;
        }
    }
    return true;
}

} // namespace detail

} // namespace gigi::inline v1
