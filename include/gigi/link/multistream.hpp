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

/// How many bytes a message takes.
constexpr std::size_t message_size(std::string_view text) noexcept { return varint_size(text.size() + 1) + text.size() + 1; }

/// Appends one message.
void append_message(bytes &out, std::string_view text);

/// Appends the header and one message more.
void append_with_header(bytes &out, std::string_view text);

/// A message without length and newline.
/// @return `errc::protocol_violation` where the newline is missing
result<std::string> parse_message(bytes_view body);

/// A message as it arrives: says how many bytes of it are still to come, as far as is known, and takes them. Sans-I/O.
class message_reader {
  public:
    /// Where the next bytes belong: never room for one that may not be of this message.
    mutable_bytes room() noexcept { return mutable_bytes{buffer_}.subspan(have_, wanted() - have_); }
    /// Bytes have been put there. @return an error where the length is out of bounds
    std::error_code took(std::size_t n) noexcept;
    bool complete() const noexcept { return size_ > 0 && have_ == size_; }
    /// The text of a complete message; the reader then is ready for the next one.
    result<std::string> take();

  private:
    /// A message has at least two bytes, and its length at most two.
    std::size_t wanted() const noexcept { return size_ > 0 ? size_ : 2; }

    std::array<std::uint8_t, 2 + max_message> buffer_;
    std::size_t have_ = 0, prefix_ = 0, size_ = 0; // size_ 0: not known yet
};

/// What a dialler hears, byte by byte: the header, where it is still due, and then its offer back, or the refusal. Knowing what
/// can come, it takes few reads, and never a byte past the answer. Sans-I/O.
class expected_answer {
  public:
    enum class verdict { more, accepted, refused, violation };

    expected_answer(std::string_view offer, bool with_header);

    /// Bytes that surely belong to the answer and have not been taken; none once it is complete.
    std::size_t wanted() const noexcept;
    verdict take(bytes_view data);
    verdict state() const noexcept { return verdict_; }

  private:
    bytes accepted_, refused_;
    std::size_t have_ = 0;
    bool may_accept_ = true, may_refuse_ = true;
    verdict verdict_ = verdict::more;
};

/// Reads an answer to its end, however often it is cancelled and begun again.
/// @throws error: `errc::protocol_violation`, `errc::end_of_stream`; whatever the stream throws
/// @par Cancellation What has arrived is in `answer`: call it again.
template <ByteStream Stream> [[nodiscard]] awaitable<void> read_answer(Stream &stream, expected_answer &answer) {
    std::array<std::uint8_t, 64> buffer;
    while (answer.state() == expected_answer::verdict::more) {
        mutable_bytes const room = mutable_bytes{buffer}.first(std::min(buffer.size(), answer.wanted()));
        std::size_t n = read_now(stream, room);
        if (n == 0) n = co_await stream.read_some(room);
        if (n == 0) throw error{errc::end_of_stream, "multistream answer"};
        answer.take(room.first(n));
    }
    if (answer.state() == expected_answer::verdict::violation) throw error{errc::protocol_violation, "multistream answer"};
}

/// Reads one message, and not a byte more.
/// @throws error: `errc::protocol_violation`, `errc::end_of_stream`; whatever the stream throws
template <ByteStream Stream> [[nodiscard]] awaitable<std::string> read_message(Stream &stream, message_reader &reader) {
    while (!reader.complete()) {
        mutable_bytes const room = reader.room();
        std::size_t n = read_now(stream, room);
        if (n == 0) n = co_await stream.read_some(room);
        if (n == 0) throw error{errc::end_of_stream, "multistream message"};
        if (auto const failed = reader.took(n)) throw error{failed, "multistream length"};
    }
    auto text = reader.take();
    if (!text) throw error{text.error(), "multistream message"};
    co_return std::move(*text);
}

/// Reads the header, and as much of the first offer as surely follows.
/// @return whether the offer has begun to arrive; where not, the dialler may be waiting for our header
template <ByteStream Stream> [[nodiscard]] awaitable<bool> read_header(Stream &stream, message_reader &offer) {
    constexpr std::string_view expected = "\x13/multistream/1.0.0\n";
    static_assert(expected.size() == message_size(header));
    std::array<std::uint8_t, expected.size() + 2> buffer; // an offer has two bytes at least
    std::size_t have = 0;
    while (have < expected.size()) {
        mutable_bytes const room = mutable_bytes{buffer}.subspan(have);
        std::size_t n = read_now(stream, room);
        if (n == 0) n = co_await stream.read_some(room);
        if (n == 0) throw error{errc::end_of_stream, "multistream header"};
        have += n;
        std::size_t const known = std::min(have, expected.size());
        if (!equal(bytes_view{buffer}.first(known), as_bytes(expected.substr(0, known)))) throw error{errc::protocol_violation, "not multistream-select 1.0"};
    }
    bytes_view const beyond = bytes_view{buffer}.subspan(expected.size(), have - expected.size());
    std::ranges::copy(beyond, offer.room().begin());
    if (auto const failed = offer.took(beyond.size())) throw error{failed, "multistream length"};
    co_return !beyond.empty();
}

/// Sends what the dialler may not be waiting for any more: where it has closed the connection in order, what it had sent before
/// can still be read.
template <ByteStream Stream> [[nodiscard]] awaitable<void> write_answer(Stream &stream, bytes_view message) {
    try {
        if (!write_now(stream, message)) co_await stream.write(message);
    } catch (std::system_error const &e) {
        if (e.code() != errc::closed) throw;
    }
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
/// @param protocols names of at most 1023 bytes; no more than 32 of them are offered
/// @return the protocol that was taken
/// @throws error: `errc::unsupported_protocol` where none was; `errc::protocol_violation`, `errc::end_of_stream`;
///   `errc::invalid_argument`
/// @par Cancellation Leaves the stream in no defined state: reset it.
template <ByteStream Stream> [[nodiscard]] awaitable<std::string> negotiate_as_dialer(Stream &stream, std::span<std::string const> protocols) {
    bytes out;
    int rounds = 0;
    for (auto const &protocol : protocols) {
        if (protocol.size() >= multistream::max_message) throw error{errc::invalid_argument, "protocol name"};
        if (++rounds > multistream::max_rounds) break;
        if (rounds == 1)
            multistream::append_with_header(out, protocol);
        else
            multistream::append_message(out, protocol);
        bytes_view const message{out};
        if (!write_now(stream, message)) co_await stream.write(message);
        out.clear();
        multistream::expected_answer answer{protocol, rounds == 1};
        co_await multistream::read_answer(stream, answer);
        if (answer.state() == multistream::expected_answer::verdict::accepted) co_return protocol;
    }
    std::string offered;
    for (auto const &protocol : protocols) offered += (offered.empty() ? "" : ", ") + protocol;
    throw error{errc::unsupported_protocol, offered};
}

/// Answers offers until one is supported. `ls`, and anything else that is not, is refused.
/// @param supported says of a protocol's name whether it is served
/// @return the protocol that the other side may now speak
/// @throws error: `errc::unsupported_protocol` where the other side has no more offers; `errc::protocol_violation`
/// @par Cancellation Leaves the stream in no defined state: reset it.
template <ByteStream Stream, std::predicate<std::string_view> Supported>
[[nodiscard]] awaitable<std::string> negotiate_as_listener(Stream &stream, Supported const &supported) {
    bytes out;
    multistream::message_reader reader;
    bool const offered = co_await multistream::read_header(stream, reader);
    if (!offered) { // some diallers wait for the header before they offer anything
        multistream::append_message(out, multistream::header);
        bytes_view const message{out};
        co_await multistream::write_answer(stream, message);
        out.clear();
    }
    std::string last;
    for (int round = 0; round < multistream::max_rounds; ++round) {
        std::string offer;
        std::error_code failed;
        try {
            offer = co_await multistream::read_message(stream, reader);
        } catch (std::system_error const &e) {
            if (last.empty() || e.code() == condition::cancelled) throw;
            failed = e.code();
        }
        // After a refusal: the dialler has given up, or what follows is what it would have said in the protocol. An abort now
        // could overtake the refusal.
        if (failed == condition::protocol_violation) co_await multistream::drain(stream);
        if (failed) break;
        bool const known = supported(std::string_view{offer});
        std::string_view const answer = known ? std::string_view{offer} : multistream::refusal;
        if (round == 0 && offered)
            multistream::append_with_header(out, answer);
        else
            multistream::append_message(out, answer);
        bytes_view const message{out};
        co_await multistream::write_answer(stream, message);
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

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/multistream.ipp"
#endif
