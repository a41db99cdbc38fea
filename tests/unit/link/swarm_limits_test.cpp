// What a swarm does past each of its limits, and what counts it. Over the network in memory, in simulated time.
#include <gigi/codec/framed.hpp>
#include <gigi/link/swarm.hpp>
#include <gigi/link/swarm_options.hpp>
#include <gigi/mux/yamux.hpp>
#include <gigi/protocol/request_response.hpp>
#include <gigi/security/noise.hpp>
#include <gigi/testing/simulation.hpp>
#include <gigi/transport/memory.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace swarm_limits_test {

using namespace gigi;
using namespace gigi::testing;

namespace {

struct stack {
    using transport = memory_transport;
    template <class Raw> using secure = noise<Raw>;
    template <class Channel> using muxer = yamux<Channel>;
};

struct host {
    host(simulation &sim, memory_network &network, int number, swarm_options const &options, mux_limits const &limits)
        : ip{"10.0.0." + std::to_string(number)}, self{identity::generate(sim.random())},
          net{sim.get_executor(), self, options, [this](peer_id const &peer) { return book[peer]; }} {
        net.add(std::make_unique<stack_connector<stack>>(memory_transport{network, ip}, self, limits));
        net.start();
        address = net.listen(multiaddr::parse("/ip4/" + ip + "/tcp/4001").value()).with_peer(self.id());
    }
    std::string ip;
    identity self;
    std::map<peer_id, std::vector<multiaddr>> book;
    swarm net;
    multiaddr address;
};

/// The first host has the limits; the others have none to speak of.
class lab {
  public:
    explicit lab(int count, swarm_options const &options = {}, mux_limits const &limits = {}) : network{sim.get_executor(), sim.random()} {
        hosts.push_back(std::make_unique<host>(sim, network, 1, options, limits));
        for (int i = 2; i <= count; ++i) hosts.push_back(std::make_unique<host>(sim, network, i, swarm_options{}, mux_limits{}));
    }
    ~lab() {
        kept.clear();
        for (auto &h : hosts) sim.run(h->net.stop());
    }
    host &operator[](std::size_t i) { return *hosts[i]; }
    peer_id id(std::size_t i) { return hosts[i]->self.id(); }
    swarm_stats stats() { return hosts[0]->net.stats(); }

    std::error_code code_of(awaitable<void> what) {
        try {
            sim.run(std::move(what));
        } catch (std::system_error const &e) {
            return e.code();
        }
        return {};
    }
    std::error_code dial(std::size_t from, multiaddr to) { return code_of(dial_only(hosts[from]->net, std::move(to))); }
    std::error_code open(std::size_t from, std::size_t to, std::string protocol) { return code_of(open_stream(hosts[from]->net, id(to), std::move(protocol))); }

    simulation sim{3};
    memory_network network;
    std::vector<std::unique_ptr<host>> hosts;
    std::vector<stream> kept;

  private:
    static awaitable<void> dial_only(swarm &from, multiaddr to) { co_await from.dial(to); }
    awaitable<void> open_stream(swarm &from, peer_id to, std::string protocol) {
        std::vector<std::string> protocols;
        protocols.push_back(std::move(protocol));
        stream s = co_await from.open_stream(to, std::move(protocols));
        kept.push_back(std::move(s));
    }
};

/// Does not read.
awaitable<void> ignore(stream s) {
    co_await sleep_for(1h);
    s.reset();
}
awaitable<void> pour(stream &into, std::size_t size, std::error_code &result) {
    bytes const data(size);
    try {
        co_await into.write(data);
    } catch (std::system_error const &e) {
        result = e.code();
    }
}
/// Reads as fast as it comes.
awaitable<void> swallow(stream s) { co_await multistream::drain(s); }

struct keeping {
    static constexpr std::string_view id = "/test/keep/1.0.0";
    struct request {
        static constexpr std::size_t max_size = 1'000'000;
        std::string text;
        template <class Archive> void serialize(Archive &archive) { archive(text); }
    };
    using response = std::uint64_t;
};
awaitable<std::uint64_t> keep(peer_id const &, keeping::request const &question) {
    co_await sleep_for(3s);
    co_return question.text.size();
}
awaitable<void> ask(swarm &from, peer_id to, std::size_t size, std::error_code &result) {
    keeping::request question;
    question.text.assign(size, 'x');
    try {
        co_await send_request<keeping>(from, to, question, 20s);
    } catch (std::system_error const &e) {
        result = e.code();
    }
}

} // namespace

TEST_CASE("limits: swarm: inbound connections of one address") {
    swarm_options few;
    few.max_connections_per_address = 2;
    lab l{2, few};
    memory_transport attacker{l.network, "10.0.0.66"};
    std::vector<memory_connection> open_ones;
    auto const connect = [&]() -> awaitable<void> {
        for (int i = 0; i < 5; ++i) {
            auto made = co_await attacker.dial(l[0].address);
            open_ones.push_back(std::move(made));
        }
        co_await sleep_for(1s);
    };
    l.sim.run(connect());
    CHECK(l.stats().handshakes_refused_per_address == 3);
    CHECK_FALSE(l.dial(1, l[0].address)); // another's
}

TEST_CASE("T4, T29: limits: swarm: a host that takes a new IPv6 address for each connection is one host") {
    swarm_options few;
    few.max_connections_per_address = 2;
    lab l{2, few};
    std::vector<memory_connection> open_ones;
    auto const connect = [&]() -> awaitable<void> {
        for (int i = 0; i < 5; ++i) {
            memory_transport attacker{l.network, "2001:db8::" + std::to_string(i + 1)};
            auto made = co_await attacker.dial(l[0].address);
            open_ones.push_back(std::move(made));
        }
        co_await sleep_for(1s);
    };
    l.sim.run(connect());
    CHECK(l.stats().handshakes_refused_per_address == 3);
    CHECK_FALSE(l.dial(1, l[0].address));
}

TEST_CASE("limits: swarm: a peer has one connection, and for a moment two") {
    lab l{2};
    auto const nameless = l[0].address.without_peer();
    for (int i = 0; i < 6; ++i) {
        CHECK_FALSE(l.dial(1, nameless));
        CHECK(l[0].net.connection_count() <= 3); // the one that was aborted may still be on its way out
    }
    CHECK(l.stats().connections_replaced >= 3); // the other side may have been quicker
    CHECK(l[0].net.is_connected(l.id(1)));
    l.sim.run_for(10s);
    CHECK(l[0].net.connection_count() == 1);
}

TEST_CASE("limits: swarm: dials under way") {
    swarm_options few;
    few.max_pending_dials = 2;
    few.dial_timeout = 5s;
    lab l{1, few};
    l.network.separate("10.0.0.1", "10.0.0.9");
    seeded_random random{9};
    std::vector<std::error_code> codes(4);
    task_group tasks{l.sim.get_executor()};
    auto const connect = [&](std::size_t i) -> awaitable<void> {
        peer_id const peer = identity::generate(random).id();
        l[0].book[peer] = {multiaddr::parse("/ip4/10.0.0.9/tcp/1").value()};
        multiaddr const nobody = multiaddr::parse("/ip4/10.0.0.9/tcp/1").value();
        try {
            if (i % 2 == 0) co_await l[0].net.connect(peer);
            if (i % 2 == 1) co_await l[0].net.dial(nobody); // counted as well, though it names no peer
        } catch (std::system_error const &e) {
            codes[i] = e.code();
        }
    };
    for (std::size_t i = 0; i < 4; ++i) tasks.spawn(connect(i));
    l.sim.run(tasks.join());
    for (std::size_t i = 0; i < 4; ++i) {
        CAPTURE(error_name(codes[i]));
        CHECK(codes[i] == (i < 2 ? errc::unreachable : errc::limit_exceeded));
    }
    CHECK(l.stats().dials_refused == 2);
}

TEST_CASE("limits: swarm: addresses of a peer that one dial tries") {
    swarm_options few;
    few.max_addresses_per_dial = 2;
    lab l{2, few};
    auto const address = [](std::string const &ip) { return multiaddr::parse("/ip4/" + ip + "/tcp/4001").value(); };
    std::vector<multiaddr> const wrong{address("10.0.0.7"), address("10.0.0.8"), address("10.0.0.9")};
    l[0].book[l.id(1)] = wrong;
    l[0].book[l.id(1)].push_back(l[1].address);
    CHECK(l.code_of(l[0].net.connect(l.id(1))));
    CHECK(l.stats().addresses_left_out == 2);
    l[0].book[l.id(1)] = {wrong[0], l[1].address, wrong[1]};
    CHECK(!l.code_of(l[0].net.connect(l.id(1))));
    CHECK(l.stats().addresses_left_out == 3);
}

TEST_CASE("T15: limits: swarm: a peer's DNS names are dialled after its IP addresses, and no more than two of them") {
    lab l{2};
    l[0].book[l.id(1)].clear();
    for (std::string const name : {"a.test", "b.test", "c.test"}) {
        l.network.silence("10.0.0.1", name);
        l[0].book[l.id(1)].push_back(multiaddr::parse("/dns4/" + name + "/tcp/4001").value());
    }
    auto start = l.sim.now();
    CHECK(l.code_of(l[0].net.connect(l.id(1))) == errc::timed_out);
    CHECK(l.sim.now() - start == swarm_options().dial_timeout);
    CHECK(l.stats().addresses_left_out == 1);
    l[0].book[l.id(1)].push_back(l[1].address);
    start = l.sim.now();
    CHECK_FALSE(l.code_of(l[0].net.connect(l.id(1))));
    CHECK(l.sim.now() - start < swarm_options().dial_stagger);
    CHECK(l.stats().addresses_left_out == 2);
}

TEST_CASE("limits: swarm: streams of one peer, of any protocol; and ours to it") {
    swarm_options few;
    few.max_streams_per_peer = 3;
    mux_limits ours;
    ours.max_outbound_streams = 2;
    lab l{2, few, ours};
    for (auto &h : l.hosts)
        for (std::string const name : {"/a", "/b"}) h->net.handle(name, ignore);
    REQUIRE_FALSE(l.dial(1, l[0].address));
    for (int i = 0; i < 6; ++i) l.open(1, 0, i % 2 ? "/a" : "/b");
    CHECK(l.stats().streams_refused == 3);
    CHECK(l.stats().streams_refused_per_protocol == 0);
    std::vector<std::error_code> codes;
    for (int i = 0; i < 4; ++i) codes.push_back(l.open(0, 1, "/a"));
    CHECK(codes == std::vector<std::error_code>{{}, {}, errc::limit_exceeded, errc::limit_exceeded});
    CHECK(l.stats().streams_denied == 2);
    CHECK(l.stats().streams == 5);
}

TEST_CASE("limits: swarm: a connection with as many streams in its life as there can be makes way for another one") {
    mux_limits few;
    few.max_opened = 3;
    lab l{2, {}, few};
    for (auto &h : l.hosts) h->net.handle("/a", ignore);
    l[0].book[l.id(1)].push_back(l[1].address);
    REQUIRE_FALSE(l.dial(1, l[0].address)); // the other side's streams are not limited
    l.sim.run_for(11s); // this is no simultaneous dial
    for (int i = 0; i < 5; ++i) CHECK_FALSE(l.open(0, 1, "/a"));
    CHECK(l.stats().connections_opened == 2);
    CHECK(l.stats().streams_denied == 0);
    CHECK(l.stats().streams == 5); // those on the first one still work
    l.sim.run_for(10s);
    CHECK(l[0].net.connection_count() == 1);
    for (int i = 0; i < 5; ++i) CHECK_FALSE(l.open(1, 0, "/a"));
    CHECK(l.stats().connections_opened == 2);
}

TEST_CASE("limits: swarm: the bytes that nobody reads: of a stream, a connection, and all of them") {
    swarm_options few;
    few.max_buffered = 600 << 10;
    mux_limits small;
    small.max_buffered = 400 << 10;
    lab l{4, few, small};
    l[0].net.handle("/a", ignore);
    for (std::size_t i = 1; i < 4; ++i) REQUIRE_FALSE(l.dial(i, l[0].address));
    REQUIRE_FALSE(l.open(1, 0, "/a"));
    REQUIRE_FALSE(l.open(1, 0, "/a"));
    // a stream: its window; the writer waits
    task_group tasks{l.sim.get_executor()};
    std::error_code codes[4];
    tasks.spawn(pour(l.kept[0], 1 << 20, codes[0]));
    l.sim.run_for(500ms);
    CHECK(l.stats().mux.bytes_buffered <= yamux_initial_window);
    CHECK(l.stats().mux.bytes_buffered > yamux_initial_window - 100); // some of it was the choice of the protocol
    CHECK_FALSE(codes[0]);
    // a connection: a second such stream is reset
    tasks.spawn(pour(l.kept[1], 1 << 20, codes[1]));
    l.sim.run_for(100ms);
    CHECK(codes[1] == errc::reset);
    CHECK(l.stats().mux.streams_overrun == 1);
    CHECK(l[0].net.connection_count() == 3);
    // all: the connection that holds most is closed
    std::vector<stream> const first = std::move(l.kept);
    l.kept.clear();
    l.kept.reserve(2); // what is being written to must stay in place
    for (std::size_t i = 2; i < 4; ++i) {
        REQUIRE_FALSE(l.open(i, 0, "/a"));
        tasks.spawn(pour(l.kept.back(), i == 3 ? 200 << 10 : 1 << 20, codes[i]));
    }
    l.sim.run_for(2s);
    CHECK(l.stats().connections_overrun == 1);
    CHECK(l[0].net.is_connected(l.id(3))); // it holds less than the others
    CHECK(l[0].net.connection_count() == 2);
    CHECK(l.stats().mux.bytes_buffered <= few.max_buffered);
    tasks.cancel();
    l.sim.run(tasks.join());
}

TEST_CASE("limits: swarm: how far a fast stream's window grows; bytes are counted") {
    for (std::size_t const most : {std::size_t{256} << 10, std::size_t{16} << 20}) {
        CAPTURE(most);
        mux_limits narrow;
        narrow.max_stream_window = most;
        lab l{2, {}, narrow};
        l.network.options().latency = 20ms;
        l[0].net.handle("/a", swallow);
        REQUIRE_FALSE(l.dial(1, l[0].address));
        REQUIRE_FALSE(l.open(1, 0, "/a"));
        std::error_code code;
        l.sim.run(pour(l.kept.back(), 3 << 20, code));
        CHECK_FALSE(code);
        l.sim.run_for(1s);
        CHECK((l.stats().mux.windows_capped > 0) == (most == std::size_t{256} << 10));
        CHECK(l.stats().mux.bytes_received > std::uint64_t{3} << 20);
        CHECK(l.stats().mux.bytes_received < 3'200'000);
        CHECK(l[1].net.stats().mux.bytes_sent == l.stats().mux.bytes_received);
        l.kept.clear();
        l.sim.run(l[1].net.disconnect(l.id(0)));
        l.sim.run_for(5s);
        CHECK(l.stats().mux.bytes_received > std::uint64_t{3} << 20); // also when the connection has gone
    }
}

TEST_CASE("limits: requests: the bytes of all that arrive: they wait, and are refused after a while; a frame that is too large is not read") {
    swarm_options few;
    few.max_receiving = 800'000; // 200'000 of one peer, or one message
    lab l{4, few};
    serve_requests<keeping>(l[0].net, keep, 20s);
    for (std::size_t i = 1; i < 4; ++i) REQUIRE_FALSE(l.dial(i, l[0].address));
    std::error_code codes[8];
    task_group tasks{l.sim.get_executor()};
    for (std::size_t i = 1; i < 4; ++i) {
        tasks.spawn(ask(l[i].net, l.id(0), 500'000, codes[2 * i]));
        tasks.spawn(ask(l[i].net, l.id(0), 300'000, codes[2 * i + 1]));
    }
    l.sim.run_for(1s);
    CHECK(l.stats().requests_delayed > 0);
    CHECK(l.stats().bytes_receiving > 500'000);
    CHECK(l.stats().bytes_receiving <= few.max_receiving);
    l.sim.run(tasks.join());
    // Three seconds each, two of different peers at a time: whoever had to wait longer than ten seconds is told.
    std::size_t refused = 0;
    for (auto const &code : codes) {
        if (code) CHECK(code == errc::limit_exceeded);
        refused += code == errc::limit_exceeded;
    }
    CHECK(refused == l.stats().requests_refused);
    CHECK(l.stats().bytes_receiving == 0);

    std::error_code code;
    l.sim.run(ask(l[1].net, l.id(0), 900'000, code));
    CHECK(code == errc::limit_exceeded); // more than there can be
    CHECK(l.stats().requests_refused == refused + 1);
    code.clear();
    l.sim.run(ask(l[1].net, l.id(0), 700'000, code));
    CHECK_FALSE(code);

    REQUIRE_FALSE(l.open(1, 0, std::string{keeping::id}));
    auto const oversized = [](stream &s) -> awaitable<void> {
        bytes const header = from_hex("818080808001").value(); // 32 GiB follow
        co_await s.write(header);
    };
    l.sim.run(oversized(l.kept.back()));
    l.sim.run_for(1s);
    CHECK(l.stats().frames_too_large == 1);
    CHECK(l[0].net.is_connected(l.id(1)));
}

} // namespace swarm_limits_test
