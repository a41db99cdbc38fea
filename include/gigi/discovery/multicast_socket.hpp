// gigi/discovery/multicast_socket.hpp: a UDP socket that hears and speaks multicast DNS on one interface, in one IP version.
//
// Layer: discovery. Spec: RFC 6762 §3, §5, §11, §15.1 (sharing the port).
// The socket is bound to the group, not to any address: it hears what is sent to the group on this link and nothing else.
// So it takes no unicast answers away from a system daemon with which it shares the port, and whoever is heard is on the link.
#pragma once

#include "../core/asio.hpp"
#include "../core/bytes.hpp"

#include <cstdint>
#include <string>
#include <system_error>

#include <netinet/in.h>
#include <sys/socket.h>

namespace gigi::inline v1 {

namespace detail {

/// A socket option as the system has it.
template <int Level, int Name, class Value> struct socket_option {
    Value value;

    template <class Protocol> int level(Protocol const &) const noexcept { return Level; }
    template <class Protocol> int name(Protocol const &) const noexcept { return Name; }
    template <class Protocol> void const *data(Protocol const &) const noexcept { return &value; }
    template <class Protocol> std::size_t size(Protocol const &) const noexcept { return sizeof value; }
};

} // namespace detail

class multicast_socket {
  public:
    explicit multicast_socket(any_io_executor const &executor) : socket_{executor} {}

    /// Opens the socket. @param interface_index the system's number for the interface
    /// @param loopback whether it is the loopback interface
    /// @return the system's error, with the socket closed
    std::error_code open(unsigned interface_index, bool loopback, bool ipv6, std::uint16_t port) {
        auto const code = try_open(interface_index, loopback, ipv6, port);
        if (code) close();
        return code;
    }

    void close() noexcept {
        asio::error_code ignored;
        socket_.close(ignored);
    }

    /// Where the group is.
    asio::ip::udp::endpoint const &group() const noexcept { return group_; }

    /// Sends without waiting. A datagram for which there is no room is lost, as datagrams are.
    std::error_code send(bytes_view datagram, asio::ip::udp::endpoint const &to) {
        asio::error_code code;
        socket_.send_to(asio::buffer(datagram.data(), datagram.size()), to, 0, code);
        return code == asio::error::would_block || code == asio::error::no_buffer_space ? asio::error_code{} : code;
    }

    /// Receives a datagram into `space`; what does not fit is lost. @return its size; `code` where that failed
    /// @par Lifetime The arguments must outlive the call.
    [[nodiscard]] awaitable<std::size_t> receive(mutable_bytes space, asio::ip::udp::endpoint &from, std::error_code &code) {
        auto const buffer = asio::buffer(space.data(), space.size());
        std::size_t const size = co_await socket_.async_receive_from(buffer, from, asio::redirect_error(use_awaitable, code));
        co_return size;
    }

  private:
    std::error_code try_open(unsigned interface_index, bool loopback, bool ipv6, std::uint16_t port) {
        namespace multicast = asio::ip::multicast;
        asio::ip::udp const protocol = ipv6 ? asio::ip::udp::v6() : asio::ip::udp::v4();
        asio::error_code code;
        socket_.open(protocol, code);
        auto const set = [this, &code](auto const &option) {
            if (!code) socket_.set_option(option, code);
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
            if (!code) socket_.bind(group_, code);
            set(multicast::join_group{group, interface_index});
        } else {
            asio::ip::address_v4 const group{{224, 0, 0, 251}};
            group_ = {group, port};
            set(detail::socket_option<IPPROTO_IP, IP_TTL, int>{255});
            ip_mreqn membership{};
            membership.imr_ifindex = static_cast<int>(interface_index);
            if (loopback) membership.imr_address.s_addr = htonl(INADDR_LOOPBACK); // Linux would send from another interface's
            set(detail::socket_option<IPPROTO_IP, IP_MULTICAST_IF, ip_mreqn>{membership});
            membership.imr_multiaddr.s_addr = htonl(group.to_uint());
            hear_only_this_link<IPPROTO_IP>();
            if (!code) socket_.bind(group_, code);
            set(detail::socket_option<IPPROTO_IP, IP_ADD_MEMBERSHIP, ip_mreqn>{membership});
        }
        if (!code) socket_.non_blocking(true, code);
        return code;
    }

    /// Linux gives a socket what any program's membership brings to the host, unless told otherwise. Old kernels do not know
    /// it for IPv6, where binding to the group's scope does the same.
    template <int Level> void hear_only_this_link() {
#if defined(__linux__)
        constexpr int name = Level == IPPROTO_IP ? 49 : 29; // IP_MULTICAST_ALL, IPV6_MULTICAST_ALL: not in every libc
        asio::error_code ignored;
        socket_.set_option(detail::socket_option<Level, name, int>{0}, ignored);
#endif
    }

    asio::ip::udp::socket socket_;
    asio::ip::udp::endpoint group_;
};

} // namespace gigi::inline v1
