// docs/examples/link.cpp: docs/link.md's program: encrypted connections with many streams each, without a node.
#include "expect.hpp"

// [include]
#include <gigi/link/swarm.hpp>
#include <gigi/mux/yamux.hpp>
#include <gigi/protocol/request_response.hpp>
#include <gigi/security/noise.hpp>
#include <gigi/transport/tcp.hpp>
// [include]

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

// [stack]
struct stack {
    using transport = gigi::tcp_transport;
    template <class Raw> using secure = gigi::noise<Raw>;
    template <class Channel> using muxer = gigi::yamux<Channel>;
};
// [stack]

// [host]
class host {
  public:
    explicit host(gigi::any_io_executor const &executor)
        : self{gigi::identity::generate()}, network{executor, self, gigi::swarm_options(), nobody} {
        gigi::tcp_transport tcp{executor};
        network.add(std::make_unique<gigi::stack_connector<stack>>(std::move(tcp), self));
        network.start();
    }

    gigi::identity const self;
    gigi::swarm network;

  private:
    static std::vector<gigi::multiaddr> nobody(gigi::peer_id const &) { return {}; } // where a peer was last seen
};
// [host]

// [echo]
gigi::awaitable<void> echo(gigi::any_io_executor executor, gigi::stream incoming) {
    std::array<std::uint8_t, 4096> buffer{};
    gigi::mutable_bytes const room{buffer};
    for (;;) {
        incoming.expires_after(executor, 30s); // this long for the next bytes, and to send them back
        std::size_t const n = co_await incoming.read_some(room);
        if (n == 0) break;
        gigi::bytes_view const got = room.first(n);
        co_await incoming.write(got);
    }
    incoming.close_write();
}

void serve(host &here) {
    here.network.handle("/example/echo/1.0.0", [executor = here.network.get_executor()](gigi::stream incoming) {
        return echo(executor, std::move(incoming));
    });
}
// [echo]

// [dial]
gigi::awaitable<void> ask(host &here, gigi::multiaddr address) { // /ip4/127.0.0.1/tcp/…/p2p/12D3Koo…
    gigi::peer_id const peer = co_await here.network.dial(address);
    std::vector<std::string> protocols;
    protocols.emplace_back("/example/echo/1.0.0");
    gigi::stream opened = co_await here.network.open_stream(peer, std::move(protocols));
    opened.expires_after(here.network.get_executor(), 10s);
    gigi::bytes_view const question = gigi::as_bytes("anybody there?");
    co_await opened.write(question);
    opened.close_write();
    gigi::bytes answer(question.size());
    gigi::mutable_bytes const room{answer};
    co_await gigi::read_exactly(opened, room);
    expect(gigi::equal(answer, question), "what comes back");
}
// [dial]

// [typed]
struct add {
    static constexpr std::string_view id = "/example/add/1.0.0";
    struct request {
        std::int64_t a = 0, b = 0;
        template <class Archive> void serialize(Archive &archive) { archive(a, b); }
    };
    using response = std::int64_t;
};

void serve_sums(host &here) {
    auto const handler = [](gigi::peer_id const &, add::request const &question) { return question.a + question.b; };
    gigi::serve_requests<add>(here.network, handler, 20s);
}

gigi::awaitable<std::int64_t> sum(host &here, gigi::peer_id peer, add::request question) {
    std::int64_t const answer = co_await gigi::send_request<add>(here.network, peer, question, 20s);
    co_return answer;
}
// [typed]

// [wrong]
gigi::awaitable<std::error_code> code_of(gigi::awaitable<void> operation) {
    try {
        co_await std::move(operation);
    } catch (gigi::error const &e) {
        co_return e.code();
    }
    co_return std::error_code{};
}

gigi::awaitable<void> failures(host &here, host &there, gigi::multiaddr address) {
    gigi::identity const other = gigi::identity::generate();
    gigi::multiaddr const impostor = address.without_peer().with_peer(other.id());
    std::error_code code = co_await code_of(ask(here, impostor));
    expect(code == gigi::errc::peer_mismatch && code == gigi::condition::untrusted, "who answers is not who was dialled");

    code = co_await code_of(ask(there, address));
    expect(code == gigi::errc::self_dial, "the address leads to this host");

    there.network.unhandle("/example/echo/1.0.0");
    code = co_await code_of(ask(here, address));
    expect(code == gigi::errc::unsupported_protocol, "nobody serves it");

    code = co_await code_of(here.network.connect(other.id()));
    expect(code == gigi::errc::no_addresses, "nothing is known of the peer");
}
// [wrong]

// [main]
gigi::awaitable<void> two_hosts() {
    gigi::any_io_executor const executor = co_await asio::this_coro::executor;
    host alice{executor}, bob{executor};
    serve(bob);
    serve_sums(bob);
    gigi::multiaddr const listening = bob.network.listen(gigi::multiaddr::parse("/ip4/127.0.0.1/tcp/0").value());
    gigi::multiaddr const address = listening.with_peer(bob.self.id());

    co_await ask(alice, address);
    add::request question;
    question.a = 40;
    question.b = 2;
    std::int64_t const answer = co_await sum(alice, bob.self.id(), question);
    expect(answer == 42, "the sum");
    co_await failures(alice, bob, address);

    co_await alice.network.stop(); // says goodbye, cancels and joins every task
    co_await bob.network.stop();
}
// [main]

int main() {
    asio::io_context io{1};
    return run(io, two_hosts());
}
