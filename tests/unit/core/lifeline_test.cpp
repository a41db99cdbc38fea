#include <gigi/core/lifeline.hpp>

#include <doctest/doctest.h>

#include <optional>

namespace lifeline_test {

using namespace gigi;

TEST_CASE("lifeline: a handle knows the object as long as it is there, and not after it") {
    struct object {
        int value = 7;
        lifeline<object> life{this};
    };
    std::optional<object> there{std::in_place};
    auto const handle = there->life.get();
    REQUIRE(*handle);
    CHECK((*handle)->value == 7);
    there.reset();
    CHECK(*handle == nullptr);

    object other;
    auto const second = other.life.get();
    other.life.end();
    CHECK(*second == nullptr);
}

} // namespace lifeline_test
