// gigi/gossip/replay_guard.hpp: tells messages that are sent again, long after they were forgotten, from new ones.
//
// Layer: gossip. Sans-I/O. The seen cache knows a message for two minutes only; a signed message stays valid for ever. As go-libp2p's
// BasicSeqnoValidator this remembers how far an author's sequence numbers have come, but it lets messages overtake each other, and
// leaves authors alone whose numbers are no clock: those of js-libp2p are random. Whether they are one does not depend on this
// host's own clock being right: a computer without a battery begins in 1970.
#pragma once

#include "../core/clock.hpp"
#include "../peer/peer_id.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <utility>

namespace gigi::inline v1 {

/// For authors whose sequence numbers grow with time (nanoseconds since 1970: gigi, go-libp2p, rust-libp2p).
///
/// A message is refused where a higher number of its author's, or its own, was heard more than half to one `memory` ago.
/// Use it together with a seen cache that remembers messages for `memory`: what it has forgotten is refused here.
///
/// An author is left alone from its first number on that can be no time, until it is forgotten: also one whose own clock was
/// once before 2020. Of an author with random numbers a message that was not sent by itself is taken for a replay where this and all
/// numbers before it can be times, and it is lower than one of a minute ago: that befalls one author in 1,700.
class replay_guard {
  public:
    /// @param memory how long the seen cache remembers; messages may overtake each other by half of that
    /// @param most authors remembered; then the one that was silent longest is forgotten
    explicit replay_guard(duration memory, std::size_t most = 16'384) : span_{std::max<duration>(memory / 2, duration{1})}, most_{most ? most : 1} {}

    /// Judges a message whose signature is good, and remembers it where it is new.
    /// @param first_hand whether the author itself sent it to us: then it is no replay, and a clock that went back is believed
    /// @return false for a replay
    bool admit(peer_id const &author, std::uint64_t seqno, bool first_hand, time_point now, wall_time wall);

    std::size_t size() const noexcept { return authors_.size(); }
    std::uint64_t refused() const noexcept { return refused_; }     ///< replays
    std::uint64_t forgotten() const noexcept { return forgotten_; } ///< authors, for want of room

  private:
    struct known {
        std::uint64_t floor = 0;        ///< what was heard that long ago
        std::uint64_t older = 0;        ///< the highest of the generation before
        std::uint64_t newer = 0;        ///< the highest of this generation
        std::int64_t generation = 0;
        bool no_clock = false;
    };
    using entry = std::pair<peer_id, known>;

    /// Whether a number can be a time: between 2020 and 2040, or tomorrow where that is later. One random number in thirty can.
    static bool is_time(std::uint64_t seqno, wall_time wall) noexcept;
    known &touch(peer_id const &author);

    duration span_;
    std::size_t most_;
    std::list<entry> order_; // who was silent longest comes first
    std::map<peer_id, std::list<entry>::iterator> authors_;
    std::uint64_t refused_ = 0, forgotten_ = 0;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/replay_guard.ipp"
#endif
