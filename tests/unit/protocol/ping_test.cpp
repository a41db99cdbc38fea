#include <gigi/protocol/ping.hpp>

#include <gigi/mux/yamux.hpp>
#include <gigi/security/noise.hpp>
#include <gigi/testing/simulation.hpp>
#include <gigi/transport/memory.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace ping_test {

using namespace gigi;
using namespace gigi::testing;

namespace {

// [world]
struct stack {
    using transport = memory_transport;
    template <class Raw> using secure = noise<Raw>;
    template <class Channel> using muxer = yamux<Channel>;
};

/// A host that listens on TCP port 4001 of its address.
struct host {
    host(simulation &sim, memory_network &network, std::string const &ip)
        : self{identity::generate(sim.random())}, net{sim.get_executor(), self, swarm_options(), nobody} {
        net.add(std::make_unique<stack_connector<stack>>(memory_transport{network, ip}, self));
        net.start();
        address = net.listen(multiaddr::parse("/ip4/" + ip + "/tcp/4001").value()).with_peer(self.id());
    }
    static std::vector<multiaddr> nobody(peer_id const &) { return {}; }

    identity self;
    swarm net;
    multiaddr address;
};

struct world {
    world() {
        network.options().latency = 20ms;
        sim.run(here.net.dial(there.address));
    }
    ~world() {
        sim.run(here.net.stop());
        sim.run(there.net.stop());
    }

    simulation sim{1};
    memory_network network{sim.get_executor(), sim.random()};
    host here{sim, network, "10.0.0.1"}, there{sim, network, "10.0.0.2"};
};
// [world]

std::error_code failure_of(world &w, duration limit) {
    try {
        w.sim.run(ping::measure(w.here.net, w.there.self.id(), limit));
    } catch (std::system_error const &e) {
        return e.code();
    }
    return {};
}

/// Answers with other bytes than it got.
awaitable<void> answer_wrongly(stream incoming) {
    bytes got(ping::size);
    mutable_bytes const room{got};
    co_await read_exactly(incoming, room);
    got.back() ^= 1;
    bytes_view const wrong{got};
    co_await incoming.write(wrong);
    incoming.close_write();
}

/// Answers, and goes on talking.
awaitable<void> answer_too_much(stream incoming) {
    bytes got(ping::size);
    mutable_bytes const room{got};
    co_await read_exactly(incoming, room);
    got.push_back(0);
    bytes_view const more{got};
    co_await incoming.write(more);
    incoming.close_write();
}

awaitable<void> say_nothing(stream incoming) {
    bytes got(1);
    mutable_bytes const room{got};
    std::size_t n = 1;
    while (n > 0) n = co_await incoming.read_some(room);
}

} // namespace

// [test]
TEST_CASE("ping: measures the round trip") {
    world w;
    ping::serve(w.there.net);
    duration const round_trip = w.sim.run(ping::measure(w.here.net, w.there.self.id(), 5s));
    CHECK(round_trip == 40ms); // twice the latency: nothing else takes time here
}

TEST_CASE("ping: other bytes than were sent are an error, and so is more of them") {
    world w;
    w.there.net.handle(std::string{ping::protocol}, answer_wrongly);
    CHECK(failure_of(w, 5s) == errc::protocol_violation);
    w.there.net.handle(std::string{ping::protocol}, answer_too_much);
    CHECK(failure_of(w, 5s) == errc::protocol_violation);
}

TEST_CASE("ping: a peer that does not answer, or does not speak it") {
    world w;
    w.there.net.handle(std::string{ping::protocol}, say_nothing);
    auto const begin = w.sim.now();
    CHECK(failure_of(w, 5s) == errc::timed_out);
    CHECK(w.sim.now() - begin < 6s);
    w.there.net.unhandle(ping::protocol);
    CHECK(failure_of(w, 5s) == errc::unsupported_protocol);
}
// [test]

} // namespace ping_test
