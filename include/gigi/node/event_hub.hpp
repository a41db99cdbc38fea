// gigi/node/event_hub.hpp: bounded queues of events, one for each reader.
//
// Layer: node.
#pragma once

#include "../core/asio.hpp"
#include "../core/condition.hpp"
#include "../core/error.hpp"
#include "event.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

class event_hub;

/// An independent reader of a node's events, from the moment it was made. Use it on the node's strand.
class event_reader {
  public:
    event_reader(event_reader &&) noexcept = default;
    event_reader &operator=(event_reader &&) noexcept = default;

    /// Waits for the next event. Events that were dropped because this reader was slow show as one `events_dropped`, in
    /// their place.
    /// @throws error with `errc::stopped` once the node has stopped and every event before that was read
    /// @par Cancellation Nothing is taken.
    [[nodiscard]] awaitable<event> next() { return take(queue_); }

    /// The next event if there is one. @return whether there was
    bool try_next(event &out) { return pop(*queue_, out); }

  private:
    friend event_hub;

    struct queue {
        queue(any_io_executor const &executor, std::size_t room) : limit{room ? room : 1}, changed{executor} {}
        std::size_t const limit;
        std::deque<event> items;
        std::uint64_t dropped = 0;
        bool ended = false;
        async_condition changed;
    };

    explicit event_reader(std::shared_ptr<queue> q) : queue_{std::move(q)} {}

    static bool pop(queue &q, event &out) {
        if (q.dropped) {
            out = events::events_dropped{std::exchange(q.dropped, 0)};
            return true;
        }
        if (q.items.empty()) return false;
        out = std::move(q.items.front());
        q.items.pop_front();
        return true;
    }

    static awaitable<event> take(std::shared_ptr<queue> q) { // holds the queue: the reader may go meanwhile
        event out;
        while (!pop(*q, out)) {
            if (q->ended) throw error{make_error_code(errc::stopped)};
            co_await q->changed.wait();
        }
        co_return out;
    }

    std::shared_ptr<queue> queue_;
};

/// Gives every event to every reader.
class event_hub {
  public:
    /// @param limit how many events wait for each reader; then the oldest are dropped and counted
    event_hub(any_io_executor executor, std::size_t limit) : executor_{std::move(executor)}, limit_{limit} {}

    event_reader subscribe() {
        auto q = std::make_shared<event_reader::queue>(executor_, limit_);
        queues_.push_back(q);
        return event_reader{std::move(q)};
    }

    void emit(event const &e) {
        std::erase_if(queues_, [](auto const &weak) { return weak.expired(); });
        for (auto const &weak : queues_) {
            auto const q = weak.lock();
            if (q->items.size() >= q->limit) {
                q->items.pop_front();
                ++q->dropped;
                ++dropped_;
            }
            q->items.push_back(e);
            q->changed.notify_one();
        }
    }

    /// Lets readers finish (`false`) or begin again (`true`).
    void set_open(bool open) {
        for (auto const &weak : queues_)
            if (auto const q = weak.lock()) {
                q->ended = !open;
                q->changed.notify_all();
            }
    }

    std::uint64_t dropped() const noexcept { return dropped_; } ///< in total, over all readers

  private:
    any_io_executor executor_;
    std::size_t limit_;
    std::vector<std::weak_ptr<event_reader::queue>> queues_;
    std::uint64_t dropped_ = 0;
};

} // namespace gigi::inline v1
