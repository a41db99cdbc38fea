#include <gigi/core/varint.hpp>

#include <doctest/doctest.h>

namespace varint_test {

using namespace gigi;

TEST_CASE("varint: values keep through encoding, in the fewest bytes") {
    struct row {
        std::uint64_t value;
        char const *hex;
    };
    for (auto const &[value, hex] : {row{0, "00"}, row{1, "01"}, row{127, "7f"}, row{128, "8001"}, row{255, "ff01"}, row{300, "ac02"},
                                     row{16384, "808001"}, row{max_varint, "ffffffffffffffff7f"}}) {
        bytes out;
        append_varint(out, value);
        CHECK(to_hex(out) == hex);
        CHECK(varint_size(value) == out.size());
        auto const read = read_varint(out);
        CHECK(read.state == varint_result::status::complete);
        CHECK(read.value == value);
        CHECK(read.size == out.size());
        for (std::size_t n = 0; n < out.size(); ++n)
            CHECK(read_varint(bytes_view{out}.first(n)).state == varint_result::status::incomplete);
    }
}

TEST_CASE("T1: varint: what is too long or not minimal is invalid, never a wrapped number") {
    for (auto const *hex : {"8000", "ff00", "808080808080808080", "ffffffffffffffffff", "ffffffffffffffffff01", "80808080808080808001"})
        CHECK(read_varint(from_hex(hex).value()).state == varint_result::status::invalid);
}

} // namespace varint_test
