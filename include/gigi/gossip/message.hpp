// gigi/gossip/message.hpp: signing messages, checking their signatures, and naming them.
//
// Layer: gossip. Sans-I/O. Spec: libp2p pubsub "Message Signing" (StrictSign) and "Message Identification".
#pragma once

#include "../core/clock.hpp"
#include "../peer/identity.hpp"
#include "../peer/peer_id.hpp"
#include "../peer/public_key.hpp"
#include "rpc.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace gigi::inline v1 {

inline constexpr std::string_view gossip_signature_prefix = "libp2p-pubsub:";
inline constexpr std::size_t gossip_seqno_size = 8; ///< in bytes

/// What a message's signature is over: the prefix, and fields 1 to 4 encoded in order.
inline bytes signed_bytes(gossip_message const &m) {
    bytes out = to_bytes(gossip_signature_prefix);
    protobuf_writer writer{out};
    detail::put_signed_fields(writer, m);
    return out;
}

/// Makes a message of this node's. The key is always in it, though a peer id holds an Ed25519 key: js-libp2p's message ids need it.
inline gossip_message sign_message(identity const &author, std::string topic, bytes data, std::uint64_t seqno) {
    gossip_message m;
    m.from = to_bytes(author.id().data());
    m.data = std::move(data);
    append_be(m.seqno, seqno);
    m.topic = std::move(topic);
    m.key = author.public_key().encode();
    auto const signature = author.sign(signed_bytes(m));
    m.signature = to_bytes(bytes_view{signature});
    return m;
}

/// Checks a message as StrictSign demands (T7). Takes about 80 µs: look for duplicates first.
/// @return the author; `errc::protocol_violation` where from, seqno or signature is missing or malformed,
///   `errc::unsupported_key`, `errc::peer_mismatch` where the key is not the author's, `errc::bad_signature`
inline result<peer_id> verify_message(gossip_message const &m) {
    if (m.seqno.size() != gossip_seqno_size || m.signature.empty()) return errc::protocol_violation;
    auto const author = peer_id::from_bytes(m.from);
    if (!author) return errc::protocol_violation;
    std::optional<public_key> key;
    if (m.key.empty()) {
        key = author->key();
        if (!key) return errc::protocol_violation; // the id is a hash, and the key not there
    } else if (auto decoded = public_key::decode(m.key)) {
        key = std::move(*decoded);
    } else {
        return errc::unsupported_key;
    }
    if (!author->matches(*key)) return errc::peer_mismatch;
    if (!key->verify(signed_bytes(m), m.signature)) return errc::bad_signature;
    return *author;
}

/// The message id of the specification and of go-libp2p: from, then seqno.
inline message_id default_message_id(gossip_message const &m) {
    message_id id = m.from;
    append(id, m.seqno);
    return id;
}

/// Gives sequence numbers that grow, over restarts too: nanoseconds since 1970, or the last one plus 1.
class sequence_numbers {
  public:
    std::uint64_t next(wall_time now) noexcept {
        auto const since_epoch = now.time_since_epoch().count();
        last_ = std::max(last_ + 1, since_epoch < 0 ? std::uint64_t{0} : static_cast<std::uint64_t>(since_epoch));
        return last_;
    }

  private:
    std::uint64_t last_ = 0;
};

} // namespace gigi::inline v1
