// gigi/discovery/dns_name.hpp: a domain name, as labels.
//
// Layer: discovery, sans-I/O. Spec: RFC 1035 §2.3 and §3.1 (labels of at most 63 bytes, names of at most 255 on the wire),
// RFC 6762 §16 (any bytes in a label; ASCII letters compare without regard to case).
#pragma once

#include "../core/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace gigi::inline v1 {

/// A fully qualified domain name; a default-constructed one is the root.
class dns_name {
  public:
    static constexpr std::size_t max_label_size = 63;
    static constexpr std::size_t max_wire_size = 255; ///< with the length bytes and the final zero

    dns_name() = default;

    /// The name with these labels. @param text labels with dots between them, no escapes; a final dot is allowed
    /// @return `errc::invalid_name` where a label is empty or too long, or the name is
    static result<dns_name> from_text(std::string_view text);

    /// Adds a label at the end (nearest to the root). @return false, without a change, where a limit forbids it
    [[nodiscard]] bool append_label(std::string_view label);

    /// This name below one more label. @return `errc::invalid_name` where a limit forbids it
    result<dns_name> child(std::string_view label) const;

    bool is_root() const noexcept { return labels_.empty(); }

    /// The label farthest from the root; empty for the root. Valid as long as the name.
    std::string_view first_label() const noexcept;

    /// The name without its first label; the root for the root.
    dns_name parent() const;

    /// The labels in wire form: each behind its length byte, without the final zero. Valid as long as the name.
    std::string_view labels() const noexcept { return labels_; }
    std::size_t wire_size() const noexcept { return labels_.size() + 1; }

    /// For people and logs: what is not printable ASCII, and dots in labels, as `\DDD`.
    std::string to_text() const;

    friend bool operator==(dns_name const &a, dns_name const &b) noexcept { return same_labels(a.labels_, b.labels_); }

    /// Whether two sequences of labels are equal but for the case of ASCII letters.
    static bool same_labels(std::string_view a, std::string_view b) noexcept;

  private:
    static char fold(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

    std::string labels_;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/dns_name.ipp"
#endif
