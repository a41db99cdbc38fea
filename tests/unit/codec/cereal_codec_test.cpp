#include "unit/codec/wire_samples.hpp" // first: it includes cereal's own headers for the same types

#include <gigi/codec/cereal_codec.hpp>

#include <gigi/codec/codec.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <new>
#include <ostream>
#include <random>
#include <vector>

namespace cereal_codec_test {

using namespace gigi;
using namespace wire_samples;

namespace {

struct with_bound {
    std::vector<std::uint8_t> list;
    template <class Archive> void serialize(Archive &archive) { archive(list); }
    bool valid() const { return list.size() <= 2; }
};

struct throws {
    std::uint8_t a = 0;
    template <class Archive> void serialize(Archive &archive) {
        archive(a);
        if (a == 1) throw std::bad_alloc{};
        if (a == 2) throw cereal::Exception{"no"};
        if (a == 3) throw error{make_error_code(errc::limit_exceeded)};
    }
};

} // namespace

TEST_CASE("cereal codec: all of the bytes, and no more") {
    auto const wire = encoded(sample());
    for (std::size_t n = 0; n < wire.size(); ++n) {
        bytes const cut{wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(n)};
        CHECK(decoded<everything>(cut).error() == errc::protocol_violation);
    }
    bytes longer = wire;
    longer.push_back(0);
    CHECK(decoded<everything>(longer).error() == errc::protocol_violation);
}

TEST_CASE("T28: pointers and polymorphic types cannot be named in a message") {
    static_assert(WireMessage<everything>);
    static_assert(WireMessage<tree>);
    static_assert(!WireMessage<std::unique_ptr<int>>);
    static_assert(!WireMessage<std::shared_ptr<int>>);
    static_assert(!WireMessage<std::weak_ptr<int>>);
    static_assert(!WireMessage<std::unique_ptr<base>>);
    static_assert(!WireMessage<std::shared_ptr<base>>);
    static_assert(!WireMessage<int *>);
    static_assert(!WireMessage<base>);
    static_assert(!WireMessage<long double>);
    static_assert(!WireMessage<wchar_t>);
}

TEST_CASE("cereal codec: a message's own bounds are checked") {
    CHECK(decoded<with_bound>(hex("020102")));
    CHECK(decoded<with_bound>(hex("03010203")).error() == errc::protocol_violation);
}

TEST_CASE("cereal codec: no exception leaves") {
    CHECK(decoded<throws>(hex("00")));
    CHECK(decoded<throws>(hex("01")).error() == errc::protocol_violation);
    CHECK(decoded<throws>(hex("02")).error() == errc::protocol_violation);
    CHECK(decoded<throws>(hex("03")).error() == errc::limit_exceeded);
}

TEST_CASE("cereal codec: random damage is an error or another value") {
    std::mt19937 random{99};
    auto const good = encoded(sample());
    int refused = 0;
    for (int i = 0; i < 5000; ++i) {
        bytes damaged = good;
        for (auto flips = 1 + random() % 3; flips-- > 0;) damaged[random() % damaged.size()] = static_cast<std::uint8_t>(random());
        auto const back = decoded<everything>(damaged);
        if (!back) {
            ++refused;
            CHECK(back.error() == errc::protocol_violation);
        } else {
            CHECK(encoded(*back) == damaged); // what is accepted has one encoding
        }
    }
    CHECK(refused > 100);
}

} // namespace cereal_codec_test
