// gigi/link/lazy_stream.hpp: a stream whose protocol is not negotiated but announced: the data follows at once.
//
// Layer: link. Optimistic multistream-select: header, protocol and the first data leave in one write; the answer is read and
// checked by the first read. Saves a round trip wherever the peer is expected to speak the protocol.
#pragma once

#include "../core/asio.hpp"
#include "../core/bytes.hpp"
#include "../mux/muxer.hpp"
#include "multistream.hpp"

#include <string>
#include <utility>

namespace gigi::inline v1 {

/// Models ByteStream. Move-only; move it only while no operation is under way.
///
/// `close_write()` before the answer has been read is held until then: some implementations lose the end of a stream that
/// arrives together with its negotiation. So the end is sent by the first `read_some`; a lazy stream that is never read
/// is reset when it is destroyed.
class lazy_stream {
  public:
    lazy_stream(stream opened, std::string protocol) : stream_{std::move(opened)} { stream_.set_protocol(std::move(protocol)); }

    /// @throws as `stream::read_some`; `errc::unsupported_protocol` where the peer does not speak it
    [[nodiscard]] awaitable<std::size_t> read_some(mutable_bytes buffer) {
        if (answered_) return stream_.read_some(buffer);
        return read_answer_first(buffer);
    }
    [[nodiscard]] awaitable<void> write(bytes_view data) {
        if (announced_) return stream_.write(data);
        return announce(data);
    }
    void close_write() {
        if (answered_)
            stream_.close_write();
        else
            closing_ = true;
    }
    void reset() noexcept { stream_.reset(); }

    void expires_at(time_point when) { stream_.expires_at(when); }
    void expires_never() { stream_.expires_never(); }
    peer_id const &peer() const noexcept { return stream_.peer(); }
    std::string const &protocol() const noexcept { return stream_.protocol(); }

  private:
    awaitable<void> announce(bytes_view data) {
        announced_ = true;
        bytes out;
        out.reserve(data.size() + protocol().size() + 32);
        multistream::append_message(out, multistream::header);
        multistream::append_message(out, protocol());
        append(out, data);
        co_await stream_.write(out);
    }

    awaitable<std::size_t> read_answer_first(mutable_bytes buffer) {
        if (!announced_) co_await announce({});
        std::string const greeting = co_await multistream::read_message(stream_);
        if (greeting != multistream::header) throw error{errc::protocol_violation, "not multistream-select 1.0"};
        std::string const answer = co_await multistream::read_message(stream_);
        if (answer == multistream::refusal) throw error{errc::unsupported_protocol, protocol()};
        if (answer != protocol()) throw error{errc::protocol_violation, "multistream answer"};
        answered_ = true;
        if (closing_) stream_.close_write();
        std::size_t const n = co_await stream_.read_some(buffer);
        co_return n;
    }

    stream stream_;
    bool announced_ = false;
    bool answered_ = false;
    bool closing_ = false;
};
static_assert(ByteStream<lazy_stream>);

} // namespace gigi::inline v1
