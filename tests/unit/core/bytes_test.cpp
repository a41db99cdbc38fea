#include <gigi/core/bytes.hpp>

#include <doctest/doctest.h>

namespace bytes_test {

using namespace gigi;

TEST_CASE("bytes: hexadecimal") {
    CHECK(to_hex(as_bytes("\x01\xab\xff")) == "01abff");
    CHECK(to_text(from_hex("01ABff").value()) == "\x01\xab\xff");
    CHECK(from_hex("").value().empty());
    CHECK(from_hex("0").error() == errc::invalid_argument);
    CHECK(from_hex("0g").error() == errc::invalid_argument);
}

TEST_CASE("bytes: integers of fixed width") {
    std::uint8_t raw[8];
    store_be(raw, std::uint32_t{0x01020304});
    CHECK(to_hex({raw, 4}) == "01020304");
    CHECK(load_be<std::uint32_t>(raw) == 0x01020304);
    store_le(raw, std::uint64_t{0x0102030405060708});
    CHECK(to_hex({raw, 8}) == "0807060504030201");
    CHECK(load_le<std::uint64_t>(raw) == 0x0102030405060708);
    store_be(raw, std::uint8_t{0xfe});
    CHECK(load_be<std::uint8_t>(raw) == 0xfe);
    store_le(raw, std::uint16_t{0xfffe});
    CHECK(load_le<std::uint16_t>(raw) == 0xfffe);
    bytes out;
    append_be(out, std::uint16_t{258});
    CHECK(to_hex(out) == "0102");
}

} // namespace bytes_test
