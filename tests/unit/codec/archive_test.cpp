#include "unit/codec/wire_samples.hpp" // first: it includes cereal's own headers for the same types

#include <gigi/codec/archive.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <ostream>
#include <string>
#include <vector>

namespace archive_test {

using namespace gigi;
using namespace wire_samples;

TEST_CASE("archive: the bytes on the wire") {
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

TEST_CASE("archive: every supported type comes back") {
    auto const wire = encoded(sample());
    auto const back = decoded<everything>(wire);
    REQUIRE(back);
    CHECK(*back == sample());
    CHECK(*decoded<everything>(encoded(everything{})) == everything{});
}

TEST_CASE("archive: values that have one encoding have only one") {
    CHECK(!decoded<bool>(hex("02")));
    CHECK(!decoded<std::optional<std::uint8_t>>(hex("0205")));
    CHECK(!decoded<std::string>(hex("8000")));
    CHECK(!decoded<std::set<std::uint8_t>>(hex("020101")));
    CHECK(!decoded<std::set<std::uint8_t>>(hex("020201")));
    CHECK(!(decoded<std::map<std::uint8_t, bool>>(hex("0201000100"))));
    CHECK(!(decoded<std::variant<std::monostate, std::uint8_t>>(hex("0203"))));
}

TEST_CASE("T28: archive: a huge size tag allocates nothing") {
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

TEST_CASE("T28: archive: nesting is bounded") {
    CHECK(!decoded<tree>(bytes(100'000, 1)));
    bytes shallow(10, 1);
    shallow.push_back(0);
    CHECK(decoded<tree>(shallow));
}

TEST_CASE("archive: what is taken comes out once, in order; what is not there is refused and nothing is taken") {
    auto const wire = hex("0102" "8101" "03" "aabbcc" "7f");
    wire_input_archive in{wire};
    CHECK(to_hex(in.take(2)) == "0102");
    CHECK(in.take_varint() == 129);
    CHECK(in.take_count(1) == 3);
    CHECK(in.remaining() == 4);
    CHECK_THROWS_AS(in.take(5), error);
    CHECK(in.remaining() == 4);
    CHECK(to_hex(in.take(3)) == "aabbcc");
    CHECK_THROWS_AS(in.take_count(1), error); // 127 of them
    wire_input_archive rest{bytes_view{wire}.last(1)};
    CHECK(rest.take_varint() == 127);
    CHECK(rest.take(0).empty());
    CHECK_THROWS_AS(rest.take(1), error);
    CHECK_THROWS_AS(rest.take(std::numeric_limits<std::size_t>::max()), error);
    CHECK_THROWS_AS(rest.take_varint(), error);
    try {
        wire_input_archive::refuse();
    } catch (error const &e) {
        CHECK(e.code() == errc::protocol_violation);
    }
}

TEST_CASE("archive: a number of elements counts only where all of them can be there") {
    for (std::size_t const least : {std::size_t{1}, std::size_t{2}, std::size_t{8}}) {
        CAPTURE(least);
        auto const wire = hex("02" "00000000000000000000000000000000"); // 16 bytes follow
        bytes_view const all{wire};
        CHECK(wire_input_archive{all}.take_count(least) == 2);
        CHECK(wire_input_archive{all.first(1 + 2 * least)}.take_count(least) == 2);
        wire_input_archive cut{all.first(2 * least)};
        CHECK_THROWS_AS(cut.take_count(least), error);
    }
}

TEST_CASE("T28: archive: values may lie 32 deep, and what was left does not count") {
    bytes const nothing;
    wire_input_archive in{nothing};
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 32; ++i) in.enter();
        CHECK_THROWS_AS(in.enter(), error);
        for (int i = 0; i < 33; ++i) in.leave();
    }
}

TEST_CASE("archive: the least size of an element, which bounds what a tag can make us allocate") {
    CHECK(detail::least_wire_size<std::uint8_t>() == 1);
    CHECK(detail::least_wire_size<std::uint64_t>() == 8);
    CHECK(detail::least_wire_size<double>() == 8);
    CHECK(detail::least_wire_size<colour>() == 2);
    CHECK(detail::least_wire_size<bool>() == 1);
    CHECK(detail::least_wire_size<std::string>() == 1);
    CHECK(detail::least_wire_size<inner>() == 1);
}

TEST_CASE("archive: bytes and counts are written as they are read") {
    bytes out{0xee};
    wire_output_archive archive{out};
    archive.put_count(300);
    archive.put(hex("0a0b"));
    archive.put({});
    CHECK(to_hex(out) == "eeac020a0b");
}

} // namespace archive_test
