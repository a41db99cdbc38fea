// gigi/gossip/id_style.hpp: how implementations name messages, so that gossip with each of them is in its own words.
//
// Layer: gossip. Sans-I/O. Spec: libp2p pubsub "Message Identification": from, then seqno. js-libp2p's default is the author's
// public key, then seqno; announced a message by another name, it asks for it, does not recognise what comes, and lowers our
// score until it drops us (v1.1 P7). Both names say the same, so that one can be made from the other.
#pragma once

#include "../core/bytes.hpp"
#include "../core/varint.hpp"
#include "../crypto/hash.hpp"
#include "rpc.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace gigi::inline v1 {

enum class id_style : std::uint8_t {
    unknown, ///< not heard yet: such a peer is not gossiped to
    spec,    ///< the peer id's multihash and the seqno: go-libp2p, gigi
    js,      ///< the public key's encoding and the seqno: js-libp2p
};

namespace detail {
inline constexpr std::size_t seqno_size = 8;
inline constexpr std::size_t largest_inline_key = 42; ///< a longer key's peer id is its hash
} // namespace detail

/// What kind of name an id is; `unknown` where it is neither.
inline id_style style_of(message_id const &id) noexcept {
    if (id.size() < 4 + detail::seqno_size) return id_style::unknown;
    std::size_t const author = id.size() - detail::seqno_size;
    if ((id[0] == 0x00 || id[0] == 0x12) && id[1] == author - 2) return id_style::spec;
    if (id[0] == 0x08 && id[1] < 4 && id[2] == 0x12) {
        auto const length = read_varint(bytes_view{id}.subspan(3)); // of the key, the rest of the encoding
        if (length.state == varint_result::status::complete && 3 + length.size + length.value == author) return id_style::js;
    }
    return id_style::unknown;
}

/// The specification's id of the message that a peer names in its own style; others stay as they are.
inline message_id to_spec_id(message_id const &id) {
    if (style_of(id) != id_style::js) return id;
    bytes_view const all{id};
    bytes_view const key = all.first(id.size() - detail::seqno_size);
    message_id out;
    out.reserve(id.size() + 2);
    if (key.size() <= detail::largest_inline_key) {
        out.push_back(0x00);
        out.push_back(static_cast<std::uint8_t>(key.size()));
        append(out, key);
    } else {
        auto const digest = sha256(key);
        out.push_back(0x12);
        out.push_back(static_cast<std::uint8_t>(digest.size()));
        append(out, digest);
    }
    append(out, all.last(detail::seqno_size));
    return out;
}

/// The id by which a peer of some style knows a message.
/// @param id the specification's @return nothing where it cannot be known: the author's id is a hash, or the style unknown
inline std::optional<message_id> from_spec_id(message_id const &id, id_style style) {
    if (style == id_style::spec) return id;
    if (style == id_style::js && style_of(id) == id_style::spec && id[0] == 0x00) return message_id{id.begin() + 2, id.end()};
    return std::nullopt;
}

} // namespace gigi::inline v1
