// gigi/security/secure_channel.hpp: an encrypted, authenticated channel over a raw connection.
//
// Layer: security. Concept only; `noise.hpp` models it.
#pragma once

#include "../core/asio.hpp"
#include "../core/bytes.hpp"
#include "../peer/multiaddr.hpp"
#include "../peer/peer_id.hpp"
#include "../peer/public_key.hpp"

#include <concepts>
#include <span>
#include <string_view>

namespace gigi::inline v1 {

/// What a muxer runs on. Movable before its first use; one reader and one writer at a time.
///
/// - `read()` waits for decrypted bytes; the view is valid until the next `read()`; empty means that the peer closed.
///   While nothing arrives the channel holds no large buffer.
/// - `write(pieces)` encrypts the pieces one after the other and sends them with as few system calls as possible. It has
///   consumed all pieces (they may be freed) **before it suspends for the first time**; it returns when the kernel has
///   taken the ciphertext.
/// - `muxer()` is the muxer that both sides agreed on within the handshake, or empty.
template <class T>
concept SecureChannel = requires(T &channel, std::span<bytes_view const> pieces) {
    { channel.read() } -> std::same_as<awaitable<bytes_view>>;
    { channel.write(pieces) } -> std::same_as<awaitable<void>>;
    { channel.close_write() } -> std::same_as<void>;
    { channel.close() } -> std::same_as<void>;
    { channel.remote_peer() } -> std::convertible_to<peer_id const &>;
    { channel.remote_key() } -> std::convertible_to<public_key const &>;
    { channel.muxer() } -> std::convertible_to<std::string_view>;
    { channel.local_address() } -> std::convertible_to<multiaddr>;
    { channel.remote_address() } -> std::convertible_to<multiaddr>;
};

} // namespace gigi::inline v1
