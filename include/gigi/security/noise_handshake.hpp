// gigi/security/noise_handshake.hpp: libp2p's Noise handshake: XX, with identities and muxers in its payloads.
//
// Layer: security. Sans-I/O. Spec: libp2p noise/README.md; early muxer negotiation: connections/inlined-muxer-negotiation.md.
#pragma once

#include "../codec/protobuf.hpp"
#include "../core/bytes.hpp"
#include "../core/error.hpp"
#include "../crypto/random.hpp"
#include "../peer/identity.hpp"
#include "../peer/peer_id.hpp"
#include "../peer/public_key.hpp"
#include "noise_xx.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

/// What a side says of itself within the handshake.
struct noise_payload {
    static constexpr std::string_view signature_prefix = "noise-libp2p-static-key:";
    static constexpr std::size_t max_muxers = 16;

    bytes identity_key; ///< libp2p's encoding
    bytes signature;    ///< over the prefix and the static key of the handshake
    std::vector<std::string> muxers;

    static noise_payload make(identity const &self, x25519_key const &static_key, std::span<std::string const> muxers) {
        noise_payload p;
        p.identity_key = self.public_key().encode();
        auto const signature = self.sign(signed_bytes(static_key));
        p.signature.assign(signature.begin(), signature.end());
        p.muxers.assign(muxers.begin(), muxers.end());
        return p;
    }

    bytes encode() const {
        bytes out;
        protobuf_writer message{out};
        message.data(1, identity_key).data(2, signature);
        if (!muxers.empty())
            message.message(4, [this](protobuf_writer &extensions) {
                for (auto const &m : muxers) extensions.text(2, m);
            });
        return out;
    }

    static result<noise_payload> decode(bytes_view data) {
        noise_payload p;
        protobuf_reader in{data};
        while (in.next()) switch (in.field()) {
            case 1: in.read(p.identity_key); break;
            case 2: in.read(p.signature); break;
            case 4: {
                protobuf_reader extensions{in.data()};
                while (extensions.next())
                    if (extensions.field() == 2 && extensions.more(p.muxers, max_muxers)) p.muxers.emplace_back(extensions.text());
                if (extensions.error()) return extensions.error();
                break;
            }
            }
        if (in.error()) return in.error();
        return p;
    }

    /// Whether whoever owns `identity_key` has signed this static key. @return the key, or why it is not trusted
    result<public_key> verify(x25519_key const &static_key) const {
        auto key = public_key::decode(identity_key);
        if (!key) return key.error();
        if (!key->verify(signed_bytes(static_key), signature)) return errc::bad_signature;
        return key;
    }

  private:
    static bytes signed_bytes(x25519_key const &static_key) {
        bytes out = to_bytes(signature_prefix);
        append(out, static_key);
        return out;
    }
};

/// One side of the handshake. Take turns: `next()` is what to send, when `sends_next()`; `take()` is what was received.
class noise_handshake {
  public:
    /// @param expected who must be at the other end; `errc::peer_mismatch` otherwise
    /// @param muxers that this side speaks, in order of preference
    noise_handshake(bool initiator, identity const &self, std::optional<peer_id> expected, std::span<std::string const> muxers, random_source &random)
        : initiator_{initiator}, expected_{std::move(expected)}, muxers_{muxers.begin(), muxers.end()},
          noise_{initiator, x25519_pair::generate(random), x25519_pair::generate(random)},
          payload_{noise_payload::make(self, noise_.own_static(), muxers).encode()} {}

    bool complete() const noexcept { return noise_.complete(); }
    bool sends_next() const noexcept { return noise_.writes_next(); }

    /// The next message of this side. The first message is empty but for the key; the payload goes with the static key.
    result<bytes> next() { return noise_.write(noise_.messages() == 0 ? bytes_view{} : bytes_view{payload_}); }

    /// Takes a message of the other side. Whoever sent its static key is authenticated when this returns without error.
    std::error_code take(bytes_view message) {
        bool const with_identity = noise_.messages() > 0;
        auto const payload = noise_.read(message);
        if (!payload) return payload.error();
        if (!with_identity) return {}; // nothing in the first message is authenticated, so nothing in it is used
        auto const theirs = noise_payload::decode(*payload);
        if (!theirs) return theirs.error();
        auto key = theirs->verify(noise_.their_static());
        if (!key) return key.error();
        remote_key_ = std::move(*key);
        remote_ = peer_id::from_public_key(remote_key_);
        if (expected_ && *expected_ != remote_) return errc::peer_mismatch;
        if (theirs->muxers.empty() || muxers_.empty()) return {}; // the muxer is negotiated after the handshake
        // The dialler's order of preference decides.
        auto const &first = initiator_ ? muxers_ : theirs->muxers;
        auto const &second = initiator_ ? theirs->muxers : muxers_;
        for (auto const &m : first)
            if (std::ranges::find(second, m) != second.end()) {
                muxer_ = m;
                return {};
            }
        return errc::unsupported_protocol;
    }

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
