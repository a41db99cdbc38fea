// gigi/transport/impl/interfaces.ipp: what interfaces.hpp declares.
#pragma once

#include "../interfaces.hpp"

#include "../../core/config.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

namespace gigi::inline v1 {

namespace detail {

inline asio::ip::address address_of(sockaddr const *raw) {
    if (raw && raw->sa_family == AF_INET) {
        sockaddr_in in;
        std::memcpy(&in, raw, sizeof in);
        return asio::ip::address_v4{ntohl(in.sin_addr.s_addr)};
    }
    if (raw && raw->sa_family == AF_INET6) {
        sockaddr_in6 in;
        std::memcpy(&in, raw, sizeof in);
        asio::ip::address_v6::bytes_type octets;
        std::memcpy(octets.data(), &in.sin6_addr, octets.size());
        return asio::ip::address_v6{octets, in.sin6_scope_id};
    }
    return {};
}

} // namespace detail

GIGI_INLINE result<std::vector<network_interface>> network_interfaces() {
    ifaddrs *first = nullptr;
    if (::getifaddrs(&first) != 0) return std::error_code{errno, std::system_category()};
    std::unique_ptr<ifaddrs, void (*)(ifaddrs *)> const owner{first, ::freeifaddrs};
    std::vector<network_interface> found;
    for (auto const *i = first; i; i = i->ifa_next) {
        if (!i->ifa_name || !(i->ifa_flags & IFF_UP) || !(i->ifa_flags & IFF_RUNNING)) continue;
        auto known = std::ranges::find(found, std::string_view{i->ifa_name}, &network_interface::name);
        if (known == found.end()) {
            network_interface added;
            added.name = i->ifa_name;
            added.index = ::if_nametoindex(i->ifa_name);
            if (added.index == 0) continue; // it has gone since
            added.is_loopback = i->ifa_flags & IFF_LOOPBACK;
            added.is_point_to_point = i->ifa_flags & IFF_POINTOPOINT;
            added.can_multicast = i->ifa_flags & IFF_MULTICAST;
            known = found.insert(found.end(), std::move(added));
        }
        auto const address = detail::address_of(i->ifa_addr);
        if (!address.is_unspecified()) known->addresses.push_back(address);
    }
    return found;
}

namespace detail {

inline bool is_link_local_ipv6(asio::ip::address const &address) { return address.is_v6() && address.to_v6().is_link_local(); }

inline bool has_address(network_interface const &on, bytes_view ip) {
    return std::ranges::any_of(on.addresses, [ip](asio::ip::address const &address) {
        return address.is_v4() ? equal(address.to_v4().to_bytes(), ip) : equal(address.to_v6().to_bytes(), ip);
    });
}

} // namespace detail

GIGI_INLINE std::vector<multiaddr> expand(multiaddr const &listen, std::span<network_interface const> interfaces) {
    if (!listen.is_unspecified()) return {listen};
    bool const ipv6 = listen.ip().size() == 16;
    std::string const text = listen.to_string(), host = ipv6 ? "/ip6/::" : "/ip4/0.0.0.0";
    if (!text.starts_with(host)) return {}; // a zone, or something else that no host can stand for
    std::vector<multiaddr> all;
    for (auto const &on : interfaces) {
        bool const only_link_local = std::ranges::all_of(on.addresses, detail::is_link_local_ipv6);
        for (auto const &address : on.addresses) {
            if (address.is_v6() != ipv6 || (detail::is_link_local_ipv6(address) && !only_link_local)) continue;
            auto plain = ipv6 ? asio::ip::address{asio::ip::address_v6{address.to_v6().to_bytes()}} : address; // without its zone
            if (auto one = multiaddr::parse(host.substr(0, 5) + plain.to_string() + text.substr(host.size()))) all.push_back(std::move(*one));
        }
    }
    return all;
}

GIGI_INLINE std::vector<multiaddr> expand_on(multiaddr const &listen, network_interface const &on, std::span<network_interface const> all) {
    if (listen.is_unspecified()) return expand(listen, {&on, 1});
    if (listen.is_loopback()) return on.is_loopback ? std::vector{listen} : std::vector<multiaddr>();
    auto const ip = listen.ip();
    bool const here = !ip.empty() && detail::has_address(on, ip);
    bool const elsewhere = std::ranges::any_of(all, [ip](auto const &other) { return !ip.empty() && detail::has_address(other, ip); });
    return here || (!elsewhere && !on.is_loopback) ? std::vector{listen} : std::vector<multiaddr>();
}

} // namespace gigi::inline v1
