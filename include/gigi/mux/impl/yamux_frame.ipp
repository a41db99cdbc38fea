// gigi/mux/impl/yamux_frame.ipp: what yamux_frame.hpp declares.
#pragma once

#include "../yamux_frame.hpp"

#include "../../core/bytes.hpp"
#include "../../core/config.hpp"
#include "../../core/error.hpp"

namespace gigi::inline v1 {

GIGI_INLINE void build_yamux_header(yamux_header const &header, std::span<std::uint8_t, yamux_header::size> out) noexcept {
    out[0] = 0; // version
    out[1] = static_cast<std::uint8_t>(header.type);
    store_be(out.data() + 2, header.flags);
    store_be(out.data() + 4, header.stream_id);
    store_be(out.data() + 8, header.length);
}

GIGI_INLINE result<yamux_header> parse_yamux_header(std::span<std::uint8_t const, yamux_header::size> raw) noexcept {
    yamux_header header;
    header.type = static_cast<yamux_type>(raw[1]);
    header.flags = load_be<std::uint16_t>(raw.data() + 2);
    header.stream_id = load_be<std::uint32_t>(raw.data() + 4);
    header.length = load_be<std::uint32_t>(raw.data() + 8);
    if (raw[0] != 0 || raw[1] > 3 || (header.flags & ~yamux_flag::all) != 0) return errc::protocol_violation;
    bool valid = false;
    switch (header.type) {
    case yamux_type::data:
    case yamux_type::window_update:
        valid = header.stream_id != 0 && !(header.has(yamux_flag::syn) && header.has(yamux_flag::ack));
        break;
    case yamux_type::ping:
        valid = header.stream_id == 0 && (header.flags == yamux_flag::syn || header.flags == yamux_flag::ack);
        break;
    case yamux_type::go_away: valid = header.stream_id == 0 && header.flags == 0; break;
    }
    if (!valid) return errc::protocol_violation;
    return header;
}

} // namespace gigi::inline v1
