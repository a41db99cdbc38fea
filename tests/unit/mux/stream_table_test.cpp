// The flat table behaves as a map does.
#include <gigi/mux/stream_table.hpp>

#include <doctest/doctest.h>

#include <map>
#include <random>

using namespace gigi;

TEST_CASE("stream_table: the same as std::map under random changes") {
    for (std::uint32_t seed = 1; seed <= 20; ++seed) {
        CAPTURE(seed);
        std::mt19937 random{seed};
        std::map<std::uint32_t, int *> model;
        stream_table<int> table;
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

TEST_CASE("stream_table: an empty one finds and erases nothing") {
    stream_table<int> table;
    CHECK(table.find(1) == nullptr);
    table.erase(1);
    CHECK(table.size() == 0);
}
