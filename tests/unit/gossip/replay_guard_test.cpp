#include <gigi/gossip/replay_guard.hpp>

#include <gigi/peer/identity.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace replay_guard_test {

using namespace gigi;

namespace {

constexpr std::uint64_t second = 1'000'000'000;
constexpr std::uint64_t day_one = 1'700'000'000 * second; ///< a sequence number: what the clock says at the start

std::vector<peer_id> some_peers(std::size_t count) {
    seeded_random random{1};
    std::vector<peer_id> all;
    while (all.size() < count) all.push_back(identity::generate(random).id());
    return all;
}

struct world {
    explicit world(std::size_t most = 100) : guard{120s, most} {}
    replay_guard guard;
    duration ahead{}; ///< this host's clock, of what the authors have
    /// What is said of a number that is heard `after` seconds.
    bool hears(peer_id const &author, std::uint64_t after, std::uint64_t seqno, bool first_hand = false) {
        return guard.admit(author, seqno, first_hand, time_point{1h} + std::chrono::seconds{after}, wall_time{std::chrono::nanoseconds{day_one}} + std::chrono::seconds{after} + ahead);
    }
};

} // namespace

TEST_CASE("replay_guard: whatever was heard is refused from two minutes later on, however long") {
    auto const p = some_peers(1)[0];
    for (std::uint64_t begin = 0; begin < 120; begin += 7)
        for (std::uint64_t const later : {120ull, 121ull, 179ull, 180ull, 240ull, 100'000ull, 1'000'000ull}) {
            for (bool const chatty : {false, true}) {
                CAPTURE(begin);
                CAPTURE(later);
                world w;
                REQUIRE(w.hears(p, begin, day_one + begin * second));
                if (chatty)
                    for (std::uint64_t at = begin + 1; at < begin + later && at < begin + 400; at += 13) REQUIRE(w.hears(p, at, day_one + at * second));
                CHECK_FALSE(w.hears(p, begin + later, day_one + begin * second));
                CHECK_FALSE(w.hears(p, begin + later, day_one + begin * second - 1));
                CHECK(w.guard.refused() == 2);
                CHECK(w.hears(p, begin + later, day_one + (begin + later) * second));
            }
        }
}

TEST_CASE("replay_guard: messages may overtake each other by a minute") {
    auto const p = some_peers(1)[0];
    for (std::uint64_t begin = 0; begin < 120; begin += 7) {
        CAPTURE(begin);
        world w;
        CHECK(w.hears(p, begin, day_one + begin * second));
        for (std::uint64_t late = 1; late <= 60; ++late) CHECK(w.hears(p, begin + late, day_one + begin * second - late));
    }
}

TEST_CASE("replay_guard: authors whose numbers are no clock are left alone, and authors do not affect each other") {
    auto const p = some_peers(2);
    seeded_random random{7};
    world w;
    CHECK(w.hears(p[0], 0, 0xffff'ffff'ffff'0000));
    for (std::uint64_t at = 0; at < 3000; ++at) {
        std::array<std::uint8_t, 8> raw;
        random.fill(raw);
        CHECK(w.hears(p[0], at, load_be<std::uint64_t>(raw.data())));
        CHECK(w.hears(p[1], at, day_one + at * second));
    }
    CHECK(w.guard.refused() == 0);
}

TEST_CASE("T31: replay_guard: replays are refused whatever the clock of this host says, and whatever the author's says from 2020 to 2040") {
    auto const p = some_peers(3);
    std::chrono::hours const day{24}, year{24 * 365};
    for (duration const ahead : {duration{-year * 53}, duration{-year}, duration{-day * 2}, duration{0}, duration{day * 2}, duration{year * 30}}) {
        CAPTURE(std::chrono::duration_cast<std::chrono::hours>(ahead).count());
        world w;
        w.ahead = ahead;
        std::uint64_t const numbers[]{day_one, 1'577'836'800 * second, 2'208'900'000 * second};
        for (std::size_t i = 0; i < 3; ++i) {
            CHECK(w.hears(p[i], 0, numbers[i]));
            CHECK(w.hears(p[i], 300, numbers[i] + 300 * second));
            CHECK_FALSE(w.hears(p[i], 1000, numbers[i]));
            CHECK_FALSE(w.hears(p[i], 1000, numbers[i] + 300 * second));
            CHECK(w.hears(p[i], 1001, numbers[i] + 1001 * second));
        }
        CHECK(w.guard.refused() == 6);
    }
    // From 2040 on a clock must be right to the day, as the numbers go on.
    world w;
    w.ahead = year * 30;
    auto const then = day_one + static_cast<std::uint64_t>(w.ahead.count());
    CHECK(w.hears(p[0], 0, then));
    CHECK_FALSE(w.hears(p[0], 300, then));
    CHECK(w.hears(p[1], 0, then + 2 * 86'400 * second)); // no time
    CHECK(w.hears(p[1], 300, then + 2 * 86'400 * second));
}

TEST_CASE("replay_guard: of ten thousand authors with random numbers, few lose a message") {
    seeded_random random{8};
    replay_guard guard{120s};
    std::size_t const authors = 10'000;
    for (std::size_t n = 0; n < authors; ++n) {
        bytes multihash{0x12, 0x20};
        multihash.resize(34);
        store_be(multihash.data() + 2, static_cast<std::uint32_t>(n));
        peer_id const author = peer_id::from_bytes(multihash).value();
        for (int i = 1; i <= 20; ++i) {
            std::array<std::uint8_t, 8> raw;
            random.fill(raw);
            (void)guard.admit(author, load_be<std::uint64_t>(raw.data()), false, time_point{1h} + 5min * i, wall_time{std::chrono::nanoseconds{day_one}});
        }
    }
    CHECK(guard.size() == authors);
    CHECK(guard.refused() > 0);
    CHECK(guard.refused() < 12); // about 6 are to be expected
}

TEST_CASE("T31: replay_guard: an author whose clock went back is believed where it says so itself, and others may pass that on again") {
    auto const p = some_peers(1)[0];
    world w;
    CHECK(w.hears(p, 0, day_one));
    CHECK_FALSE(w.hears(p, 300, day_one - 3600 * second));
    CHECK(w.hears(p, 301, day_one - 3600 * second, true));
    CHECK(w.hears(p, 302, day_one - 3599 * second));
    CHECK_FALSE(w.hears(p, 602, day_one - 3600 * second)); // and from then on as ever
}

TEST_CASE("limits: replay_guard: the author that was silent longest is forgotten") {
    auto const p = some_peers(4);
    world w{3};
    for (std::size_t i = 0; i < 3; ++i) CHECK(w.hears(p[i], 0, day_one));
    CHECK(w.hears(p[0], 1, day_one + 1));
    CHECK(w.guard.forgotten() == 0);
    CHECK(w.hears(p[3], 1, day_one));
    CHECK(w.guard.forgotten() == 1);
    CHECK(w.guard.size() == 3);
    CHECK_FALSE(w.hears(p[0], 300, day_one));
    CHECK_FALSE(w.hears(p[3], 300, day_one));
    CHECK(w.hears(p[1], 300, day_one)); // this one
}

} // namespace replay_guard_test
