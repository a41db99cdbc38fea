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
template <class T>
concept ByteStream = requires(T &stream, mutable_bytes buffer, bytes_view data) {
    { stream.read_some(buffer) } -> std::same_as<awaitable<std::size_t>>;
    { stream.write(data) } -> std::same_as<awaitable<void>>;
    { stream.close_write() } -> std::same_as<void>;
    { stream.reset() } -> std::same_as<void>;
};

/// Reads exactly `buffer.size()` bytes.
/// @throws error with `errc::end_of_stream` where the stream ends before; whatever the stream throws
template <ByteStream Stream> [[nodiscard]] awaitable<void> read_exactly(Stream &stream, mutable_bytes buffer) {
    while (!buffer.empty()) {
        std::size_t const n = co_await stream.read_some(buffer);
        if (n == 0) throw error{make_error_code(errc::end_of_stream)};
        buffer = buffer.subspan(n);
    }
}

} // namespace gigi::inline v1
