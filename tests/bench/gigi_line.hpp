// A gigi link (TCP, Noise, yamux) between two swarms: all streams share its one connection.
#pragma once

#include "line.hpp"

#include <gigi/core/channel.hpp>
#include <gigi/link/swarm.hpp>
#include <gigi/mux/yamux.hpp>
#include <gigi/peer/identity.hpp>
#include <gigi/protocol/request_response.hpp>
#include <gigi/security/noise.hpp>
#include <gigi/transport/tcp.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

/// What both ends, and idle connections, are made of.
struct link_stack {
    using transport = gigi::tcp_transport;
    template <class Raw> using secure = gigi::noise<Raw>;
    template <class Channel> using muxer = gigi::yamux<Channel>;
};

/// A swarm and its key.
struct link_end {
    explicit link_end(asio::io_context &io, gigi::swarm_options const &options = gigi::swarm_options())
        : self{gigi::identity::generate()}, net{io.get_executor(), self, options, [](gigi::peer_id const &) { return std::vector<gigi::multiaddr>(); }} {
        net.add(std::make_unique<gigi::stack_connector<link_stack>>(gigi::tcp_transport{io.get_executor()}, self));
    }
    /// Listens on loopback. @return where
    gigi::multiaddr listen() { return net.listen(gigi::multiaddr::parse("/ip4/127.0.0.1/tcp/0").value()).with_peer(self.id()); }

    gigi::identity self;
    gigi::swarm net;
};

class gigi_line {
  public:
    worker server, client;

    gigi_line() {
        server_end_.net.handle(stream_protocol, [this](gigi::stream s) { return take(std::move(s)); });
        gigi::serve_requests<echo_protocol>(server_end_.net, [](gigi::peer_id const &, std::string const &q) { return q; }, std::chrono::seconds{10});
        server.run(open());
        client.run(connect());
    }
    ~gigi_line() {
        client.run(client_end_.net.stop());
        server.run(server_end_.net.stop());
    }

    gigi::awaitable<gigi::stream> accept() { return incoming_.receive(); }
    gigi::awaitable<gigi::stream> dial() {
        std::vector<std::string> offered;
        offered.push_back(stream_protocol);
        gigi::stream s = co_await client_end_.net.open_stream(server_end_.self.id(), std::move(offered));
        co_return s;
    }

    /// Requests of `size` bytes that are answered with the same, one after the other, each on a stream of its own.
    trip requests(std::size_t size, int count) {
        trip result;
        double const before = cpu_time();
        result.time = client.run(request(size, count));
        result.cpu = (cpu_time() - before) / count * 1e6;
        return result;
    }

  private:
    static constexpr char stream_protocol[] = "/bench/stream/1.0.0";
    struct echo_protocol {
        static constexpr std::string_view id = "/bench/echo/1.0.0";
        using request = std::string;
        using response = std::string;
    };

    gigi::awaitable<void> open() {
        address_ = server_end_.listen();
        co_return;
    }
    gigi::awaitable<void> connect() { co_await client_end_.net.dial(address_); }
    gigi::awaitable<void> take(gigi::stream s) { co_await incoming_.send(std::move(s)); }
    gigi::awaitable<double> request(std::size_t size, int count) {
        std::string const question(size, 'q');
        std::vector<double> times;
        for (int i = 0; i < count; ++i) {
            auto const start = clock::now();
            std::string const answer = co_await gigi::send_request<echo_protocol>(client_end_.net, server_end_.self.id(), question, std::chrono::seconds{10});
            times.push_back(since(start) * 1e6);
        }
        co_return median(std::move(times));
    }

    link_end server_end_{server.io}, client_end_{client.io};
    gigi::channel<gigi::stream> incoming_{server.io.get_executor(), 64};
    gigi::multiaddr address_;
};
static_assert(Line<gigi_line>);

} // namespace bench
