#include <gigi/gossip/peer_link.hpp>

#include <doctest/doctest.h>

namespace peer_link_test {

using namespace gigi;

TEST_CASE("verification_budget: a second's worth at once, then at the rate, and no more saved up than that") {
    time_point now{std::chrono::hours{1}};
    verification_budget budget;
    for (int i = 0; i < 100; ++i) CHECK(budget.take(now, 100) == duration::zero());
    duration waited{};
    for (int i = 0; i < 200; ++i) {
        auto const wait = budget.take(now, 100);
        waited += wait;
        now += wait;
    }
    CHECK(waited >= 1900ms);
    CHECK(waited <= 2100ms);
    now += 1h;
    int at_once = 0;
    while (budget.take(now, 100) == duration::zero()) ++at_once;
    CHECK(at_once == 100);
}

} // namespace peer_link_test
