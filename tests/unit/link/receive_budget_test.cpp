#include <gigi/link/receive_budget.hpp>

#include <gigi/core/task_group.hpp>
#include <gigi/peer/identity.hpp>
#include <gigi/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

namespace receive_budget_test {

using namespace gigi;
using namespace gigi::testing;

namespace {

std::vector<peer_id> some_peers(std::size_t count) {
    seeded_random random{1};
    std::vector<peer_id> all;
    while (all.size() < count) all.push_back(identity::generate(random).id());
    return all;
}

/// Readers of messages; each notes when it may begin, holds its share for some time, and gives it back.
struct world {
    explicit world(std::size_t total) : budget{sim.get_executor(), total}, tasks{sim.get_executor()}, start{sim.now()} {}
    simulation sim;
    receive_budget budget;
    task_group tasks;
    time_point start;
    std::string log; ///< names in the order in which they began, or were refused
    std::size_t most = 0;

    void reads(char name, peer_id who, std::size_t size, duration holds, duration patience = 1h) {
        tasks.spawn(read(name, who, size, holds, patience));
        sim.run_for(1ms);
    }
    awaitable<void> read(char name, peer_id who, std::size_t size, duration holds, duration patience) {
        receive_budget::share held;
        std::error_code failed;
        try {
            held = co_await budget.take(who, size, patience);
        } catch (std::system_error const &e) {
            failed = e.code();
        }
        if (failed == condition::cancelled) co_return;
        if (failed) CHECK(failed == errc::limit_exceeded);
        (log += failed ? '!' : ' ') += name;
        if (failed) co_return;
        most = std::max(most, budget.held());
        co_await sleep_for(holds);
    }
    void end() {
        tasks.cancel();
        sim.run(tasks.join());
        CHECK(budget.held() == 0);
    }
};

} // namespace

TEST_CASE("limits: receive_budget: what fits goes at once; the others wait, are counted, and are refused after a while") {
    auto const p = some_peers(5);
    world w{100};
    for (std::size_t i = 0; i < 4; ++i) w.reads(static_cast<char>('a' + i), p[i], 25, 10s);
    CHECK(w.log == " a b c d");
    w.reads('e', p[4], 10, 10s, 5s);
    w.reads('f', p[4], 20, 1s, 30s);
    CHECK(w.log == " a b c d");
    CHECK(w.budget.delayed() == 2);
    w.sim.run_for(6s);
    CHECK(w.log == " a b c d!e");
    CHECK(w.budget.refused() == 1);
    w.sim.run_for(6s);
    CHECK(w.log == " a b c d!e f");
    w.reads('g', p[0], 101, 1s);
    CHECK(w.log == " a b c d!e f!g"); // never fits
    CHECK(w.budget.refused() == 2);
    w.end();
}

TEST_CASE("limits: receive_budget: one peer gets a quarter, or one message; the others do not notice it") {
    auto const p = some_peers(3);
    world w{100};
    for (char name : {'a', 'b', 'c', 'd'}) w.reads(name, p[0], 10, 10s);
    CHECK(w.log == " a b");
    w.reads('e', p[1], 70, 20s); // more than a quarter, but one
    w.reads('f', p[1], 1, 1s);
    w.reads('g', p[2], 5, 1s);
    CHECK(w.log == " a b e g");
    w.sim.run_for(11s);
    CHECK(w.log == " a b e g c d");
    w.sim.run_for(11s);
    CHECK(w.log == " a b e g c d f");
    CHECK(w.most == 95);
    w.end();
}

TEST_CASE("receive_budget: small ones do not overtake a large one for ever, and peers take turns") {
    auto const p = some_peers(4);
    world w{100};
    w.reads('a', p[0], 25, 10s);
    w.reads('b', p[1], 90, 1s); // waits for a
    for (char name : {'c', 'd', 'e'}) w.reads(name, p[2], 5, 1s);
    w.reads('f', p[3], 5, 1s);
    CHECK(w.log == " a");
    w.sim.run_for(15s);
    CHECK(w.log == " a b c f d e");
    w.end();
}

TEST_CASE("receive_budget: who is cancelled while waiting makes way") {
    auto const p = some_peers(3);
    world w{100};
    w.reads('a', p[0], 50, 10s);
    task_group other{w.sim.get_executor()};
    other.spawn(w.read('b', p[1], 90, 1s, 1h));
    w.sim.run_for(1ms);
    w.reads('c', p[2], 10, 1s);
    CHECK(w.log == " a");
    other.cancel();
    w.sim.run(other.join());
    w.sim.run_for(1ms);
    CHECK(w.log == " a c");
    w.reads('z', p[1], 0, 1s); // nothing is something
    w.reads('z', p[1], 0, 1s);
    w.end();
}

TEST_CASE("receive_budget: a share moves") {
    auto const p = some_peers(1)[0];
    simulation sim;
    receive_budget budget{sim.get_executor(), 100};
    receive_budget::share a = sim.run(budget.take(p, 20, 1s));
    receive_budget::share b{std::move(a)};
    CHECK(budget.held() == 20);
    a = std::move(b);
    b = sim.run(budget.take(p, 0, 1s));
    CHECK(budget.held() == 21);
    a = std::move(b);
    CHECK(budget.held() == 1);
    a = receive_budget::share{};
    CHECK(budget.held() == 0);
}

} // namespace receive_budget_test
