// gigi/codec/impl/frame.ipp: what frame.hpp declares.
#pragma once

#include "../frame.hpp"

#include "../../core/config.hpp"

#include <algorithm>

namespace gigi::inline v1 {

GIGI_INLINE result<std::optional<frame_header>> read_frame_header(bytes_view data, std::size_t max_size) noexcept {
    auto const length = read_varint(data);
    switch (length.state) {
    case varint_result::status::incomplete: return std::optional<frame_header>{};
    case varint_result::status::invalid: return errc::protocol_violation;
    case varint_result::status::complete: break;
    }
    if (length.value > max_size) return errc::frame_too_large;
    return std::optional{frame_header{length.size, static_cast<std::size_t>(length.value)}};
}

GIGI_INLINE void append_frame(bytes &out, bytes_view body) {
    append_varint(out, body.size());
    append(out, body);
}

GIGI_INLINE result<std::optional<bytes_view>> frame_decoder::feed(bytes_view &input) {
    using none = std::optional<bytes_view>;
    if (error_) return error_;
    if (delivered_) {
        held_.clear();
        if (held_.capacity() > keep) bytes{}.swap(held_);
        delivered_ = false;
    }
    while (!header_) {
        if (held_.empty()) {
            auto const header = read_frame_header(input, max_size_);
            if (!header) return error_ = header.error();
            if (*header) {
                input = input.subspan((*header)->size);
                header_ = (*header)->body;
                break;
            }
            held_.assign(input.begin(), input.end()); // a part of a length: fewer than 9 bytes
            input = {};
            return none{};
        }
        if (input.empty()) return none{};
        held_.push_back(input.front());
        input = input.subspan(1);
        auto const header = read_frame_header(held_, max_size_);
        if (!header) return error_ = header.error();
        if (*header) {
            header_ = (*header)->body;
            held_.clear();
        }
    }
    std::size_t const wanted = *header_ - held_.size();
    auto const part = input.first(std::min(wanted, input.size()));
    input = input.subspan(part.size());
    if (held_.empty() && part.size() == wanted) {
        header_.reset();
        return none{part}; // whole in the input: no copy
    }
    append(held_, part);
    if (part.size() < wanted) return none{};
    header_.reset();
    delivered_ = true;
    return none{bytes_view{held_}};
}

} // namespace gigi::inline v1
