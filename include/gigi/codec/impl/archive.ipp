// gigi/codec/impl/archive.ipp: what archive.hpp declares.
#pragma once

#include "../archive.hpp"

#include "../../core/config.hpp"

namespace gigi::inline v1 {

GIGI_INLINE bytes_view wire_input_archive::take(std::size_t n) {
    if (n > data_.size()) refuse();
    auto const front = data_.first(n);
    data_ = data_.subspan(n);
    return front;
}

GIGI_INLINE std::size_t wire_input_archive::take_count(std::size_t least) {
    auto const count = read_varint(data_);
    if (count.state != varint_result::status::complete) refuse();
    data_ = data_.subspan(count.size);
    if (count.value > data_.size() / least) refuse();
    return static_cast<std::size_t>(count.value);
}

GIGI_INLINE std::uint64_t wire_input_archive::take_varint() {
    auto const value = read_varint(data_);
    if (value.state != varint_result::status::complete) refuse();
    data_ = data_.subspan(value.size);
    return value.value;
}

GIGI_INLINE void wire_input_archive::enter() {
    if (++depth_ > detail::max_wire_depth) refuse();
}

} // namespace gigi::inline v1
