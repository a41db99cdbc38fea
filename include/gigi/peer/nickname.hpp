// gigi/peer/nickname.hpp: which names people and groups may have.
//
// Layer: peer.
#pragma once

#include <cstddef>
#include <string_view>

namespace gigi::inline v1 {

inline constexpr std::size_t max_nickname_size = 64;    ///< bytes
inline constexpr std::size_t max_group_name_size = 128; ///< bytes

namespace detail {
bool is_clean_name(std::string_view name, std::size_t limit);
} // namespace detail

/// What a nickname is, for people who chose another one.
inline constexpr std::string_view nickname_rule =
    "a nickname is 1 to 64 bytes of UTF-8 without control, direction and invisible characters, quotes, backslash and '~', and without blanks at its ends";

/// 1–64 bytes of UTF-8 without control or direction characters, quotes, backslash or '~', and without blanks at its ends; and
/// without characters that show as nothing (joiners and variation selectors, too), by which one name could look like another.
bool valid_nickname(std::string_view name);

/// 1–128 bytes of UTF-8 without control or direction characters, and without blanks at its ends.
inline bool valid_group_name(std::string_view name) { return detail::is_clean_name(name, max_group_name_size); }

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/nickname.ipp"
#endif
