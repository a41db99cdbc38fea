#include <gigi/node/redial.hpp>

#include "unit/node/some_peers.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <vector>

namespace redial_test {

using namespace gigi;
using namespace std::chrono_literals;

namespace {

constexpr auto found = redial_policy::discovered, listed = redial_policy::bootstrap;

/// An hour of dials of one kind, `at_once` of them, each of which takes as long as it may and fails. @return how many were to each peer
std::map<peer_id, int> hour_of_failures(redial_policy &policy, redial_policy::reason kind, std::size_t at_once) {
    std::map<peer_id, int> dials;
    std::multimap<time_point, peer_id> ends;
    time_point const start{1h};
    for (auto now = start; now < start + 1h; now += 1s) {
        for (; !ends.empty() && ends.begin()->first <= now; ends.erase(ends.begin())) policy.failed(ends.begin()->second, now);
        for (auto const &peer : policy.due(kind, now, at_once - ends.size())) {
            ++dials[peer];
            ends.emplace(now + 15s, peer);
        }
    }
    return dials;
}

} // namespace

TEST_CASE("redial: wanted peers are due at once, then with growing pauses, until they connect; a muted one is left alone") {
    auto const peers = some_peers(3);
    redial_policy policy;
    time_point now{1h};
    policy.want(peers[0], found, now);
    CHECK(policy.due(found, now, 10) == std::vector{peers[0]});
    CHECK(policy.due(found, now, 10).empty()); // busy
    std::vector<duration> pauses;
    for (int i = 0; i < 9; ++i) {
        policy.failed(peers[0], now);
        pauses.push_back(*policy.next(found) - now);
        now = *policy.next(found);
        CHECK(policy.due(found, now - 1ns, 10).empty());
        CHECK(policy.due(found, now, 10).size() == 1);
    }
    CHECK(pauses == std::vector<duration>{1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s, 60s});
    policy.connected(peers[0]);
    CHECK_FALSE(policy.next(found));
    policy.disconnected(peers[0], now);
    CHECK(*policy.next(found) - now == 1s);
    policy.mute(peers[0]);
    CHECK_FALSE(policy.next(found));
    policy.connected(peers[0]); // it came by itself
    policy.disconnected(peers[0], now);
    CHECK(policy.next(found));
    policy.want(peers[0], listed, now);
    policy.unwant(peers[0], found);
    CHECK(policy.wants(peers[0]));
    policy.unwant(peers[0], listed);
    CHECK_FALSE(policy.wants(peers[0]));
}

TEST_CASE("T15: redial: what strangers announce is bounded") {
    redial_policy policy{100};
    for (auto const &peer : some_peers(110)) policy.want(peer, found, time_point{1h});
    CHECK(policy.due(found, time_point{2h}, 1'000'000).size() == 100);
}

TEST_CASE("T15: redial: peers that somebody makes up keep no bootstrap peer waiting") {
    auto peers = some_peers(61);
    std::ranges::sort(peers);
    redial_policy policy;
    auto const honest = peers.back(); // as the ids are sorted, the last one
    policy.want(honest, listed, time_point{1h});
    policy.want(honest, found, time_point{1h}); // announced, too: it is on the list even so
    for (auto const &peer : peers)
        if (peer != honest) policy.want(peer, found, time_point{1h});
    CHECK(policy.next(listed) == time_point{1h});
    CHECK_FALSE(hour_of_failures(policy, found, 8).contains(honest));
    auto const dials = hour_of_failures(policy, listed, 4);
    REQUIRE(dials.size() == 1);
    CHECK(dials.at(honest) > 3600 / (15 + 60));
    CHECK(dials.at(honest) < 3600 / (15 + 60) + 10);
}

TEST_CASE("T15: redial: of those that are only discovered, each gets its turn, and whoever was connected before the made-up ones") {
    auto peers = some_peers(61);
    std::ranges::sort(peers);
    redial_policy policy;
    time_point now{1h};
    for (auto const &peer : peers) policy.want(peer, found, now);
    auto const dials = hour_of_failures(policy, found, 8);
    CHECK(dials.size() == peers.size());
    for (auto const &[peer, n] : dials) CHECK(n > 10);

    now = time_point{3h}; // all are due
    auto const honest = peers.back();
    for (auto const &peer : peers) policy.failed(peer, time_point{2h});
    policy.connected(honest);
    policy.disconnected(honest, now);
    now += 1s;
    auto const next = policy.due(found, now, 2);
    CHECK(std::ranges::count(next, honest) == 1);
}

TEST_CASE("T15: redial: new names without end do not keep out who has failed once") {
    auto const peers = some_peers(400);
    redial_policy policy;
    time_point now{1h};
    auto const honest = peers[0];
    policy.want(honest, found, now);
    CHECK(policy.due(found, now, 1).size() == 1);
    policy.failed(honest, now);
    int dialled = 0;
    for (std::size_t i = 1; i < peers.size(); ++i) {
        now += 1s;
        policy.want(peers[i], found, now);
        for (auto const &peer : policy.due(found, now, 1)) {
            dialled += peer == honest;
            policy.failed(peer, now);
        }
    }
    CHECK(dialled > 3);
}

TEST_CASE("T15: redial: dials of the bootstrap list take no turns of those that are only discovered") {
    auto const peers = some_peers(400);
    redial_policy policy;
    time_point now{1h};
    auto const honest = peers[0], away = peers[1];
    policy.want(away, listed, now);
    policy.want(honest, found, now);
    CHECK(policy.due(found, now, 1).size() == 1);
    policy.failed(honest, now);
    CHECK(policy.due(listed, now, 1).size() == 1);
    policy.failed(away, now);
    int dialled = 0;
    for (std::size_t i = 2; i < peers.size(); ++i) {
        now += 1s;
        policy.want(away, found, now); // somebody announces it, and takes it back
        for (auto const &peer : policy.due(listed, now, 4)) policy.failed(peer, now);
        policy.unwant(away, found);
        policy.want(peers[i], found, now);
        for (auto const &peer : policy.due(found, now, 1)) {
            dialled += peer == honest;
            policy.failed(peer, now);
        }
    }
    CHECK(dialled > 3);
}

} // namespace redial_test
