#include <gigi/node/event.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace event_test {

using namespace gigi;

namespace {

/// Every kind of event, each as it begins.
template <std::size_t... I> std::vector<event> all_kinds(std::index_sequence<I...>) {
    return {event{std::variant_alternative_t<I, events::any>{}}...};
}

} // namespace

TEST_CASE("event: names itself and its members") {
    event const e{events::group_left{"lobby"}};
    CHECK(e.name() == "group_left");
    std::string members;
    std::visit([&](auto const &x) { x.for_each_member([&](std::string_view name, auto const &) { (members += name) += ' '; }); }, static_cast<events::any const &>(e));
    CHECK(members == "group ");
    CHECK(std::get_if<event::group_left>(&e)->group == "lobby");
    CHECK(std::get_if<event::group_joined>(&e) == nullptr);
}

TEST_CASE("event: every kind has a name of its own, which is its struct's, and names each of its members once") {
    auto const all = all_kinds(std::make_index_sequence<std::variant_size_v<events::any>>());
    std::set<std::string_view> names;
    for (auto const &e : all) {
        CAPTURE(e.name());
        CHECK(names.insert(e.name()).second);
        std::visit([&](auto const &x) {
            CHECK(e.name() == std::remove_cvref_t<decltype(x)>::event_name);
            std::set<std::string_view> members;
            x.for_each_member([&](std::string_view name, auto const &) { CHECK(members.insert(name).second); });
            CHECK_FALSE(members.empty());
        }, static_cast<events::any const &>(e));
    }
    CHECK(names.contains("listening"));
    CHECK(names.contains("events_dropped"));
    CHECK(event{}.name() == all.front().name());
}

} // namespace event_test
