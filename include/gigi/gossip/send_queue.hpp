// gigi/gossip/send_queue.hpp: what waits to be sent to one peer: control before messages, both bounded.
//
// Layer: gossip. Sans-I/O. A peer that reads slowly loses messages, the oldest first, since the newest matter most; control
// is not lost: a peer that does not even take that loses its stream.
#pragma once

#include "options.hpp"
#include "rpc.hpp"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <list>
#include <vector>

namespace gigi::inline v1 {

class send_queue {
  public:
    explicit send_queue(gossip_options const &options) noexcept;

    /// Queues an RPC's parts. On one topic the last word counts: what it contradicts is not sent any more.
    void push(rpc r);

    /// Takes what is to be sent next: control if there is any, then as many messages as make a frame of some size.
    rpc next();

    bool empty() const noexcept { return messages_.empty() && parts_.empty() && control_.empty(); }
    /// Whether more control waits than a peer that reads at all would leave.
    bool overflowed() const noexcept { return control_size_ > max_control_; }
    void clear_control();
    void clear();

    std::size_t message_count() const noexcept { return messages_.size(); }
    std::size_t byte_size() const noexcept { return bytes_; }
    std::uint64_t messages_dropped() const noexcept { return messages_dropped_; }
    std::uint64_t gossip_dropped() const noexcept { return gossip_dropped_; } ///< RPCs whose gossip was left out

  private:
    static constexpr std::size_t batch = std::size_t{64} << 10; // more in one frame saves nothing, and delays control

    static std::size_t cost(gossip_message const &m) noexcept { return detail::field_size(encoded_size(m)); }

    void push(message_ptr m);
    template <class T> static void append(std::vector<T> &to, std::vector<T> &from) {
        to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
    }

    std::size_t max_rpc_size_, max_messages_, max_bytes_, max_control_;
    rpc control_;
    std::size_t control_size_ = 0;
    std::list<rpc> parts_; // of control that was too large for one RPC
    std::list<message_ptr> messages_; // not deques: most queues are empty, and an empty one shall hold nothing
    std::size_t bytes_ = 0; // of messages
    std::uint64_t messages_dropped_ = 0, gossip_dropped_ = 0;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/send_queue.ipp"
#endif
