// gigi/security/impl/noise_xx.ipp: what noise_xx.hpp declares.
#pragma once

#include "../noise_xx.hpp"

#include "../../core/config.hpp"
#include "../../core/error.hpp"

#include <utility>

namespace gigi::inline v1 {

namespace detail {

GIGI_INLINE noise_symmetric_state::noise_symmetric_state(std::string_view protocol_name, bytes_view prologue) {
    if (protocol_name.size() <= hash_.size())
        std::ranges::copy(as_bytes(protocol_name), hash_.begin());
    else
        hash_ = sha256(as_bytes(protocol_name));
    chaining_key_ = hash_;
    mix_hash(prologue);
}

GIGI_INLINE void noise_symmetric_state::mix_key(bytes_view input) {
    auto const out = noise_hkdf<2>(chaining_key_, input);
    chaining_key_ = out[0];
    key_ = out[1];
    nonce_ = 0;
}

GIGI_INLINE void noise_symmetric_state::encrypt_and_hash(bytes_view plain, bytes &out) {
    std::size_t const start = out.size();
    if (key_) {
        out.resize(start + plain.size() + chacha20_poly1305::tag_size);
        chacha20_poly1305{*key_, true}.seal(nonce_++, hash_, plain, out.data() + start);
    } else {
        append(out, plain);
    }
    mix_hash(bytes_view{out}.subspan(start));
}

GIGI_INLINE std::optional<bytes> noise_symmetric_state::decrypt_and_hash(bytes_view data) {
    bytes plain = to_bytes(data);
    if (key_) {
        if (data.size() < chacha20_poly1305::tag_size || !chacha20_poly1305{*key_, false}.open(nonce_++, hash_, data, plain.data())) return std::nullopt;
        plain.resize(data.size() - chacha20_poly1305::tag_size);
    }
    mix_hash(data);
    return plain;
}

} // namespace detail

GIGI_INLINE noise_xx::noise_xx(bool initiator, x25519_pair fixed, x25519_pair ephemeral, bytes_view prologue)
    : initiator_{initiator}, static_{std::move(fixed)}, ephemeral_{std::move(ephemeral)}, state_{name, prologue} {}

GIGI_INLINE result<bytes> noise_xx::write(bytes_view payload) {
    if (!writes_next()) return errc::protocol_violation;
    bytes out;
    if (messages_ < 2) {
        append(out, ephemeral_.public_key());
        state_.mix_hash(ephemeral_.public_key());
    }
    if (messages_ == 1 && !mix(ephemeral_, their_ephemeral_)) return errc::protocol_violation;
    if (messages_ > 0) {
        state_.encrypt_and_hash(static_.public_key(), out);
        if (!mix(static_, their_ephemeral_)) return errc::protocol_violation;
    }
    state_.encrypt_and_hash(payload, out);
    if (out.size() > max_noise_message) return errc::message_too_large;
    ++messages_;
    return out;
}

GIGI_INLINE result<bytes> noise_xx::read(bytes_view message) {
    if (complete() || writes_next()) return errc::protocol_violation;
    if (messages_ < 2) {
        if (!take_key(message, their_ephemeral_)) return errc::protocol_violation;
        state_.mix_hash(their_ephemeral_);
    }
    if (messages_ == 1 && !mix(ephemeral_, their_ephemeral_)) return errc::protocol_violation;
    if (messages_ > 0) {
        std::size_t const size = their_static_.size() + state_.overhead();
        if (message.size() < size) return errc::protocol_violation;
        auto const key = state_.decrypt_and_hash(message.first(size));
        if (!key) return errc::decryption_failed;
        std::ranges::copy(*key, their_static_.begin());
        message = message.subspan(size);
        if (!mix(ephemeral_, their_static_)) return errc::protocol_violation;
    }
    auto payload = state_.decrypt_and_hash(message);
    if (!payload) return errc::decryption_failed;
    ++messages_;
    return std::move(*payload);
}

GIGI_INLINE noise_keys noise_xx::keys() const {
    auto const both = state_.split();
    return initiator_ ? noise_keys{both[0], both[1]} : noise_keys{both[1], both[0]};
}

GIGI_INLINE bool noise_xx::take_key(bytes_view &message, x25519_key &key) {
    if (message.size() < key.size()) return false;
    std::copy_n(message.begin(), key.size(), key.begin());
    message = message.subspan(key.size());
    return true;
}

GIGI_INLINE bool noise_xx::mix(x25519_pair const &ours, x25519_key const &theirs) {
    auto const secret = ours.shared_secret(theirs);
    if (secret) state_.mix_key(*secret);
    return secret.has_value();
}

} // namespace gigi::inline v1
