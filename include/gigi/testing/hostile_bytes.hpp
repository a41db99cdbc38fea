// gigi/testing/hostile_bytes.hpp: bytes that break the rules of a format on purpose, to see what a peer makes of them.
//
// Layer: testing. Each function writes what it is told, whatever a parser may think of it; the library's own builders write
// what is right. `scripted_peer.hpp` sends them.
#pragma once

#include "../core/bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gigi::inline v1::testing {

/// A varint of any 64-bit value, and padded with needless bytes up to `at_least` bytes: what `append_varint` would not write.
bytes varint_bytes(std::uint64_t value, std::size_t at_least = 1);

/// A message behind a varint length (codec/frame.hpp) that says `claimed` bytes, whatever there are.
bytes frame_bytes(std::uint64_t claimed, bytes_view body = {});
/// A message behind its varint length, as it should be.
inline bytes frame_bytes(bytes_view body) { return frame_bytes(body.size(), body); }

/// A multistream-select message: any text, of any length.
bytes multistream_bytes(std::string_view text);
/// What a dialler says to begin a stream for one protocol: the header and the protocol's name.
bytes multistream_offer(std::string_view protocol);

/// A yamux frame of any type, flags, stream and length; the payload need not have that length.
bytes yamux_bytes(std::uint8_t type, std::uint16_t flags, std::uint32_t stream, std::uint32_t length, bytes_view payload = {},
                  std::uint8_t version = 0);

/// Writes a DNS message that need not make sense: counts that lie, pointers anywhere, data of the wrong size.
class dns_bytes {
  public:
    /// The header. @param flags 0x8400 is a response of multicast DNS
    explicit dns_bytes(std::uint16_t flags, std::uint16_t questions = 0, std::uint16_t answers = 0, std::uint16_t authorities = 0,
                       std::uint16_t additionals = 0);

    /// One label, of up to 255 bytes: 64 and more are not allowed.
    dns_bytes &label(std::string_view text);
    /// The labels of a name with dots, and its end.
    dns_bytes &name(std::string_view text);
    /// The end of a name.
    dns_bytes &end();
    /// A compression pointer, to any place of 14 bits; it ends a name.
    dns_bytes &pointer(std::size_t to);
    /// What follows a record's name. @param claimed the length of `data`, as the record says it
    dns_bytes &record(std::uint16_t type, std::uint32_t ttl, std::size_t claimed, bytes_view data = {});
    /// What follows a question's name.
    dns_bytes &question(std::uint16_t type);

    std::size_t size() const noexcept { return out_.size(); } ///< where the next thing goes: what a pointer may point to
    bytes const &data() const noexcept { return out_; }

  private:
    bytes out_;
};

} // namespace gigi::inline v1::testing

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/hostile_bytes.ipp"
#endif
