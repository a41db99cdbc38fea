#include <gigi/gossip/promises.hpp>

#include "support/mesh_network.hpp"

#include <doctest/doctest.h>

namespace promises_test {

using namespace gigi;

namespace {
time_point const start{std::chrono::hours{1}};
auto const a = test::numbered_peer(1), b = test::numbered_peer(2);
message_id const one{1}, two{1, 0}, three{2};
} // namespace

TEST_CASE("promises: kept, broken, forgotten") {
    promise_tracker promises;
    promises.add(one, a, start + 3s);
    promises.add(one, b, start + 4s);
    promises.add(two, a, start + 3s);
    promises.add(three, b, start + 3s);
    promises.add(three, b, start + 9s); // does not prolong
    CHECK(promises.size() == 4);
    promises.fulfil(one);
    CHECK(promises.size() == 2);
    CHECK(promises.take_broken(start + 2s).empty());
    CHECK(promises.take_broken(start + 3s) == std::vector{a, b});
    CHECK(promises.size() == 0);
    promises.add(one, a, start + 3s);
    promises.add(one, b, start + 3s);
    promises.forget(a);
    CHECK(promises.take_broken(start + 9s) == std::vector{b});
}

} // namespace promises_test
