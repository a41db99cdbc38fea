// gigi/node/impl/event_hub.ipp: what event_hub.hpp declares.
#pragma once

#include "../event_hub.hpp"

#include "../../core/condition.hpp"
#include "../../core/config.hpp"
#include "../../core/error.hpp"

#include <algorithm>
#include <deque>
#include <string_view>
#include <variant>

namespace gigi::inline v1 {

struct event_reader::queue {
    queue(any_io_executor const &executor, event_limits const &most, bool patient) : limits{most}, awake{!patient}, changed{executor} {}
    event_limits const limits;
    std::deque<event> items;
    std::size_t size = 0; // of them, in bytes
    std::uint64_t dropped = 0;
    bool ended = false;
    bool awake; // somebody reads it, or may be about to
    async_condition changed;

    bool has_room_for(std::size_t more) const { return items.size() < limits.events && size + more <= limits.bytes; }
    void drop_oldest() {
        size -= size_of(items.front());
        items.pop_front();
        ++dropped;
    }
};

GIGI_INLINE std::size_t size_of(event const &e) {
    std::size_t all = sizeof(event);
    auto const add = [&all](std::string_view, auto const &member) { all += detail::held_by(member); };
    std::visit([&add](auto const &what) { what.for_each_member(add); }, static_cast<events::any const &>(e));
    return all;
}

GIGI_INLINE awaitable<event> event_reader::next() { return take(queue_); }

GIGI_INLINE bool event_reader::pop(queue &q, event &out) {
    q.awake = true;
    if (q.dropped) {
        out = events::events_dropped{std::exchange(q.dropped, 0)};
        return true;
    }
    if (q.items.empty()) return false;
    q.size -= size_of(q.items.front());
    out = std::move(q.items.front());
    q.items.pop_front();
    return true;
}

GIGI_INLINE awaitable<event> event_reader::take(std::shared_ptr<queue> q) { // holds the queue: the reader may go meanwhile
    event out;
    while (!pop(*q, out)) {
        if (q->ended) throw error{make_error_code(errc::stopped)};
        co_await q->changed.wait();
    }
    co_return out;
}

GIGI_INLINE event_reader event_hub::subscribe(bool patient) {
    auto q = std::make_shared<event_reader::queue>(executor_, limits_, patient);
    queues_.push_back(q);
    return event_reader{std::move(q)};
}

GIGI_INLINE void event_hub::emit(event const &e) {
    std::erase_if(queues_, [](auto const &weak) { return weak.expired(); });
    std::size_t const size = size_of(e);
    for (auto const &weak : queues_) {
        auto const q = weak.lock();
        if (!q->awake && (q->dropped > 0 || !q->has_room_for(size))) {
            while (!q->items.empty()) q->drop_oldest();
            ++q->dropped;
            continue;
        }
        while (!q->items.empty() && !q->has_room_for(size)) {
            q->drop_oldest();
            ++dropped_;
        }
        q->items.push_back(e);
        q->size += size;
        q->changed.notify_one();
    }
}

GIGI_INLINE void event_hub::set_open(bool open) {
    for (auto const &weak : queues_)
        if (auto const q = weak.lock()) {
            q->ended = !open;
            q->changed.notify_all();
        }
}

GIGI_INLINE event_limits event_hub::waiting() const {
    event_limits most{0, 0};
    for (auto const &weak : queues_)
        if (auto const q = weak.lock()) most = {std::max(most.events, q->items.size()), std::max(most.bytes, q->size)};
    return most;
}

} // namespace gigi::inline v1
