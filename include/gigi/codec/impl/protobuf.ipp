// gigi/codec/impl/protobuf.ipp: what protobuf.hpp declares.
#pragma once

#include "../protobuf.hpp"

#include "../../core/config.hpp"

namespace gigi::inline v1 {

GIGI_INLINE protobuf_reader::protobuf_reader(bytes_view message) noexcept
    : in_{protozero::data_view{reinterpret_cast<char const *>(message.data()), message.size()}} {}

GIGI_INLINE bool protobuf_reader::next() {
    return guarded([&] {
        if (pending_) in_.skip();
        return pending_ = in_.next();
    });
}

GIGI_INLINE std::uint64_t protobuf_reader::varint() {
    return guarded([&] { return take(protozero::pbf_wire_type::varint) ? in_.get_uint64() : 0; });
}

GIGI_INLINE bytes_view protobuf_reader::data() {
    return guarded([&]() -> bytes_view {
        if (!take(protozero::pbf_wire_type::length_delimited)) return {};
        // protozero would cut a length off at 32 bits
        auto const rest = in_.data();
        char const *position = rest.data();
        if (protozero::decode_varint(&position, rest.data() + rest.size()) > rest.size()) {
            fail();
            return {};
        }
        auto const value = in_.get_view();
        return {reinterpret_cast<std::uint8_t const *>(value.data()), value.size()};
    });
}

GIGI_INLINE void protobuf_reader::fail(std::error_code why) noexcept {
    if (!error_) error_ = why;
}

GIGI_INLINE bool protobuf_reader::take(protozero::pbf_wire_type type) {
    if (pending_ && in_.has_wire_type(type)) {
        pending_ = false;
        return true;
    }
    fail();
    return false;
}

GIGI_INLINE protobuf_writer &protobuf_writer::data(std::uint32_t field, bytes_view value) {
    out_.add_bytes(field, reinterpret_cast<char const *>(value.data()), value.size());
    return *this;
}

} // namespace gigi::inline v1
