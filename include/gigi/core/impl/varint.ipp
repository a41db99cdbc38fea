// gigi/core/impl/varint.ipp: what varint.hpp declares.
#pragma once

#include "../varint.hpp"

#include "../config.hpp"

namespace gigi::inline v1 {

GIGI_INLINE void append_varint(bytes &out, std::uint64_t value) {
    std::uint8_t raw[max_varint_size + 1];
    append(out, bytes_view{raw, store_varint(raw, value)});
}

} // namespace gigi::inline v1
