// gigi/file/share_code.hpp: what people type to name a file: short, and bound to the content.
//
// Layer: file. Sans-I/O. A code is the first 100 bits of SHA-256(root || size as u64be) in Crockford's base 32, five groups of
// four: "k7qm-3fz2-0a1b-9xyz-w4tv". The file's whole root, as 64 hexadecimal digits, is accepted in its place.
#pragma once

#include "../core/bytes.hpp"
#include "merkle.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gigi::inline v1 {

/// A share code, or a whole root. Always well formed.
class share_code {
  public:
    /// The code of a file.
    static share_code of(merkle_hash const &root, std::uint64_t size);

    /// Reads what a person typed: upper or lower case, with or without '-' and spaces, o for 0, i and l for 1.
    /// @return `errc::unknown_code` where it can be neither a code nor a root
    static result<share_code> parse(std::string_view typed);

    /// Whether a file is the one that this names. A whole root does not bind the size: it can also name 64 bytes that are
    /// two hashes of the tree. Zeros alone are the root of the empty file, and of no other.
    bool names(merkle_hash const &root, std::uint64_t size) const {
        if ((size == 0) != (root == merkle_hash{})) return false;
        return text_ == (is_root() ? to_hex(root) : of(root, size).text_);
    }

    bool is_root() const noexcept { return text_.size() == 64; }
    /// The one way in which it is written.
    std::string const &to_string() const noexcept { return text_; }

    auto operator<=>(share_code const &) const = default;

  private:
    static constexpr std::size_t symbols = 20;
    static constexpr std::string_view alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

    explicit share_code(std::string text) : text_{std::move(text)} {}

    std::string text_;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/share_code.ipp"
#endif
