// gigi/transport/impl/interfaces.ipp: what interfaces.hpp declares.
#pragma once

#include "../interfaces.hpp"

#include "../../core/config.hpp"
#include "../../core/impl/windows.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string_view>
#include <utility>

#ifdef _WIN32
#include <iphlpapi.h>
#else
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#endif

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

#ifdef _WIN32
GIGI_INLINE result<std::vector<network_interface>> network_interfaces() {
    constexpr ULONG flags = GAA_FLAG_SKIP_ANYCAST | GAA_FLAG_SKIP_MULTICAST | GAA_FLAG_SKIP_DNS_SERVER;
    struct alignas(IP_ADAPTER_ADDRESSES) block {
        std::byte raw[1024];
    };
    std::vector<block> space(16);
    ULONG code = ERROR_BUFFER_OVERFLOW;
    for (int attempt = 0; attempt < 4 && code == ERROR_BUFFER_OVERFLOW; ++attempt) { // it says how much it wants, which may grow
        auto size = static_cast<ULONG>(space.size() * sizeof(block));
        code = ::GetAdaptersAddresses(AF_UNSPEC, flags, nullptr, reinterpret_cast<IP_ADAPTER_ADDRESSES *>(space.data()), &size);
        if (code == ERROR_BUFFER_OVERFLOW) space.resize(size / sizeof(block) + 2);
    }
    std::vector<network_interface> found;
    if (code == ERROR_NO_DATA) return found;
    if (code != NO_ERROR) return std::error_code{static_cast<int>(code), std::system_category()};
    for (auto const *i = reinterpret_cast<IP_ADAPTER_ADDRESSES const *>(space.data()); i; i = i->Next) {
        if (i->OperStatus != IfOperStatusUp) continue;
        network_interface added;
        auto const shown = std::filesystem::path{i->FriendlyName}.u8string();
        added.name.assign(shown.begin(), shown.end());
        added.index = i->IfIndex ? i->IfIndex : i->Ipv6IfIndex; // the same number where both versions are there
        added.is_loopback = i->IfType == IF_TYPE_SOFTWARE_LOOPBACK;
        added.is_point_to_point = i->IfType == IF_TYPE_PPP || i->IfType == IF_TYPE_TUNNEL;
        added.can_multicast = (i->Flags & IP_ADAPTER_NO_MULTICAST) == 0;
        for (auto const *at = i->FirstUnicastAddress; at; at = at->Next) {
            auto const address = detail::address_of(at->Address.lpSockaddr);
            if (!address.is_unspecified()) added.addresses.push_back(address);
        }
        found.push_back(std::move(added));
    }
    return found;
}
#else
GIGI_INLINE result<std::vector<network_interface>> network_interfaces() {
    ifaddrs *first = nullptr;
    if (::getifaddrs(&first) != 0) return std::error_code{errno, std::system_category()};
    std::unique_ptr<ifaddrs, void (*)(ifaddrs *)> const owner{first, ::freeifaddrs};
    std::vector<network_interface> found;
    for (auto const *i = first; i; i = i->ifa_next) {
        if (!i->ifa_name || !(i->ifa_flags & IFF_UP) || !(i->ifa_flags & IFF_RUNNING)) continue;
        auto const name = detail::without_label(i->ifa_name);
        auto known = std::ranges::find(found, name, &network_interface::name);
        if (known == found.end()) {
            network_interface added;
            added.name = name;
            added.index = ::if_nametoindex(added.name.c_str());
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
#endif

namespace detail {

inline bool is_link_local_ipv6(asio::ip::address const &address) { return address.is_v6() && address.to_v6().is_link_local(); }

inline bool has_address(network_interface const &on, bytes_view ip) {
    return std::ranges::any_of(on.addresses, [ip](asio::ip::address const &address) {
        return address.is_v4() ? equal(address.to_v4().to_bytes(), ip) : equal(address.to_v6().to_bytes(), ip);
    });
}

} // namespace detail

namespace detail {

inline multiaddr without_zone(multiaddr const &address) {
    constexpr std::string_view zone = "/ip6zone/";
    auto const text = address.to_string();
    if (!text.starts_with(zone)) return address;
    auto const end = text.find('/', zone.size());
    if (end == std::string::npos) return address;
    auto plain = multiaddr::parse(std::string_view{text}.substr(end));
    return plain ? std::move(*plain) : address;
}

inline std::vector<multiaddr> expand_zoned(multiaddr const &listen, std::span<network_interface const> interfaces) {
    if (!listen.is_unspecified()) return {listen};
    bool const ipv6 = listen.ip().size() == 16;
    std::string const text = listen.to_string(), host = ipv6 ? "/ip6/::" : "/ip4/0.0.0.0";
    if (!text.starts_with(host)) return {}; // a zone, or something else that no host can stand for
    std::vector<multiaddr> all;
    for (auto const &on : interfaces) {
        bool const only_link_local = std::ranges::all_of(on.addresses, is_link_local_ipv6);
        for (auto const &address : on.addresses) {
            if (address.is_v6() != ipv6 || (is_link_local_ipv6(address) && !only_link_local)) continue;
            auto plain = ipv6 ? asio::ip::address{asio::ip::address_v6{address.to_v6().to_bytes()}} : address;
            auto const scope = ipv6 ? address.to_v6().scope_id() : 0;
            auto const zone = scope ? "/ip6zone/" + std::to_string(scope) : std::string();
            if (auto one = multiaddr::parse(zone + host.substr(0, 5) + plain.to_string() + text.substr(host.size()))) all.push_back(std::move(*one));
        }
    }
    return all;
}

} // namespace detail

GIGI_INLINE std::vector<multiaddr> expand(multiaddr const &listen, std::span<network_interface const> interfaces) {
    auto all = detail::expand_zoned(listen, interfaces);
    for (auto &address : all) address = detail::without_zone(address);
    return all;
}

GIGI_INLINE std::vector<multiaddr> expand_to_listen(multiaddr const &listen, std::span<network_interface const> interfaces) {
    return detail::expand_zoned(listen, interfaces);
}

GIGI_INLINE std::vector<multiaddr> expand_on(multiaddr const &listen, network_interface const &on, std::span<network_interface const> all) {
    if (listen.is_unspecified()) return expand(listen, {&on, 1});
    if (listen.is_loopback()) return on.is_loopback ? std::vector{listen} : std::vector<multiaddr>();
    auto const shown = detail::without_zone(listen);
    auto const ip = listen.ip();
    bool const here = !ip.empty() && detail::has_address(on, ip);
    bool const elsewhere = std::ranges::any_of(all, [ip](auto const &other) { return !ip.empty() && detail::has_address(other, ip); });
    return here || (!elsewhere && !on.is_loopback) ? std::vector{shown} : std::vector<multiaddr>();
}

} // namespace gigi::inline v1
