// gigi/protocol/protocol.hpp: what a typed request-response protocol is.
//
// Layer: protocol.
#pragma once

#include "../codec/cereal_codec.hpp"
#include "../core/error.hpp"

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace gigi::inline v1 {

/// A protocol: its id and what is asked and answered, each on a stream of its own.
///
/// ```cpp
/// struct dictionary {
///     static constexpr std::string_view id = "/example/dictionary/1.0.0";
///     using request = std::string;
///     struct response {
///         std::string meaning;
///         template <class Archive> void serialize(Archive &archive) { archive(meaning); }
///     };
/// };
/// ```
/// A type may state its largest encoding as `static constexpr std::size_t max_size` (bytes); 1 MiB otherwise.
template <class P>
concept Protocol = requires {
    { P::id } -> std::convertible_to<std::string_view>;
    typename P::request;
    typename P::response;
    requires Codec<cereal_codec, typename P::request>;
    requires Codec<cereal_codec, typename P::response>;
};

namespace detail {

/// What goes back on the wire: the answer, or why there is none.
template <class Response> struct reply {
    static constexpr std::size_t max_size = max_size_of<Response> + 1024;

    std::string error;   ///< the word of an `errc`; empty where there is an answer
    std::string message; ///< for people, at most 512 bytes
    std::optional<Response> value;

    template <class Archive> void serialize(Archive &archive) { archive(error, message, value); }
};

/// The code that a peer's word stands for; words that are not known, and those that only this node may say, mean `errc::rejected`.
errc code_of(std::string_view word) noexcept;

/// What the asker is told of a handler's failure.
struct refusal {
    std::string word; ///< the name of an `errc`
    std::string text; ///< empty where it may not be for a peer
};

/// The code of an exception that has an `errc`, or is an `error`; `errc::rejected` of any other. The text of an `error` with an
/// `errc`, but not of `condition::io_error`: those name this host's files, as gigi throws them.
refusal refusal_of(std::system_error const &failure);

} // namespace detail

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/protocol.ipp"
#endif
