// gigi/node/redial.hpp: whom to dial without being asked, and when.
//
// Layer: node. Sans-I/O: peers are wanted (announced by discovery, or on the bootstrap list), time comes in, and the peers
// that are due come out. A peer that cannot be reached is tried again with growing pauses. Anybody can announce peers that are
// none (T15): they are asked for apart from those of the bootstrap list, and those that failed less often come before them.
#pragma once

#include "../core/clock.hpp"
#include "../peer/peer_id.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

namespace gigi::inline v1 {

class redial_policy {
  public:
    /// Why a peer is wanted: bits.
    enum reason : unsigned {
        discovered = 1, ///< somebody announced it, whom nobody authenticated
        bootstrap = 2,  ///< the user said so
    };
    static constexpr duration first_pause = std::chrono::seconds{1};
    static constexpr duration longest_pause = std::chrono::seconds{60};

    /// @param most peers that are wanted at once; further ones are passed over
    explicit redial_policy(std::size_t most = 1024) noexcept : most_{most} {}

    /// A peer should be connected: dial it at once, and whenever the connection is lost. Wanting it again changes nothing:
    /// announcements are not authenticated, and must not shorten pauses (T15).
    /// @param why the peer is wanted as long as any reason is left; one more than there were ends its pause
    void want(peer_id const &peer, reason why, time_point now);
    void unwant(peer_id const &peer, reason why);
    bool wants(peer_id const &peer) const { return wanted_.contains(peer); }

    /// The user has sent this peer away: it is left alone until it comes by itself or the user dials it.
    void mute(peer_id const &peer);
    void connected(peer_id const &peer);
    void disconnected(peer_id const &peer, time_point now) { retry(peer, now); }
    void failed(peer_id const &peer, time_point now) { retry(peer, now); }

    /// The peers to dial now; each is marked as busy until it is `connected` or has `failed`. Of each kind, every other one is whoever
    /// failed least often, and then whoever has waited longest: neither old names nor new ones without end keep anybody out.
    /// @param of `bootstrap`: those of the bootstrap list; `discovered`: those that are only discovered
    std::vector<peer_id> due(reason of, time_point now, std::size_t limit);

    /// When `due` will have something, as far as is known now.
    std::optional<time_point> next(reason of) const;

  private:
    struct entry {
        unsigned reasons = 0;
        time_point due{};
        unsigned failures = 0; // since it was connected last
        bool busy = false; // being dialled, or connected
        bool muted = false;

        bool idle(reason of) const noexcept { return !busy && !muted && ((reasons & bootstrap) != 0) == (of == bootstrap); }
    };

    void retry(peer_id const &peer, time_point now);

    std::size_t most_;
    std::map<peer_id, entry> wanted_;
    bool longest_listed_ = false, longest_discovered_ = false; // whether it was the turn of whoever has waited longest
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/redial.ipp"
#endif
