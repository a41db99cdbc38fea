#include <gigi/testing/simulation.hpp>
#include <gigi/transport/memory.hpp>

#include <gigi/core/stream.hpp>
#include <gigi/core/task_group.hpp>
#include <gigi/core/timeout.hpp>

#include <doctest/doctest.h>

using namespace gigi;
using namespace gigi::testing;

namespace {

awaitable<int> late(duration span) {
    co_await sleep_for(span);
    co_return 7;
}

awaitable<void> never(async_condition &c) { co_await c.wait(); }

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

} // namespace

TEST_CASE("simulation: hours pass at once, and values and failures come out") {
    simulation sim{1};
    auto const start = sim.now();
    CHECK(sim.run(late(5h)) == 7);
    CHECK(sim.now() - start == 5h);
    sim.run_for(10min);
    CHECK(sim.now() - start == 5h + 10min);
    CHECK_THROWS_AS(sim.run(with_timeout(late(1h), 1s)), std::system_error);
}

TEST_CASE("simulation: a deadlock and an endless wait are errors, not a hang") {
    simulation sim{1};
    async_condition c{sim.get_executor()};
    CHECK_THROWS_WITH_AS(sim.run(never(c)), doctest::Contains("deadlock"), std::runtime_error);
    CHECK_THROWS_WITH_AS(sim.run(late(2h), 1h), doctest::Contains("limit"), std::runtime_error);
}

TEST_CASE("simulation: the same seed gives the same numbers") {
    simulation a{5}, b{5}, c{6};
    auto const first = a.random().next();
    CHECK(first == b.random().next());
    CHECK(first != c.random().next());
}

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
