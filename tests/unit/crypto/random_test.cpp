#include <gigi/crypto/random.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <vector>

namespace random_test {

using namespace gigi;

TEST_CASE("random: a seed decides the sequence, and below() stays below") {
    seeded_random a{3}, b{3};
    system_random real;
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 1000; ++i) {
        CHECK(a.next() == b.next());
        auto const x = a.below(7);
        b.below(7);
        CHECK(x < 7);
        seen.insert(x);
        auto const f = a.fraction();
        b.fraction();
        CHECK(f >= 0);
        CHECK(f < 1);
    }
    CHECK(seen.size() == 7);
    CHECK(real.next() != real.next());
    std::vector<int> order{1, 2, 3, 4, 5};
    a.shuffle(order);
    CHECK(std::set<int>(order.begin(), order.end()).size() == 5);
}

TEST_CASE("seeded_random: SplitMix64's sequence; filling in pieces of 8 makes no difference") {
    seeded_random a{1234567}; // the reference implementation's first outputs for this seed
    for (std::uint64_t const expected : {6457827717110365317u, 3203168211198807973u, 9817491932198370423u, 4593380528125082431u, 16408922859458223821u})
        CHECK(a.next() == expected);
    seeded_random b{5}, c{5};
    bytes whole(64), parts(64);
    b.fill(whole);
    for (std::size_t i = 0; i < 64; i += 8) c.fill(mutable_bytes{parts}.subspan(i, 8));
    CHECK(whole == parts);
    bytes odd(13);
    seeded_random{5}.fill(odd);
    CHECK(equal(odd, bytes_view{whole}.first(13)));
}

TEST_CASE("random_source: below() is fair where the range divides badly") {
    struct fixed final : random_source {
        void fill(mutable_bytes out) override {
            std::ranges::fill(out, left > 0 ? std::uint8_t{0xff} : std::uint8_t{1});
            --left;
        }
        int left = 3;
    } source;
    CHECK(source.below(3) == 0x0101010101010101u % 3); // what is above the last whole multiple is drawn again
    CHECK(source.left == -1);
    CHECK(source.below(1) == 0);
    bytes none;
    random_bytes(none);
    bytes some(4096);
    random_bytes(some);
    CHECK(std::set<std::uint8_t>(some.begin(), some.end()).size() > 200);
}

} // namespace random_test
