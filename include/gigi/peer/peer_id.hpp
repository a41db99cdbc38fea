// gigi/peer/peer_id.hpp: who a peer is: the hash of its public key.
//
// Layer: peer. Spec: peer-ids/peer-ids.md: an identity multihash of encoded keys up to 42 bytes, SHA-256 otherwise; as text
// base58btc of the multihash, or a CIDv1 of the libp2p-key codec in base32, base36 or base58btc.
#pragma once

#include "../core/bytes.hpp"
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

    static peer_id from_public_key(public_key const &key);

    /// From the multihash's bytes. @return `errc::invalid_address` for what is no multihash of a key
    static result<peer_id> from_bytes(bytes_view multihash);

    /// From text: `12D3Koo…`, `Qm…`, or a CID (`bafz…`, `k51…`, `z5A…`). @return `errc::invalid_address`
    static result<peer_id> parse(std::string_view text);

    bytes_view data() const noexcept { return {data_.data(), size_}; } ///< the multihash
    bool empty() const noexcept { return size_ == 0; }
    std::string to_string() const;
    /// The end of the text, as in `name~abcd`.
    std::string short_string(std::size_t length = 4) const;

    /// The key itself, where the id holds it.
    std::optional<public_key> key() const;
    bool matches(public_key const &key) const { return *this == from_public_key(key); }

    friend bool operator==(peer_id const &a, peer_id const &b) noexcept { return equal(a.data(), b.data()); }
    friend std::strong_ordering operator<=>(peer_id const &a, peer_id const &b) noexcept {
        return as_text(a.data()) <=> as_text(b.data());
    }

  private:
    void set(std::uint8_t code, bytes_view digest);

    std::array<std::uint8_t, max_size> data_{};
    std::uint8_t size_ = 0;
};

} // namespace gigi::inline v1

template <> struct std::hash<gigi::peer_id> {
    std::size_t operator()(gigi::peer_id const &id) const noexcept {
        return std::hash<std::string_view>{}(gigi::as_text(id.data()));
    }
};

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/peer_id.ipp"
#endif
