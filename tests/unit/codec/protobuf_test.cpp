#include <gigi/codec/protobuf.hpp>

#include <doctest/doctest.h>

#include <ostream>
#include <random>

namespace protobuf_test {

using namespace gigi;

namespace {

bytes hex(std::string_view text) { return from_hex(text).value(); }

struct control {
    bytes key;
    std::string name;
    std::uint8_t small = 0;
    bool flag = false;
    std::vector<bytes> items;
    std::uint64_t inner = 0;
};

std::error_code parse(bytes_view data, control &out) {
    protobuf_reader in{data};
    while (in.next()) switch (in.field()) {
        case 1: in.read(out.key); break;
        case 2: in.read(out.name); break;
        case 3: in.read(out.small); break;
        case 4: in.read(out.flag); break;
        case 5:
            if (in.more(out.items, 3)) out.items.push_back(to_bytes(in.data()));
            break;
        case 6: {
            protobuf_reader nested{in.data()};
            while (nested.next())
                if (nested.field() == 1) nested.read(out.inner);
            if (nested.error()) return nested.error();
            break;
        }
        }
    return in.error();
}

} // namespace

TEST_CASE("protobuf: the writer keeps the order, the reader reads it back") {
    bytes out = hex("ff"); // appends
    protobuf_writer writer{out};
    writer.data(1, hex("0102")).text(2, "abc").varint(3, 200).boolean(4, true).data(5, {});
    writer.message(6, [](protobuf_writer &w) { w.varint(1, 300).message(2, [](protobuf_writer &x) { x.text(1, "z"); }); });
    CHECK(to_hex(out) == "ff0a02010212036162631" "8c80120012a00" "320808ac021203" "0a017a");

    control c;
    REQUIRE(!parse(bytes_view{out}.subspan(1), c));
    CHECK(to_hex(c.key) == "0102");
    CHECK(c.name == "abc");
    CHECK(c.small == 200);
    CHECK(c.flag);
    CHECK(c.items.size() == 1);
    CHECK(c.inner == 300);
}

TEST_CASE("protobuf: unknown fields of every wire type are skipped") {
    control c;
    // 100: varint, 101: fixed64, 102: bytes, 103: fixed32, then name
    REQUIRE(!parse(hex("a00601" "a9060000000000000000" "b20602ffff" "bd0600000000" "120161"), c));
    CHECK(c.name == "a");
    REQUIRE(!parse({}, c));
}

TEST_CASE("protobuf: damage is an error and not an exception") {
    struct row {
        char const *what, *message;
    };
    for (auto const &[what, message] : std::initializer_list<row>{
             {"field 0", "0001"},
             {"group", "0b0c"},
             {"wire type 7", "0f"},
             {"cut off in the tag", "8a"},
             {"cut off in the length", "0a80"},
             {"cut off in the value", "0a0301"},
             {"varint field as bytes", "080a"},
             {"bytes field as varint", "1a00"},
             {"no value", "18"},
             {"boolean without a value", "20"},
             {"varint of 11 bytes", "18ffffffffffffffffffff01"},
             {"number too large for the type", "18ac02"},
             {"nested damage", "32020aff"},
             {"T1: length of 2^32 + 1", "0a818080801041"},
             {"T1: length of 2^64 - 1", "0affffffffffffffffff01" "41"},
             {"T2: length of 2^31", "0a8080808008"},
             {"unknown field, cut off", "b20605ff"},
         }) {
        CAPTURE(what);
        control c;
        CHECK(parse(hex(message), c) == errc::protocol_violation);
    }
}

TEST_CASE("T11: a repeated field has a cap") {
    control c;
    CHECK(!parse(hex("2a002a002a00"), c));
    control d;
    CHECK(parse(hex("2a002a002a002a00"), d) == errc::limit_exceeded);
    CHECK(d.items.size() == 3);
}

TEST_CASE("protobuf: the first error stays, and getters are empty after it") {
    bytes const message = hex("0a0102" "1005");
    protobuf_reader in{message};
    REQUIRE(in.next());
    in.fail(make_error_code(errc::bad_signature));
    in.fail();
    CHECK(in.data().empty());
    CHECK(in.varint() == 0);
    CHECK(!in.next());
    CHECK(in.error() == errc::bad_signature);
}

TEST_CASE("protobuf: a value cannot be taken twice") {
    bytes const message = hex("0801");
    protobuf_reader in{message};
    REQUIRE(in.next());
    CHECK(in.varint() == 1);
    CHECK(in.varint() == 0);
    CHECK(in.error() == errc::protocol_violation);
}

TEST_CASE("protobuf: random damage never escapes") {
    std::mt19937 random{20240601};
    bytes const good = hex("0a020102120361626318c80120012a00320408ac0212" "00");
    for (int i = 0; i < 20'000; ++i) {
        bytes damaged = good;
        for (unsigned flips = random() % 4; flips-- > 0;)
            damaged[random() % damaged.size()] = static_cast<std::uint8_t>(random());
        damaged.resize(random() % (damaged.size() + 1));
        damaged.shrink_to_fit();
        control c;
        auto const code = parse(damaged, c);
        if (code) CHECK((code == errc::protocol_violation || code == errc::limit_exceeded));
    }
}

} // namespace protobuf_test
