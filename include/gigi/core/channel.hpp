// gigi/core/channel.hpp: a bounded queue between coroutines of one strand.
//
// Layer: core.
#pragma once

#include "asio.hpp"
#include "condition.hpp"
#include "error.hpp"

#include <cstddef>
#include <deque>
#include <system_error>
#include <utility>

namespace gigi::inline v1 {

/// A bounded queue of `T`; use it on one strand.
///
/// After `close(code)` senders throw `code` at once, and receivers do when they have taken what was queued.
template <class T> class channel {
  public:
    /// @param capacity how many items may wait, at least 1
    channel(any_io_executor const &executor, std::size_t capacity)
        : capacity_{capacity ? capacity : 1}, readable_{executor}, writable_{executor} {}

    /// Queues an item if there is room and the channel is open; never suspends.
    [[nodiscard]] bool try_send(T item) {
        if (closed_ || items_.size() >= capacity_) return false;
        items_.push_back(std::move(item));
        readable_.notify_one();
        return true;
    }

    /// Queues an item, waiting for room.
    /// @throws std::system_error with the code of `close()`, or `errc::cancelled`
    /// @par Cancellation The item is not queued.
    [[nodiscard]] awaitable<void> send(T item) {
        while (!closed_ && items_.size() >= capacity_) co_await writable_.wait();
        if (closed_) throw error{closed_};
        items_.push_back(std::move(item));
        readable_.notify_one();
    }

    /// Takes the oldest item, waiting for one.
    /// @throws std::system_error with the code of `close()`, or `errc::cancelled`
    /// @par Cancellation Nothing is taken.
    [[nodiscard]] awaitable<T> receive() {
        while (items_.empty() && !closed_) {
            bool interrupted = true;
            try {
                co_await readable_.wait();
                interrupted = false;
            } catch (std::system_error const &) {
            }
            if (interrupted) {
                if (!items_.empty()) readable_.notify_one(); // pass on a wake-up that may have been ours
                throw error{make_error_code(errc::cancelled)};
            }
        }
        if (items_.empty()) throw error{closed_};
        T item{std::move(items_.front())};
        items_.pop_front();
        writable_.notify_one();
        if (!items_.empty()) readable_.notify_one();
        co_return item;
    }

    /// Takes an item if there is one; never suspends.
    [[nodiscard]] bool try_receive(T &item) {
        if (items_.empty()) return false;
        item = std::move(items_.front());
        items_.pop_front();
        writable_.notify_one();
        return true;
    }

    /// Ends the channel; what is queued can still be received.
    void close(std::error_code code = make_error_code(errc::closed)) {
        if (closed_) return;
        closed_ = code;
        readable_.notify_all();
        writable_.notify_all();
    }
    /// Opens it again, empty.
    void reopen() {
        items_.clear();
        closed_ = {};
    }

    bool is_open() const noexcept { return !closed_; }
    bool empty() const noexcept { return items_.empty(); }
    bool full() const noexcept { return items_.size() >= capacity_; }
    std::size_t size() const noexcept { return items_.size(); }

  private:
    std::size_t capacity_;
    std::deque<T> items_;
    std::error_code closed_;
    async_condition readable_;
    async_condition writable_;
};

} // namespace gigi::inline v1
