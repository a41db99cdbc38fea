// gigi/transport/transport.hpp: what carries bytes between two hosts, and what listens for them.
//
// Layer: transport. Concepts only; `tcp.hpp` and `memory.hpp` model them.
#pragma once

#include "../core/asio.hpp"
#include "../core/bytes.hpp"
#include "../core/stream.hpp"
#include "../peer/multiaddr.hpp"

#include <concepts>
#include <span>

namespace gigi::inline v1 {

/// A connection as a transport gives it: neither encrypted nor authenticated. Movable.
///
/// Beside what every ByteStream does:
/// - `write(pieces)` sends several pieces in one system call where the platform can.
/// - `wait_readable()` suspends until bytes (or the end) can be read, so that an idle connection needs no buffer.
/// - `close()` releases everything at once; operations in flight throw `errc::cancelled` or `errc::closed`.
template <class T>
concept RawConnection = ByteStream<T> && std::movable<T> && requires(T &connection, std::span<bytes_view const> pieces) {
    { connection.write(pieces) } -> std::same_as<awaitable<void>>;
    { connection.wait_readable() } -> std::same_as<awaitable<void>>;
    { connection.close() } -> std::same_as<void>;
    { connection.local_address() } -> std::convertible_to<multiaddr>;
    { connection.remote_address() } -> std::convertible_to<multiaddr>;
};

/// Accepts connections until it is closed. Movable.
template <class T>
concept Listener = std::movable<T> && requires(T &listener) {
    typename T::connection_type;
    { listener.accept() } -> std::same_as<awaitable<typename T::connection_type>>; ///< throws errc::closed after close()
    { listener.local_address() } -> std::convertible_to<multiaddr>; ///< with the real port; the host may be unspecified
    { listener.close() } -> std::same_as<void>;
};

/// Dials and listens on the addresses that it knows. Constructed from an executor (and its own options).
template <class T>
concept Transport = requires(T &transport, multiaddr const &address) {
    typename T::connection_type;
    typename T::listener_type;
    requires RawConnection<typename T::connection_type>;
    requires Listener<typename T::listener_type>;
    { transport.can_dial(address) } -> std::same_as<bool>;
    { transport.dial(address) } -> std::same_as<awaitable<typename T::connection_type>>; ///< the caller sets the deadline
    { transport.listen(address) } -> std::same_as<typename T::listener_type>;            ///< throws address_in_use, …
};

} // namespace gigi::inline v1
