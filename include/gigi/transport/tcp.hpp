// gigi/transport/tcp.hpp: connections over TCP.
//
// Layer: transport. Addresses: /ip4, /ip6 (with ip6zone), /dns, /dns4 and /dns6 with /tcp/<port>.
// Reads and writes are tried at once and wait for the reactor only where they would block: a round trip through the event
// loop costs more than the system call.
#pragma once

#include "../core/asio.hpp"
#include "../core/bytes.hpp"
#include "../core/clock.hpp"
#include "transport.hpp"

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

/// A TCP connection. Models RawConnection.
class tcp_connection {
  public:
    explicit tcp_connection(asio::ip::tcp::socket socket);
    [[nodiscard]] awaitable<std::size_t> read_some(mutable_bytes buffer);
    [[nodiscard]] awaitable<void> write(bytes_view data);

    /// Sends all pieces, with one system call wherever the kernel has room.
    [[nodiscard]] awaitable<void> write(std::span<bytes_view const> pieces);
    [[nodiscard]] awaitable<void> wait_readable();
    void close_write();
    void reset();
    void close();

    multiaddr const &local_address() const noexcept { return local_; }
    multiaddr const &remote_address() const noexcept { return remote_; }

  private:
    static constexpr unsigned at_once = 16;

    [[noreturn]] static void fail(asio::error_code const &code);

    asio::ip::tcp::socket socket_;
    multiaddr local_;
    multiaddr remote_;
    unsigned reads_at_once_ = 0;
    bool more_ = false; // the last read took all that there was room for
};
static_assert(RawConnection<tcp_connection>);

/// Takes TCP connections. Models Listener.
class tcp_listener {
  public:
    using connection_type = tcp_connection;

    tcp_listener(any_io_executor const &executor, asio::ip::tcp::endpoint const &endpoint);
    [[nodiscard]] awaitable<tcp_connection> accept();

    multiaddr const &local_address() const noexcept { return address_; }
    void close();

  private:
    asio::ip::tcp::acceptor acceptor_;
    multiaddr address_;
};
static_assert(Listener<tcp_listener>);

/// Models Transport.
class tcp_transport {
  public:
    using connection_type = tcp_connection;
    using listener_type = tcp_listener;

    /// @param executor of every connection and listener; a strand where several threads run its context
    explicit tcp_transport(any_io_executor executor) : executor_{std::move(executor)} {}

    bool can_dial(multiaddr const &address) const { return address.is_tcp(); }

    static constexpr std::size_t max_endpoints = 8;                ///< of one DNS name; the rest is not tried
    static constexpr duration stagger = std::chrono::milliseconds{250}; ///< between them: RFC 8305's connection attempt delay

    /// Connects to an address. Of a DNS name, the IP addresses are tried staggered, IPv6 and IPv4 by turns, and the first that
    /// answers is kept.
    /// @throws error: `errc::refused`, `errc::unreachable`, `errc::timed_out`, `errc::invalid_address`
    /// @par Cancellation Nothing stays open. A dial that waits for a name server ends at once; what cannot be stopped is the
    ///      system's own look-up, on a thread of the execution context that does one after the other: further names wait for
    ///      it, and so does the destruction of the context, as long as the system waits for its name servers (often 5–30 s).
    [[nodiscard]] awaitable<tcp_connection> dial(multiaddr address);

    /// @throws error: `errc::address_in_use`, `errc::invalid_address`
    [[nodiscard]] tcp_listener listen(multiaddr const &address);

  private:
    /// What a DNS name stands for; never empty.
    awaitable<std::vector<asio::ip::tcp::endpoint>> look_up(multiaddr address);

    any_io_executor executor_;
};
static_assert(Transport<tcp_transport>);

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/tcp.ipp"
#endif
