// Floods of connections: T29. Over TCP with real sockets, and over the memory network from many hosts.
#include "attacks/arena.hpp"

#include <gigi/testing/run_test.hpp>
#include <gigi/transport/tcp.hpp>

#include <chrono>
#include <cstdio>
#include <vector>

#include <sys/resource.h>

namespace flood_test {

using namespace attacks;

namespace {

/// Connections that the machine lets one process have at both ends, at most `wanted`.
std::size_t affordable(std::size_t wanted) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    return std::min<std::size_t>(wanted, limit.rlim_cur > 1000 ? limit.rlim_cur - 500 : 250);
}

struct tcp_stack {
    using transport = tcp_transport;
    template <class Raw> using secure = noise<Raw>;
    template <class Channel> using muxer = yamux<Channel>;
};

struct tcp_host {
    explicit tcp_host(any_io_executor const &executor)
        : self{identity::generate()}, net{executor, self, {}, [](peer_id const &) { return std::vector<multiaddr>(); }} {
        net.add(std::make_unique<stack_connector<tcp_stack>>(tcp_transport{executor}, self));
        net.start();
        ping::serve(net);
    }
    identity self;
    swarm net;
};

struct latency {
    std::vector<double> milliseconds;
    bool over = false;
};

awaitable<void> ping_until_over(swarm &from, peer_id to, latency &seen) {
    while (!seen.over) {
        duration const taken = co_await ping::measure(from, to, 10s);
        seen.milliseconds.push_back(std::chrono::duration<double, std::milli>(taken).count());
        co_await sleep_for(2ms);
    }
}

awaitable<void> flood_over_tcp() {
    auto const executor = co_await asio::this_coro::executor;
    std::size_t const count = affordable(10'000);
    tcp_host victim{executor}, honest{executor};
    auto const address = victim.net.listen(multiaddr::parse("/ip4/127.0.0.1/tcp/0").value()).with_peer(victim.self.id());
    (void)co_await honest.net.dial(address);
    (void)co_await ping::measure(honest.net, victim.self.id(), 10s);
    latency seen;
    task_group tasks{executor};
    tasks.spawn(ping_until_over(honest.net, victim.self.id(), seen));
    memory_meter::span const used;
    std::size_t sockets = 0, most = 0;
    {
        std::vector<asio::ip::tcp::socket> held;
        held.reserve(count);
        memory_meter::span const theirs;
        bytes const start = multistream_offer("/noise");
        asio::ip::tcp::endpoint const to{asio::ip::make_address("127.0.0.1"), *address.tcp_port()};
        for (std::size_t i = 0; i < count; ++i) {
            asio::ip::tcp::socket one{executor};
            asio::error_code code;
            one.open(asio::ip::tcp::v4(), code);
            one.bind({asio::ip::address_v4{static_cast<asio::ip::address_v4::uint_type>(0x7f000002 + i % 200)}, 0}, code); // many hosts, where the system has them all
            auto ignoring = asio::redirect_error(use_awaitable, code);
            co_await one.async_connect(to, ignoring);
            if (code) continue;
            ++sockets;
            one.send(asio::buffer(start.data(), i % start.size()), 0, code);
            held.push_back(std::move(one)); // and never a word more
        }
        most = theirs.most();
        auto const links = victim.net.stats();
        CHECK(links.handshakes_refused + links.handshakes_failed + 128 >= sockets); // on a slow machine some have had their time
        CHECK(victim.net.connection_count() == 1);
    }
    seen.over = true;
    co_await tasks.join();
    std::ranges::sort(seen.milliseconds);
    REQUIRE_FALSE(seen.milliseconds.empty());
    double const median = seen.milliseconds[seen.milliseconds.size() / 2], worst = seen.milliseconds.back();
    MESSAGE(sockets, " half-open TCP connections: ", most / 1024, " KiB at most, both ends; ", seen.milliseconds.size(),
            " honest pings meanwhile: median ", median, " ms, worst ", worst, " ms of real time");
    CHECK(sockets > count / 2);
    CHECK(most < 16 * 1024 * 1024);
    CHECK(worst < 5000);
    (void)co_await ping::measure(honest.net, victim.self.id(), 10s);
    co_await honest.net.stop();
    co_await victim.net.stop();
}

} // namespace

TEST_CASE("T29: flood: 10,000 half-open TCP connections from many hosts: few are kept, and an honest peer's messages go through") {
    run_test(flood_over_tcp, 120s);
}

TEST_CASE("T29: flood: 10,000 half-open connections from 100 hosts, held for as long as one lets them") {
    arena a;
    a.pings.begin();
    a.sim.run_for(1s);
    std::vector<memory_connection> held;
    held.reserve(10'000);
    memory_meter::span const used;
    auto const flood = [&]() -> awaitable<void> {
        bytes const start = multistream_offer("/noise");
        for (int i = 0; i < 10'000; ++i) {
            memory_transport from{a.network, "10.0.7." + std::to_string(i % 100)};
            memory_connection one = co_await from.dial(a.victim.address.without_peer());
            bytes_view const beginning = bytes_view{start}.first(static_cast<std::size_t>(i) % start.size());
            if (!beginning.empty()) co_await one.write(beginning);
            held.push_back(std::move(one));
        }
    };
    a.sim.run(flood());
    CHECK(a.victim.net.stats().handshakes_refused + a.victim.net.stats().handshakes_failed >= 10'000 - 128);
    CHECK(used.most() < 48 * 1024 * 1024);
    MESSAGE("10,000 half-open connections: ", used.most() / 1024, " KiB at most, of that most is the network's own; ", a.pings.summary("pings"));
    a.check_honest();
    held.clear();
    a.sim.run_for(15s);
    CHECK(a.victim.net.connection_count() == 1);
    a.sim.run(a.connected()); // the network forgets what is gone when somebody dials
    CHECK(used.held() < 4 * 1024 * 1024);
}

TEST_CASE("T29: flood: a host that holds as many handshakes as it gets does not keep others out") {
    arena a;
    std::vector<memory_connection> held;
    auto const flood = [&]() -> awaitable<void> {
        memory_transport from{a.network, "10.0.0.66"};
        for (int i = 0; i < 1000; ++i) {
            memory_connection one = co_await from.dial(a.victim.address.without_peer());
            held.push_back(std::move(one));
        }
    };
    a.sim.run(flood());
    for (int i = 0; i < 20; ++i) {
        memory_host newcomer{a.network, "10.0.8." + std::to_string(i + 1), a.sim.random()};
        std::error_code refused;
        auto const come = [&]() -> awaitable<void> {
            try {
                co_await newcomer.connect(a.victim);
            } catch (std::system_error const &e) {
                refused = e.code();
            }
        };
        a.sim.run(come());
        CHECK_FALSE(refused);
        if (!refused) CHECK(a.sim.run(ping::measure(newcomer.net, a.victim.id(), 5s)) < 100ms);
        a.sim.run(newcomer.net.stop());
    }
    CHECK(a.victim.net.stats().handshakes_refused >= 1000 - 128);
    a.sim.run_for(15s);
}

} // namespace flood_test
