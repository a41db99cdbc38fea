// gigi/peer/impl/peer_id.ipp: what peer_id.hpp declares.
#pragma once

#include "../peer_id.hpp"

#include "../../core/config.hpp"
#include "../../crypto/hash.hpp"
#include "../multibase.hpp"

namespace gigi::inline v1 {

GIGI_INLINE peer_id peer_id::from_public_key(public_key const &key) {
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

GIGI_INLINE result<peer_id> peer_id::from_bytes(bytes_view multihash) {
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

GIGI_INLINE result<peer_id> peer_id::parse(std::string_view text) {
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

GIGI_INLINE std::string peer_id::to_string() const { return to_base58(data()); }

GIGI_INLINE std::string peer_id::short_string(std::size_t length) const {
    std::string const text = to_string();
    return text.substr(text.size() - std::min(length, text.size()));
}

GIGI_INLINE std::optional<public_key> peer_id::key() const {
    if (empty() || data_[0] != 0x00) return std::nullopt;
    auto decoded = public_key::decode(data().subspan(2));
    if (!decoded) return std::nullopt;
    return std::move(*decoded);
}

GIGI_INLINE void peer_id::set(std::uint8_t code, bytes_view digest) {
    data_[0] = code;
    data_[1] = static_cast<std::uint8_t>(digest.size());
    std::ranges::copy(digest, data_.begin() + 2);
    size_ = static_cast<std::uint8_t>(digest.size() + 2);
}

} // namespace gigi::inline v1
