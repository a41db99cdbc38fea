#include <gigi/file/rate_limiter.hpp>

#include <gigi/core/task_group.hpp>
#include <gigi/peer/identity.hpp>
#include <gigi/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <vector>

namespace rate_limiter_test {

using namespace gigi;
using namespace gigi::testing;

namespace {

std::vector<peer_id> some_peers(std::size_t count) {
    seeded_random random{1};
    std::vector<peer_id> all;
    while (all.size() < count) all.push_back(identity::generate(random).id());
    return all;
}

/// Streams that always want to pass, for some simulated time. @return the bytes of each peer
std::map<peer_id, std::uint64_t> run(rate_limiter &limiter, std::vector<peer_id> const &streams, duration span) {
    std::map<peer_id, std::uint64_t> passed;
    std::vector<std::optional<rate_limiter::ticket>> asked(streams.size());
    time_point now{1h};
    auto const end = now + span;
    while (now <= end) {
        for (std::size_t i = 0; i < streams.size(); ++i)
            if (!asked[i]) asked[i] = limiter.ask(streams[i], limiter.slice());
        limiter.advance(now);
        for (std::size_t i = 0; i < streams.size(); ++i)
            if (limiter.passed(*asked[i])) {
                passed[streams[i]] += limiter.slice();
                asked[i].reset();
            }
        now = std::max(limiter.next(), now + 1ns);
    }
    for (auto const &ticket : asked)
        if (ticket) limiter.withdraw(*ticket);
    return passed;
}

} // namespace

TEST_CASE("limits: rate_limiter: the bytes of any time are the rate's, whatever the rate and however many want to pass") {
    auto const peers = some_peers(5);
    for (std::uint64_t const rate : {1'000ull, 20'000ull, 1'000'000ull, 50'000'000ull})
        for (std::size_t const streams : {1u, 5u}) {
            rate_limiter limiter{rate};
            CAPTURE(rate);
            CAPTURE(streams);
            std::uint64_t total = 0;
            for (auto const &[peer, bytes] : run(limiter, {peers.begin(), peers.begin() + static_cast<std::ptrdiff_t>(streams)}, 20s)) total += bytes;
            CHECK(total <= 20 * rate + rate / 20 + limiter.slice());
            CHECK(total >= 19 * rate);
            CHECK(limiter.waiting() == 0);
        }
}

TEST_CASE("rate_limiter: peers share alike, however many streams each has") {
    auto const p = some_peers(2);
    rate_limiter limiter{100'000};
    auto const passed = run(limiter, {p[0], p[0], p[0], p[0], p[0], p[0], p[0], p[1]}, 60s);
    auto const greedy = static_cast<double>(passed.at(p[0])), modest = static_cast<double>(passed.at(p[1]));
    CHECK(modest / greedy == doctest::Approx(1).epsilon(0.02));
}

TEST_CASE("rate_limiter: turns by the table: a burst, then as the rate allows; a clock that goes back gives nothing") {
    auto const p = some_peers(1)[0];
    rate_limiter limiter{20'480}; // a slice and a burst of 1 KiB
    REQUIRE(limiter.slice() == 1024);
    time_point const start{1h};
    struct row {
        duration after;
        std::size_t passed; // of ten that ask for a slice each, in all
    };
    std::vector<rate_limiter::ticket> tickets;
    for (int i = 0; i < 10; ++i) tickets.push_back(limiter.ask(p, 1024));
    for (auto const &[after, passed] : {row{0ms, 2}, row{49ms, 2}, row{50ms, 3}, row{10ms, 3}, row{60ms, 3}, row{100ms, 4}, row{250ms, 6}, row{1h, 8}}) {
        CAPTURE(after.count());
        limiter.advance(start + after);
        CHECK(static_cast<std::size_t>(std::ranges::count_if(tickets, [&](auto t) { return limiter.passed(t); })) == passed);
    }
    CHECK(limiter.next() == start + 1h + 50ms);
    limiter.withdraw(tickets[8]);
    limiter.withdraw(tickets[9]);
    CHECK(limiter.waiting() == 0);
}

TEST_CASE("rate_limiter: no rate, no limit") {
    rate_limiter limiter{0};
    CHECK_FALSE(limiter.limited());
    auto const t = limiter.ask(some_peers(1)[0], 1 << 30);
    limiter.advance(time_point{1h});
    CHECK(limiter.passed(t));
    CHECK(limiter.next() <= time_point{1h});
}

TEST_CASE("limits: rate_gate: coroutines wait, are counted, and may be cancelled while they wait") {
    simulation sim;
    auto const p = some_peers(2);
    rate_gate gate{sim.get_executor(), 10'240};
    rate_gate open{sim.get_executor(), 0};
    CHECK_FALSE(rate_pass{}.limited());
    CHECK_FALSE(rate_pass{open, p[0]}.limited());
    CHECK(rate_pass{open, p[0]}.part_of(1'000'000) == 1'000'000);
    rate_pass const pass{gate, p[0]};
    CHECK(pass.part_of(1'000'000) == 1024);
    auto const start = sim.now();
    auto const send = [](rate_pass how, int times) -> awaitable<void> {
        for (int i = 0; i < times; ++i) co_await how.wait(1024);
    };
    sim.run(send(pass, 102));
    CHECK(sim.now() - start == 10'050ms); // half a slice is burst
    CHECK(gate.delayed() == 101);
    task_group tasks{sim.get_executor()};
    tasks.spawn(send(pass, 1'000'000));
    sim.run_for(1s);
    tasks.cancel();
    sim.run(tasks.join());
    auto const then = sim.now();
    sim.run(send(rate_pass{gate, p[1]}, 1));
    CHECK(sim.now() - then <= 200ms);
}

} // namespace rate_limiter_test
