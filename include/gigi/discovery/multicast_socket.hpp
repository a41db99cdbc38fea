// gigi/discovery/multicast_socket.hpp: a UDP socket that hears and speaks multicast DNS on one interface, in one IP version.
//
// Layer: discovery. Spec: RFC 6762 §3, §5, §11, §15.1 (sharing the port).
// The socket is bound to the group, not to any address: it hears what is sent to the group on this link and nothing else.
// So it takes no unicast answers away from a system daemon with which it shares the port, and whoever is heard is on the link.
// (Windows binds to no group: there it is bound to every address, and hears what is sent to this host on that port.)
#pragma once

#include "../core/asio.hpp"
#include "../core/bytes.hpp"

#include <cstdint>
#include <system_error>

#ifndef _WIN32
#include <netinet/in.h>
#endif

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
    std::error_code open(unsigned interface_index, bool loopback, bool ipv6, std::uint16_t port);
    void close() noexcept;

    /// Where the group is.
    asio::ip::udp::endpoint const &group() const noexcept { return group_; }

    /// Sends without waiting. A datagram for which there is no room is lost, as datagrams are.
    std::error_code send(bytes_view datagram, asio::ip::udp::endpoint const &to);

    /// Receives a datagram into `space`; what does not fit is lost. @return its size; `code` where that failed
    /// @par Lifetime The arguments must outlive the call.
    [[nodiscard]] awaitable<std::size_t> receive(mutable_bytes space, asio::ip::udp::endpoint &from, std::error_code &code);

  private:
    std::error_code try_open(unsigned interface_index, bool loopback, bool ipv6, std::uint16_t port);

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

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/multicast_socket.ipp"
#endif
