// gigi/link/impl/receive_budget.ipp: what receive_budget.hpp declares.
#pragma once

#include "../receive_budget.hpp"

#include "../../core/config.hpp"
#include "../../core/error.hpp"
#include "../../core/timeout.hpp"

#include <algorithm>

namespace gigi::inline v1 {

GIGI_INLINE receive_budget::share &receive_budget::share::operator=(share &&other) noexcept {
    if (this != &other) {
        give_back();
        of_ = std::exchange(other.of_, nullptr);
        who_ = std::move(other.who_);
        size_ = other.size_;
    }
    return *this;
}

GIGI_INLINE void receive_budget::share::give_back() noexcept {
    if (auto const of = std::exchange(of_, nullptr); of && *of) (*of)->release(who_, size_);
}

GIGI_INLINE awaitable<receive_budget::share> receive_budget::take(peer_id who, std::size_t size, duration patience) {
    if (size > total_) {
        ++refused_;
        throw error{errc::limit_exceeded, "larger than all that may be received at once"};
    }
    size = std::max<std::size_t>(size, 1);
    if (lanes_.empty() && may_take(who, size)) { // as nearly always
        use(who, size);
        co_return share{*this, std::move(who), size};
    }
    waiting mine{size};
    asking const asked{*this, who, mine};
    grant();
    if (!mine.granted) {
        ++delayed_;
        std::error_code failed;
        try {
            co_await with_timeout(wait(mine), patience);
        } catch (std::system_error const &e) {
            failed = e.code();
        }
        if (failed && mine.granted) release(who, size); // it came too late
        if (failed == errc::timed_out) {
            ++refused_;
            throw error{errc::limit_exceeded, "too much is being received"};
        }
        if (failed) throw error{failed};
    }
    co_return share{*this, std::move(who), size};
}

GIGI_INLINE receive_budget::asking::asking(receive_budget &of, peer_id const &peer, waiting &w) : budget{of.life_.get()}, who{peer}, mine{w} {
    auto const found = std::ranges::find(of.lanes_, who, &lane::who);
    auto &to = found == of.lanes_.end() ? of.lanes_.emplace_back(lane{who, {}}) : *found;
    to.queue.push_back(&mine);
}

GIGI_INLINE receive_budget::asking::~asking() {
    if (mine.granted || !*budget) return;
    auto &all = **budget;
    auto const found = std::ranges::find(all.lanes_, who, &lane::who);
    std::erase(found->queue, &mine);
    if (found->queue.empty()) all.lanes_.erase(found);
    all.grant(); // others may have waited for this one
}

GIGI_INLINE awaitable<void> receive_budget::wait(waiting &mine) {
    while (!mine.granted) co_await changed_.wait(mine.slot);
}

GIGI_INLINE bool receive_budget::has_enough(peer_id const &who, std::size_t size) const {
    auto const found = held_by_.find(who);
    return found != held_by_.end() && found->second + size > total_ / 4;
}

GIGI_INLINE void receive_budget::use(peer_id const &who, std::size_t size) {
    used_ += size;
    held_by_[who] += size;
}

GIGI_INLINE void receive_budget::grant() {
    for (auto at = lanes_.begin(); at != lanes_.end();) {
        auto &next = *at->queue.front();
        if (has_enough(at->who, next.size)) {
            ++at;
            continue;
        }
        if (next.size > total_ - used_) return;
        use(at->who, next.size);
        next.granted = true;
        changed_.notify(next.slot);
        auto const served = at++;
        served->queue.pop_front();
        if (served->queue.empty())
            lanes_.erase(served);
        else // its next turn comes after the others'
            lanes_.splice(lanes_.end(), lanes_, served);
    }
}

GIGI_INLINE void receive_budget::release(peer_id const &who, std::size_t size) noexcept {
    used_ -= size;
    auto const found = held_by_.find(who);
    if ((found->second -= size) == 0) held_by_.erase(found);
    grant();
}

} // namespace gigi::inline v1
