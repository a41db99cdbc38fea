#include <gigi/testing/interruption.hpp>

#include <gigi/core/error.hpp>
#include <gigi/core/timeout.hpp>

#include <doctest/doctest.h>

#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace interruption_test {

using namespace gigi;
using namespace gigi::testing;

namespace {

awaitable<int> three_naps(int &done) {
    for (int i = 0; i < 3; ++i) {
        co_await sleep_for(1s);
        ++done;
    }
    co_return done;
}

awaitable<void> stubborn() {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await sleep_for(2h);
}

awaitable<void> forever(any_io_executor const &executor) {
    async_condition never{executor};
    co_await never.wait();
}

awaitable<void> wrong() {
    co_await sleep_for(1ms);
    throw std::logic_error{"wrong"};
}

/// Waits for its cue, and says that it had it.
awaitable<void> echo(async_condition &cue, std::string &trace, char mark) {
    co_await cue.wait();
    trace += mark;
}

awaitable<void> give_cue(async_condition &cue) {
    co_await sleep_for(1s);
    cue.notify_all();
}

} // namespace

TEST_CASE("interruption: an operation is cancelled at each of its steps, and ends by itself at the last") {
    int cancelled = 0, done = 0;
    std::uint64_t step = 0;
    for (;; ++step) {
        simulation sim;
        done = 0;
        auto const ended = cancel_at(sim, sim.get_executor(), three_naps(done), step);
        CHECK(ended.disturbed == (ended.steps > step || !ended.succeeded()));
        if (!ended.disturbed) break;
        if (ended.succeeded()) continue;
        CHECK(ended.code() == condition::cancelled);
        CHECK(ended.after == duration{});
        CHECK(done < 3);
        ++cancelled;
    }
    CHECK(cancelled >= 6); // before it began, and in each of the three waits both before and after time had passed
    CHECK(done == 3);
    CHECK(step >= 6);
}

TEST_CASE("interruption: also between two coroutines of one turn") {
    std::set<std::string> seen;
    for (std::uint64_t step = 0;; ++step) {
        simulation sim;
        async_condition cue{sim.get_executor()};
        std::string trace;
        for (char const mark : {'a', 'b'}) asio::co_spawn(sim.get_executor(), echo(cue, trace, mark), [](std::exception_ptr) {});
        asio::co_spawn(sim.get_executor(), give_cue(cue), [](std::exception_ptr) {});
        auto const ended = disturb_at(sim, sim.get_executor(), echo(cue, trace, 'c'), step, [&] { trace += '!'; });
        CHECK(ended.succeeded());
        if (!ended.disturbed) break;
        seen.insert(trace);
    }
    CHECK(seen == std::set<std::string>{"!abc", "a!bc", "ab!c"});
}

TEST_CASE("interruption: another disturbance, what is thrown, and what hangs") {
    simulation sim;
    std::vector<int> calls;
    int done = 0;
    auto const ended = disturb_at(sim, sim.get_executor(), three_naps(done), 2, [&] { calls.push_back(done); });
    CHECK(ended.succeeded());
    CHECK(ended.disturbed);
    CHECK(ended.after > 1s);
    CHECK(calls.size() == 1);
    CHECK(ended.message().empty());
    CHECK(!ended.code());

    auto const failed = cancel_at(sim, sim.get_executor(), wrong(), 100);
    CHECK(failed.message() == "wrong");
    CHECK_THROWS_AS(static_cast<void>(failed.code()), std::logic_error);
    CHECK_FALSE(failed.disturbed);

    CHECK_THROWS_WITH_AS(cancel_at(sim, sim.get_executor(), stubborn(), 1, 1h), doctest::Contains("takes too long"), std::runtime_error);
    simulation other;
    any_io_executor const executor = other.get_executor();
    CHECK_THROWS_WITH_AS(disturb_at(other, executor, forever(executor), 0, [] {}), doctest::Contains("hangs"), std::runtime_error);
}

TEST_CASE("interruption: a simulation in single steps") {
    simulation sim;
    CHECK_FALSE(sim.step());
    int done = 0;
    asio::co_spawn(sim.get_executor(), three_naps(done), [](std::exception_ptr, int) {});
    auto const begin = sim.now();
    int steps = 0;
    while (sim.step()) ++steps;
    CHECK(done == 3);
    CHECK(steps >= 6);
    CHECK(sim.now() - begin == 3s);
}

} // namespace interruption_test
