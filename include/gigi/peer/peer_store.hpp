// gigi/peer/peer_store.hpp: the peers that this node has met: their addresses, nicknames, and whose a nickname first was.
//
// Layer: peer. Bounded (T10): where there is no room, the peer that is worth least is forgotten, and of those the one that was
// seen longest ago. Whom nobody authenticated displaces others up to a quarter of the room only: a flood of announcements does
// not make a node forget whom it knows, and does not find the door shut either. Time comes in, as seconds since 1970.
#pragma once

#include "../core/bytes.hpp"
#include "../core/text.hpp"
#include "multiaddr.hpp"
#include "nickname.hpp"
#include "peer_id.hpp"

#include <algorithm>
#include <charconv>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
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
    void add_address(peer_id const &peer, multiaddr const &address, address_source source, std::uint64_t now) {
        add_address(peer, {address.without_peer(), source, now}, now);
    }

    /// The addresses of a peer, the most promising first.
    std::vector<multiaddr> addresses(peer_id const &peer) const {
        std::vector<multiaddr> all;
        if (auto const found = peers_.find(peer); found != peers_.end())
            for (auto const &a : found->second.addresses) all.push_back(a.address);
        return all;
    }

    /// Remembers the nickname that an authenticated peer gave itself, and pins it to the first peer that had it.
    /// What is no nickname is passed over.
    /// @return who had the nickname first, where that is another peer
    std::optional<peer_id> set_nickname(peer_id const &peer, std::string const &nickname, std::uint64_t now) {
        if (!valid_nickname(nickname)) return std::nullopt;
        if (auto *const known = touch(peer, worth_of(address_source::identified), now); known && known->nickname != nickname) {
            known->nickname = nickname;
            ++changes_;
        }
        auto const first = pin(nickname, peer);
        if (!first || *first == peer) return std::nullopt;
        return first;
    }
    std::optional<std::string> nickname(peer_id const &peer) const {
        auto const found = peers_.find(peer);
        if (found == peers_.end() || found->second.nickname.empty()) return std::nullopt;
        return found->second.nickname;
    }
    /// Who was first seen with a nickname.
    std::optional<peer_id> pinned(std::string const &nickname) const {
        auto const found = pins_.find(nickname);
        if (found == pins_.end()) return std::nullopt;
        return found->second;
    }

    /// Every peer that a text can mean: a peer id (known or not), a nickname, or `name~abcd` with the end of an id.
    std::vector<peer_id> resolve(std::string_view text) const {
        if (auto const id = peer_id::parse(text)) return {*id};
        auto const tilde = text.rfind('~');
        auto const name = text.substr(0, tilde);
        auto const end = tilde == std::string_view::npos ? std::string_view{} : text.substr(tilde + 1);
        std::vector<peer_id> found;
        if (tilde != std::string_view::npos && end.size() < 4) return found;
        for (auto const &[peer, known] : peers_)
            if (!known.nickname.empty() && known.nickname == name && (end.empty() || peer.to_string().ends_with(end))) found.push_back(peer);
        return found;
    }

    /// Forgets the addresses that have not been seen for their lifetime, and the peers of whom nothing is left. What the user
    /// entered stays.
    void expire(std::uint64_t now) {
        auto const stale = [now](entry const &a) {
            if (a.source == address_source::manual) return false;
            return now > a.seen && now - a.seen > (a.source == address_source::discovered ? discovered_lifetime : identified_lifetime);
        };
        for (auto it = peers_.begin(); it != peers_.end();) {
            auto &known = it->second;
            std::erase_if(known.addresses, stale);
            if (known.addresses.empty() && known.nickname.empty()) {
                leave_order(*it);
                it = peers_.erase(it);
            } else {
                ++it;
            }
        }
    }

    bool contains(peer_id const &peer) const { return peers_.contains(peer); }
    std::size_t size() const noexcept { return peers_.size(); }
    /// Grows whenever something new is remembered; seeing again what is known does not count.
    std::uint64_t changes() const noexcept { return changes_; }
    peer_store_stats const &stats() const noexcept { return stats_; }

    /// The store as text, for `read` and for people: a first line `gigi-peers 1`, then a line a fact, its fields separated by tabs:
    /// `pin <peer> <nickname>`, `peer <peer> <seen> <nickname or nothing>`, `address <peer> <seen> <source> <multiaddr>`.
    std::string write() const {
        std::string out = "gigi-peers 1\n";
        for (auto const &[peer, nicknames] : pinned_by_)
            for (auto const &nickname : nicknames) out += "pin\t" + peer.to_string() + '\t' + nickname + '\n';
        for (auto const &[peer, known] : peers_) {
            std::string const id = peer.to_string(), seen = std::to_string(known.seen);
            out += "peer\t" + id + '\t' + seen + '\t' + known.nickname + '\n';
            for (auto const &a : known.addresses)
                out += "address\t" + id + '\t' + std::to_string(a.seen) + '\t' + std::string{source_names[static_cast<std::size_t>(a.source)]} + '\t' +
                       a.address.to_string() + '\n';
        }
        return out;
    }

    /// Adds what `write` wrote.
    /// @return whether every line was understood, and the last one is whole; what was understood is kept in any case
    bool read(std::string_view text) {
        bool sound = text.starts_with("gigi-peers 1\n");
        for (bool first = true; !text.empty(); first = false) {
            auto const end = text.find('\n');
            if (end == std::string_view::npos) return false; // torn off
            auto const line = text.substr(0, end);
            text.remove_prefix(end + 1);
            if (!first && !read_line(line)) sound = false;
        }
        return sound;
    }

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

    /// The record of a peer, new where it has none. @return null where there is no room for a peer of this worth
    record *touch(peer_id const &peer, int worth, std::uint64_t seen) {
        auto found = peers_.find(peer);
        if (found == peers_.end()) {
            if (peers_.size() >= limits_.peers) {
                ++stats_.peers_forgotten;
                if (!make_room(worth)) return nullptr;
            }
            found = peers_.try_emplace(peer).first;
            ++changes_;
        } else {
            leave_order(*found);
        }
        auto &known = found->second;
        known.seen = seen;
        known.worth = std::max(known.worth, worth);
        order_.insert({known.worth, known.seen, peer});
        if (known.worth == stranger) ++strangers_;
        return &known;
    }
    void leave_order(std::pair<peer_id const, record> const &known) {
        order_.erase({known.second.worth, known.second.seen, known.first});
        if (known.second.worth == stranger) --strangers_;
    }
    bool make_room(int worth) {
        auto least = order_.begin();
        if (worth == stranger && strangers_ < limits_.peers / 4)
            if (auto const friends = order_.lower_bound({stranger + 1, 0, {}}); friends != order_.end() && friends->worth == stranger + 1) least = friends;
        if (least->worth > std::max(worth, stranger + 1)) return false;
        auto const found = peers_.find(least->peer);
        leave_order(*found);
        peers_.erase(found);
        return true;
    }

    void add_address(peer_id const &peer, entry fresh, std::uint64_t now) {
        if (fresh.address.empty()) return;
        auto *const owner = touch(peer, worth_of(fresh.source), now);
        if (!owner) return;
        auto &addresses = owner->addresses;
        auto const known = std::ranges::find(addresses, fresh.address, &entry::address);
        if (known != addresses.end()) {
            if (fresh.source > known->source) ++changes_;
            known->source = std::max(known->source, fresh.source);
            known->seen = fresh.seen;
        } else {
            addresses.push_back(std::move(fresh));
            ++changes_;
        }
        std::ranges::stable_sort(addresses, [](entry const &a, entry const &b) { return std::pair{a.source, a.seen} > std::pair{b.source, b.seen}; });
        if (addresses.size() > limits_.addresses) {
            addresses.resize(limits_.addresses);
            ++stats_.addresses_forgotten;
        }
    }

    /// Pins a nickname to a peer, unless it is pinned. @return to whom it is; nothing where there is no room
    std::optional<peer_id> pin(std::string const &nickname, peer_id const &peer) {
        if (auto const found = pins_.find(nickname); found != pins_.end()) return found->second;
        auto const owned = pinned_by_.find(peer);
        if (owned != pinned_by_.end() && owned->second.size() >= max_pins_of_peer) { // whoever renames himself all day pins little
            pins_.erase(owned->second.front());
            owned->second.erase(owned->second.begin());
        }
        if (pins_.size() >= limits_.pins) {
            ++stats_.pins_refused;
            return std::nullopt;
        }
        ++changes_;
        pins_.emplace(nickname, peer);
        pinned_by_[peer].push_back(nickname);
        return peer;
    }

    bool read_line(std::string_view line) {
        auto const field = [&line] {
            auto const end = std::min(line.find('\t'), line.size());
            auto const word = line.substr(0, end);
            line.remove_prefix(std::min(end + 1, line.size()));
            return word;
        };
        auto const number = [](std::string_view word, std::uint64_t &out) {
            auto const [end, failed] = std::from_chars(word.data(), word.data() + word.size(), out);
            return failed == std::errc{} && end == word.data() + word.size();
        };
        auto const kind = field();
        auto const peer = peer_id::parse(field());
        if (!peer) return false;
        std::uint64_t seen = 0;
        if (kind == "pin") {
            auto const nickname = field();
            if (!valid_nickname(nickname)) return false;
            pin(std::string{nickname}, *peer);
            return true;
        }
        if (kind == "peer") {
            bool const sound = number(field(), seen);
            auto const nickname = field();
            if (!sound || (!nickname.empty() && !valid_nickname(nickname))) return false;
            int const worth = worth_of(nickname.empty() ? address_source::discovered : address_source::identified);
            if (auto *const known = touch(*peer, worth, seen)) known->nickname = nickname;
            return true;
        }
        if (kind == "address") {
            bool const sound = number(field(), seen);
            auto const *const source = std::ranges::find(source_names, field());
            auto const address = multiaddr::parse(field());
            if (!sound || source == std::end(source_names) || !address) return false;
            auto const known = peers_.find(*peer);
            add_address(*peer, {address->without_peer(), static_cast<address_source>(source - source_names), seen},
                        known == peers_.end() ? seen : std::max(seen, known->second.seen));
            return true;
        }
        return false;
    }

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
