// gigi/gossip/impl/send_queue.ipp: what send_queue.hpp declares.
#pragma once

#include "../send_queue.hpp"

#include "../../core/config.hpp"

#include <utility>

namespace gigi::inline v1 {

GIGI_INLINE send_queue::send_queue(gossip_options const &options) noexcept
    : max_rpc_size_{options.max_rpc_size}, max_messages_{options.max_queued_messages}, max_bytes_{options.max_queued_bytes},
      max_control_{options.max_queued_control} {}

GIGI_INLINE void send_queue::push(rpc r) {
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

GIGI_INLINE rpc send_queue::next() {
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

GIGI_INLINE void send_queue::clear_control() {
    parts_.clear();
    control_ = {};
    control_size_ = 0;
}

GIGI_INLINE void send_queue::clear() {
    clear_control();
    messages_.clear();
    bytes_ = 0;
}

GIGI_INLINE void send_queue::push(message_ptr m) {
    bytes_ += cost(*m);
    messages_.push_back(std::move(m));
    while (messages_.size() > max_messages_ || bytes_ > max_bytes_) {
        bytes_ -= cost(*messages_.front());
        messages_.pop_front();
        ++messages_dropped_;
    }
}

} // namespace gigi::inline v1
