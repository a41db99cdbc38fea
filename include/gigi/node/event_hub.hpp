// gigi/node/event_hub.hpp: bounded queues of events, one for each reader.
//
// Layer: node.
#pragma once

#include "../core/asio.hpp"
#include "../core/bytes.hpp"
#include "../core/condition.hpp"
#include "../core/error.hpp"
#include "event.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace gigi::inline v1 {

class event_hub;

namespace detail {

inline std::size_t held_by(std::string const &text) noexcept { return text.size(); }
inline std::size_t held_by(bytes const &data) noexcept { return data.size(); }
template <class T> std::size_t held_by(T const &) noexcept { return 0; }

} // namespace detail

/// About how much memory an event takes, in bytes: itself, its texts and its data.
inline std::size_t size_of(event const &e) {
    std::size_t all = sizeof(event);
    auto const add = [&all](std::string_view, auto const &member) { all += detail::held_by(member); };
    std::visit([&add](auto const &what) { what.for_each_member(add); }, static_cast<events::any const &>(e));
    return all;
}

/// How much may wait for a reader; then its oldest events are dropped and counted. The newest one always stays.
struct event_limits {
    std::size_t events = 4096;
    std::size_t bytes = std::size_t{64} << 20; ///< as `size_of` has it
};

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

    explicit event_reader(std::shared_ptr<queue> q) : queue_{std::move(q)} {}

    static bool pop(queue &q, event &out) {
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
    /// @param limits for each reader
    event_hub(any_io_executor executor, event_limits limits) : executor_{std::move(executor)}, limits_{limits} {}

    /// @param patient nobody may ever read it: when it is full for the first time and nothing has been read, it keeps nothing more until
    ///   then, and what it missed counts for nobody but its reader
    event_reader subscribe(bool patient = false) {
        auto q = std::make_shared<event_reader::queue>(executor_, limits_, patient);
        queues_.push_back(q);
        return event_reader{std::move(q)};
    }

    void emit(event const &e) {
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

    /// Lets readers finish (`false`) or begin again (`true`).
    void set_open(bool open) {
        for (auto const &weak : queues_)
            if (auto const q = weak.lock()) {
                q->ended = !open;
                q->changed.notify_all();
            }
    }

    std::uint64_t dropped() const noexcept { return dropped_; } ///< in total, over all readers
    /// What waits now for the reader that is furthest behind: how many, and how much.
    event_limits waiting() const {
        event_limits most{0, 0};
        for (auto const &weak : queues_)
            if (auto const q = weak.lock()) most = {std::max(most.events, q->items.size()), std::max(most.bytes, q->size)};
        return most;
    }

  private:
    any_io_executor executor_;
    event_limits limits_;
    std::vector<std::weak_ptr<event_reader::queue>> queues_;
    std::uint64_t dropped_ = 0;
};

} // namespace gigi::inline v1
