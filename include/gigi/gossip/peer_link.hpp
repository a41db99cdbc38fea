// gigi/gossip/peer_link.hpp: the two streams between this node and a peer, and what waits to be sent.
//
// Layer: gossip.
#pragma once

#include "../codec/codec.hpp"
#include "../codec/framed.hpp"
#include "../core/asio.hpp"
#include "../core/clock.hpp"
#include "../core/condition.hpp"
#include "../core/task_group.hpp"
#include "../mux/muxer.hpp"
#include "../peer/peer_id.hpp"
#include "options.hpp"
#include "send_queue.hpp"

#include <memory>
#include <utility>

namespace gigi::inline v1 {

/// The stream that we opened, and write.
struct outbound_stream {
    explicit outbound_stream(stream opened) : data{std::move(opened)} {}
    stream data;
    bool broken = false; ///< the peer has given it up
};

/// The stream that the peer opened, and writes.
struct inbound_stream {
    explicit inbound_stream(stream opened) : frames{std::move(opened)} {}
    /// It counts no more: its reader comes to its end.
    void end();

    framed<stream, bytes_codec> frames;
    task_group *waiting = nullptr; ///< for room for a large frame
    bool ended = false;
};

/// How much checking of signatures one peer may cause: so many a second, saved up for one second at most. What is over that
/// is not refused: its stream is read later, so that an honest peer with much to say only waits.
class verification_budget {
  public:
    /// Takes one out. @return how long to wait before the next; 0 where there is some left
    duration take(time_point now, std::size_t per_second) noexcept;

  private:
    double left_ = 0;
    time_point last_{};
    bool first_ = true;
};

/// One connected peer, as the shell sees it.
struct peer_link {
    peer_link(any_io_executor const &executor, peer_id const &with, bool by_us, gossip_options const &options);

    /// The peer is gone, or gossip stops: every task of this link ends.
    void end();
    /// Gives up our stream; another one is opened where the peer is still there.
    void abandon_stream();

    peer_id const peer;
    bool const dialled; ///< by us
    send_queue queue;
    async_condition wake; ///< something to send, or an end
    timer pause;          ///< before a stream is opened again
    std::shared_ptr<outbound_stream> out;
    std::shared_ptr<inbound_stream> in;
    verification_budget budget;
    bool opened = false; ///< there has been an outbound stream before
    bool ended = false;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/peer_link.ipp"
#endif
