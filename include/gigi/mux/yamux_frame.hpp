// gigi/mux/yamux_frame.hpp: the 12-byte header before everything that yamux sends.
//
// Layer: mux. Sans-I/O. Spec: hashicorp/yamux spec.md "Framing"; libp2p/specs yamux/README.md.
#pragma once

#include "../core/bytes.hpp"
#include "../core/error.hpp"
#include "../core/result.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace gigi::inline v1 {

enum class yamux_type : std::uint8_t {
    data = 0,          ///< `length` bytes of payload follow
    window_update = 1, ///< `length` more bytes may be sent
    ping = 2,          ///< `length` is an opaque value to be echoed
    go_away = 3,       ///< the session ends; `length` is a `yamux_goodbye`
};

/// Bits of the flags field.
namespace yamux_flag {
inline constexpr std::uint16_t syn = 1; ///< begins a stream, or asks for a ping
inline constexpr std::uint16_t ack = 2; ///< accepts a stream, or answers a ping
inline constexpr std::uint16_t fin = 4; ///< the sender's direction has ended
inline constexpr std::uint16_t rst = 8; ///< both directions are aborted
inline constexpr std::uint16_t all = syn | ack | fin | rst;
} // namespace yamux_flag

/// Why a session ends, as GoAway says it. Peers may send other codes.
enum class yamux_goodbye : std::uint32_t { normal = 0, protocol_error = 1, internal_error = 2 };

struct yamux_header {
    static constexpr std::size_t size = 12;

    yamux_type type = yamux_type::data;
    std::uint16_t flags = 0;
    std::uint32_t stream_id = 0; ///< 0 is the session itself
    std::uint32_t length = 0;

    constexpr bool has(std::uint16_t flag) const noexcept { return (flags & flag) != 0; }
    friend bool operator==(yamux_header const &, yamux_header const &) = default;
};

/// The header's bytes.
inline void build_yamux_header(yamux_header const &header, std::span<std::uint8_t, yamux_header::size> out) noexcept {
    out[0] = 0; // version
    out[1] = static_cast<std::uint8_t>(header.type);
    store_be(out.data() + 2, header.flags);
    store_be(out.data() + 4, header.stream_id);
    store_be(out.data() + 8, header.length);
}

/// Reads a header and checks all that it can be checked for by itself.
/// @return `errc::protocol_violation` for an unknown version, type or flag; for a stream id that does not fit the type; for
///         a flag that does not (a ping is asked for or answered; a stream is not begun and accepted at once)
inline result<yamux_header> parse_yamux_header(std::span<std::uint8_t const, yamux_header::size> raw) noexcept {
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
