// gigi/peer/impl/peer_store.ipp: what peer_store.hpp declares.
#pragma once

#include "../peer_store.hpp"

#include "../../core/config.hpp"
#include "../nickname.hpp"

#include <charconv>
#include <system_error>

namespace gigi::inline v1 {

GIGI_INLINE void peer_store::add_address(peer_id const &peer, multiaddr const &address, address_source source, std::uint64_t now) {
    add_address(peer, {address.without_peer(), source, now}, now);
}

GIGI_INLINE std::vector<multiaddr> peer_store::addresses(peer_id const &peer) const {
    std::vector<multiaddr> all;
    if (auto const found = peers_.find(peer); found != peers_.end())
        for (auto const &a : found->second.addresses) all.push_back(a.address);
    return all;
}

GIGI_INLINE std::optional<peer_id> peer_store::set_nickname(peer_id const &peer, std::string const &nickname, std::uint64_t now) {
    if (!valid_nickname(nickname)) return std::nullopt;
    if (auto *const known = touch(peer, worth_of(address_source::identified), now); known && known->nickname != nickname) {
        known->nickname = nickname;
        ++changes_;
    }
    auto const first = pin(nickname, peer);
    if (!first || *first == peer) return std::nullopt;
    return first;
}

GIGI_INLINE std::optional<std::string> peer_store::nickname(peer_id const &peer) const {
    auto const found = peers_.find(peer);
    if (found == peers_.end() || found->second.nickname.empty()) return std::nullopt;
    return found->second.nickname;
}

GIGI_INLINE std::optional<peer_id> peer_store::pinned(std::string const &nickname) const {
    auto const found = pins_.find(nickname);
    if (found == pins_.end()) return std::nullopt;
    return found->second;
}

GIGI_INLINE std::vector<peer_id> peer_store::resolve(std::string_view text) const {
    if (auto const id = peer_id::parse(text)) return {*id};
    auto const tilde = text.rfind('~');
    auto const name = text.substr(0, tilde);
    auto const end = tilde == std::string_view::npos ? std::string_view{} : text.substr(tilde + 1);
    std::vector<peer_id> found;
    if (tilde != std::string_view::npos && end.size() < 4) return found;
    for (auto const &[peer, known] : peers_)
        if (end.empty() ? !name.empty() && known.nickname == name : (name.empty() || known.nickname == name) && peer.to_string().ends_with(end)) found.push_back(peer);
    return found;
}

GIGI_INLINE void peer_store::expire(std::uint64_t now) {
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

GIGI_INLINE std::string peer_store::write() const {
    std::string out = "gigi-peers 1\n";
    for (auto const &[peer, nicknames] : pinned_by_)
        for (auto const &nickname : nicknames) out += "pin\t" + peer.to_string() + '\t' + nickname + '\n';
    std::map<peer_id, std::string> lines;
    std::size_t size = 0;
    for (auto const &[peer, known] : peers_) size += (lines[peer] = lines_of(peer, known)).size();
    for (bool const whole : {false, true})
        for (auto least = order_.begin(); size > limits_.text && least != order_.end(); ++least) {
            auto &text = lines[least->peer];
            std::size_t const kept = whole ? 0 : text.find('\n') + 1;
            size -= text.size() - kept;
            text.resize(kept);
        }
    out.reserve(out.size() + size);
    for (auto const &[peer, text] : lines) out += text;
    return out;
}

GIGI_INLINE std::string peer_store::lines_of(peer_id const &peer, record const &known) {
    std::string const id = peer.to_string();
    std::string out = "peer\t" + id + '\t' + std::to_string(known.seen) + '\t' + known.nickname + '\n';
    for (auto const &a : known.addresses)
        out += "address\t" + id + '\t' + std::to_string(a.seen) + '\t' + std::string{source_names[static_cast<std::size_t>(a.source)]} + '\t' +
               a.address.to_string() + '\n';
    return out;
}

GIGI_INLINE bool peer_store::read(std::string_view text) {
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

GIGI_INLINE peer_store::record *peer_store::touch(peer_id const &peer, int worth, std::uint64_t seen) {
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

GIGI_INLINE void peer_store::leave_order(std::pair<peer_id const, record> const &known) {
    order_.erase({known.second.worth, known.second.seen, known.first});
    if (known.second.worth == stranger) --strangers_;
}

GIGI_INLINE bool peer_store::make_room(int worth) {
    auto least = order_.begin();
    if (worth == stranger && strangers_ < limits_.peers / 4)
        if (auto const friends = order_.lower_bound({stranger + 1, 0, {}}); friends != order_.end() && friends->worth == stranger + 1) least = friends;
    if (least->worth > std::max(worth, stranger + 1)) return false;
    auto const found = peers_.find(least->peer);
    leave_order(*found);
    peers_.erase(found);
    return true;
}

GIGI_INLINE void peer_store::add_address(peer_id const &peer, entry fresh, std::uint64_t now) {
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

GIGI_INLINE std::optional<peer_id> peer_store::pin(std::string const &nickname, peer_id const &peer) {
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

GIGI_INLINE bool peer_store::read_line(std::string_view line) {
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

} // namespace gigi::inline v1
