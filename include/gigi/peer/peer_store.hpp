// gigi/peer/peer_store.hpp: the peers that this node has met: their addresses, nicknames, and whose a nickname first was.
//
// Layer: peer. Bounded (T10): where there is no room, the peer that is worth least is forgotten, and of those the one that was
// seen longest ago. Whom nobody authenticated displaces others up to a quarter of the room only: a flood of announcements does
// not make a node forget whom it knows, and does not find the door shut either. Time comes in, as seconds since 1970.
#pragma once

#include "multiaddr.hpp"
#include "peer_id.hpp"

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

/// How an address became known; better ones are tried first and kept longer.
enum class address_source : std::uint8_t {
    discovered, ///< from an announcement that nobody authenticated
    identified, ///< the peer itself said so
    manual,     ///< the user did
};

/// How much a peer store remembers.
struct peer_store_limits {
    std::size_t peers = 4096;     ///< the one that is worth least is forgotten
    std::size_t addresses = 16;   ///< of one peer; likewise
    std::size_t pins = 16'384;    ///< nicknames whose first owner is remembered; later ones are not pinned
    std::size_t text = std::size_t{48} << 20; ///< bytes of `write()`, beside the pins; what is worth least is left out
};

/// What did not fit since the store was made.
struct peer_store_stats {
    std::uint64_t peers_forgotten = 0;     ///< or not taken in, over `peer_store_limits::peers`
    std::uint64_t addresses_forgotten = 0; ///< over `addresses`
    std::uint64_t pins_refused = 0;        ///< over `pins`
};

class peer_store {
  public:
    static constexpr std::size_t max_pins_of_peer = 8;                ///< of one peer: past it, it loses the one that it had first
    static constexpr std::uint64_t discovered_lifetime = 24 * 3600;   ///< seconds that a discovered address is kept unseen
    static constexpr std::uint64_t identified_lifetime = 30 * 86'400; ///< seconds that the peer's own word is kept unseen

    explicit peer_store(peer_store_limits const &limits = peer_store_limits()) : limits_{limits} { limits_.peers = std::max<std::size_t>(limits_.peers, 1); }

    /// Remembers an address of a peer; /p2p at its end is left away. Where there is no room the least useful one goes.
    void add_address(peer_id const &peer, multiaddr const &address, address_source source, std::uint64_t now);

    /// The addresses of a peer, the most promising first.
    std::vector<multiaddr> addresses(peer_id const &peer) const;

    /// Remembers the nickname that an authenticated peer gave itself, and pins it to the first peer that had it.
    /// What is no nickname is passed over.
    /// @return who had the nickname first, where that is another peer
    std::optional<peer_id> set_nickname(peer_id const &peer, std::string const &nickname, std::uint64_t now);
    std::optional<std::string> nickname(peer_id const &peer) const;
    /// Who was first seen with a nickname.
    std::optional<peer_id> pinned(std::string const &nickname) const;

    /// Every peer that a text can mean: a peer id (known or not), a nickname, `name~abcd` with the end of an id, or
    /// `~abcd` for a peer of any name or none.
    std::vector<peer_id> resolve(std::string_view text) const;

    /// Forgets the addresses that have not been seen for their lifetime, and the peers of whom nothing is left. What the user
    /// entered stays.
    void expire(std::uint64_t now);

    bool contains(peer_id const &peer) const { return peers_.contains(peer); }
    std::size_t size() const noexcept { return peers_.size(); }
    /// Grows whenever something new is remembered; seeing again what is known does not count.
    std::uint64_t changes() const noexcept { return changes_; }
    peer_store_stats const &stats() const noexcept { return stats_; }

    /// The store as text, for `read` and for people: a first line `gigi-peers 1`, then a line a fact, its fields separated by tabs:
    /// `pin <peer> <nickname>`, `peer <peer> <seen> <nickname or nothing>`, `address <peer> <seen> <source> <multiaddr>`.
    ///
    /// All pins; of the peers as much as fits into `peer_store_limits::text`: first the addresses of those worth least are left out, then they
    /// themselves.
    std::string write() const;
    /// How long a text of a store with these limits can be.
    std::size_t largest_text() const noexcept { return limits_.text + 128 + limits_.pins * max_pin_line; }

    /// Adds what `write` wrote.
    /// @return whether every line was understood, and the last one is whole; what was understood is kept in any case
    bool read(std::string_view text);

  private:
    struct entry {
        multiaddr address;
        address_source source;
        std::uint64_t seen;
    };
    static constexpr std::string_view source_names[] = {"discovered", "identified", "manual"};

    struct record {
        std::vector<entry> addresses;
        std::string nickname;
        std::uint64_t seen = 0;
        int worth = 0;
    };
    /// Who is forgotten first.
    struct rank {
        int worth;
        std::uint64_t seen;
        peer_id peer;
        friend auto operator<=>(rank const &, rank const &) = default;
    };

    static int worth_of(address_source source) noexcept { return static_cast<int>(source); }
    static constexpr int stranger = static_cast<int>(address_source::discovered);
    static constexpr std::size_t max_pin_line = 160; // bytes: an id of 44 bytes in base58, and a nickname of 64

    /// The record of a peer, new where it has none. @return null where there is no room for a peer of this worth
    record *touch(peer_id const &peer, int worth, std::uint64_t seen);
    void leave_order(std::pair<peer_id const, record> const &known);
    bool make_room(int worth);
    void add_address(peer_id const &peer, entry fresh, std::uint64_t now);

    /// Pins a nickname to a peer, unless it is pinned. @return to whom it is; nothing where there is no room
    std::optional<peer_id> pin(std::string const &nickname, peer_id const &peer);
    bool read_line(std::string_view line);
    static std::string lines_of(peer_id const &peer, record const &known);

    peer_store_limits limits_;
    peer_store_stats stats_;
    std::uint64_t changes_ = 0;
    std::map<peer_id, record> peers_;
    std::set<rank> order_;      // of peers_
    std::size_t strangers_ = 0; // of peers_: those of the least worth
    std::map<std::string, peer_id> pins_;
    std::map<peer_id, std::vector<std::string>> pinned_by_; // of pins_: the nicknames of each peer, the oldest first
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/peer_store.ipp"
#endif
