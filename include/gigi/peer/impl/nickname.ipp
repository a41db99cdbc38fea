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
    return detail::is_clean_name(name, max_nickname_size) && name.find_first_of("~\"'\\") == std::string_view::npos;
}

} // namespace gigi::inline v1
