#include <gigi/core/uninterrupted.hpp>

#include <gigi/core/clock.hpp>
#include <gigi/core/error.hpp>
#include <gigi/testing/interruption.hpp>
#include <gigi/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <system_error>

namespace uninterrupted_test {

using namespace gigi;
using namespace gigi::testing;
using namespace std::chrono_literals;

namespace {

awaitable<void> in_steps(int &steps) {
    for (int i = 0; i < 5; ++i) {
        co_await sleep_for(10ms);
        ++steps;
    }
}
awaitable<void> fail_late() {
    co_await sleep_for(10ms);
    throw error{errc::io_error, "late"};
}
awaitable<void> then_more(int &steps, bool &more) {
    co_await uninterrupted(in_steps(steps));
    co_await sleep_for(10ms);
    more = true;
}

} // namespace

TEST_CASE("uninterrupted: a task goes on to its end at whatever step its caller is cancelled, who learns it then") {
    for (std::uint64_t step = 0;; ++step) {
        CAPTURE(step);
        simulation sim;
        int steps = 0;
        bool more = false;
        auto const ended = cancel_at(sim, sim.get_executor(), then_more(steps, more), step, 1s);
        if (step > 0) CHECK(steps == 5);
        CHECK(more == ended.succeeded());
        if (!ended.succeeded()) CHECK(ended.code() == condition::cancelled);
        if (!ended.disturbed) {
            CHECK(step > 5);
            break;
        }
    }
}

TEST_CASE("uninterrupted: throws what the task throws") {
    simulation sim;
    CHECK_THROWS_AS(sim.run(uninterrupted(fail_late())), error);
}

} // namespace uninterrupted_test
