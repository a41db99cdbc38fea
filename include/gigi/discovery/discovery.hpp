// gigi/discovery/discovery.hpp: what finds peers, and tells others where we are.
//
// Layer: discovery. A concept; `mdns.hpp` models it.
#pragma once

#include "../core/asio.hpp"
#include "../peer/multiaddr.hpp"
#include "../peer/peer_id.hpp"

#include <concepts>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace gigi::inline v1 {

/// A peer as an announcement describes it. Nothing of it is authenticated before a handshake (T20).
struct discovered_peer {
    peer_id peer;
    std::vector<multiaddr> addresses; ///< each ends in `/p2p/<peer>`; at least one
    std::string nickname;             ///< a hint: a valid nickname, possibly false; or empty

    friend bool operator==(discovered_peer const &, discovered_peer const &) = default;
};

/// Whom a discovery calls, always on its executor; the callbacks must not throw, and may call anything of the discovery.
struct discovery_handler {
    /// A peer is new, or its addresses or nickname changed; `addresses` is the whole list each time.
    std::function<void(discovered_peer const &)> on_found;
    /// A peer said goodbye, or has not renewed its announcement.
    std::function<void(peer_id const &)> on_expired;
    /// Something does not work; the discovery goes on without it and tries again. Called once for each lasting cause.
    std::function<void(std::error_code, std::string_view what)> on_error;
    /// Whether the node is connected to a peer: that one is no invention, and is not forgotten to make room for strangers (T20).
    /// May be left out.
    std::function<bool(peer_id const &)> is_connected;
};

/// Finds peers and announces this node. Constructed from an executor (a strand), the own peer id and its own options.
///
/// - `start(handler)` begins; it fails through `on_error` only, since a network may come later.
/// - `update(addresses, nickname)` says what to announce from now on: listen addresses, with or without `/p2p/<own id>`; an
///   unspecified host (0.0.0.0, ::) stands for the addresses of each interface. May be called at any time; no addresses
///   means: look for others, and announce nothing.
/// - `stop()` says goodbye and joins every task, in a bounded time. It must have returned before destruction.
template <class T>
concept Discovery = requires(T &discovery, discovery_handler handler, std::vector<multiaddr> addresses, std::string nickname) {
    { discovery.start(std::move(handler)) } -> std::same_as<void>;
    { discovery.update(std::move(addresses), std::move(nickname)) } -> std::same_as<void>;
    { discovery.stop() } -> std::same_as<awaitable<void>>;
};

} // namespace gigi::inline v1
