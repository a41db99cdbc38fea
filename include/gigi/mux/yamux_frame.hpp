// gigi/mux/yamux_frame.hpp: the 12-byte header before everything that yamux sends.
//
// Layer: mux. Sans-I/O. Spec: hashicorp/yamux spec.md "Framing"; libp2p/specs yamux/README.md.
#pragma once

#include "../core/result.hpp"

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
void build_yamux_header(yamux_header const &header, std::span<std::uint8_t, yamux_header::size> out) noexcept;

/// Reads a header and checks all that it can be checked for by itself.
/// @return `errc::protocol_violation` for an unknown version, type or flag; for a stream id that does not fit the type; for
///         a flag that does not (a ping is asked for or answered; a stream is not begun and accepted at once)
result<yamux_header> parse_yamux_header(std::span<std::uint8_t const, yamux_header::size> raw) noexcept;

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/yamux_frame.ipp"
#endif
