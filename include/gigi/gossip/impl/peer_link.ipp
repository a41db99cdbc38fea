// gigi/gossip/impl/peer_link.ipp: what peer_link.hpp declares.
#pragma once

#include "../peer_link.hpp"

#include "../../core/config.hpp"

#include <algorithm>

namespace gigi::inline v1 {

GIGI_INLINE duration verification_budget::take(time_point now, std::size_t per_second) noexcept {
    auto const rate = static_cast<double>(per_second);
    double const passed = std::chrono::duration<double>(now - last_).count();
    left_ = first_ ? rate : std::min(rate, left_ + passed * rate);
    first_ = false;
    last_ = now;
    left_ -= 1;
    if (left_ >= 0) return duration::zero();
    return std::chrono::duration_cast<duration>(std::chrono::duration<double>(std::max(-left_, 1.0) / rate));
}

GIGI_INLINE void inbound_stream::end() {
    ended = true;
    frames.reset();
    if (waiting) waiting->cancel();
}

GIGI_INLINE peer_link::peer_link(any_io_executor const &executor, peer_id const &with, bool by_us, gossip_options const &options)
    : peer{with}, dialled{by_us}, queue{options}, wake{executor}, pause{executor} {}

GIGI_INLINE void peer_link::end() {
    ended = true;
    if (in) in->end();
    abandon_stream();
    queue.clear();
    pause.wake();
}

GIGI_INLINE void peer_link::abandon_stream() {
    if (out) {
        out->broken = true;
        out->data.reset();
    }
    wake.notify_all();
}

} // namespace gigi::inline v1
