// gigi/file/impl/rate_limiter.ipp: what rate_limiter.hpp declares.
#pragma once

#include "../rate_limiter.hpp"

#include "../../core/config.hpp"

namespace gigi::inline v1 {

GIGI_INLINE rate_limiter::ticket rate_limiter::ask(peer_id const &who, std::size_t size) {
    auto const lane = std::ranges::find(lanes_, who, &lane_of_peer::who);
    auto &queue = lane == lanes_.end() ? lanes_.emplace_back(lane_of_peer{who, {}}).queue : lane->queue;
    queue.push_back({++last_ticket_, size});
    waiting_.insert(last_ticket_);
    return last_ticket_;
}

GIGI_INLINE void rate_limiter::withdraw(ticket t) {
    if (!waiting_.erase(t)) return;
    for (auto lane = lanes_.begin(); lane != lanes_.end(); ++lane)
        if (std::erase_if(lane->queue, [t](turn const &one) { return one.id == t; })) {
            if (lane->queue.empty()) lanes_.erase(lane);
            return;
        }
}

GIGI_INLINE void rate_limiter::advance(time_point now) {
    paid_until_ = std::max(paid_until_, now - burst);
    while (!lanes_.empty() && (paid_until_ <= now || !limited())) {
        auto &queue = lanes_.front().queue;
        paid_until_ += cost(queue.front().size);
        waiting_.erase(queue.front().id);
        queue.pop_front();
        if (queue.empty())
            lanes_.pop_front();
        else
            lanes_.splice(lanes_.end(), lanes_, lanes_.begin());
    }
}

GIGI_INLINE duration rate_limiter::cost(std::size_t size) const noexcept {
    return limited() ? duration{static_cast<std::int64_t>((size * std::uint64_t{1'000'000'000} + rate_ - 1) / rate_)} : duration::zero();
}

GIGI_INLINE awaitable<void> rate_gate::wait(peer_id who, std::size_t size) {
    struct asking {
        rate_limiter &limiter;
        rate_limiter::ticket const id;
        asking(rate_limiter &of, peer_id const &peer, std::size_t n) : limiter{of}, id{of.ask(peer, n)} {}
        asking(asking const &) = delete;
        ~asking() { limiter.withdraw(id); }
    } const mine{limiter_, who, size};
    timer pause{executor_};
    for (bool first = true;; first = false) {
        limiter_.advance(clock_.now());
        if (limiter_.passed(mine.id)) co_return;
        if (first) ++delayed_;
        co_await pause.wait_until(limiter_.next());
    }
}

} // namespace gigi::inline v1
