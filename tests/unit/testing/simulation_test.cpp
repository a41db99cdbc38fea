#include <gigi/testing/simulation.hpp>

#include <gigi/core/timeout.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace simulation_test {

using namespace gigi;
using namespace gigi::testing;

namespace {

awaitable<int> late(duration span) {
    co_await sleep_for(span);
    co_return 7;
}

awaitable<void> never(async_condition &c) { co_await c.wait(); }

awaitable<void> spin() {
    auto const executor = co_await asio::this_coro::executor;
    for (;;) co_await asio::post(executor, use_awaitable);
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

TEST_CASE("simulation: a host that sleeps finds all that was due late, in its order") {
    simulation sim{1};
    std::vector<duration> late_by;
    auto const start = sim.now();
    alarm_timer first{sim.get_executor()}, second{sim.get_executor()};
    second.set(start + 2h, [&] { late_by.push_back(sim.now() - start - 2h); });
    first.set(start + 1h, [&] { late_by.push_back(sim.now() - start - 1h); });
    sim.sleep(8h);
    CHECK(late_by == std::vector<duration>{7h, 6h});
}

TEST_CASE("simulation: a deadlock and an endless wait are errors, not a hang") {
    simulation sim{1};
    async_condition c{sim.get_executor()};
    CHECK_THROWS_WITH_AS(sim.run(never(c)), doctest::Contains("deadlock"), std::runtime_error);
    CHECK_THROWS_WITH_AS(sim.run(late(2h), 1h), doctest::Contains("limit"), std::runtime_error);
}

TEST_CASE("simulation: work without end while time stands still is an error, not a hang") {
    simulation sim{1, 1000};
    CHECK(sim.run(late(1s)) == 7);
    CHECK_THROWS_WITH_AS(sim.run(spin()), doctest::Contains("livelock"), std::runtime_error);
}

TEST_CASE("simulation: the same seed gives the same numbers") {
    simulation a{5}, b{5}, c{6};
    auto const first = a.random().next();
    CHECK(first == b.random().next());
    CHECK(first != c.random().next());
}

TEST_CASE("simulation: the wall clock can be turned, and nothing that waits notices") {
    simulation sim{1};
    context_clock const clock{sim.get_executor()};
    auto const before = clock.wall_now();
    auto const start = clock.now();
    sim.turn_clock(-24h);
    CHECK(before - clock.wall_now() == 24h);
    CHECK(sim.run(late(1s)) == 7);
    CHECK(clock.now() - start == 1s);
    CHECK(before - clock.wall_now() == 24h - 1s);
}

} // namespace simulation_test
