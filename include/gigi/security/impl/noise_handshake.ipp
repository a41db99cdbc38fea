// gigi/security/impl/noise_handshake.ipp: what noise_handshake.hpp declares.
#pragma once

#include "../noise_handshake.hpp"

#include "../../codec/protobuf.hpp"
#include "../../core/config.hpp"
#include "../../core/error.hpp"

#include <algorithm>
#include <utility>

namespace gigi::inline v1 {

GIGI_INLINE noise_payload noise_payload::make(identity const &self, x25519_key const &static_key, std::span<std::string const> muxers) {
    noise_payload p;
    p.identity_key = self.public_key().encode();
    auto const signature = self.sign(signed_bytes(static_key));
    p.signature.assign(signature.begin(), signature.end());
    p.muxers.assign(muxers.begin(), muxers.end());
    return p;
}

GIGI_INLINE bytes noise_payload::encode() const {
    bytes out;
    protobuf_writer message{out};
    message.data(1, identity_key).data(2, signature);
    if (!muxers.empty())
        message.message(4, [this](protobuf_writer &extensions) {
            for (auto const &m : muxers) extensions.text(2, m);
        });
    return out;
}

GIGI_INLINE result<noise_payload> noise_payload::decode(bytes_view data) {
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

GIGI_INLINE result<public_key> noise_payload::verify(x25519_key const &static_key) const {
    auto key = public_key::decode(identity_key);
    if (!key) return key.error();
    if (!key->verify(signed_bytes(static_key), signature)) return errc::bad_signature;
    return key;
}

GIGI_INLINE bytes noise_payload::signed_bytes(x25519_key const &static_key) {
    bytes out = to_bytes(signature_prefix);
    append(out, static_key);
    return out;
}

GIGI_INLINE noise_handshake::noise_handshake(bool initiator, identity const &self, std::optional<peer_id> expected, std::span<std::string const> muxers, random_source &random)
    : initiator_{initiator}, expected_{std::move(expected)}, muxers_{muxers.begin(), muxers.end()},
      noise_{initiator, x25519_pair::generate(random), x25519_pair::generate(random)},
      payload_{noise_payload::make(self, noise_.own_static(), muxers).encode()} {}

GIGI_INLINE std::error_code noise_handshake::take(bytes_view message) {
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

} // namespace gigi::inline v1
