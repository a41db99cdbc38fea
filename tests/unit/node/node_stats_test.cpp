#include <gigi/node/node_stats.hpp>

#include <gigi/core/json.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <string_view>

using namespace gigi;

TEST_CASE("node_stats: every counter that the options name is there, once, and comes out as JSON") {
    std::set<std::string> names;
    std::size_t members = 0;
    node_stats{}.for_each_member([&](std::string_view name, auto const &) {
        names.emplace(name);
        ++members;
    });
    CHECK(names.size() == members);
    std::set<std::string> inner;
    members = 0;
    gossip_stats{}.for_each_member([&](std::string_view name, auto const &) {
        inner.emplace(name);
        ++members;
    });
    CHECK(inner.size() == members);
    std::ifstream in{"include/gigi/node/options.hpp"};
    std::string const text{std::istreambuf_iterator<char>{in}, {}};
    auto const limits = text.substr(text.find("    // Limits."));
    std::set<std::string> const others{"limit_exceeded", "timed_out", "message_too_large", "file_offered", "max_groups", "max_message_size", "request_timeout", "gossip"};
    std::regex const quoted{"`([a-z_]+)`"};
    std::size_t counters = 0;
    for (std::sregex_iterator i{limits.begin(), limits.end(), quoted}, end; i != end; ++i) {
        CAPTURE((*i)[1].str());
        CHECK((names.contains((*i)[1]) || others.contains((*i)[1])));
        counters += names.contains((*i)[1]);
    }
    CHECK(counters > 30);
    auto const json = json_text(node_stats{});
    CHECK(json.starts_with("{\"connections\":0,"));
    CHECK(json.find("\"gossip\":{\"peers\":0,") != std::string::npos);
}
