// gigi/peer/nickname.hpp: which names people and groups may have.
//
// Layer: peer.
#pragma once

#include "../core/text.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace gigi::inline v1 {

inline constexpr std::size_t max_nickname_size = 64;    ///< bytes
inline constexpr std::size_t max_group_name_size = 128; ///< bytes

namespace detail {
inline bool is_clean_name(std::string_view name, std::size_t limit) {
    if (name.empty() || name.size() > limit || name.front() == ' ' || name.back() == ' ') return false;
    return printable(name) == name;
}
} // namespace detail

/// 1–64 bytes of UTF-8 without control or direction characters, quotes or '~', and without blanks at its ends.
inline bool valid_nickname(std::string_view name) {
    return detail::is_clean_name(name, max_nickname_size) && name.find_first_of("~\"'\\") == std::string_view::npos;
}

/// 1–128 bytes of UTF-8 without control or direction characters, and without blanks at its ends.
inline bool valid_group_name(std::string_view name) { return detail::is_clean_name(name, max_group_name_size); }

} // namespace gigi::inline v1
