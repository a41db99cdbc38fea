// That what node_options say of connections and streams is what the node does, and which counter says so. The layer's own tests
// (link/swarm_limits_test.cpp) look closer. In simulated time.
#include "unit/node/node_lab.hpp"

#include <gigi/node/node_core.hpp>
#include <gigi/node/options.hpp>
#include <gigi/peer/identity.hpp>
#include <gigi/protocol/direct.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace limits_links_test {

using namespace gigi;
using namespace node_lab;

namespace {

/// Begins connections to Alice, each from a host of its own, and says nothing.
awaitable<void> knock(lab &l, std::vector<memory_connection> &made, int count, bool from_one_host = false) {
    for (int i = 0; i < count; ++i) {
        memory_transport from{l.network, "10.1.2." + std::to_string(from_one_host ? 1 : i + 1)};
        memory_connection one = co_await from.dial(l.address());
        made.push_back(std::move(one));
    }
    co_await sleep_for(100ms);
}

awaitable<void> dial(memory_node &from, multiaddr to) {
    std::string const address = to.to_string();
    (void)co_await from.dial(address);
}
awaitable<void> dial_peer(memory_node &from, peer_id to) { (void)co_await from.dial(to); }
awaitable<void> open(memory_node &from, peer_id to, std::string protocol, std::vector<stream> &kept) {
    stream opened = co_await from.open_stream(to, std::move(protocol));
    kept.push_back(std::move(opened));
}
awaitable<void> write_to(memory_node &from, peer_id to) {
    std::string const text = "hello";
    co_await from.send(to, text);
}

/// Where nobody answers: packets for it are lost.
multiaddr nowhere(lab &l, std::string const &ip) {
    l.network.silence("10.1.0.1", ip);
    return multiaddr::parse("/ip4/" + ip + "/tcp/1").value().with_peer(identity::generate(l.sim.random()).id());
}

} // namespace

TEST_CASE("limits: node_options: what they set reaches the connections") {
    node_options o;
    o.max_outbound_streams = 7;
    o.max_stream_window = 1 << 20;
    o.max_connection_buffer = 5 << 20;
    auto const limits = node_core::connection_limits(o);
    CHECK(limits.max_outbound_streams == 7);
    CHECK(limits.max_stream_window == 1 << 20);
    CHECK(limits.max_buffered == 5 << 20);
}

TEST_CASE("limits: node: connections in total: an idle one makes room; where there is none, it is full") {
    lab l{[](node_options &o) { o.max_connections = 2; }};
    l.alice->handle("/hold", hold);
    l.bob->handle("/hold", hold);
    CHECK_FALSE(l.code_of(open(*l.alice, l.bob->id(), "/hold", l.kept))); // Bob's connection is in use
    auto &first = l.enter(1);
    l.sim.run_for(1s);
    CHECK(l.alice->stats().connections == 2);
    auto &second = l.enter(2);
    CHECK_FALSE(l.open(second, "/hold"));
    l.sim.run_for(5s);
    CHECK_FALSE(first.net.is_connected(l.alice->id()));
    CHECK(l.links().connections_idle == 1);
    CHECK(l.links().connections_refused == 0);
    auto &third = l.enter(3);
    l.sim.run_for(5s);
    CHECK_FALSE(third.net.is_connected(l.alice->id()));
    CHECK(l.links().connections_refused == 1);
    CHECK(l.code_of(dial(*l.alice, third.address)) == errc::limit_exceeded);
    CHECK(l.links().connections_refused == 2);
    CHECK(l.alice->stats().connections == 2);
}

TEST_CASE("limits: node: inbound connections of one address, and handshakes under way, which have their time") {
    lab l{[](node_options &o) {
        o.max_connections_per_address = 2;
        o.max_pending_handshakes = 8;
        o.handshake_timeout = 3s;
    }};
    std::vector<memory_connection> silent;
    l.sim.run(knock(l, silent, 5, true));
    CHECK(l.links().handshakes_refused_per_address == 3);
    CHECK(l.links().handshakes_refused == 3);
    l.sim.run_for(3s);
    CHECK(l.links().handshakes_failed == 2);
    l.sim.run(knock(l, silent, 11));
    CHECK(l.links().handshakes_refused == 3 + 3);
    CHECK(l.links().handshakes_refused_per_address == 3);
    l.sim.run_for(2s);
    CHECK(l.links().handshakes_failed == 2);
    l.sim.run_for(1s);
    CHECK(l.links().handshakes_failed == 2 + 8);
}

TEST_CASE("limits: node: a stream's protocol is chosen in the time of a handshake, by whoever opens it") {
    lab l{[](node_options &o) { o.handshake_timeout = 3s; }};
    auto &peer = l.enter(1);
    l.sim.run_for(1s);
    l.kept.emplace_back(peer.net.find(l.alice->id())->mux->open_stream(), l.alice->id());
    auto const begin = [&]() -> awaitable<void> {
        bytes const start(1, 0x13);
        co_await l.kept[0].write(start);
    };
    l.sim.run(begin());
    auto const read = [&]() -> awaitable<void> {
        bytes room(100);
        for (;;) {
            mutable_bytes const rest{room};
            std::size_t const n = co_await l.kept[0].read_some(rest);
            if (n == 0) break;
        }
    };
    auto const start = l.sim.now();
    CHECK(l.code_of(read()) == errc::reset);
    CHECK(l.sim.now() - start >= 2900ms);
    CHECK(l.sim.now() - start <= 3100ms);
    CHECK(l.links().mux.streams_timed_out == 1);
    CHECK(l.links().handshakes_failed == 0);
    CHECK(peer.net.is_connected(l.alice->id()));
}

TEST_CASE("limits: node: dials under way, and their time") {
    lab l{[](node_options &o) {
        o.max_pending_dials = 1;
        o.dial_timeout = 3s;
    }};
    std::error_code first, second;
    auto const start = l.sim.now();
    l.tasks.spawn(note(dial(*l.alice, nowhere(l, "10.1.3.1")), first));
    l.tasks.spawn(note(dial(*l.alice, nowhere(l, "10.1.3.2")), second));
    l.sim.run(l.tasks.join());
    CHECK(first == errc::timed_out);
    CHECK(second == errc::limit_exceeded);
    CHECK(l.sim.now() - start == 3s);
    CHECK(l.links().dials_refused == 1);
    CHECK(l.links().dials_failed == 1);
}

TEST_CASE("limits: node: a peer's addresses: how many are remembered, and how many a dial tries") {
    auto const everywhere = [](node_options &o) { o.listen = std::vector<std::string>{"/ip4/10.1.0.2/tcp/4001", "/ip4/10.1.0.2/tcp/4002", "/ip4/10.1.0.2/tcp/4003"}; };
    for (std::size_t const remembered : {2u, 16u}) {
        CAPTURE(remembered);
        lab l{[&](node_options &o) {
            o.max_addresses_per_peer = remembered;
            o.max_addresses_per_dial = 1;
        }, everywhere};
        CHECK(l.alice->stats().peers.addresses_forgotten == (remembered == 2 ? 1 : 0));
        auto const leave = [&]() -> awaitable<void> { co_await l.alice->disconnect(l.bob->id()); };
        l.sim.run(leave());
        l.sim.run_for(1s);
        CHECK(l.links().addresses_left_out == 0);
        CHECK_FALSE(l.code_of(dial_peer(*l.alice, l.bob->id())));
        CHECK(l.links().addresses_left_out == (remembered == 2 ? 1 : 2));
    }
}

TEST_CASE("limits: node: bootstrap peers are dialled by themselves, one address after the other") {
    lab l{[](node_options &) {}};
    auto const good = l.address();
    std::vector<std::string> book; // in whatever order they are tried, one that does not answer comes first
    for (auto const *ip : {"10.1.3.1", "", "10.1.3.2"}) {
        if (!*ip) {
            book.push_back(good.to_string());
            continue;
        }
        l.network.silence("10.1.0.3", ip);
        book.push_back(multiaddr::parse(std::string{"/ip4/"} + ip + "/tcp/1").value().with_peer(l.alice->id()).to_string());
    }
    auto &carol = l.add("carol", [&](node_options &o) {
        o.bootstrap = book;
        o.dial_stagger = 4s;
    });
    l.sim.run(carol.start());
    l.sim.run_for(3900ms);
    CHECK(carol.stats().connections == 0);
    l.sim.run_for(300ms);
    CHECK(carol.stats().connections == 1);
    l.network.cut("10.1.0.3");
    l.sim.run_for(1s);
    CHECK(carol.stats().connections == 0);
    l.sim.run_for(15s);
    CHECK(carol.stats().connections == 1); // and again
}

TEST_CASE("limits: node: a connection that is not used") {
    lab l{[](node_options &o) { o.idle_timeout = 1min; }};
    auto &idle = l.enter(1);
    l.sim.run_for(45s);
    CHECK(idle.net.is_connected(l.alice->id()));
    l.sim.run_for(2min);
    CHECK_FALSE(idle.net.is_connected(l.alice->id()));
    CHECK(l.links().connections_idle == 1);
    CHECK(l.alice->stats().connections == 1); // Bob is known by his nickname
}

TEST_CASE("limits: node: streams of a peer, in total and of one protocol; and this node's own to it") {
    lab l{[](node_options &o) {
        o.max_streams_per_peer = 4;
        o.max_requests_per_peer = 2;
        o.max_outbound_streams = 3;
    }};
    for (auto const *name : {"/a", "/b", "/c"}) l.alice->handle(name, hold);
    auto &peer = l.enter(1);
    l.sim.run_for(1s);
    for (int i = 0; i < 3; ++i) l.open(peer, "/a");
    CHECK(l.links().streams_refused_per_protocol == 1);
    CHECK(l.links().streams_refused == 1);
    for (int i = 0; i < 2; ++i) l.open(peer, "/b");
    for (int i = 0; i < 2; ++i) l.open(peer, "/c");
    CHECK(l.links().streams_refused_per_protocol == 1);
    CHECK(l.links().streams_refused + l.links().mux.streams_refused == 3);

    peer.net.handle("/d", hold);
    std::vector<std::error_code> codes;
    for (int i = 0; i < 5; ++i) codes.push_back(l.code_of(open(*l.alice, peer.id(), "/d", l.kept)));
    CHECK(codes == std::vector<std::error_code>{{}, {}, {}, errc::limit_exceeded, errc::limit_exceeded});
    CHECK(l.links().streams_denied == 2);
}

TEST_CASE("limits: node: how far a peer may send ahead of a stream's reader") {
    for (std::size_t const most : {std::size_t{256} << 10, std::size_t{16} << 20}) {
        CAPTURE(most);
        lab l{[&](node_options &o) { o.max_stream_window = most; }};
        l.network.options().latency = 20ms;
        l.alice->handle("/swallow", swallow);
        auto &peer = l.enter(1);
        REQUIRE_FALSE(l.open(peer, "/swallow"));
        l.sim.run(pour(l.kept[0], 3 << 20));
        l.sim.run_for(1s);
        CHECK((l.links().mux.windows_capped > 0) == (most == std::size_t{256} << 10));
        CHECK(l.links().mux.bytes_received > std::uint64_t{3} << 20);
    }
}

TEST_CASE("limits: node: what is received and not read, of a connection and of all of them") {
    lab l{[](node_options &o) {
        o.max_connection_buffer = 400 << 10;
        o.max_buffered = 600 << 10;
    }};
    l.alice->handle("/hold", hold);
    l.kept.reserve(4); // what is being written to must stay in place
    std::error_code codes[4];
    for (int i = 0; i < 3; ++i) l.enter(i + 1);
    auto const send = [&](std::size_t from, std::size_t size) {
        REQUIRE_FALSE(l.open(*l.strangers[from], "/hold"));
        l.tasks.spawn(note(pour(l.kept.back(), size), codes[l.kept.size() - 1]));
        l.sim.run_for(300ms);
    };
    send(0, 1 << 20);
    CHECK_FALSE(codes[0]);
    send(0, 1 << 20);
    CHECK(codes[1] == errc::reset);
    CHECK(l.links().mux.streams_overrun == 1);
    CHECK(l.links().mux.bytes_buffered > 200 << 10);
    send(1, 1 << 20);
    send(2, 200 << 10);
    l.sim.run_for(2s);
    CHECK(l.links().connections_overrun == 1);
    CHECK(l.strangers[2]->net.is_connected(l.alice->id())); // it holds less than the others
    CHECK(l.links().mux.bytes_buffered <= 600 << 10);
    CHECK(l.alice->stats().connections == 3); // with Bob
}

TEST_CASE("limits: node: an answer that does not come in time") {
    lab l{[](node_options &o) { o.request_timeout = 2s; }};
    auto &peer = l.enter(1);
    peer.net.handle(std::string{direct_protocol::id}, hold);
    l.sim.run_for(1s);
    auto const start = l.sim.now();
    CHECK(l.code_of(write_to(*l.alice, peer.id())) == errc::timed_out);
    CHECK(l.sim.now() - start == 2s);
    CHECK(l.links().mux.streams_timed_out == 1);
    CHECK(peer.net.is_connected(l.alice->id()));
}

} // namespace limits_links_test
