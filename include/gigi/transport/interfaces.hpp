// gigi/transport/interfaces.hpp: the host's network interfaces and their addresses.
//
// Layer: transport. What a listener on 0.0.0.0 or :: can be reached at, for those who announce it.
#pragma once

#include "../core/asio.hpp"
#include "../core/result.hpp"
#include "../peer/multiaddr.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gigi::inline v1 {

/// A network interface that is up.
struct network_interface {
    std::string name;    ///< e.g. "eth0", also of what is labelled "eth0:1"
    unsigned index = 0;  ///< the system's number for it
    bool is_loopback = false;
    bool is_point_to_point = false; ///< a tunnel
    bool can_multicast = false;
    std::vector<asio::ip::address> addresses; ///< in the system's order, which need not be stable

    friend bool operator==(network_interface const &, network_interface const &) = default;
};

namespace detail {

/// Linux gives addresses that have a label the name "eth0:1", from the time when that was an interface of its own.
inline std::string_view without_label(std::string_view name) noexcept { return name.substr(0, name.find(':')); }

} // namespace detail

/// The interfaces that are up, with their addresses. @return the system's error where it cannot say
result<std::vector<network_interface>> network_interfaces();

/// The addresses at which others reach what listens on `listen`: where its host is unspecified (0.0.0.0 or ::), one for each
/// address of these interfaces; otherwise `listen` itself.
///
/// IPv6 link-local addresses need a zone, which differs from host to host: they are left out where the interface has others, and
/// are given without.
std::vector<multiaddr> expand(multiaddr const &listen, std::span<network_interface const> interfaces);

/// What to listen on instead of `listen`, to be reached over these interfaces only: as `expand`, with the zones that this host's
/// sockets need.
std::vector<multiaddr> expand_to_listen(multiaddr const &listen, std::span<network_interface const> interfaces);

/// The addresses at which what listens on `listen` is reached by those who share the network of one interface: those of that
/// interface, and others that are of no interface here (DNS names, addresses beyond a NAT); loopback only on loopback.
/// @param all the host's interfaces
std::vector<multiaddr> expand_on(multiaddr const &listen, network_interface const &on, std::span<network_interface const> all);

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/interfaces.ipp"
#endif
