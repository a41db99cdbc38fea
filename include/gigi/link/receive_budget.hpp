// gigi/link/receive_budget.hpp: how many bytes of messages a node holds while they arrive and are handled, over all peers.
//
// Layer: link. Whoever is about to read a large message takes its size first, and gives it back when it is done. Where there is
// no room it waits: it does not read, so the muxer's windows make the peer wait, too.
#pragma once

#include "../core/asio.hpp"
#include "../core/clock.hpp"
#include "../core/condition.hpp"
#include "../core/lifeline.hpp"
#include "../peer/peer_id.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <utility>

namespace gigi::inline v1 {

/// Shares a number of bytes between peers. Use it on one strand.
///
/// Peers take turns. None may hold more than a quarter, but for a single message, so that it takes several to make the others
/// wait; and nobody who fits overtakes a larger one that waits for the same room.
/// @par Lifetime Must outlive its shares and the coroutines that wait.
class receive_budget {
    struct waiting {
        std::size_t size;
        bool granted = false;
        wait_slot slot = {};
    };

  public:
    /// Bytes that were taken; gives them back when it is destroyed. Move-only.
    class share {
      public:
        share() = default;
        share(share &&other) noexcept : of_{std::exchange(other.of_, nullptr)}, who_{std::move(other.who_)}, size_{other.size_} {}
        share &operator=(share &&other) noexcept;
        ~share() { give_back(); }

      private:
        friend receive_budget;
        share(receive_budget &of, peer_id who, std::size_t size) : of_{of.life_.get()}, who_{std::move(who)}, size_{size} {}
        void give_back() noexcept;

        lifeline<receive_budget>::handle of_;
        peer_id who_;
        std::size_t size_ = 0;
    };

    /// @param total in bytes
    receive_budget(any_io_executor executor, std::size_t total) : changed_{std::move(executor)}, total_{total} {}
    receive_budget(receive_budget const &) = delete;
    receive_budget &operator=(receive_budget const &) = delete;

    /// Waits for its turn.
    /// @param size in bytes @param patience how long to wait
    /// @throws error with `errc::limit_exceeded` where there was no room for so long, or never can be
    /// @par Cancellation Nothing is taken.
    [[nodiscard]] awaitable<share> take(peer_id who, std::size_t size, duration patience);

    std::size_t held() const noexcept { return used_; }          ///< bytes taken now
    std::uint64_t delayed() const noexcept { return delayed_; }  ///< had to wait
    std::uint64_t refused() const noexcept { return refused_; }  ///< waited in vain

  private:
    struct lane {
        peer_id who;
        std::deque<waiting *> queue;
    };

    /// Has a place in its peer's lane for as long as it lives.
    struct asking {
        lifeline<receive_budget>::handle budget;
        peer_id who;
        waiting &mine;
        asking(receive_budget &of, peer_id const &peer, waiting &w);
        asking(asking const &) = delete;
        ~asking();
    };

    awaitable<void> wait(waiting &mine);

    /// Whether a peer must wait for itself.
    bool has_enough(peer_id const &who, std::size_t size) const;
    bool may_take(peer_id const &who, std::size_t size) const { return size <= total_ - used_ && !has_enough(who, size); }
    void use(peer_id const &who, std::size_t size);
    void grant();
    void release(peer_id const &who, std::size_t size) noexcept;

    async_condition changed_;
    std::size_t total_;
    std::size_t used_ = 0;
    std::map<peer_id, std::size_t> held_by_;
    std::list<lane> lanes_; // in the order of their turns; none is empty
    std::uint64_t delayed_ = 0, refused_ = 0;
    lifeline<receive_budget> life_{this};
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/receive_budget.ipp"
#endif
