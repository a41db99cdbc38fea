// gigi/file/safe_name.hpp: a file name that is safe on this and on any other system, from whatever a peer sent.
//
// Layer: file. Sans-I/O. Against traversal, terminal escapes, device names and names that no file system takes (T21, T23,
// T24 of docs/attacks.md).
#pragma once

#include "../core/text.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace gigi::inline v1 {

inline constexpr std::size_t max_file_name = 200; ///< in bytes: leaves room for suffixes below the usual limit of 255

namespace detail {

/// Characters that command a terminal or make text look other than it is: controls, bidirectional overrides, invisible
/// joints and line separators.
constexpr bool is_deceptive(char32_t c) noexcept {
    return is_control(c) || is_direction_control(c) || is_invisible(c) || c == 0x2028 || c == 0x2029;
}

/// Names that Windows gives to devices, whatever follows the first dot.
bool is_device_name(std::string_view name);

/// Names of files that are being written, by us (output_file.hpp) or by other programs, and of what tells how far they are.
bool is_unfinished_name(std::string_view name);

} // namespace detail

/// A single, harmless path component: what stands after the last slash or backslash, without control, invisible and
/// reserved characters, damaged UTF-8, leading dots and spaces, trailing dots and spaces; not a Windows device, nor ending in `.part`
/// or `.journal`; at most `max_file_name` bytes, cut at a character and before the extension; "file" where nothing is left. Safe names stay as they are.
std::string safe_file_name(std::string_view name);

/// The name to try when `n` others have been taken: "name.ext", "name (1).ext", "name (2).ext" …
std::string numbered_file_name(std::string const &name, unsigned n);

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/safe_name.ipp"
#endif
