// gigi/link/multistream.hpp: multistream-select 1.0: two sides agree on the protocol of a stream.
//
// Layer: link. Spec: multiformats/multistream-select; a message is a varint length, at most 1024 bytes, and ends in '\n'.
// Nothing is read past the negotiation: the next byte belongs to the protocol.
#pragma once

#include "../core/asio.hpp"
#include "../core/bytes.hpp"
#include "../core/error.hpp"
#include "../core/stream.hpp"
#include "../core/varint.hpp"

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace gigi::inline v1 {

namespace multistream {

inline constexpr std::string_view header = "/multistream/1.0.0";
inline constexpr std::string_view refusal = "na";
inline constexpr std::size_t max_message = 1024; ///< bytes, with the newline
inline constexpr int max_rounds = 32;            ///< protocols that are offered in one negotiation

/// Appends one message.
inline void append_message(bytes &out, std::string_view text) {
    append_varint(out, text.size() + 1);
    append(out, text);
    out.push_back('\n');
}

/// A message without length and newline.
/// @return `errc::protocol_violation` where the newline is missing
inline result<std::string> parse_message(bytes_view body) {
    if (body.empty() || body.back() != '\n') return errc::protocol_violation;
    return std::string{as_text(body.first(body.size() - 1))};
}

/// Reads one message, and not a byte more.
/// @throws error: `errc::protocol_violation`, `errc::end_of_stream`; whatever the stream throws
template <ByteStream Stream> [[nodiscard]] awaitable<std::string> read_message(Stream &stream) {
    // A message has at least two bytes, and its length at most two: read those first.
    std::array<std::uint8_t, max_message> buffer{};
    mutable_bytes const start = mutable_bytes{buffer}.first(2);
    co_await read_exactly(stream, start);
    std::size_t size = buffer[0], had = 1;
    if (buffer[0] >= 0x80) {
        auto const length = read_varint(start);
        if (length.state != varint_result::status::complete || length.value > max_message) throw error{errc::protocol_violation, "multistream length"};
        size = static_cast<std::size_t>(length.value);
        had = 0;
    } else {
        buffer[0] = buffer[1];
    }
    if (size == 0) throw error{errc::protocol_violation, "empty multistream message"};
    if (size > had) {
        mutable_bytes const rest = mutable_bytes{buffer}.subspan(had, size - had);
        co_await read_exactly(stream, rest);
    }
    auto text = parse_message(bytes_view{buffer}.first(size));
    if (!text) throw error{text.error(), "multistream message"};
    co_return std::move(*text);
}

/// Reads and forgets, until the other side ends the stream or its deadline passes.
template <ByteStream Stream> [[nodiscard]] awaitable<void> drain(Stream &stream) {
    std::array<std::uint8_t, 1024> forgotten;
    mutable_bytes const room{forgotten};
    try {
        std::size_t n = 1;
        while (n > 0) n = co_await stream.read_some(room);
    } catch (std::system_error const &e) {
        if (e.code() == condition::cancelled) throw;
    }
}

} // namespace multistream

/// Offers protocols, in order of preference, until the other side takes one. The header and the first offer leave in one
/// write.
/// @return the protocol that was taken
/// @throws error: `errc::unsupported_protocol` where none was; `errc::protocol_violation`, `errc::end_of_stream`
/// @par Cancellation Leaves the stream in no defined state: reset it.
template <ByteStream Stream> [[nodiscard]] awaitable<std::string> negotiate_as_dialer(Stream &stream, std::span<std::string const> protocols) {
    bytes out;
    multistream::append_message(out, multistream::header);
    bool greeted = false;
    int rounds = 0;
    for (auto const &protocol : protocols) {
        if (++rounds > multistream::max_rounds) break;
        multistream::append_message(out, protocol);
        bytes_view const message{out};
        co_await stream.write(message);
        out.clear();
        if (!greeted) {
            std::string const greeting = co_await multistream::read_message(stream);
            if (greeting != multistream::header) throw error{errc::protocol_violation, "not multistream-select 1.0"};
            greeted = true;
        }
        std::string answer = co_await multistream::read_message(stream);
        if (answer == protocol) co_return answer;
        if (answer != multistream::refusal) throw error{errc::protocol_violation, "multistream answer"};
    }
    std::string offered;
    for (auto const &protocol : protocols) offered += (offered.empty() ? "" : ", ") + protocol;
    throw error{errc::unsupported_protocol, offered};
}

/// Answers offers until one is supported.
/// @param supported says of a protocol's name whether it is served
/// @return the protocol that the other side may now speak
/// @throws error: `errc::unsupported_protocol` where the other side has no more offers; `errc::protocol_violation`
template <ByteStream Stream, std::predicate<std::string_view> Supported>
[[nodiscard]] awaitable<std::string> negotiate_as_listener(Stream &stream, Supported const &supported) {
    std::string const greeting = co_await multistream::read_message(stream);
    if (greeting != multistream::header) throw error{errc::protocol_violation, "not multistream-select 1.0"};
    bytes out;
    multistream::append_message(out, multistream::header);
    std::string last;
    for (int round = 0; round < multistream::max_rounds; ++round) {
        std::string offer;
        std::error_code failed;
        try {
            offer = co_await multistream::read_message(stream);
        } catch (std::system_error const &e) {
            if (last.empty() || e.code() == condition::cancelled) throw;
            failed = e.code();
        }
        // After a refusal: the dialler has given up, or what follows is what it would have said in the protocol. An abort now
        // could overtake the refusal.
        if (failed == condition::protocol_violation) co_await multistream::drain(stream);
        if (failed) break;
        bool const known = supported(std::string_view{offer});
        multistream::append_message(out, known ? std::string_view{offer} : multistream::refusal);
        bytes_view const message{out};
        co_await stream.write(message);
        out.clear();
        if (known) co_return offer;
        last = std::move(offer);
    }
    throw error{errc::unsupported_protocol, last};
}

/// As above, for a list of protocols.
template <ByteStream Stream> [[nodiscard]] awaitable<std::string> negotiate_as_listener(Stream &stream, std::span<std::string const> protocols) {
    auto const supported = [protocols](std::string_view name) { return std::ranges::find(protocols, name) != protocols.end(); };
    std::string chosen = co_await negotiate_as_listener(stream, supported);
    co_return chosen;
}

} // namespace gigi::inline v1
