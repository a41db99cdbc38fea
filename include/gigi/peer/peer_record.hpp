// gigi/peer/peer_record.hpp: a peer's own addresses, signed by it.
//
// Layer: peer. Spec: libp2p RFC 0003.
#pragma once

#include "identity.hpp"
#include "multiaddr.hpp"
#include "peer_id.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace gigi::inline v1 {

struct peer_record {
    static constexpr std::string_view domain = "libp2p-peer-record";
    static constexpr std::array<std::uint8_t, 2> payload_type{0x03, 0x01};
    static constexpr std::size_t max_addresses = 64; ///< further ones are passed over

    peer_id peer;
    std::uint64_t sequence = 0; ///< a later record replaces an earlier one
    std::vector<multiaddr> addresses;
};

/// Signs the record of this node's addresses.
bytes seal_peer_record(identity const &signer, std::span<multiaddr const> addresses, std::uint64_t sequence);

/// Reads a signed record: the signature must verify, and the signer must be the peer that it speaks of (T7).
/// @return `errc::bad_signature`, `errc::peer_mismatch`, `errc::protocol_violation`, …
result<peer_record> open_peer_record(bytes_view sealed);

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/peer_record.ipp"
#endif
