// Plain TCP, one connection a stream: what links are measured beside.
#pragma once

#include "line.hpp"

#include <gigi/transport/tcp.hpp>

namespace bench {

class tcp_line {
  public:
    worker server, client;

    gigi::awaitable<gigi::tcp_connection> accept() { return listener_.accept(); }
    gigi::awaitable<gigi::tcp_connection> dial() { return net_.dial(listener_.local_address()); }

  private:
    gigi::tcp_listener listener_{server.io.get_executor(), asio::ip::tcp::endpoint{asio::ip::address_v4::loopback(), 0}};
    gigi::tcp_transport net_{client.io.get_executor()};
};
static_assert(Line<tcp_line>);

} // namespace bench
