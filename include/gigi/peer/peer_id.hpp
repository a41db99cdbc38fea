// gigi/peer/peer_id.hpp: who a peer is: the hash of its public key.
//
// Layer: peer. Spec: peer-ids/peer-ids.md: an identity multihash of encoded keys up to 42 bytes, SHA-256 otherwise; as text
// base58btc of the multihash, or a CIDv1 of the libp2p-key codec in base32, base36 or base58btc.
#pragma once

#include "../core/bytes.hpp"
#include "../crypto/hash.hpp"
#include "multibase.hpp"
#include "public_key.hpp"

#include <array>
#include <compare>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace gigi::inline v1 {

/// The id of a peer: a multihash of at most 44 bytes, held inline. The default one names nobody.
class peer_id {
  public:
    static constexpr std::size_t max_size = 44;

    peer_id() = default;

    static peer_id from_public_key(public_key const &key) {
        bytes const encoded = key.encode();
        peer_id id;
        if (encoded.size() <= 42) {
            id.set(0x00, encoded);
        } else {
            auto const digest = sha256(encoded);
            id.set(0x12, digest);
        }
        return id;
    }

    /// From the multihash's bytes. @return `errc::invalid_address` for what is no multihash of a key
    static result<peer_id> from_bytes(bytes_view multihash) {
        if (multihash.size() < 3 || multihash.size() > max_size || multihash[1] != multihash.size() - 2) return errc::invalid_address;
        if (!(multihash[0] == 0x00 && multihash[1] <= 42) && !(multihash[0] == 0x12 && multihash[1] == 32)) return errc::invalid_address;
        if (multihash[0] == 0x00) { // the key itself, in the one encoding that it has: else one key had many ids
            auto const key = public_key::decode(multihash.subspan(2));
            if (!key || !equal(key->encode(), multihash.subspan(2))) return errc::invalid_address;
        }
        peer_id id;
        id.set(multihash[0], multihash.subspan(2));
        return id;
    }

    /// From text: `12D3Koo…`, `Qm…`, or a CID (`bafz…`, `k51…`, `z5A…`). @return `errc::invalid_address`
    static result<peer_id> parse(std::string_view text) {
        if (text.empty()) return errc::invalid_address;
        if (text[0] == '1' || text.starts_with("Qm")) {
            auto const raw = from_base58(text);
            if (!raw) return errc::invalid_address;
            return from_bytes(*raw);
        }
        auto const cid = [&]() -> result<bytes> {
            switch (text[0]) { // multibase
            case 'b': return from_base32(text.substr(1));
            case 'k': return from_base36(text.substr(1));
            case 'z': return from_base58(text.substr(1));
            default: return errc::invalid_address;
            }
        }();
        if (!cid || cid->size() < 2 || (*cid)[0] != 0x01 || (*cid)[1] != 0x72) return errc::invalid_address;
        return from_bytes(bytes_view{*cid}.subspan(2));
    }

    bytes_view data() const noexcept { return {data_.data(), size_}; } ///< the multihash
    bool empty() const noexcept { return size_ == 0; }
    std::string to_string() const { return to_base58(data()); }
    /// The end of the text, as in `name~abcd`.
    std::string short_string(std::size_t length = 4) const {
        std::string const text = to_string();
        return text.substr(text.size() - std::min(length, text.size()));
    }

    /// The key itself, where the id holds it.
    std::optional<public_key> key() const {
        if (empty() || data_[0] != 0x00) return std::nullopt;
        auto decoded = public_key::decode(data().subspan(2));
        if (!decoded) return std::nullopt;
        return std::move(*decoded);
    }
    bool matches(public_key const &key) const { return *this == from_public_key(key); }

    friend bool operator==(peer_id const &a, peer_id const &b) noexcept { return equal(a.data(), b.data()); }
    friend std::strong_ordering operator<=>(peer_id const &a, peer_id const &b) noexcept {
        return as_text(a.data()) <=> as_text(b.data());
    }

  private:
    void set(std::uint8_t code, bytes_view digest) {
        data_[0] = code;
        data_[1] = static_cast<std::uint8_t>(digest.size());
        std::ranges::copy(digest, data_.begin() + 2);
        size_ = static_cast<std::uint8_t>(digest.size() + 2);
    }

    std::array<std::uint8_t, max_size> data_{};
    std::uint8_t size_ = 0;
};

} // namespace gigi::inline v1

template <> struct std::hash<gigi::peer_id> {
    std::size_t operator()(gigi::peer_id const &id) const noexcept {
        return std::hash<std::string_view>{}(gigi::as_text(id.data()));
    }
};
