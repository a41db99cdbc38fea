#include <gigi/node/node_stats.hpp>

#include <gigi/core/json.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <string_view>

namespace node_stats_test {

using namespace gigi;

namespace {

std::string content_of(std::filesystem::path const &file) {
    std::ifstream in{file};
    return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace

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
    std::string const text = content_of("include/gigi/node/options.hpp");
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
    // And every counter that the tables of limits name.
    for (auto const *file : {"docs/limits.md", "docs/gossip.md"}) {
        CAPTURE(file);
        std::ifstream page{file};
        std::size_t named = 0;
        std::regex const last{"^\\| `\\w+` \\|.*: `([a-z_]+)` \\|$"};
        for (std::string line; std::getline(page, line);) {
            std::smatch found;
            if (!std::regex_match(line, found, last)) continue;
            CAPTURE(found[1].str());
            CHECK((names.contains(found[1]) || inner.contains(found[1])));
            ++named;
        }
        CHECK(named > 15);
    }
    auto const json = json_text(node_stats{});
    CHECK(json.starts_with("{\"connections\":0,"));
    CHECK(json.find("\"gossip\":{\"peers\":0,") != std::string::npos);
}

TEST_CASE("node_stats: a test looks at every number of it") {
    std::set<std::string> members; // whatever stands behind a dot or a double colon
    for (auto const &entry : std::filesystem::recursive_directory_iterator{"tests/unit"}) {
        if (entry.path().extension() != ".cpp") continue;
        std::string word;
        char before = ' ';
        for (char const c : content_of(entry.path())) {
            if ((c >= 'a' && c <= 'z') || c == '_') {
                word += c;
                continue;
            }
            if (!word.empty() && (before == '.' || before == ':')) members.insert(word);
            word.clear();
            before = c;
        }
    }
    auto const looked_at = [&](std::string_view name, auto const &) {
        std::string const all{name}, one = all.substr(0, all.size() - 1); // of several: message_outcome::duplicate
        CAPTURE(all);
        CHECK((members.contains(all) || (all.ends_with('s') && members.contains(one))));
    };
    node_stats{}.for_each_member(looked_at);
    gossip_stats{}.for_each_member(looked_at);
}

} // namespace node_stats_test
