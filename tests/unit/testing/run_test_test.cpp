#include <gigi/testing/run_test.hpp>

#include <gigi/core/clock.hpp>
#include <gigi/core/condition.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>

namespace run_test_test {

using namespace gigi;
using namespace gigi::testing;

TEST_CASE("run_test: runs the coroutine to its end, with what its function captured, and passes failures on") {
    int runs = 0;
    run_test([&runs, kept = std::make_unique<int>(3)]() -> awaitable<void> {
        co_await sleep_for(1ms);
        runs += *kept;
    });
    CHECK(runs == 3);
    auto const fail = []() -> awaitable<void> {
        co_await sleep_for(1ms);
        throw std::runtime_error{"oops"};
    };
    CHECK_THROWS_WITH_AS(run_test(fail), "oops", std::runtime_error);
}

TEST_CASE("run_test: a test that does not end in time is a failure, and is taken down in order") {
    auto const wait = []() -> awaitable<void> {
        auto const executor = co_await asio::this_coro::executor;
        async_condition never{executor};
        co_await never.wait();
    };
    CHECK_THROWS_WITH_AS(run_test(wait, 10ms), doctest::Contains("limit"), std::runtime_error);
    auto const sleep = []() -> awaitable<void> { co_await sleep_for(1h); };
    CHECK_THROWS_WITH_AS(run_test(sleep, 10ms), doctest::Contains("limit"), std::runtime_error);
}

} // namespace run_test_test
