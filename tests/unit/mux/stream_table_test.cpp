// The flat table behaves as a map does.
#include <gigi/mux/stream_table.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <random>
#include <vector>

namespace stream_table_test {

using namespace gigi;

TEST_CASE("stream_table: the same as std::map under random changes") {
    for (std::uint32_t seed = 1; seed <= 20; ++seed) {
        CAPTURE(seed);
        std::mt19937 random{seed};
        std::map<std::uint32_t, int *> model;
        stream_table<int> table{seed < 10 ? 0 : random() * std::uint64_t{0x123456789}};
        int values[64];
        for (int step = 0; step < 5000; ++step) {
            // Few ids, so that chains form and ids come back; and multiples of a power of two, which a bad hash puts in one chain.
            std::uint32_t const id = (1 + static_cast<std::uint32_t>(random() % 300)) * (seed % 2 ? 1 : 1024);
            bool const grow = random() % 4000 > static_cast<unsigned>(step % 2500);
            if (grow && !model.contains(id)) {
                int *const value = &values[random() % 64];
                model.emplace(id, value);
                table.insert(id, value);
            } else if (!grow) {
                model.erase(id);
                table.erase(id);
            }
            REQUIRE(table.size() == model.size());
            std::uint32_t const probe = (1 + static_cast<std::uint32_t>(random() % 300)) * (seed % 2 ? 1 : 1024);
            auto const found = model.find(probe);
            REQUIRE(table.find(probe) == (found == model.end() ? nullptr : found->second));
        }
        for (auto const &[id, value] : model) CHECK(table.find(id) == value);
        CHECK(table.values().size() == model.size());
    }
}

TEST_CASE("stream_table: T3: ids that lie in one chain of one table are spread in another one, which has a secret") {
    auto const home = [](std::uint32_t id) { return ((id * 0x9e3779b97f4a7c15u) >> 32) & 2047; };
    std::vector<std::uint32_t> ids;
    for (std::uint32_t id = 1; ids.size() < 1000; id += 2)
        if (home(id) == 5) ids.push_back(id);
    auto const longest = [&ids](std::uint64_t secret) {
        stream_table<int> table{secret};
        int value = 0;
        for (auto const id : ids) table.insert(id, &value);
        return table.longest_search();
    };
    CHECK(longest(0) == ids.size());
    for (std::uint64_t const secret : {0x0123456789abcdefu, 0xfedcba9876543210u, 0xb5ad4eceda1ce2a9u}) CHECK(longest(secret) < 100);
}

TEST_CASE("stream_table: an empty one finds and erases nothing") {
    stream_table<int> table;
    CHECK(table.find(1) == nullptr);
    table.erase(1);
    CHECK(table.size() == 0);
}

} // namespace stream_table_test
