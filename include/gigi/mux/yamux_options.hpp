// gigi/mux/yamux_options.hpp: the limits of a yamux session, and what it counts.
//
// Layer: mux. Trivial types: they may be built in the middle of an expression that awaits (see the rules for g++ 12).
#pragma once

#include "../core/clock.hpp"

#include <cstddef>
#include <cstdint>

namespace gigi::inline v1 {

struct yamux_options {
    std::uint32_t max_inbound_streams = 1000;  ///< open at once; more are answered with RST. js-libp2p allows 1000, too
    std::uint32_t max_outbound_streams = 1000; ///< open at once; `open_stream` throws `errc::limit_exceeded` beyond

    /// Streams that this side opens in the connection's life: the ids there are. Then it takes no more of ours, ends when those
    /// that are open have ended, and `open_stream` throws `errc::closed`, so that the next stream gets another connection.
    std::uint32_t max_opened = 2147483646;

    /// Streams begun and not yet acknowledged, each way: more inbound ones are answered with RST, more outbound ones wait.
    /// The libp2p spec wants 256 ("ACK backlog").
    std::uint32_t max_unacknowledged = 256;

    std::uint32_t max_stream_window = 16 * 1024 * 1024; ///< bytes; how far one stream's receive window may grow from 256 KiB
    std::size_t max_window_growth = 64 * 1024 * 1024;   ///< bytes by which all windows of the connection may grow together
    std::size_t max_buffered = 128 * 1024 * 1024;       ///< received bytes that nobody has read; the stream that goes past it is reset

    std::uint32_t send_queue = 64 * 1024; ///< bytes a stream; writes that fit return at once
    std::uint64_t secret = 0; ///< where streams lie in memory depends on it, so that no peer can choose ids that take long to find

    std::uint32_t quantum = 32 * 1024;    ///< bytes a stream may send before it is another one's turn
    std::uint32_t batch = 256 * 1024;     ///< bytes handed to the channel at once

    duration keepalive_interval = std::chrono::seconds{30}; ///< between pings; the first goes out at once
    duration keepalive_timeout = std::chrono::seconds{20};  ///< silence after a ping that ends the connection
    duration write_timeout = std::chrono::seconds{60};      ///< for one batch: a peer that does not read for so long is gone
    duration close_timeout = std::chrono::seconds{2};       ///< for the whole of an orderly close
    duration linger = std::chrono::seconds{10};             ///< a dropped stream that was closed may still end in good order for so long
};

/// Counted from the session's beginning.
struct yamux_stats {
    std::uint64_t streams_opened = 0;     ///< by either side
    std::uint64_t streams_refused = 0;    ///< inbound, over a limit
    std::uint64_t streams_overrun = 0;    ///< reset because `max_buffered` was reached
    std::uint64_t windows_capped = 0;     ///< times that a window would have grown but for `max_stream_window` or `max_window_growth`
    std::uint64_t resets_received = 0;
    std::uint64_t pings_dropped = 0;      ///< not answered, too many at once
    std::uint64_t frames_ignored = 0;     ///< that said nothing, or were for a stream that is not there
};

} // namespace gigi::inline v1
