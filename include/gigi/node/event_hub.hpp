// gigi/node/event_hub.hpp: bounded queues of events, one for each reader.
//
// Layer: node.
#pragma once

#include "../core/asio.hpp"
#include "../core/bytes.hpp"
#include "event.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

class event_hub;

namespace detail {

inline std::size_t held_by(std::string const &text) noexcept { return text.size(); }
inline std::size_t held_by(bytes const &data) noexcept { return data.size(); }
inline std::size_t held_by(multiaddr const &address) noexcept { return address.bytes().size(); }
inline std::size_t held_by(std::filesystem::path const &path) noexcept { return path.native().size() * sizeof(std::filesystem::path::value_type); }
template <class T> std::size_t held_by(T const &) noexcept { return 0; }
template <class T> std::size_t held_by(std::vector<T> const &all) noexcept {
    std::size_t sum = all.size() * sizeof(T);
    for (auto const &one : all) sum += held_by(one);
    return sum;
}

} // namespace detail

/// About how much memory an event takes, in bytes: itself, its texts, lists and data.
std::size_t size_of(event const &e);

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
    [[nodiscard]] awaitable<event> next();

    /// The next event if there is one. @return whether there was
    bool try_next(event &out) { return pop(*queue_, out); }

  private:
    friend event_hub;

    struct queue;

    explicit event_reader(std::shared_ptr<queue> q) : queue_{std::move(q)} {}

    static bool pop(queue &q, event &out);
    static awaitable<event> take(std::shared_ptr<queue> q);

    std::shared_ptr<queue> queue_;
};

/// Gives every event to every reader.
class event_hub {
  public:
    /// @param limits for each reader
    event_hub(any_io_executor executor, event_limits limits) : executor_{std::move(executor)}, limits_{limits} {}

    /// @param patient nobody may ever read it: when it is full for the first time and nothing has been read, it keeps nothing more until
    ///   then, and what it missed counts for nobody but its reader
    event_reader subscribe(bool patient = false);
    void emit(event const &e);

    /// Lets readers finish (`false`) or begin again (`true`).
    void set_open(bool open);

    std::uint64_t dropped() const noexcept { return dropped_; } ///< in total, over all readers
    /// What waits now for the reader that is furthest behind: how many, and how much.
    event_limits waiting() const;

  private:
    any_io_executor executor_;
    event_limits limits_;
    std::vector<std::weak_ptr<event_reader::queue>> queues_;
    std::uint64_t dropped_ = 0;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/event_hub.ipp"
#endif
