// gigi/link/lazy_stream.hpp: a stream whose protocol is not negotiated but announced: the data follows at once.
//
// Layer: link. Optimistic multistream-select: header, protocol and the first data leave in one write; the answer is read and
// checked by the first read. Saves a round trip wherever the peer is expected to speak the protocol.
#pragma once

#include "../core/asio.hpp"
#include "../core/bytes.hpp"
#include "../mux/muxer.hpp"
#include "multistream.hpp"

#include <optional>
#include <string>

namespace gigi::inline v1 {

/// Models ByteStream. Move-only; move it only while no operation is under way.
///
/// `close_write()` before the answer has been read is held until then: some implementations lose the end of a stream that
/// arrives together with its negotiation. So the first `read_some` sends the end; where nothing is ever read, destroying
/// the stream does. A lazy stream that is destroyed before `close_write()` is reset, as any other.
class lazy_stream {
  public:
    lazy_stream(stream opened, std::string protocol);
    lazy_stream(lazy_stream &&other) noexcept = default;
    lazy_stream &operator=(lazy_stream &&other) noexcept;
    ~lazy_stream() { finish(); }

    /// @throws as `stream::read_some`; `errc::unsupported_protocol` where the peer does not speak it
    /// @par Cancellation Nothing has been taken from the stream.
    [[nodiscard]] awaitable<std::size_t> read_some(mutable_bytes buffer);
    [[nodiscard]] awaitable<void> write(bytes_view data);
    std::size_t read_now(mutable_bytes buffer) { return answer_ ? 0 : stream_.read_now(buffer); }
    [[nodiscard]] bool write_now(bytes_view data) { return announced_ && stream_.write_now(data); }
    void close_write();
    void reset() noexcept { stream_.reset(); }

    /// As those of `stream`.
    void expires_after(any_io_executor const &executor, duration span) { stream_.expires_after(executor, span); }
    void expires_at(time_point when) { stream_.expires_at(when); }
    void expires_never() { stream_.expires_never(); }
    peer_id const &peer() const noexcept { return stream_.peer(); }
    std::string const &protocol() const noexcept { return stream_.protocol(); }

  private:
    using verdict = multistream::expected_answer::verdict;
    static constexpr std::size_t first_write = std::size_t{16} << 10; // bytes of data beside the protocol's name; the rest is not copied

    awaitable<void> announce(bytes_view data);
    awaitable<std::size_t> read_answer_first(mutable_bytes buffer);

    /// Sends an end that is still held. Not to a peer that has refused, or that has heard nothing: there is nothing to end.
    void finish() noexcept;

    stream stream_;
    std::optional<multistream::expected_answer> answer_; // until it has been heard
    bool announced_ = false;
    bool closing_ = false;
};
static_assert(ByteStream<lazy_stream>);

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/lazy_stream.ipp"
#endif
