// gigi/discovery/impl/multicast_socket.ipp: what multicast_socket.hpp declares.
#pragma once

#include "../multicast_socket.hpp"

#include "../../core/config.hpp"

#ifndef _WIN32
#include <sys/socket.h>
#endif

namespace gigi::inline v1 {

GIGI_INLINE std::error_code multicast_socket::open(unsigned interface_index, bool loopback, bool ipv6, std::uint16_t port) {
    auto const code = try_open(interface_index, loopback, ipv6, port);
    if (code) close();
    return code;
}

GIGI_INLINE void multicast_socket::close() noexcept {
    asio::error_code ignored;
    socket_.close(ignored);
}

GIGI_INLINE std::error_code multicast_socket::send(bytes_view datagram, asio::ip::udp::endpoint const &to) {
    asio::error_code code;
    socket_.send_to(asio::buffer(datagram.data(), datagram.size()), to, 0, code);
    return code == asio::error::would_block || code == asio::error::no_buffer_space ? asio::error_code{} : code;
}

GIGI_INLINE awaitable<std::size_t> multicast_socket::receive(mutable_bytes space, asio::ip::udp::endpoint &from, std::error_code &code) {
    auto const buffer = asio::buffer(space.data(), space.size());
    std::size_t const size = co_await socket_.async_receive_from(buffer, from, asio::redirect_error(use_awaitable, code));
    co_return size;
}

GIGI_INLINE std::error_code multicast_socket::try_open(unsigned interface_index, bool loopback, bool ipv6, std::uint16_t port) {
    namespace multicast = asio::ip::multicast;
    asio::ip::udp const protocol = ipv6 ? asio::ip::udp::v6() : asio::ip::udp::v4();
    asio::error_code code;
    socket_.open(protocol, code);
    auto const set = [this, &code](auto const &option) {
        if (!code) socket_.set_option(option, code);
    };
    auto const bind = [&] {
#ifdef _WIN32
        asio::ip::udp::endpoint const here{protocol, port};
#else
        auto const &here = group_;
#endif
        if (!code) socket_.bind(here, code);
    };
    set(asio::socket_base::reuse_address{true});
#if defined(SO_REUSEPORT)
    set(detail::socket_option<SOL_SOCKET, SO_REUSEPORT, int>{1}); // beside a system daemon both are needed
#endif
    set(multicast::hops{255});
    set(multicast::enable_loopback{true}); // other nodes on this host
    if (ipv6) {
        asio::ip::address_v6::bytes_type const octets{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfb};
        asio::ip::address_v6 const group{octets, interface_index};
        group_ = {group, port};
        set(asio::ip::v6_only{true});
        set(detail::socket_option<IPPROTO_IPV6, IPV6_UNICAST_HOPS, int>{255});
        set(multicast::outbound_interface{interface_index});
        hear_only_this_link<IPPROTO_IPV6>();
        bind();
        set(multicast::join_group{group, interface_index});
    } else {
        asio::ip::address_v4 const group{{224, 0, 0, 251}};
        group_ = {group, port};
        set(detail::socket_option<IPPROTO_IP, IP_TTL, int>{255});
#ifdef _WIN32
        static_cast<void>(loopback);
        ip_mreq membership{};
        membership.imr_interface.s_addr = htonl(interface_index); // 0.0.0.0/8 means the interface of this number
        set(detail::socket_option<IPPROTO_IP, IP_MULTICAST_IF, DWORD>{htonl(interface_index)});
        membership.imr_multiaddr.s_addr = htonl(group.to_uint());
        bind();
        set(detail::socket_option<IPPROTO_IP, IP_ADD_MEMBERSHIP, ip_mreq>{membership});
#else
        ip_mreqn membership{};
        membership.imr_ifindex = static_cast<int>(interface_index);
        if (loopback) membership.imr_address.s_addr = htonl(INADDR_LOOPBACK); // Linux would send from another interface's
        set(detail::socket_option<IPPROTO_IP, IP_MULTICAST_IF, ip_mreqn>{membership});
        membership.imr_multiaddr.s_addr = htonl(group.to_uint());
        hear_only_this_link<IPPROTO_IP>();
        bind();
        set(detail::socket_option<IPPROTO_IP, IP_ADD_MEMBERSHIP, ip_mreqn>{membership});
#endif
    }
    if (!code) socket_.non_blocking(true, code);
    return code;
}

} // namespace gigi::inline v1
