// gigi/codec/frame.hpp: messages on a stream of bytes: an unsigned varint length, then so many bytes.
//
// Layer: codec. Sans-I/O. Spec: multiformats/unsigned-varint; every libp2p protocol frames its messages like this.
#pragma once

#include "../core/bytes.hpp"
#include "../core/varint.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>

namespace gigi::inline v1 {

/// The length in front of a frame.
struct frame_header {
    std::size_t size = 0; ///< of the header itself
    std::size_t body = 0; ///< of what follows
};

/// Reads the length at the front of `data`.
/// @param max_size the largest body that is accepted, in bytes
/// @return nothing where more bytes are needed; `errc::frame_too_large`, `errc::protocol_violation` (not a minimal varint)
result<std::optional<frame_header>> read_frame_header(bytes_view data, std::size_t max_size) noexcept;

/// Appends `body` as one frame.
void append_frame(bytes &out, bytes_view body);

/// Appends a frame whose body `encode(out)` appends, without a copy of the body.
template <class Encode> void append_frame_of(bytes &out, Encode &&encode) {
    constexpr std::size_t typical = 128; // or a small message would grow byte by byte
    std::size_t const start = out.size();
    if (out.capacity() < start + typical) out.reserve(std::max(start + typical, out.capacity() * 2));
    out.resize(start + max_varint_size); // room for any length; what the length does not need is removed
    encode(out);
    std::size_t const body = out.size() - start - max_varint_size;
    std::size_t const header = varint_size(body);
    std::size_t const unused = max_varint_size - header;
    store_varint(out.data() + start + unused, body);
    out.erase(out.begin() + static_cast<std::ptrdiff_t>(start), out.begin() + static_cast<std::ptrdiff_t>(start + unused));
}

/// Takes a stream of bytes apart into frames. Holds no more than the bytes of one frame that have really arrived.
class frame_decoder {
  public:
    /// @param max_size the largest body that is accepted, in bytes
    explicit frame_decoder(std::size_t max_size) noexcept : max_size_{max_size} {}

    /// Takes bytes from the front of `input`, up to the end of one frame.
    /// @return the frame's body, or nothing where all of `input` was taken and more is needed; an error once, for good
    /// @par Lifetime The body is valid until the next call, and no longer than `input`'s bytes.
    result<std::optional<bytes_view>> feed(bytes_view &input);

    /// Whether no part of a frame is held: the stream may end here in good order.
    bool at_boundary() const noexcept { return !error_ && !header_ && (delivered_ || held_.empty()); }

  private:
    static constexpr std::size_t keep = 4096; // capacity kept between frames

    std::size_t max_size_;
    std::optional<std::size_t> header_; // the body's size, once it is known
    bytes held_;                        // a part of the length, or of the body
    std::error_code error_;
    bool delivered_ = false; // `held_` is a body that the caller has
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/frame.ipp"
#endif
