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

/// 1–64 bytes of UTF-8 without control or direction characters, quotes or '~', and without blanks at its ends.
bool valid_nickname(std::string_view name);

/// 1–128 bytes of UTF-8 without control or direction characters, and without blanks at its ends.
inline bool valid_group_name(std::string_view name) { return detail::is_clean_name(name, max_group_name_size); }

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/nickname.ipp"
#endif
