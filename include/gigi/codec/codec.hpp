// gigi/codec/codec.hpp: what turns values into bytes and back, and how large a value may be.
//
// Layer: codec. A codec is a small copyable object; the frames around it are framed.hpp's matter.
#pragma once

#include "../core/bytes.hpp"

#include <concepts>
#include <cstddef>

namespace gigi::inline v1 {

namespace detail {

template <class T> constexpr std::size_t default_max_size() {
    if constexpr (requires { { T::max_size } -> std::convertible_to<std::size_t>; }) // a string has a function of this name
        return T::max_size;
    else
        return std::size_t{1} << 20;
}

} // namespace detail

/// The largest encoding of a `T` that is sent or accepted, in bytes: `T::max_size`, or a specialisation of this, or 1 MiB.
template <class T> inline constexpr std::size_t max_size_of = detail::default_max_size<T>();
template <> inline constexpr std::size_t max_size_of<bytes> = std::size_t{4} << 20;

/// Encodes and decodes a `T`. `encode` appends; `decode` never throws on hostile bytes and takes all of them.
template <class C, class T>
concept Codec = std::copyable<C> && requires(C const &codec, T const &value, bytes &out, bytes_view data) {
    codec.encode(value, out);
    { codec.template decode<T>(data) } -> std::same_as<result<T>>;
};

/// For messages that know their own encoding: `void encode(bytes &) const` and `static result<T> decode(bytes_view)`.
/// libp2p's control messages are of this kind.
struct message_codec {
    template <class T> void encode(T const &value, bytes &out) const { value.encode(out); }
    template <class T> result<T> decode(bytes_view data) const { return T::decode(data); }
};

/// For bytes that are their own encoding.
struct bytes_codec {
    void encode(bytes const &value, bytes &out) const { append(out, value); }
    template <std::same_as<bytes> T> result<T> decode(bytes_view data) const { return to_bytes(data); }
};
static_assert(Codec<bytes_codec, bytes>);

} // namespace gigi::inline v1
