// gigi/security/noise_xx.hpp: the Noise handshake XX with X25519, ChaCha20-Poly1305 and SHA-256, without any payload's meaning.
//
// Layer: security. Sans-I/O. Spec: The Noise Protocol Framework, revision 34, sections 5 and 7.5.
#pragma once

#include "../core/bytes.hpp"
#include "../core/error.hpp"
#include "../crypto/aead.hpp"
#include "../crypto/hash.hpp"
#include "../crypto/x25519.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace gigi::inline v1 {

inline constexpr std::size_t max_noise_message = 65535; ///< bytes, with the tag

/// The two keys of a finished handshake.
struct noise_keys {
    sha256_digest send{};
    sha256_digest receive{};
};

namespace detail {

/// Noise's SymmetricState (section 5.2).
class noise_symmetric_state {
  public:
    explicit noise_symmetric_state(std::string_view protocol_name, bytes_view prologue) {
        if (protocol_name.size() <= hash_.size())
            std::ranges::copy(as_bytes(protocol_name), hash_.begin());
        else
            hash_ = sha256(as_bytes(protocol_name));
        chaining_key_ = hash_;
        mix_hash(prologue);
    }

    void mix_hash(bytes_view data) { hash_ = sha256_hasher{}.update(hash_).update(data).finish(); }
    void mix_key(bytes_view input) {
        auto const out = noise_hkdf<2>(chaining_key_, input);
        chaining_key_ = out[0];
        key_ = out[1];
        nonce_ = 0;
    }

    void encrypt_and_hash(bytes_view plain, bytes &out) {
        std::size_t const start = out.size();
        if (key_) {
            out.resize(start + plain.size() + chacha20_poly1305::tag_size);
            chacha20_poly1305{*key_, true}.seal(nonce_++, hash_, plain, out.data() + start);
        } else {
            append(out, plain);
        }
        mix_hash(bytes_view{out}.subspan(start));
    }
    std::optional<bytes> decrypt_and_hash(bytes_view data) {
        bytes plain = to_bytes(data);
        if (key_) {
            if (data.size() < chacha20_poly1305::tag_size || !chacha20_poly1305{*key_, false}.open(nonce_++, hash_, data, plain.data())) return std::nullopt;
            plain.resize(data.size() - chacha20_poly1305::tag_size);
        }
        mix_hash(data);
        return plain;
    }

    std::size_t overhead() const noexcept { return key_ ? chacha20_poly1305::tag_size : 0; }
    std::array<sha256_digest, 2> split() const { return noise_hkdf<2>(chaining_key_, {}); }
    sha256_digest const &hash() const noexcept { return hash_; }

  private:
    sha256_digest hash_{};
    sha256_digest chaining_key_{};
    std::optional<sha256_digest> key_;
    std::uint64_t nonce_ = 0;
};

} // namespace detail

/// One side of a handshake: `-> e`, `<- e, ee, s, es`, `-> s, se`. Call `write` and `read` in turn, the initiator `write`
/// first, three messages in all; then `keys()`.
class noise_xx {
  public:
    static constexpr std::string_view name = "Noise_XX_25519_ChaChaPoly_SHA256";

    /// @param initiator whether this side sends the first message
    /// @param fixed the static key @param ephemeral a key for this handshake alone
    noise_xx(bool initiator, x25519_pair fixed, x25519_pair ephemeral, bytes_view prologue = {})
        : initiator_{initiator}, static_{std::move(fixed)}, ephemeral_{std::move(ephemeral)}, state_{name, prologue} {}

    /// How many messages have passed; the handshake is complete after three.
    int messages() const noexcept { return messages_; }
    bool complete() const noexcept { return messages_ == 3; }
    bool writes_next() const noexcept { return !complete() && (messages_ % 2 == 0) == initiator_; }

    /// Builds this side's next message around a payload.
    /// @return `errc::protocol_violation` where it is not this side's turn or the other side's key is of low order
    result<bytes> write(bytes_view payload) {
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

    /// Takes the other side's next message. @return its payload
    /// @return `errc::protocol_violation`, `errc::decryption_failed`; the handshake is then of no further use
    result<bytes> read(bytes_view message) {
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

    x25519_key const &own_static() const noexcept { return static_.public_key(); }
    x25519_key const &their_static() const noexcept { return their_static_; } ///< known once they have sent it

    /// The transport keys of a complete handshake.
    noise_keys keys() const {
        auto const both = state_.split();
        return initiator_ ? noise_keys{both[0], both[1]} : noise_keys{both[1], both[0]};
    }
    /// The handshake's hash, the same on both sides (channel binding).
    sha256_digest const &hash() const noexcept { return state_.hash(); }

  private:
    static bool take_key(bytes_view &message, x25519_key &key) {
        if (message.size() < key.size()) return false;
        std::copy_n(message.begin(), key.size(), key.begin());
        message = message.subspan(key.size());
        return true;
    }
    bool mix(x25519_pair const &ours, x25519_key const &theirs) {
        auto const secret = ours.shared_secret(theirs);
        if (secret) state_.mix_key(*secret);
        return secret.has_value();
    }

    bool initiator_;
    x25519_pair static_;
    x25519_pair ephemeral_;
    x25519_key their_ephemeral_{};
    x25519_key their_static_{};
    detail::noise_symmetric_state state_;
    int messages_ = 0;
};

} // namespace gigi::inline v1
