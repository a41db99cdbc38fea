// gigi/peer/public_key.hpp: a peer's public key, of any type that libp2p knows.
//
// Layer: peer. Spec: peer-ids/peer-ids.md, "Keys": protobuf of Type = 1 and Data = 2, in this order.
#pragma once

#include "../codec/protobuf.hpp"
#include "../core/bytes.hpp"
#include "../crypto/key.hpp"

#include <cstdint>
#include <utility>

namespace gigi::inline v1 {

enum class key_type : std::uint8_t { rsa = 0, ed25519 = 1, secp256k1 = 2, ecdsa = 3 };

/// A public key in libp2p's encoding. It is checked when it is used: an encoding may name a key that verifies nothing.
class public_key {
  public:
    static constexpr std::size_t max_size = 1024; ///< of the encoding, in bytes

    public_key() = default;
    explicit public_key(ed25519_public const &raw) : type_{key_type::ed25519}, data_{raw.begin(), raw.end()} {}

    /// @return `errc::unsupported_key` for other types and for sizes that the type cannot have
    static result<public_key> decode(bytes_view encoded) {
        if (encoded.size() > max_size) return errc::unsupported_key;
        protobuf_reader in{encoded};
        std::uint32_t type = UINT32_MAX;
        public_key key;
        while (in.next()) switch (in.field()) {
            case 1: in.read(type); break;
            case 2: in.read(key.data_); break;
            }
        if (in.error()) return in.error();
        if (type > 3) return errc::unsupported_key;
        key.type_ = static_cast<key_type>(type);
        if (key.type_ == key_type::ed25519 && key.data_.size() != 32) return errc::unsupported_key;
        if (key.type_ == key_type::secp256k1 && key.data_.size() != 33) return errc::unsupported_key;
        if (key.data_.empty()) return errc::unsupported_key;
        return key;
    }

    bytes encode() const {
        bytes out;
        protobuf_writer{out}.varint(1, static_cast<std::uint64_t>(type_)).data(2, data_);
        return out;
    }

    key_type type() const noexcept { return type_; }
    bytes_view data() const noexcept { return data_; } ///< as the type defines it

    /// Whether `signature` over `message` was made with this key. A key that is not valid verifies nothing.
    bool verify(bytes_view message, bytes_view signature) const {
        auto const key = [&]() -> std::optional<verifying_key> {
            switch (type_) {
            case key_type::ed25519: return verifying_key::ed25519(data_);
            case key_type::secp256k1: return verifying_key::secp256k1(data_);
            case key_type::ecdsa: return verifying_key::p256(data_);
            case key_type::rsa: return verifying_key::rsa(data_);
            }
            return std::nullopt;
        }();
        return key && key->verify(message, signature);
    }

    friend bool operator==(public_key const &, public_key const &) = default;

  private:
    key_type type_ = key_type::ed25519;
    bytes data_;
};

} // namespace gigi::inline v1
