// gigi/codec/cereal_codec.hpp: the codec of gigi's own messages: any struct with cereal's `serialize`.
//
// Layer: codec. The format and its bounds are archive.hpp's.
#pragma once

#include "archive.hpp"
#include "codec.hpp"

#include <concepts>
#include <exception>
#include <system_error>

namespace gigi::inline v1 {

/// Whether a value of this type can stand in a wire message.
template <class T>
concept WireMessage = std::default_initializable<T> && std::movable<T> && !std::is_polymorphic_v<T> && !std::is_pointer_v<T> &&
                      cereal::traits::is_output_serializable<T, wire_output_archive>::value &&
                      cereal::traits::is_input_serializable<T, wire_input_archive>::value;

/// Encodes structs with a cereal `serialize` function for the network.
///
/// A struct may have `bool valid() const`: a decoded value for which it is false is refused, so that every bound that a
/// message documents is checked in one place.
struct cereal_codec {
    template <WireMessage T> void encode(T const &value, bytes &out) const {
        wire_output_archive archive{out};
        archive(value);
    }

    /// @return `errc::protocol_violation` where the bytes are not exactly one valid `T`
    template <WireMessage T> result<T> decode(bytes_view data) const {
        try {
            wire_input_archive archive{data};
            T value{};
            archive(value);
            if (archive.remaining() > 0) return errc::protocol_violation;
            if constexpr (requires { { value.valid() } -> std::convertible_to<bool>; })
                if (!value.valid()) return errc::protocol_violation;
            return value;
        } catch (std::system_error const &e) {
            return e.code();
        } catch (std::exception const &) {
            return errc::protocol_violation;
        }
    }
};

} // namespace gigi::inline v1
