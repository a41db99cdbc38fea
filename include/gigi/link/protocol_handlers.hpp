// gigi/link/protocol_handlers.hpp: who serves which protocol, and how an inbound stream gets there.
//
// Layer: link. Spec: multistream-select 1.0.0.
#pragma once

#include "../core/asio.hpp"
#include "../core/clock.hpp"
#include "../mux/muxer.hpp"
#include "connection.hpp"
#include "swarm_options.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gigi::inline v1 {

/// Serves one inbound stream. Runs as a task of its connection; an exception resets the stream and is logged.
using stream_handler = std::function<awaitable<void>(stream)>;

/// The protocols that a swarm serves.
class protocol_handlers {
  public:
    /// @par Lifetime `options` and `stats`, which it counts in, must outlive it, and whatever it serves must have ended before.
    protocol_handlers(any_io_executor const &executor, swarm_options const &options, swarm_stats &stats)
        : clock_{executor}, options_{options}, stats_{stats} {}

    /// Serves a protocol; replaces its handler if there is one. Streams that have one already keep it.
    void handle(std::string protocol, stream_handler handler);
    void unhandle(std::string_view protocol);
    std::vector<std::string> names() const;

    /// Agrees with the peer on a protocol, and serves the stream until its handler is done. Never throws because of the peer or the handler.
    /// @par Cancellation The stream is reset.
    [[nodiscard]] awaitable<void> serve(std::shared_ptr<connection> c, stream incoming);

  private:
    context_clock clock_;
    swarm_options const &options_;
    swarm_stats &stats_;
    std::map<std::string, std::shared_ptr<stream_handler const>, std::less<>> handlers_;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/protocol_handlers.ipp"
#endif
