// gigi/mux/muxer.hpp: many streams over one connection, and the handle that applications hold.
//
// Layer: mux. `muxed_connection` is the one place below the node where a virtual interface stands: everything above it
// (swarm, protocols, gossip, files) is compiled once, whatever the stack below.
#pragma once

#include "../core/asio.hpp"
#include "../core/bytes.hpp"
#include "../core/clock.hpp"
#include "../core/stream.hpp"
#include "../peer/peer_id.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

namespace gigi::inline v1 {

/// What one connection may use, and what is the same for all connections of a node. Trivial.
struct mux_limits {
    std::size_t max_inbound_streams = 1000;                    ///< open at once; more are reset. js-libp2p allows 1000, too
    std::size_t max_outbound_streams = 1000;                   ///< open at once; `open_stream` throws `errc::limit_exceeded` beyond
    std::size_t max_opened = 2147483646;                       ///< in its life; then `open_stream` throws `errc::closed`, and it ends when its streams have ended
    std::size_t max_stream_window = std::size_t{16} << 20;     ///< bytes that a peer may send ahead of the reader of a stream, at most
    std::size_t max_buffered = std::size_t{128} << 20;         ///< received bytes that nobody has read, of all streams; the one that goes past it is reset
    std::uint64_t secret = 0;                                  ///< a random number that no peer knows, against those who choose stream ids with care
};

/// What a connection has done and refused since its beginning, and what it holds now.
struct mux_counts {
    std::uint64_t bytes_sent = 0;       ///< with the muxer's headers, without the encryption's
    std::uint64_t bytes_received = 0;   ///< likewise
    std::uint64_t streams_refused = 0;  ///< inbound, over a limit
    std::uint64_t streams_overrun = 0;  ///< reset since `max_buffered` was reached
    std::uint64_t streams_timed_out = 0; ///< whose deadline has passed: of a request, of an answer, of the choice of a protocol
    std::uint64_t windows_capped = 0;   ///< times that a window would have grown past `max_stream_window`, or with others' too far
    std::size_t bytes_buffered = 0;     ///< received and not read, now
};

/// One stream, as a muxer implements it. See `stream` for the contract of each function.
class stream_core {
  public:
    virtual ~stream_core() = default;
    virtual awaitable<std::size_t> read_some(mutable_bytes buffer) = 0;
    virtual awaitable<void> write(bytes_view data) = 0;
    virtual std::size_t read_now(mutable_bytes) { return 0; }
    virtual bool write_now(bytes_view) { return false; }
    virtual void close_write() = 0;
    virtual void reset(std::error_code why) noexcept = 0;
    virtual void set_deadline(time_point when) = 0;
    virtual void set_background() noexcept {}
    virtual bool finished() const noexcept = 0; ///< both directions have ended in good order
    /// The handle is gone: what was written before `close_write()` still goes out; a stream that is not closed is reset.
    virtual void release() noexcept;
};

/// A two-way stream of bytes to one peer, one of many on a connection. Models ByteStream. Move-only.
///
/// One reader and one writer at a time; use it on the node's strand. Destroying it before `close_write()` resets it;
/// destroying it after that lets it end in good order.
class stream {
  public:
    stream() = default;
    stream(std::shared_ptr<stream_core> core, peer_id peer) : core_{std::move(core)}, peer_{std::move(peer)} {}
    stream(stream &&) noexcept = default;
    stream &operator=(stream &&other) noexcept;
    ~stream() { drop(); }

    /// Waits for at least one byte. @param buffer not empty @return how many bytes were read; 0 at the end of the stream
    /// @throws std::system_error: `errc::reset`, `errc::closed`, `errc::timed_out`, `errc::cancelled`
    /// @par Cancellation Nothing has been taken from the stream.
    [[nodiscard]] awaitable<std::size_t> read_some(mutable_bytes buffer) { return core_->read_some(buffer); }

    /// Queues all of `data`; returns at once where it fits the stream's bounded send queue, and otherwise waits for the
    /// peer to make room.
    /// @throws as `read_some`
    /// @par Lifetime `data` must live until this returns.
    /// @par Cancellation Part of the data may have been sent: only `reset()` is left to do.
    [[nodiscard]] awaitable<void> write(bytes_view data) { return core_->write(data); }

    /// What `read_some` and `write` would do without a wait, if they can: see ByteStream. @throws as they do
    std::size_t read_now(mutable_bytes buffer) { return core_->read_now(buffer); }
    [[nodiscard]] bool write_now(bytes_view data) { return core_->write_now(data); }

    /// Ends our direction, after what was written. The other direction stays open.
    void close_write() { core_->close_write(); }

    /// Aborts both directions; what waits throws `errc::reset`.
    void reset() noexcept;

    /// From `span` from now on every wait on this stream throws `errc::timed_out`, until another deadline is set.
    void expires_after(any_io_executor const &executor, duration span) { expires_at(context_clock{executor}.now() + span); }
    void expires_at(time_point when) { core_->set_deadline(when); }
    void expires_never() { core_->set_deadline(time_point::max()); }

    /// From now on the stream does not keep its connection from being idle, nor does what passes over it: for streams that stay
    /// open for whatever may come, as gossip's, and for probes. They end with the connection.
    void set_background() noexcept { core_->set_background(); }

    peer_id const &peer() const noexcept { return peer_; }               ///< who is at the other end, authenticated
    std::string const &protocol() const noexcept { return protocol_; }   ///< the protocol negotiated for it
    void set_protocol(std::string protocol) { protocol_ = std::move(protocol); }
    explicit operator bool() const noexcept { return core_ != nullptr; }

  private:
    void drop() noexcept;

    std::shared_ptr<stream_core> core_;
    peer_id peer_;
    std::string protocol_;
};
static_assert(ByteStream<stream>);

/// A connection that carries streams. Its owner runs `run()` as a task and destroys it only after that has returned.
class muxed_connection {
  public:
    virtual ~muxed_connection() = default;

    /// Moves bytes until the connection ends. Returns after an orderly end by either side.
    /// @throws std::system_error saying why it broke
    /// @par Cancellation Aborts the connection; every stream throws `errc::closed`.
    virtual awaitable<void> run() = 0;

    /// Opens a stream; nothing is sent before its first write. @throws `errc::closed`, `errc::limit_exceeded`
    virtual std::shared_ptr<stream_core> open_stream() = 0;
    /// Waits for a stream that the peer opens; those that came before the end of the connection can be accepted after it.
    /// @throws `errc::closed`, `errc::cancelled`
    virtual awaitable<std::shared_ptr<stream_core>> accept_stream() = 0;

    /// Takes no new streams, sends what is queued, says goodbye and ends; `run()` returns. Bounded in time by itself (2 s).
    virtual awaitable<void> close() = 0;
    /// Ends it at once: streams throw `why`, `run()` throws it.
    virtual void abort(std::error_code why) noexcept = 0;

    virtual std::size_t stream_count() const noexcept = 0;     ///< open now, whoever opened them
    virtual std::size_t foreground_count() const noexcept = 0; ///< those of them that are not in the background
    virtual time_point quiet_since() const noexcept = 0;       ///< when the last of these ended; before that, the beginning
    virtual mux_counts counts() const noexcept = 0;
    virtual duration round_trip() const noexcept = 0;          ///< smoothed, from keepalive pings; 0 where unknown
};

/// A muxer over a secure channel: a `muxed_connection` made from the channel, which side dialled, and its limits.
template <class M, class Channel>
concept Muxer = std::derived_from<M, muxed_connection> && requires(any_io_executor executor, Channel channel, bool dialled, mux_limits limits) {
    M{executor, std::move(channel), dialled, limits};
    { M::protocol } -> std::convertible_to<std::string_view>; ///< "/yamux/1.0.0"
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/muxer.ipp"
#endif
