#include <gigi/node/redial.hpp>

#include "unit/node/some_peers.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace gigi;

TEST_CASE("redial: wanted peers are due at once, then with growing pauses, until they connect; a muted one is left alone") {
    auto const peers = some_peers(3);
    redial_policy policy;
    time_point now{1h};
    policy.want(peers[0], 1, now);
    CHECK(policy.due(now, 10) == std::vector{peers[0]});
    CHECK(policy.due(now, 10).empty()); // busy
    std::vector<duration> pauses;
    for (int i = 0; i < 9; ++i) {
        policy.failed(peers[0], now);
        pauses.push_back(*policy.next() - now);
        now = *policy.next();
        CHECK(policy.due(now - 1ns, 10).empty());
        CHECK(policy.due(now, 10).size() == 1);
    }
    CHECK(pauses == std::vector<duration>{1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s, 60s});
    policy.connected(peers[0]);
    CHECK_FALSE(policy.next());
    policy.disconnected(peers[0], now);
    CHECK(*policy.next() - now == 1s);
    policy.mute(peers[0]);
    CHECK_FALSE(policy.next());
    policy.connected(peers[0]); // it came by itself
    policy.disconnected(peers[0], now);
    CHECK(policy.next());
    policy.want(peers[0], 2, now);
    policy.unwant(peers[0], 1);
    CHECK(policy.wants(peers[0]));
    policy.unwant(peers[0], 2);
    CHECK_FALSE(policy.wants(peers[0]));
}

TEST_CASE("T15: redial: what strangers announce is bounded") {
    redial_policy policy{100};
    for (auto const &peer : some_peers(110)) policy.want(peer, 1, time_point{1h});
    CHECK(policy.due(time_point{2h}, 1'000'000).size() == 100);
}
