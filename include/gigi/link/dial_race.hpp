// gigi/link/dial_race.hpp: dials the addresses of one peer, staggered, and keeps the first that answers.
//
// Layer: link. After RFC 8305 (happy eyeballs): the next address starts when the previous one has failed or the stagger
// has passed; the first authenticated connection wins and the others are cancelled.
#pragma once

#include "../core/asio.hpp"
#include "../core/clock.hpp"
#include "../core/task_group.hpp"
#include "upgrade.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <system_error>
#include <vector>

namespace gigi::inline v1 {

class dial_race {
  public:
    dial_race(any_io_executor const &executor, std::span<std::unique_ptr<connector> const> connectors, std::optional<peer_id> expected,
              duration stagger);

    /// Dials until one address has answered or all have failed; the caller sets the deadline.
    /// @throws error: the one failure where all failed alike or there was one address; `errc::unreachable` with all of
    ///         them in its context otherwise; `errc::no_addresses` where none can be dialled
    /// @par Cancellation Cancels every attempt and waits for its end.
    [[nodiscard]] awaitable<established> run(std::vector<multiaddr> addresses);

    /// Has an address dialled next, before or while the race runs; does nothing where it has the address already.
    void add(multiaddr const &address);

    /// Whether an address was dialled in vain, to the end: not where the race was cancelled before.
    bool has_failed(multiaddr const &address) const;

  private:
    struct failed_dial {
        multiaddr address;
        std::error_code code;
    };

    bool is_new(multiaddr const &address);
    awaitable<void> race();
    void start_next();
    awaitable<void> attempt(connector &through, multiaddr address);
    connector *find(multiaddr const &address) const;
    [[noreturn]] void throw_failure() const;

    std::span<std::unique_ptr<connector> const> connectors_;
    std::optional<peer_id> expected_;
    duration stagger_;
    task_group attempts_;
    timer changed_;
    std::optional<established> winner_;
    std::deque<multiaddr> waiting_;
    std::vector<multiaddr> known_; // without their peers: those that wait, and all that have been dialled
    std::vector<failed_dial> failures_;
    std::size_t started_ = 0;
    std::size_t running_ = 0;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/dial_race.ipp"
#endif
