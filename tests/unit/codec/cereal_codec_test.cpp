// cereal's own headers for the same types are included first on purpose: ours must win, and pointers must stay out.
#include <cereal/types/array.hpp>
#include <cereal/types/map.hpp>
#include <cereal/types/memory.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/polymorphic.hpp>
#include <cereal/types/set.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/utility.hpp>
#include <cereal/types/variant.hpp>
#include <cereal/types/vector.hpp>

#include <gigi/codec/archive.hpp>
#include <gigi/codec/cereal_codec.hpp>

#include <doctest/doctest.h>

#include <ostream>
#include <random>

using namespace gigi;

namespace {

bytes hex(std::string_view text) { return from_hex(text).value(); }
template <class T> bytes encoded(T const &value) {
    bytes out;
    cereal_codec{}.encode(value, out);
    return out;
}
template <class T> result<T> decoded(bytes_view data) { return cereal_codec{}.decode<T>(data); }

enum class colour : std::uint16_t { red = 1, green = 0x1234 };

struct inner {
    std::uint8_t a = 0;
    std::string b;
    template <class Archive> void serialize(Archive &archive) { archive(CEREAL_NVP(a), CEREAL_NVP(b)); }
    bool operator==(inner const &) const = default;
};

struct everything {
    bool yes = false;
    std::int32_t number = 0;
    std::uint64_t large = 0;
    double real = 0;
    colour c = colour::red;
    std::string text;
    bytes data;
    std::vector<std::uint16_t> shorts;
    std::vector<bool> bits;
    std::vector<std::string> texts;
    std::vector<inner> inners;
    std::array<std::uint8_t, 4> fixed{};
    std::array<std::string, 2> words;
    std::optional<inner> maybe;
    std::pair<std::uint8_t, std::string> pair;
    std::map<std::string, std::uint32_t> map;
    std::set<std::uint8_t> set;
    std::variant<std::monostate, std::uint32_t, inner> either;

    template <class Archive> void serialize(Archive &archive) {
        archive(yes, number, large, real, c, text, data, shorts, bits, texts, inners, fixed, words, maybe, pair, map, set, either);
    }
    bool operator==(everything const &) const = default;
};

struct with_bound {
    std::vector<std::uint8_t> list;
    template <class Archive> void serialize(Archive &archive) { archive(list); }
    bool valid() const { return list.size() <= 2; }
};

struct tree {
    std::vector<tree> children;
    template <class Archive> void serialize(Archive &archive) { archive(children); }
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

struct base {
    virtual ~base() = default;
    std::uint8_t a = 0;
    template <class Archive> void serialize(Archive &archive) { archive(a); }
};

everything sample() {
    everything e;
    e.yes = true;
    e.number = -2;
    e.large = 0x0102030405060708;
    e.real = 1.5;
    e.c = colour::green;
    e.text = "text";
    e.data = {1, 2, 3};
    e.shorts = {1, 0x0203};
    e.bits = {true, false, true};
    e.texts = {"a", "", "bc"};
    e.inners = {{1, "x"}, {2, ""}};
    e.fixed = {9, 8, 7, 6};
    e.words = {"left", "right"};
    e.maybe = inner{3, "m"};
    e.pair = {4, "p"};
    e.map = {{"k", 1}, {"l", 2}};
    e.set = {1, 5, 9};
    e.either = inner{5, "v"};
    return e;
}

} // namespace

TEST_CASE("cereal codec: the bytes on the wire") {
    CHECK(to_hex(encoded(std::uint32_t{0x01020304})) == "04030201");
    CHECK(to_hex(encoded(std::int16_t{-2})) == "feff");
    CHECK(to_hex(encoded(1.0)) == "000000000000f03f");
    CHECK(to_hex(encoded(true)) == "01");
    CHECK(to_hex(encoded(colour::green)) == "3412");
    CHECK(to_hex(encoded(std::string{"ab"})) == "026162");
    CHECK(to_hex(encoded(std::vector<std::uint16_t>{1, 2})) == "0201000200");
    CHECK(to_hex(encoded(bytes(130, 7))).substr(0, 6) == "820107");
    CHECK(to_hex(encoded(std::array<std::uint8_t, 2>{1, 2})) == "0102");
    CHECK(to_hex(encoded(std::optional<std::uint8_t>{})) == "00");
    CHECK(to_hex(encoded(std::optional<std::uint8_t>{5})) == "0105");
    CHECK(to_hex(encoded(inner{1, "x"})) == "010178");
    CHECK(to_hex(encoded(std::variant<std::monostate, std::uint8_t>{})) == "00");
    CHECK(to_hex(encoded(std::variant<std::monostate, std::uint8_t>{std::uint8_t{3}})) == "0103");
}

TEST_CASE("cereal codec: every supported type comes back") {
    auto const wire = encoded(sample());
    auto const back = decoded<everything>(wire);
    REQUIRE(back);
    CHECK(*back == sample());
    CHECK(*decoded<everything>(encoded(everything{})) == everything{});
}

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

TEST_CASE("cereal codec: values that have one encoding have only one") {
    CHECK(!decoded<bool>(hex("02")));
    CHECK(!decoded<std::optional<std::uint8_t>>(hex("0205")));
    CHECK(!decoded<std::string>(hex("8000")));
    CHECK(!decoded<std::set<std::uint8_t>>(hex("020101")));
    CHECK(!decoded<std::set<std::uint8_t>>(hex("020201")));
    CHECK(!(decoded<std::map<std::uint8_t, bool>>(hex("0201000100"))));
    CHECK(!(decoded<std::variant<std::monostate, std::uint8_t>>(hex("0203"))));
}

TEST_CASE("T28: a huge size tag allocates nothing") {
    for (auto const tag : {"ffffffff0f", "ffffffffffffffff7f", "80808080808001", "ffffffffffffffffffff01", "05"}) {
        CAPTURE(tag);
        auto const wire = hex(std::string{tag} + "01020304");
        CHECK(decoded<std::string>(wire).error() == errc::protocol_violation);
        CHECK(decoded<bytes>(wire).error() == errc::protocol_violation);
        CHECK(decoded<std::vector<std::uint64_t>>(wire).error() == errc::protocol_violation);
        CHECK(decoded<std::vector<inner>>(wire).error() == errc::protocol_violation);
        CHECK((decoded<std::map<std::string, std::string>>(wire).error() == errc::protocol_violation));
        CHECK(decoded<std::set<std::uint8_t>>(wire).error() == errc::protocol_violation);
        CHECK((decoded<std::variant<std::uint8_t, std::string>>(wire).error() == errc::protocol_violation));
    }
    // count * size would wrap to 8
    CHECK(decoded<std::vector<std::uint64_t>>(hex("8180808080808080200102030405060708")).error() == errc::protocol_violation);
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

TEST_CASE("T28: nesting is bounded") {
    CHECK(!decoded<tree>(bytes(100'000, 1)));
    bytes shallow(10, 1);
    shallow.push_back(0);
    CHECK(decoded<tree>(shallow));
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
