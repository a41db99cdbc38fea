// gigi/gossip/rpc.hpp: what gossip peers say to each other, and its protobuf encoding.
//
// Layer: gossip. Sans-I/O. Spec: libp2p pubsub "The RPC" and "The Message"; gossipsub v1.0, v1.1 and v1.2 "Protobuf".
#pragma once

#include "../core/bytes.hpp"
#include "../core/result.hpp"
#include "../core/varint.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gigi::inline v1 {

class protobuf_writer;

using message_id = bytes;

/// A published message, as it travels. Nothing in it is authenticated before `verify` (message.hpp) has said so.
struct gossip_message {
    bytes from;            ///< the author's peer id
    bytes data;            ///< the payload
    bytes seqno;           ///< 8 bytes, big-endian
    std::string topic;
    bytes signature;
    bytes key;             ///< the author's public key; may be empty where `from` contains it
    bool has_data = true;  ///< whether the field is there at all: absent and empty are signed differently

    friend bool operator==(gossip_message const &, gossip_message const &) = default;
};

/// Messages go to many peers and into caches: one copy, never changed.
using message_ptr = std::shared_ptr<gossip_message const>;

/// The most elements that one RPC may have; more of them end the parsing with `errc::limit_exceeded`.
///
/// Far above what honest peers send: they bound the memory that a frame's small elements could take.
struct rpc_limits {
    std::size_t subscriptions = 8192;
    std::size_t messages = 8192;
    std::size_t control = 8192;    ///< IHAVE, IWANT, GRAFT, PRUNE and IDONTWANT entries, each kind
    std::size_t ids = 131'072;     ///< message ids, all control entries together
    std::size_t prune_peers = 64;  ///< of one PRUNE
};

/// One RPC. The entries of IWANT and of IDONTWANT have no structure of their own: their ids are kept in one list each.
struct rpc {
    struct subscription {
        bool subscribe = false;
        std::string topic;
        friend bool operator==(subscription const &, subscription const &) = default;
    };
    struct ihave_entry {
        std::string topic;
        std::vector<message_id> ids;
        friend bool operator==(ihave_entry const &, ihave_entry const &) = default;
    };
    struct exchanged_peer {
        bytes peer;          ///< a peer id
        bytes signed_record; ///< an envelope; may be empty
        friend bool operator==(exchanged_peer const &, exchanged_peer const &) = default;
    };
    struct prune_entry {
        std::string topic;
        std::optional<std::uint64_t> backoff; ///< in seconds; a v1.0 peer sends none
        std::vector<exchanged_peer> peers;
        friend bool operator==(prune_entry const &, prune_entry const &) = default;
    };

    std::vector<subscription> subscriptions;
    std::vector<message_ptr> messages;
    std::vector<ihave_entry> ihave;
    std::vector<message_id> iwant;
    std::vector<std::string> graft;
    std::vector<prune_entry> prune;
    std::vector<message_id> idontwant;

    bool has_control() const noexcept;
    bool empty() const noexcept { return subscriptions.empty() && messages.empty() && !has_control(); }
};

namespace detail {

/// The size of a length-delimited field whose number is below 16.
constexpr std::size_t field_size(std::size_t body) noexcept { return 1 + varint_size(body) + body; }

/// Fields 1 to 4: what is signed.
void put_signed_fields(protobuf_writer &out, gossip_message const &m);

result<gossip_message> parse_message(bytes_view data);

} // namespace detail

/// How many bytes a message takes as the body of an RPC's field.
std::size_t encoded_size(gossip_message const &m) noexcept;

/// How many bytes an RPC takes.
std::size_t encoded_size(rpc const &r) noexcept;

void encode(gossip_message const &m, protobuf_writer &out);

/// Appends an RPC's encoding.
void encode(rpc const &r, bytes &out);

/// Reads an RPC; unknown fields are skipped.
/// @return `errc::protocol_violation` where it is damaged, `errc::limit_exceeded` where it has too many elements
result<rpc> parse_rpc(bytes_view data, rpc_limits const &limits = {});

/// Divides an RPC into RPCs of at most `max_size` bytes; each of its elements must fit by itself.
std::vector<rpc> split(rpc whole, std::size_t max_size);

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/rpc.ipp"
#endif
