// gigi/codec/framed.hpp: values instead of bytes on a stream.
//
// Layer: codec. The coroutine shell of frame.hpp over any ByteStream.
#pragma once

#include "../core/asio.hpp"
#include "../core/bytes.hpp"
#include "../core/stream.hpp"
#include "codec.hpp"
#include "frame.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>

namespace gigi::inline v1 {

/// Sends and receives values as length-prefixed frames. One reader and one writer at a time; on the stream's strand.
///
/// Memory: about 1 KiB while it waits for a message; a large frame is read straight into place, into memory that grows with
/// the bytes that have really arrived (never more than twice those, from 64 KiB up), whatever its length says.
template <ByteStream Stream, class CodecType> class framed {
  public:
    explicit framed(Stream stream, CodecType codec = CodecType()) : stream_{std::move(stream)}, codec_{std::move(codec)} {}

    /// Waits for a message.
    /// @throws error: `errc::end_of_stream` where the stream ends; `errc::frame_too_large` above `max_size_of<T>`;
    ///   `errc::protocol_violation` and what else the codec says; whatever the stream throws
    /// @par Cancellation What has arrived is kept: the next read goes on from there.
    template <class T> [[nodiscard]] awaitable<T> read() {
        static_assert(Codec<CodecType, T>);
        bool there = frame_now(max_size_of<T>);
        if (!there) there = co_await wait_for(max_size_of<T>, true);
        if (!there) throw error{make_error_code(errc::end_of_stream)};
        co_return take<T>();
    }

    /// As `read`, but empty where the stream ends in good order, between two messages.
    template <class T> [[nodiscard]] awaitable<std::optional<T>> try_read() {
        static_assert(Codec<CodecType, T>);
        bool there = frame_now(max_size_of<T>);
        if (!there) there = co_await wait_for(max_size_of<T>, true);
        if (!there) co_return std::nullopt;
        co_return std::optional<T>{take<T>()};
    }

    /// Waits for the length of the next message, and leaves the message to the next read: to make room for it, or to refuse it.
    /// @param max_size the largest body that is accepted, in bytes
    /// @return bytes; nothing where the stream ends in good order, between two messages
    /// @throws error: `errc::end_of_stream`, `errc::frame_too_large`, `errc::protocol_violation`; whatever the stream throws
    /// @par Cancellation As `read`.
    [[nodiscard]] awaitable<std::optional<std::size_t>> next_size(std::size_t max_size) {
        bool there = header_now(max_size);
        if (!there) there = co_await wait_for(max_size, false);
        if (!there) co_return std::nullopt;
        co_return wanted_;
    }

    /// Waits for a frame and returns its body as it is.
    /// @param max_size the largest body that is accepted, in bytes
    /// @throws as `read`
    [[nodiscard]] awaitable<bytes> read_bytes(std::size_t max_size) {
        bool const there = co_await wait_for(max_size, true);
        if (!there) throw error{make_error_code(errc::end_of_stream)};
        bytes out;
        if (large_)
            out = std::move(held_);
        else
            out = to_bytes(body());
        consume();
        co_return out;
    }

    /// Sends a value: header and body in one write to the stream.
    /// @throws error with `errc::message_too_large`, and nothing is sent; whatever the stream throws
    /// @par Lifetime `value` is encoded at once; it need not outlive the call's first suspension.
    /// @par Cancellation As the stream's: only a reset is left to do.
    template <class T> [[nodiscard]] awaitable<void> write(T const &value) {
        put(value);
        return flush();
    }
    /// Sends bytes as one frame.
    [[nodiscard]] awaitable<void> write_bytes(bytes_view body) {
        append_frame(out_, body);
        return flush();
    }
    /// Queues a value to leave in one write with the `flush()` or raw bytes that follow.
    template <class T> void put(T const &value) {
        static_assert(Codec<CodecType, T>);
        std::size_t const before = out_.size();
        append_frame_of(out_, [&](bytes &out) { codec_.encode(value, out); });
        if (out_.size() - before > max_size_of<T> + varint_size(max_size_of<T>)) {
            out_.resize(before);
            throw error{make_error_code(errc::message_too_large)};
        }
    }
    /// Sends what was `put`.
    [[nodiscard]] awaitable<void> flush() {
        if (out_.empty()) co_return;
        if (!write_now(stream_, out_)) co_await stream_.write(out_);
        out_.clear();
        if (out_.capacity() > keep) bytes{}.swap(out_);
    }

    /// Waits for raw bytes between two messages: first those that had been read ahead, then the stream's.
    /// @param buffer not empty @return how many bytes were read; 0 at the end of the stream
    [[nodiscard]] awaitable<std::size_t> read_some(mutable_bytes buffer) {
        std::size_t n = copy_buffered(buffer);
        if (n == 0) n = read_now(stream_, buffer);
        if (n == 0) n = co_await stream_.read_some(buffer);
        co_return n;
    }
    void close_write() { stream_.close_write(); }
    void reset() { stream_.reset(); }

    /// Removes and returns the raw bytes that were read ahead of the last message.
    bytes take_buffered() {
        bytes out{buffer_.begin() + static_cast<std::ptrdiff_t>(begin_), buffer_.begin() + static_cast<std::ptrdiff_t>(end_)};
        begin_ = end_ = 0;
        return out;
    }
    std::size_t buffered() const noexcept { return end_ - begin_; }

    Stream &stream() noexcept { return stream_; }
    Stream const &stream() const noexcept { return stream_; }

  private:
    static constexpr std::size_t first_buffer = 256; // what a stream holds on which nothing large has come
    static constexpr std::size_t read_ahead = 1024;
    static constexpr std::size_t first_step = std::size_t{64} << 10;
    static constexpr std::size_t keep = 4096;

    bytes_view ahead() const noexcept { return bytes_view{buffer_}.subspan(begin_, end_ - begin_); }
    bytes_view body() const noexcept { return large_ ? bytes_view{held_} : ahead().first(*wanted_); }

    /// The value of the frame that is held.
    template <class T> T take() {
        result<T> value = codec_.template decode<T>(body());
        consume();
        if (!value) throw error{value.error()};
        return std::move(*value);
    }

    /// Takes the header of a frame, if it is there.
    bool take_header(std::size_t max_size) {
        if (!wanted_) {
            auto const header = read_frame_header(ahead(), max_size);
            if (!header) throw error{header.error()};
            if (!*header) return false;
            begin_ += (*header)->size;
            wanted_ = (*header)->body;
        }
        if (*wanted_ > max_size) throw error{make_error_code(errc::frame_too_large)};
        return true;
    }

    /// What `wait_for` waits for, as far as no wait is needed.
    bool header_now(std::size_t max_size) {
        while (!take_header(max_size))
            if (!more_now()) return false;
        return true;
    }
    bool body_now() {
        while (end_ - begin_ < *wanted_)
            if (!more_now()) return false;
        return true;
    }
    bool frame_now(std::size_t max_size) { return header_now(max_size) && !is_large() && body_now(); }
    bool more_now() {
        std::size_t const n = read_now(stream_, make_room());
        end_ += n;
        return n > 0;
    }
    bool is_large() const noexcept { return large_ || *wanted_ > read_ahead; }

    /// Reads until the length of a frame is known, or all of it is held. @return false where the stream ended before its first byte
    awaitable<bool> wait_for(std::size_t max_size, bool all) {
        while (!header_now(max_size) || (all && !is_large() && !body_now())) {
            mutable_bytes const room = make_room();
            std::size_t const n = co_await stream_.read_some(room);
            end_ += n;
            if (n > 0) continue;
            if (wanted_ || begin_ != end_) throw error{make_error_code(errc::end_of_stream)};
            co_return false;
        }
        if (all && is_large()) co_await hold_large();
        co_return true;
    }

    /// Reads a body that the buffer has no room for.
    awaitable<void> hold_large() {
        if (!large_) {
            auto const start = ahead().first(std::min(*wanted_, end_ - begin_));
            held_.assign(start.begin(), start.end());
            begin_ += start.size();
            large_ = true;
        }
        while (held_.size() < *wanted_) {
            std::size_t const arrived = held_.size();
            held_.resize(std::min(*wanted_, std::max(first_step, arrived * 2)));
            std::size_t n = 0;
            try {
                mutable_bytes const room = mutable_bytes{held_}.subspan(arrived);
                n = co_await read_into(room);
            } catch (...) {
                held_.resize(arrived + progress_);
                throw;
            }
            held_.resize(arrived + n);
        }
    }

    /// Fills `room`, remembering how far it got in case it is cancelled.
    awaitable<std::size_t> read_into(mutable_bytes room) {
        progress_ = 0;
        while (progress_ < room.size()) {
            mutable_bytes const rest = room.subspan(progress_);
            std::size_t n = read_now(stream_, rest);
            if (n == 0) n = co_await stream_.read_some(rest);
            if (n == 0) throw error{make_error_code(errc::end_of_stream)};
            progress_ += n;
        }
        co_return progress_;
    }

    /// Where what comes next is to be read: not empty.
    mutable_bytes make_room() {
        std::size_t const least = wanted_.value_or(0) + max_varint_size;
        if (buffer_.size() < least || buffer_.empty()) buffer_.resize(least <= first_buffer ? first_buffer : read_ahead + max_varint_size);
        if (begin_ == end_) begin_ = end_ = 0;
        if (begin_ > 0 && end_ == buffer_.size()) {
            std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_), buffer_.begin() + static_cast<std::ptrdiff_t>(end_),
                      buffer_.begin());
            end_ -= begin_;
            begin_ = 0;
        }
        return mutable_bytes{buffer_}.subspan(end_);
    }

    void consume() {
        if (large_) {
            held_.clear();
            if (held_.capacity() > keep) bytes{}.swap(held_);
        } else {
            begin_ += *wanted_;
        }
        large_ = false;
        wanted_.reset();
    }

    std::size_t copy_buffered(mutable_bytes out) noexcept {
        std::size_t const n = std::min(out.size(), end_ - begin_);
        std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_), n, out.begin());
        begin_ += n;
        return n;
    }

    Stream stream_;
    CodecType codec_;
    bytes buffer_;                      // read ahead: [begin_, end_)
    std::size_t begin_ = 0, end_ = 0;
    std::optional<std::size_t> wanted_; // the size of the body that is being read
    bytes held_;                        // a body too large for the buffer
    bool large_ = false;                // the body goes to `held_`
    std::size_t progress_ = 0;
    bytes out_;
};

} // namespace gigi::inline v1
