// gigi/security/noise_handshake.hpp: libp2p's Noise handshake: XX, with identities and muxers in its payloads.
//
// Layer: security. Sans-I/O. Spec: libp2p noise/README.md; early muxer negotiation: connections/inlined-muxer-negotiation.md.
#pragma once

#include "../core/bytes.hpp"
#include "../crypto/random.hpp"
#include "../peer/identity.hpp"
#include "../peer/peer_id.hpp"
#include "../peer/public_key.hpp"
#include "noise_xx.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gigi::inline v1 {

/// What a side says of itself within the handshake.
struct noise_payload {
    static constexpr std::string_view signature_prefix = "noise-libp2p-static-key:";
    static constexpr std::size_t max_muxers = 16;

    bytes identity_key; ///< libp2p's encoding
    bytes signature;    ///< over the prefix and the static key of the handshake
    std::vector<std::string> muxers;

    static noise_payload make(identity const &self, x25519_key const &static_key, std::span<std::string const> muxers);
    bytes encode() const;
    static result<noise_payload> decode(bytes_view data);

    /// Whether whoever owns `identity_key` has signed this static key. @return the key, or why it is not trusted
    result<public_key> verify(x25519_key const &static_key) const;

  private:
    static bytes signed_bytes(x25519_key const &static_key);
};

/// One side of the handshake. Take turns: `next()` is what to send, when `sends_next()`; `take()` is what was received.
class noise_handshake {
  public:
    /// @param expected who must be at the other end; `errc::peer_mismatch` otherwise
    /// @param muxers that this side speaks, in order of preference
    noise_handshake(bool initiator, identity const &self, std::optional<peer_id> expected, std::span<std::string const> muxers, random_source &random);

    bool complete() const noexcept { return noise_.complete(); }
    bool sends_next() const noexcept { return noise_.writes_next(); }

    /// The next message of this side. The first message is empty but for the key; the payload goes with the static key.
    result<bytes> next() { return noise_.write(noise_.messages() == 0 ? bytes_view{} : bytes_view{payload_}); }

    /// Takes a message of the other side. Whoever sent its static key is authenticated when this returns without error.
    std::error_code take(bytes_view message);

    peer_id const &remote_peer() const noexcept { return remote_; }
    public_key const &remote_key() const noexcept { return remote_key_; }
    std::string const &muxer() const noexcept { return muxer_; } ///< what both agreed on; empty: negotiate it
    noise_keys keys() const { return noise_.keys(); }

  private:
    bool initiator_;
    std::optional<peer_id> expected_;
    std::vector<std::string> muxers_;
    noise_xx noise_;
    bytes payload_;
    peer_id remote_;
    public_key remote_key_;
    std::string muxer_;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/noise_handshake.ipp"
#endif
