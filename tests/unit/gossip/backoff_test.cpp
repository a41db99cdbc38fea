#include <gigi/gossip/backoff.hpp>

#include "support/mesh_network.hpp"

#include <doctest/doctest.h>

namespace backoff_test {

using namespace gigi;

namespace {
time_point const start{std::chrono::hours{1}};
auto const peer = test::numbered_peer(1);
} // namespace

TEST_CASE("T13: seconds of any size are cut without overflow") {
    struct row {
        std::uint64_t seconds;
        duration expected;
    };
    for (auto const &[seconds, expected] : {row{0, 0s}, row{60, 60s}, row{3599, 3599s}, row{3600, 1h}, row{3601, 1h}, row{1ull << 32, 1h},
                                            row{9'223'372'037, 1h}, row{INT64_MAX, 1h}, row{1ull << 63, 1h}, row{UINT64_MAX, 1h}}) {
        CAPTURE(seconds);
        CHECK(capped_seconds(seconds, 1h) == expected);
    }
}

TEST_CASE("backoff: others may be a little early, we are a little late") {
    backoff_table table;
    table.add(peer, start + 60s, 10);
    struct row {
        duration at;
        bool refuses, forbids;
    };
    for (auto const &[at, refuses, forbids] : {row{0s, true, true}, row{58s, true, true}, row{59s, false, true}, row{60s, false, true},
                                               row{61s, false, true}, row{62s, false, false}}) {
        CAPTURE(at.count());
        CHECK(table.refuses(peer, start + at, 1s) == refuses);
        CHECK(table.forbids(peer, start + at, 2s) == forbids);
    }
    CHECK(!table.refuses(test::numbered_peer(2), start, 1s));
    CHECK(!table.forbids(test::numbered_peer(2), start, 2s));
    table.forget_ended(start + 61s, 2s);
    CHECK(!table.empty());
    table.forget_ended(start + 62s, 2s);
    CHECK(table.empty());
}

TEST_CASE("backoff: a shorter one does not replace a longer one") {
    backoff_table table;
    table.add(peer, start + 60s, 10);
    table.add(peer, start + 10s, 10);
    CHECK(table.refuses(peer, start + 50s, 0s));
    table.add(peer, start + 90s, 10);
    CHECK(table.refuses(peer, start + 80s, 0s));
    CHECK(table.size() == 1);
}

TEST_CASE("T12: bounded; the one that ends first goes") {
    backoff_table table;
    for (std::uint32_t i = 0; i < 20; ++i) CHECK(table.add(test::numbered_peer(i), start + std::chrono::seconds{100 - i}, 5) == (i < 5));
    CHECK(table.add(test::numbered_peer(0), start, 5)); // is there
    CHECK(table.size() == 5);
    CHECK(table.forbids(test::numbered_peer(0), start, 0s));
    CHECK(table.forbids(test::numbered_peer(19), start, 0s));
    CHECK(!table.forbids(test::numbered_peer(10), start, 0s));
    CHECK_FALSE(table.add(test::numbered_peer(50), start, 0));
    backoff_table none;
    CHECK_FALSE(none.add(peer, start, 0));
    CHECK(none.empty());
}

} // namespace backoff_test
