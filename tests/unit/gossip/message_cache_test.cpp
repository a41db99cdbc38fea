#include <gigi/gossip/message_cache.hpp>

#include "support/mesh_network.hpp"

#include <doctest/doctest.h>

namespace message_cache_test {

using namespace gigi;

namespace {

using ids = std::vector<message_id>;

message_id id(std::uint32_t n) {
    message_id out;
    append_be(out, n);
    return out;
}
message_ptr message(std::string topic, std::size_t size = 10) {
    return std::make_shared<gossip_message const>(test::unsigned_message(test::numbered_peer(1), 1, std::move(topic), size));
}
time_point const start{std::chrono::hours{1}};

} // namespace

TEST_CASE("message_cache: windows are announced, kept, and dropped") {
    message_cache cache{5, 3, 100, 1 << 20};
    cache.put(id(1), message("a"));
    cache.put(id(2), message("b"));
    struct row {
        std::size_t shifts;
        bool announced, told, held; // to gossip with, over a new link, for who asks
    };
    for (auto const &[shifts, announced, told, held] : {row{0, true, true, true}, row{2, true, true, true}, row{3, false, true, true},
                                                        row{4, false, false, true}, row{5, false, false, false}}) {
        CAPTURE(shifts);
        message_cache c{5, 3, 100, 1 << 20};
        c.put(id(1), message("a"));
        for (std::size_t i = 0; i < shifts; ++i) c.shift();
        CHECK(c.gossip_ids().contains("a") == announced);
        CHECK((c.get(id(1)) != nullptr) == held);
        CHECK(c.ids("a").size() == std::size_t{told});
        CHECK((c.byte_size() > 0) == held);
    }
    CHECK(cache.gossip_ids()["a"] == ids{id(1)});
    CHECK(cache.ids("b") == ids{id(2)});
    CHECK(cache.ids("c").empty());
    cache.shift();
    cache.put(id(3), message("a"));
    CHECK(cache.gossip_ids()["a"] == ids{id(3), id(1)});
}

TEST_CASE("message_cache: a message that is there already stays as it is") {
    message_cache cache{5, 3, 100, 1 << 20};
    cache.put(id(1), message("a"));
    auto const size = cache.byte_size();
    cache.put(id(1), message("b"));
    CHECK(cache.get(id(1))->topic == "a");
    CHECK(cache.size() == 1);
    CHECK(cache.byte_size() == size);
}

TEST_CASE("message_cache: bounded in messages and in bytes; the oldest go first") {
    message_cache few{5, 3, 3, 1 << 20};
    for (std::uint32_t i = 0; i < 10; ++i) {
        few.put(id(i), message("a"));
        if (i == 5) few.shift();
        CHECK(few.size() <= 3);
    }
    CHECK(few.ids("a") == ids{id(7), id(8), id(9)});
    CHECK(few.forgotten() == 7);
    for (int i = 0; i < 5; ++i) few.shift();
    CHECK(few.size() == 0);
    CHECK(few.forgotten() == 7); // these in their time

    message_cache small{5, 3, 1000, 10'000};
    for (std::uint32_t i = 0; i < 100; ++i) {
        small.put(id(i), message("a", 1000));
        CHECK(small.byte_size() <= 10'000);
    }
    CHECK(small.size() >= 7);
    CHECK(small.get(id(99)));
    CHECK(small.forgotten() == 100 - small.size());
    small.put(id(100), message("a", 20'000)); // cannot be held at all
    CHECK(!small.get(id(100)));
    CHECK(small.size() == 0);
    CHECK(small.byte_size() == 0);
}

TEST_CASE("T12: a message is sent again to one peer only so often") {
    message_cache cache{5, 3, 100, 1 << 20};
    cache.put(id(1), message("a"));
    auto const a = test::numbered_peer(1), b = test::numbered_peer(2);
    for (int i = 0; i < 3; ++i) CHECK(cache.get_for(id(1), a, 3));
    CHECK(cache.refused() == 0);
    CHECK(!cache.get_for(id(1), a, 3));
    CHECK(cache.get_for(id(1), b, 3));
    CHECK(!cache.get_for(id(2), a, 3));
    CHECK(cache.refused() == 1); // one that is not there is not refused
}

TEST_CASE("seen_cache: ids are remembered for so long, and no longer") {
    seen_cache seen{120s, 100};
    CHECK(seen.insert(id(1), start));
    CHECK(!seen.insert(id(1), start + 60s)); // does not prolong
    CHECK(seen.contains(id(1)));
    seen.forget_old(start + 119s);
    CHECK(seen.contains(id(1)));
    seen.forget_old(start + 120s);
    CHECK(!seen.contains(id(1)));
    CHECK(seen.forgotten() == 0);
    CHECK(seen.insert(id(1), start + 120s));
}

TEST_CASE("seen_cache: bounded; the oldest go first") {
    seen_cache seen{120s, 5};
    for (std::uint32_t i = 0; i < 20; ++i) CHECK(seen.insert(id(i), start));
    CHECK(seen.size() == 5);
    CHECK(seen.forgotten() == 15);
    CHECK(!seen.contains(id(14)));
    CHECK(seen.contains(id(15)));
}

} // namespace message_cache_test
