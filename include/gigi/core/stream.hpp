// gigi/core/stream.hpp: what a stream of bytes is, whoever carries it.
//
// Layer: core.
#pragma once

#include "asio.hpp"
#include "bytes.hpp"

#include <concepts>

namespace gigi::inline v1 {

/// A two-way stream of bytes. One reader and one writer at a time.
///
/// - `read_some(buffer)` waits for at least one byte and returns how many it wrote to the buffer; 0 is the end.
/// - `write(data)` returns when all of it has been taken (into the kernel or a bounded queue): back-pressure is the wait.
/// - `close_write()` ends our direction after what was written; never suspends; calling it twice is fine.
/// - `reset()` aborts both directions; never suspends; operations in flight throw `errc::reset`.
///
/// All throw std::system_error. A cancelled read has taken nothing; after a cancelled write the stream can only be reset.
///
/// A stream may say what it can do without a wait, which saves its callers a coroutine: `read_now(buffer)` returns how many of
/// the bytes that are there it wrote to the buffer, 0 where `read_some` has to be asked; `write_now(data)` takes all, or nothing
/// and returns false.
template <class T>
concept ByteStream = requires(T &stream, mutable_bytes buffer, bytes_view data) {
    { stream.read_some(buffer) } -> std::same_as<awaitable<std::size_t>>;
    { stream.write(data) } -> std::same_as<awaitable<void>>;
    { stream.close_write() } -> std::same_as<void>;
    { stream.reset() } -> std::same_as<void>;
};

/// As a stream's `read_now`, where it has one. @param buffer not empty @throws as `read_some`
template <ByteStream Stream> std::size_t read_now(Stream &stream, mutable_bytes buffer) {
    if constexpr (requires { stream.read_now(buffer); })
        return stream.read_now(buffer);
    else
        return 0;
}

/// As a stream's `write_now`, where it has one. @throws as `write`
template <ByteStream Stream> bool write_now(Stream &stream, bytes_view data) {
    if constexpr (requires { stream.write_now(data); })
        return stream.write_now(data);
    else
        return false;
}

/// Reads exactly `buffer.size()` bytes.
/// @throws error with `errc::end_of_stream` where the stream ends before; whatever the stream throws
template <ByteStream Stream> [[nodiscard]] awaitable<void> read_exactly(Stream &stream, mutable_bytes buffer) {
    while (!buffer.empty()) {
        std::size_t n = read_now(stream, buffer);
        if (n == 0) n = co_await stream.read_some(buffer);
        if (n == 0) throw error{make_error_code(errc::end_of_stream)};
        buffer = buffer.subspan(n);
    }
}

} // namespace gigi::inline v1
