#include <gigi/crypto/der.hpp>

#include <gigi/core/bytes.hpp>

#include <doctest/doctest.h>

#include <ostream>
#include <string>
#include <string_view>

namespace der_test {

using namespace gigi;

namespace {

bytes hex(std::string_view text) { return from_hex(text).value(); }

} // namespace

TEST_CASE("der: an element is taken where its tag is the wanted one and its length is written in the shortest way") {
    struct row {
        std::string name;
        bytes encoded;
        bool taken;
        std::size_t content, rest;
    };
    bytes long_one = hex("0482012c"), at_limit = hex("0482ffff");
    long_one.resize(4 + 300 + 2);
    at_limit.resize(4 + 65535);
    row const rows[] = {
        {"empty content", hex("0400"), true, 0, 0},
        {"more behind it", hex("0402aabbcc"), true, 2, 1},
        {"128 bytes", [] { bytes b = hex("048180"); b.resize(131); return b; }(), true, 128, 0},
        {"300 bytes", long_one, true, 300, 2},
        {"64 KiB - 1", at_limit, true, 65535, 0},
        {"nothing", {}, false, 0, 0},
        {"a tag alone", hex("04"), false, 0, 0},
        {"another tag", hex("0500"), false, 0, 0},
        {"shorter than it says", hex("0403aabb"), false, 0, 0},
        {"a length of two bytes that fits one", hex("04810100"), false, 0, 0},
        {"a length of three bytes that fits two", [] { bytes b = hex("04820080"); b.resize(4 + 128); return b; }(), false, 0, 0},
        {"indefinite", hex("04800000"), false, 0, 0},
        {"a length of four bytes", hex("0483010000"), false, 0, 0},
        {"a length that is cut off", hex("0482ff"), false, 0, 0},
    };
    for (auto const &r : rows) {
        CAPTURE(r.name);
        bytes_view rest = r.encoded;
        auto const content = take_der(rest, 0x04);
        REQUIRE(content.has_value() == r.taken);
        CHECK(rest.size() == (r.taken ? r.rest : r.encoded.size()));
        if (content) CHECK(content->size() == r.content);
    }
}

TEST_CASE("der: the numbers of an RSA key, and nothing that is written in another way") {
    std::string const algorithm = "300d06092a864886f70d0101010500";
    auto const key = hex("301c" + algorithm + "030b00" + "3008" + "02020081" + "0202" + "0101");
    auto const numbers = parse_rsa_key(key);
    REQUIRE(numbers);
    CHECK(to_hex(numbers->modulus) == "81"); // without the zero that keeps it positive
    CHECK(to_hex(numbers->exponent) == "0101");

    for (std::string const inner : {"3008" "02020081" "02020001", "3008" "02028181" "02020101", "3007" "020181" "02020101", "3006" "0200" "02020101",
                                    "300a" "02020081" "02020101" "0500", "3004" "02020081"}) {
        CAPTURE(inner);
        auto const bits = "00" + inner;
        auto const size = [](std::string const &text) { return to_hex(bytes{static_cast<std::uint8_t>(text.size() / 2)}); };
        auto const info = algorithm + "03" + size(bits) + bits;
        CHECK_FALSE(parse_rsa_key(hex("30" + size(info) + info)));
    }
    CHECK_FALSE(parse_rsa_key(hex("301c" + algorithm + "030b01" + "3008" + "02020081" + "0202" + "0101"))); // unused bits
    CHECK_FALSE(parse_rsa_key(hex("301c" + algorithm + "030b00" + "3008" + "02020081" + "0202" + "0101" + "00")));
    CHECK_FALSE(parse_rsa_key(hex("3000")));
    CHECK_FALSE(parse_rsa_key({}));
}

} // namespace der_test
