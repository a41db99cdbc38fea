// gigi/gossip/message.hpp: signing messages, checking their signatures, and naming them.
//
// Layer: gossip. Sans-I/O. Spec: libp2p pubsub "Message Signing" (StrictSign) and "Message Identification".
#pragma once

#include "../core/clock.hpp"
#include "../peer/identity.hpp"
#include "../peer/peer_id.hpp"
#include "rpc.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace gigi::inline v1 {

inline constexpr std::string_view gossip_signature_prefix = "libp2p-pubsub:";
inline constexpr std::size_t gossip_seqno_size = 8; ///< in bytes

/// What a message's signature is over: the prefix, and fields 1 to 4 encoded in order.
bytes signed_bytes(gossip_message const &m);

/// Makes a message of this node's. The key is always in it, though a peer id holds an Ed25519 key: js-libp2p's message ids need it.
gossip_message sign_message(identity const &author, std::string topic, bytes data, std::uint64_t seqno);

/// Checks a message as StrictSign demands (T7). Takes about 80 µs: look for duplicates first.
/// @return the author; `errc::protocol_violation` where from, seqno or signature is missing or malformed,
///   `errc::unsupported_key`, `errc::peer_mismatch` where the key is not the author's, `errc::bad_signature`
result<peer_id> verify_message(gossip_message const &m);

/// The message id of the specification and of go-libp2p: from, then seqno.
message_id default_message_id(gossip_message const &m);

/// Gives sequence numbers that grow, over restarts too: nanoseconds since 1970, or the last one plus 1.
class sequence_numbers {
  public:
    std::uint64_t next(wall_time now) noexcept;

  private:
    std::uint64_t last_ = 0;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/message.ipp"
#endif
