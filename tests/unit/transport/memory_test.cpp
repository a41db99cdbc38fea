#include <gigi/transport/memory.hpp>

#include <gigi/core/stream.hpp>
#include <gigi/core/task_group.hpp>
#include <gigi/core/timeout.hpp>
#include <gigi/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <optional>

namespace memory_test {

using namespace gigi;
using namespace gigi::testing;

namespace {

multiaddr at(char const *text) { return multiaddr::parse(text).value(); }

awaitable<void> try_dial(memory_transport &from, multiaddr to) { auto const made = co_await from.dial(to); }
awaitable<void> try_accept(memory_listener &from) { auto const made = co_await from.accept(); }

awaitable<void> send(memory_connection &to, bytes const &data) {
    co_await to.write(bytes_view{data});
    to.close_write();
}

awaitable<bytes> receive(memory_connection &from, random_source &random) {
    bytes all, buffer(5000);
    for (;;) {
        mutable_bytes const room = mutable_bytes{buffer}.first(1 + random.below(buffer.size()));
        std::size_t const n = co_await from.read_some(room);
        if (n == 0) break;
        append(all, bytes_view{buffer}.first(n));
    }
    co_return all;
}

/// Two hosts and a connection between them.
struct pair_of_ends {
    explicit pair_of_ends(memory_network_options const &how = {}) : sim{3}, network{sim.get_executor(), sim.random(), how} { sim.run(connect()); }
    awaitable<void> connect() {
        out.emplace(co_await here.dial(listener.local_address()));
        in.emplace(co_await listener.accept());
    }
    simulation sim;
    memory_network network;
    memory_transport here{network, "10.0.0.1"}, there{network, "10.0.0.2"};
    memory_listener listener = there.listen(at("/ip4/10.0.0.2/tcp/4001"));
    std::optional<memory_connection> out, in;
};

/// Sends all of it and waits until it has arrived.
awaitable<void> carry(memory_connection &from, memory_connection &to, bytes const &data) {
    auto const executor = co_await asio::this_coro::executor;
    task_group sending{executor};
    sending.spawn(send(from, data));
    bytes got(data.size());
    mutable_bytes const room{got};
    co_await read_exactly(to, room);
    co_await sending.join();
    CHECK(got == data);
}

awaitable<void> write_only(memory_connection &to, bytes const &data) { co_await to.write(bytes_view{data}); }

awaitable<std::size_t> read_once(memory_connection &from) {
    bytes buffer(100);
    mutable_bytes const room{buffer};
    std::size_t const n = co_await from.read_some(room);
    co_return n;
}

} // namespace

TEST_CASE("memory network: bytes arrive whole and in order, whatever the network does to them") {
    for (bool const split : {false, true}) {
        simulation sim{3};
        memory_network_options how;
        how.split = split;
        how.jitter = 4ms;
        how.window = 4000;
        memory_network network{sim.get_executor(), sim.random(), how};
        memory_transport here{network, "10.0.0.1"}, there{network, "10.0.0.2"};
        auto listener = there.listen(at("/ip4/10.0.0.2/tcp/4001"));
        bytes data(30'000);
        sim.random().fill(data);
        auto const exchange = [&]() -> awaitable<void> {
            memory_connection out = co_await here.dial(listener.local_address());
            memory_connection in = co_await listener.accept();
            task_group sending{sim.get_executor()};
            sending.spawn(send(out, data));
            bytes const got = co_await receive(in, sim.random());
            co_await sending.join();
            CHECK(got == data);
            CHECK(in.remote_address().ip_text() == "10.0.0.1");
            CHECK(out.remote_address() == listener.local_address());
        };
        sim.run(exchange());
    }
}

TEST_CASE("memory network: refused, unreachable, cut and closed connections say so") {
    simulation sim{3};
    memory_network network{sim.get_executor(), sim.random()};
    memory_transport here{network, "10.0.0.1"}, there{network, "10.0.0.2"};
    auto const code_of = [&](auto make) {
        try {
            sim.run(make());
        } catch (std::system_error const &e) {
            return e.code();
        }
        return std::error_code{};
    };
    CHECK(code_of([&] { return try_dial(here, at("/ip4/10.0.0.2/tcp/1")); }) == errc::refused);
    auto listener = there.listen(at("/ip4/10.0.0.2/tcp/4001"));
    CHECK_THROWS_AS((void)there.listen(at("/ip4/10.0.0.2/tcp/4001")), error);
    network.separate("10.0.0.1", "10.0.0.2");
    CHECK(code_of([&] { return try_dial(here, listener.local_address()); }) == errc::unreachable);
    network.join("10.0.0.1", "10.0.0.2");
    auto const cut = [&]() -> awaitable<void> {
        memory_connection out = co_await here.dial(listener.local_address());
        memory_connection in = co_await listener.accept();
        network.cut("10.0.0.1");
        co_await receive(in, sim.random());
    };
    CHECK(code_of(cut) == errc::reset);
    auto const closed = [&]() -> awaitable<void> {
        memory_connection out = co_await here.dial(listener.local_address());
        memory_connection in = co_await listener.accept();
        out.close();
        bytes const got = co_await receive(in, sim.random());
        CHECK(got.empty());
        bytes const more(10);
        co_await in.write(bytes_view{more});
    };
    CHECK(code_of(closed) == condition::closed);
    listener.close();
    CHECK(code_of([&] { return try_accept(listener); }) == errc::closed);
}

TEST_CASE("memory network: bandwidth is what a connection carries a second, each way for itself") {
    memory_network_options how;
    how.bandwidth = 1'000'000;
    how.latency = 10ms;
    pair_of_ends p{how};
    bytes const data(3'000'000, 7);
    auto const both = [&]() -> awaitable<void> {
        task_group ways{p.sim.get_executor()};
        ways.spawn(carry(*p.out, *p.in, data));
        ways.spawn(carry(*p.in, *p.out, data));
        co_await ways.join();
    };
    auto const start = p.sim.now();
    p.sim.run(both());
    CHECK(p.sim.now() - start >= 3s);
    CHECK(p.sim.now() - start < 3100ms);
}

TEST_CASE("memory network: a silent line loses nothing, tells nobody, and goes on where it was") {
    pair_of_ends p;
    p.network.silence("10.0.0.2", "10.0.0.1");
    bytes const data(1000, 7);
    p.sim.run(write_only(*p.out, data)); // into the line: the writer learns nothing
    CHECK_THROWS_AS(p.sim.run(with_timeout(read_once(*p.in), 1min)), std::system_error);
    CHECK_THROWS_AS(p.sim.run(with_timeout(try_dial(p.here, p.listener.local_address()), 1min)), std::system_error); // hangs
    p.network.join("10.0.0.1", "10.0.0.2");
    CHECK(p.sim.run(read_once(*p.in)) == 100);
    p.sim.run(try_dial(p.here, p.listener.local_address()));
}

TEST_CASE("memory network: a dial that hangs in silence goes on when the line is back") {
    pair_of_ends p;
    p.network.silence("10.0.0.1", "10.0.0.2");
    auto const later = [&]() -> awaitable<void> {
        co_await sleep_for(5s);
        p.network.join("10.0.0.1", "10.0.0.2");
    };
    task_group background{p.sim.get_executor()};
    background.spawn(later());
    auto const start = p.sim.now();
    p.sim.run(try_dial(p.here, p.listener.local_address()));
    CHECK(p.sim.now() - start >= 5s);
    p.sim.run(background.join());
}

TEST_CASE("memory network: separating two hosts breaks their connections and no others") {
    pair_of_ends p;
    memory_transport third{p.network, "10.0.0.3"};
    std::optional<memory_connection> other, accepted;
    auto const connect = [&]() -> awaitable<void> {
        other.emplace(co_await third.dial(p.listener.local_address()));
        accepted.emplace(co_await p.listener.accept());
    };
    p.sim.run(connect());
    p.network.separate("10.0.0.2", "10.0.0.1");
    CHECK_THROWS_AS(p.sim.run(read_once(*p.in)), std::system_error);
    bytes const data(1000, 7);
    p.sim.run(carry(*other, *accepted, data));
}

TEST_CASE("memory network: a writer that waits for room hears of the end of its direction") {
    memory_network_options how;
    how.window = 100;
    pair_of_ends p{how};
    bytes const data(1000, 7);
    std::error_code code;
    auto const write = [&]() -> awaitable<void> {
        try {
            co_await p.out->write(bytes_view{data});
        } catch (std::system_error const &e) {
            code = e.code();
        }
    };
    task_group writing{p.sim.get_executor()};
    writing.spawn(write());
    p.sim.run_for(1s);
    p.out->close_write();
    p.sim.run(writing.join());
    CHECK(code == errc::closed);
}

TEST_CASE("memory network: who dialled a listener that is closed hears of it") {
    pair_of_ends p;
    std::optional<memory_connection> unaccepted;
    auto const connect = [&]() -> awaitable<void> { unaccepted.emplace(co_await p.here.dial(p.listener.local_address())); };
    p.sim.run(connect());
    p.listener.close();
    CHECK_THROWS_AS(p.sim.run(read_once(*unaccepted)), std::system_error);
}

TEST_CASE("memory network: hosts with IPv6 addresses have ports of their own, too") {
    simulation sim{3};
    memory_network network{sim.get_executor(), sim.random()};
    memory_transport here{network, "fd00::1"}, there{network, "fd00::2"};
    auto const listener = there.listen(at("/ip6/fd00::2/tcp/0"));
    sim.run(try_dial(here, listener.local_address()));
    CHECK(listener.local_address().tcp_port() != 0);
}

TEST_CASE("memory network: a connection breaks where it is told to: after so many bytes, in one direction, with notice or without") {
    for (auto const what : {memory_fault::reset, memory_fault::silence}) {
        pair_of_ends p;
        CHECK(p.network.connections() == 1);
        p.network.fail_after("10.0.0.1", "10.0.0.2", 1500, what);
        bytes const data(1000, 7);
        p.sim.run(carry(*p.in, *p.out, bytes(5000, 3))); // the other direction does not count
        p.sim.run(write_only(*p.out, data));
        p.sim.run_for(1s);
        CHECK(p.network.fault_pending());
        std::size_t got = 0;
        std::error_code code;
        auto const send_more = [&]() -> awaitable<void> {
            co_await p.out->write(bytes_view{data});
            bytes buffer(700);
            mutable_bytes const room{buffer};
            try {
                for (;;) got += co_await with_timeout(p.in->read_some(room), 10s);
            } catch (std::system_error const &e) {
                code = e.code();
            }
        };
        p.sim.run(send_more());
        CHECK_FALSE(p.network.fault_pending());
        CHECK(got == 1500);
        CHECK(code == (what == memory_fault::reset ? errc::reset : errc::timed_out));
        p.sim.run(try_dial(p.here, p.listener.local_address())); // others are not touched
        p.out.reset();
        p.in.reset();
    }
}

} // namespace memory_test
