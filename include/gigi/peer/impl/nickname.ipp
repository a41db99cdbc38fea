// gigi/peer/impl/nickname.ipp: what nickname.hpp declares.
#pragma once

#include "../nickname.hpp"

#include "../../core/config.hpp"
#include "../../core/text.hpp"

namespace gigi::inline v1 {

namespace detail {

GIGI_INLINE bool is_clean_name(std::string_view name, std::size_t limit) {
    if (name.empty() || name.size() > limit || name.front() == ' ' || name.back() == ' ') return false;
    return printable(name) == name;
}

} // namespace detail

GIGI_INLINE bool valid_nickname(std::string_view name) {
    if (!detail::is_clean_name(name, max_nickname_size) || name.find_first_of("~\"'\\") != std::string_view::npos) return false;
    auto const is_blank = [](char32_t c) { return c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x202f || c == 0x205f || c == 0x3000; };
    auto const is_selector = [](char32_t c) { return (c >= 0x180b && c <= 0x180f) || (c >= 0xfe00 && c <= 0xfe0f) || (c >= 0xe0100 && c <= 0xe01ef); };
    for (auto rest = name; !rest.empty();) {
        auto const step = next_utf8(rest);
        bool const at_end = rest.size() == name.size() || rest.size() == step.length;
        rest.remove_prefix(step.length);
        if (is_invisible(step.code_point) || is_selector(step.code_point) || (at_end && is_blank(step.code_point))) return false;
    }
    return true;
}

} // namespace gigi::inline v1
