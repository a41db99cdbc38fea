// gigi/discovery/impl/dns_name.ipp: what dns_name.hpp declares.
#pragma once

#include "../dns_name.hpp"

#include "../../core/config.hpp"

#include <algorithm>

namespace gigi::inline v1 {

GIGI_INLINE result<dns_name> dns_name::from_text(std::string_view text) {
    dns_name name;
    if (text.ends_with('.')) text.remove_suffix(1);
    while (!text.empty()) {
        auto const dot = text.find('.');
        if (!name.append_label(text.substr(0, dot)) || dot == text.size() - 1) return errc::invalid_name;
        text.remove_prefix(dot == text.npos ? text.size() : dot + 1);
    }
    return name;
}

GIGI_INLINE bool dns_name::append_label(std::string_view label) {
    if (label.empty() || label.size() > max_label_size || wire_size() + 1 + label.size() > max_wire_size) return false;
    labels_ += static_cast<char>(label.size());
    labels_ += label;
    return true;
}

GIGI_INLINE result<dns_name> dns_name::child(std::string_view label) const {
    dns_name name;
    if (!name.append_label(label) || name.wire_size() + labels_.size() > max_wire_size) return errc::invalid_name;
    name.labels_ += labels_;
    return name;
}

GIGI_INLINE std::string_view dns_name::first_label() const noexcept {
    auto const all = labels();
    return is_root() ? all : all.substr(1, static_cast<unsigned char>(all.front()));
}

GIGI_INLINE dns_name dns_name::parent() const {
    dns_name name;
    if (!is_root()) name.labels_ = labels_.substr(1 + first_label().size());
    return name;
}

GIGI_INLINE std::string dns_name::to_text() const {
    if (is_root()) return ".";
    std::string text;
    for (std::size_t i = 0; i < labels_.size();) {
        if (i) text += '.';
        auto const size = static_cast<unsigned char>(labels_[i++]);
        for (auto const end = i + size; i < end; ++i) {
            auto const c = static_cast<unsigned char>(labels_[i]);
            if (c > ' ' && c < 0x7f && c != '.' && c != '\\') {
                text += static_cast<char>(c);
            } else {
                text += '\\';
                for (unsigned const unit : {100u, 10u, 1u}) text += static_cast<char>('0' + c / unit % 10);
            }
        }
    }
    return text;
}

GIGI_INLINE bool dns_name::same_labels(std::string_view a, std::string_view b) noexcept {
    // Length bytes are below 'A', so that folding the whole sequence leaves them alone.
    return std::ranges::equal(a, b, {}, fold, fold);
}

} // namespace gigi::inline v1
