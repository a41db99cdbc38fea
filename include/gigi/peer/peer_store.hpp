// gigi/peer/peer_store.hpp: the peers that this node has met: their addresses, nicknames, and whose a nickname first was.
//
// Layer: peer. Bounded: the peer that was seen longest ago is forgotten first (T10). Time comes in, as seconds since 1970.
#pragma once

#include "../core/bytes.hpp"
#include "../core/text.hpp"
#include "multiaddr.hpp"
#include "nickname.hpp"
#include "peer_id.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gigi::inline v1 {

/// How an address became known; better ones are tried first and kept longer.
enum class address_source : std::uint8_t {
    discovered, ///< from an announcement that nobody authenticated
    identified, ///< the peer itself said so
    manual,     ///< the user did
};

class peer_store {
  public:
    static constexpr std::size_t max_addresses = 16; ///< of one peer
    static constexpr std::size_t max_pins = 16'384;  ///< nicknames whose first owner is remembered

    explicit peer_store(std::size_t max_peers = 4096) : max_peers_{std::max<std::size_t>(max_peers, 1)} {}

    /// Remembers an address of a peer; /p2p at its end is left away. At `max_addresses` the least useful one goes.
    void add_address(peer_id const &peer, multiaddr const &address, address_source source, std::uint64_t now) {
        auto const plain = address.without_peer();
        if (plain.empty()) return;
        auto &addresses = touch(peer, now).addresses;
        auto const known = std::ranges::find(addresses, plain, &entry::address);
        if (known != addresses.end()) {
            known->source = std::max(known->source, source);
            known->seen = now;
        } else {
            addresses.push_back({plain, source, now});
        }
        std::ranges::stable_sort(addresses, [](entry const &a, entry const &b) { return std::pair{a.source, a.seen} > std::pair{b.source, b.seen}; });
        if (addresses.size() > max_addresses) addresses.resize(max_addresses);
    }

    /// The addresses of a peer, the most promising first.
    std::vector<multiaddr> addresses(peer_id const &peer) const {
        std::vector<multiaddr> all;
        if (auto const found = peers_.find(peer); found != peers_.end())
            for (auto const &a : found->second.addresses) all.push_back(a.address);
        return all;
    }

    /// Remembers the nickname that an authenticated peer gave itself, and pins it to the first peer that had it.
    /// @return who had the nickname first, where that is another peer
    std::optional<peer_id> set_nickname(peer_id const &peer, std::string nickname, std::uint64_t now) {
        touch(peer, now).nickname = nickname;
        if (pins_.size() >= max_pins && !pins_.contains(nickname)) return std::nullopt;
        auto const pinned = pins_.try_emplace(std::move(nickname), peer).first->second;
        if (pinned == peer) return std::nullopt;
        return pinned;
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

    bool contains(peer_id const &peer) const { return peers_.contains(peer); }
    std::size_t size() const noexcept { return peers_.size(); }

    /// The store as text: a line a fact, its fields separated by tabs, for `read` and for people.
    std::string write() const {
        std::string out = "gigi-peers 1\n";
        for (auto const &[nickname, peer] : pins_) out += "pin\t" + peer.to_string() + '\t' + nickname + '\n';
        for (auto const &[peer, known] : peers_) {
            std::string const id = peer.to_string(), seen = std::to_string(known.seen);
            out += "peer\t" + id + '\t' + seen + '\t' + known.nickname + '\n';
            for (auto const &a : known.addresses)
                out += "address\t" + id + '\t' + std::to_string(a.seen) + '\t' + std::to_string(static_cast<int>(a.source)) + '\t' + a.address.to_string() + '\n';
        }
        return out;
    }

    /// Adds what `write` wrote.
    /// @return whether every line was understood; what was is kept in any case
    bool read(std::string_view text) {
        bool sound = text.starts_with("gigi-peers 1\n");
        for (bool first = true; !text.empty(); first = false) {
            auto const end = std::min(text.find('\n'), text.size());
            auto line = text.substr(0, end);
            text.remove_prefix(std::min(end + 1, text.size()));
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
    struct record {
        std::vector<entry> addresses;
        std::string nickname;
        std::uint64_t seen = 0;
    };

    record &touch(peer_id const &peer, std::uint64_t now) {
        if (!peers_.contains(peer) && peers_.size() >= max_peers_) {
            auto const oldest = std::ranges::min_element(peers_, {}, [](auto const &p) { return p.second.seen; });
            peers_.erase(oldest);
        }
        auto &known = peers_[peer];
        known.seen = std::max(known.seen, now);
        return known;
    }

    bool read_line(std::string_view line) {
        auto const field = [&line] {
            auto const end = std::min(line.find('\t'), line.size());
            auto const word = line.substr(0, end);
            line.remove_prefix(std::min(end + 1, line.size()));
            return word;
        };
        auto const number = [](std::string_view word, std::uint64_t &out) {
            return std::from_chars(word.data(), word.data() + word.size(), out).ptr == word.data() + word.size() && !word.empty();
        };
        auto const kind = field();
        auto const peer = peer_id::parse(field());
        if (!peer) return false;
        std::uint64_t seen = 0, source = 0;
        if (kind == "pin") {
            auto const nickname = field();
            if (!valid_nickname(nickname)) return false;
            if (pins_.size() < max_pins) pins_.try_emplace(std::string{nickname}, *peer);
            return true;
        }
        if (kind == "peer") {
            bool const sound = number(field(), seen);
            auto const nickname = field();
            if (!sound || (!nickname.empty() && !valid_nickname(nickname))) return false;
            touch(*peer, seen).nickname = nickname;
            return true;
        }
        if (kind == "address") {
            if (!number(field(), seen) || !number(field(), source) || source > 2) return false;
            auto const address = multiaddr::parse(field());
            if (!address) return false;
            add_address(*peer, *address, static_cast<address_source>(source), seen);
            return true;
        }
        return false;
    }

    std::size_t max_peers_;
    std::map<peer_id, record> peers_;
    std::map<std::string, peer_id> pins_;
};

} // namespace gigi::inline v1
