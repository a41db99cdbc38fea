// gigi/gossip/send_queue.hpp: what waits to be sent to one peer: control before messages, both bounded.
//
// Layer: gossip. Sans-I/O. A peer that reads slowly loses messages, the oldest first, since the newest matter most; control
// is not lost: a peer that does not even take that loses its stream.
#pragma once

#include "options.hpp"
#include "rpc.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <list>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

class send_queue {
  public:
    explicit send_queue(gossip_options const &options) noexcept
        : max_rpc_size_{options.max_rpc_size}, max_messages_{options.max_queued_messages}, max_bytes_{options.max_queued_bytes},
          max_control_{options.max_queued_control} {}

    /// Queues an RPC's parts. On one topic the last word counts: what it contradicts is not sent any more.
    void push(rpc r) {
        for (auto &m : r.messages) push(std::move(m));
        r.messages.clear();
        if (r.empty()) return;
        // Gossip is only an offer: where control piles up it is the first to go.
        if (control_size_ > max_control_ / 2 && (!r.ihave.empty() || !r.idontwant.empty())) {
            r.ihave.clear();
            r.idontwant.clear();
            ++gossip_dropped_;
        }
        for (auto const &s : r.subscriptions) std::erase_if(control_.subscriptions, [&](auto const &old) { return old.topic == s.topic; });
        for (auto const &topic : r.graft) std::erase_if(control_.prune, [&](auto const &old) { return old.topic == topic; });
        for (auto const &p : r.prune) std::erase(control_.graft, p.topic);
        append(control_.subscriptions, r.subscriptions);
        append(control_.ihave, r.ihave);
        append(control_.iwant, r.iwant);
        append(control_.graft, r.graft);
        append(control_.prune, r.prune);
        append(control_.idontwant, r.idontwant);
        control_size_ = encoded_size(control_);
    }

    /// Takes what is to be sent next: control if there is any, then as many messages as make a frame of some size.
    rpc next() {
        if (parts_.empty() && !control_.empty()) {
            auto all = split(std::exchange(control_, {}), max_rpc_size_);
            parts_.assign(std::make_move_iterator(all.begin()), std::make_move_iterator(all.end()));
            control_size_ = 0;
        }
        rpc out;
        if (!parts_.empty()) {
            out = std::move(parts_.front());
            parts_.pop_front();
            return out;
        }
        std::size_t size = 0;
        while (!messages_.empty()) {
            std::size_t const more = cost(*messages_.front());
            if (size > 0 && size + more > batch) break;
            size += more;
            bytes_ -= more;
            out.messages.push_back(std::move(messages_.front()));
            messages_.pop_front();
        }
        return out;
    }

    bool empty() const noexcept { return messages_.empty() && parts_.empty() && control_.empty(); }
    /// Whether more control waits than a peer that reads at all would leave.
    bool overflowed() const noexcept { return control_size_ > max_control_; }
    void clear_control() {
        parts_.clear();
        control_ = {};
        control_size_ = 0;
    }
    void clear() {
        clear_control();
        messages_.clear();
        bytes_ = 0;
    }

    std::size_t message_count() const noexcept { return messages_.size(); }
    std::size_t byte_size() const noexcept { return bytes_; }
    std::uint64_t messages_dropped() const noexcept { return messages_dropped_; }
    std::uint64_t gossip_dropped() const noexcept { return gossip_dropped_; }

  private:
    static constexpr std::size_t batch = std::size_t{64} << 10; // more in one frame saves nothing, and delays control

    static std::size_t cost(gossip_message const &m) noexcept { return detail::field_size(encoded_size(m)); }

    void push(message_ptr m) {
        bytes_ += cost(*m);
        messages_.push_back(std::move(m));
        while (messages_.size() > max_messages_ || bytes_ > max_bytes_) {
            bytes_ -= cost(*messages_.front());
            messages_.pop_front();
            ++messages_dropped_;
        }
    }
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
