// gigi/link/dial_race.hpp: dials the addresses of one peer, staggered, and keeps the first that answers.
//
// Layer: link. After RFC 8305 (happy eyeballs): the next address starts when the previous one has failed or the stagger
// has passed; the first authenticated connection wins and the others are cancelled.
#pragma once

#include "../core/asio.hpp"
#include "../core/clock.hpp"
#include "../core/error.hpp"
#include "../core/task_group.hpp"
#include "upgrade.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

class dial_race {
  public:
    dial_race(any_io_executor const &executor, std::span<std::unique_ptr<connector> const> connectors, std::optional<peer_id> expected,
              duration stagger)
        : connectors_{connectors}, expected_{std::move(expected)}, stagger_{stagger}, attempts_{executor}, changed_{executor} {}

    /// Dials until one address has answered or all have failed; the caller sets the deadline.
    /// @throws error: the one failure where all failed alike or there was one address; `errc::unreachable` with all of
    ///         them in its context otherwise; `errc::no_addresses` where none can be dialled
    /// @par Cancellation Cancels every attempt and waits for its end.
    [[nodiscard]] awaitable<established> run(std::vector<multiaddr> addresses) {
        std::exception_ptr failure;
        try {
            co_await race(std::move(addresses));
        } catch (...) {
            failure = std::current_exception();
        }
        attempts_.cancel();
        co_await asio::this_coro::reset_cancellation_state();
        co_await attempts_.join();
        if (winner_) co_return std::move(*winner_);
        if (failure) std::rethrow_exception(failure);
        throw_failure();
    }

  private:
    awaitable<void> race(std::vector<multiaddr> addresses) {
        for (auto &address : addresses) {
            connector *const through = find(address);
            if (!through) continue;
            ++started_;
            ++running_;
            attempts_.spawn(attempt(*through, std::move(address)));
            auto const next = changed_.now() + stagger_;
            std::size_t const failed = failures_.size();
            while (!winner_ && running_ > 0 && failures_.size() == failed) {
                bool const waited = co_await changed_.wait_until(next);
                if (waited) break;
            }
            if (winner_) co_return;
        }
        while (!winner_ && running_ > 0) co_await changed_.wait_until(time_point::max());
    }

    awaitable<void> attempt(connector &through, multiaddr address) {
        std::error_code code;
        try {
            established made = co_await through.dial(address, expected_);
            if (!winner_) winner_.emplace(std::move(made));
        } catch (std::system_error const &e) {
            code = e.code();
        }
        --running_;
        if (code) failures_.emplace_back(address.to_string(), code);
        changed_.wake();
    }

    connector *find(multiaddr const &address) const {
        for (auto const &c : connectors_)
            if (c->can_dial(address)) return c.get();
        return nullptr;
    }

    [[noreturn]] void throw_failure() const {
        if (started_ == 0) throw error{errc::no_addresses, "none of the addresses can be dialled from here"};
        std::string all;
        bool alike = true;
        for (auto const &[address, code] : failures_) {
            all += (all.empty() ? "" : "; ") + address + ": " + code.message();
            alike = alike && code == failures_.front().second;
        }
        if (alike) throw error{failures_.front().second, failures_.front().first};
        throw error{errc::unreachable, all};
    }

    std::span<std::unique_ptr<connector> const> connectors_;
    std::optional<peer_id> expected_;
    duration stagger_;
    task_group attempts_;
    timer changed_;
    std::optional<established> winner_;
    std::vector<std::pair<std::string, std::error_code>> failures_;
    std::size_t started_ = 0;
    std::size_t running_ = 0;
};

} // namespace gigi::inline v1
