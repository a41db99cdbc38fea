// gigi/peer/impl/public_key.ipp: what public_key.hpp declares.
#pragma once

#include "../public_key.hpp"

#include "../../codec/protobuf.hpp"
#include "../../core/config.hpp"

namespace gigi::inline v1 {

GIGI_INLINE result<public_key> public_key::decode(bytes_view encoded) {
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

GIGI_INLINE bytes public_key::encode() const {
    bytes out;
    protobuf_writer{out}.varint(1, static_cast<std::uint64_t>(type_)).data(2, data_);
    return out;
}

GIGI_INLINE bool public_key::verify(bytes_view message, bytes_view signature) const {
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

} // namespace gigi::inline v1
