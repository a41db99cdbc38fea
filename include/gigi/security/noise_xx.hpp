// gigi/security/noise_xx.hpp: the Noise handshake XX with X25519, ChaCha20-Poly1305 and SHA-256, without any payload's meaning.
//
// Layer: security. Sans-I/O. Spec: The Noise Protocol Framework, revision 34, sections 5 and 7.5.
#pragma once

#include "../core/bytes.hpp"
#include "../crypto/aead.hpp"
#include "../crypto/hash.hpp"
#include "../crypto/x25519.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

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
    explicit noise_symmetric_state(std::string_view protocol_name, bytes_view prologue);

    void mix_hash(bytes_view data) { hash_ = sha256_hasher{}.update(hash_).update(data).finish(); }
    void mix_key(bytes_view input);
    void encrypt_and_hash(bytes_view plain, bytes &out);
    std::optional<bytes> decrypt_and_hash(bytes_view data);

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
    noise_xx(bool initiator, x25519_pair fixed, x25519_pair ephemeral, bytes_view prologue = {});

    /// How many messages have passed; the handshake is complete after three.
    int messages() const noexcept { return messages_; }
    bool complete() const noexcept { return messages_ == 3; }
    bool writes_next() const noexcept { return !complete() && (messages_ % 2 == 0) == initiator_; }

    /// Builds this side's next message around a payload.
    /// @return `errc::protocol_violation` where it is not this side's turn or the other side's key is of low order
    result<bytes> write(bytes_view payload);

    /// Takes the other side's next message. @return its payload
    /// @return `errc::protocol_violation`, `errc::decryption_failed`; the handshake is then of no further use
    result<bytes> read(bytes_view message);

    x25519_key const &own_static() const noexcept { return static_.public_key(); }
    x25519_key const &their_static() const noexcept { return their_static_; } ///< known once they have sent it

    /// The transport keys of a complete handshake.
    noise_keys keys() const;
    /// The handshake's hash, the same on both sides (channel binding).
    sha256_digest const &hash() const noexcept { return state_.hash(); }

  private:
    static bool take_key(bytes_view &message, x25519_key &key);
    bool mix(x25519_pair const &ours, x25519_key const &theirs);

    bool initiator_;
    x25519_pair static_;
    x25519_pair ephemeral_;
    x25519_key their_ephemeral_{};
    x25519_key their_static_{};
    detail::noise_symmetric_state state_;
    int messages_ = 0;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/noise_xx.ipp"
#endif
