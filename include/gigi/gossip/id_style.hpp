// gigi/gossip/id_style.hpp: how implementations name messages, so that gossip with each of them is in its own words.
//
// Layer: gossip. Sans-I/O. Spec: libp2p pubsub "Message Identification": from, then seqno. js-libp2p's default is the author's
// public key, then seqno; announced a message by another name, it asks for it, does not recognise what comes, and lowers our
// score until it drops us (v1.1 P7). Both names say the same, so that one can be made from the other.
#pragma once

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
id_style style_of(message_id const &id) noexcept;

/// The specification's id of the message that a peer names in its own style; others stay as they are.
message_id to_spec_id(message_id const &id);

/// The id by which a peer of some style knows a message.
/// @param id the specification's @return nothing where it cannot be known: the author's id is a hash, or the style unknown
std::optional<message_id> from_spec_id(message_id const &id, id_style style);

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/id_style.ipp"
#endif
