// The 12-byte header: what is accepted, what is not.
#include <gigi/mux/yamux_frame.hpp>

#include <gigi/core/bytes.hpp>

#include <doctest/doctest.h>

#include <ostream>

namespace yamux_frame_test {

using namespace gigi;

namespace {

result<yamux_header> parse(std::string_view hex) {
    bytes const raw = from_hex(hex).value();
    REQUIRE(raw.size() == yamux_header::size);
    return parse_yamux_header(std::span{raw}.first<yamux_header::size>());
}

} // namespace

TEST_CASE("yamux_frame: headers are parsed and built alike") {
    struct row {
        char const *hex;
        yamux_header header;
    };
    using namespace yamux_flag;
    row const rows[] = {
        {"000000010000000100000005", {yamux_type::data, syn, 1, 5}},
        {"000000020000000200000000", {yamux_type::data, ack, 2, 0}},
        {"000100010000000300000000", {yamux_type::window_update, syn, 3, 0}},
        {"000100060000000300040000", {yamux_type::window_update, ack | fin, 3, 262144}},
        {"000100080000000400000007", {yamux_type::window_update, rst, 4, 7}}, // newer go-yamux: 7 is an error code
        {"0000000fffffffffffffffff", {yamux_type::data, syn | ack | fin | rst, 0xffffffff, 0xffffffff}},
        {"0002000100000000deadbeef", {yamux_type::ping, syn, 0, 0xdeadbeef}},
        {"000200020000000000000000", {yamux_type::ping, ack, 0, 0}},
        {"000300000000000000000001", {yamux_type::go_away, 0, 0, 1}},
    };
    for (auto const &r : rows) {
        CAPTURE(r.hex);
        std::array<std::uint8_t, yamux_header::size> raw{};
        build_yamux_header(r.header, raw);
        CHECK(to_hex(raw) == r.hex);
        auto const parsed = parse(r.hex);
        if (r.header.has(syn) && r.header.has(ack)) {
            CHECK(parsed.error() == errc::protocol_violation);
        } else {
            REQUIRE(parsed);
            CHECK(*parsed == r.header);
        }
    }
}

TEST_CASE("yamux_frame: what the protocol does not allow is refused") {
    char const *const rows[] = {
        "010000000000000100000000", // version
        "ff0000000000000100000000", // version
        "000400000000000100000000", // type
        "00ff00000000000000000000", // type
        "000000100000000100000000", // unknown flag
        "000080000000000100000000", // unknown flag
        "000000000000000000000000", // data for stream 0
        "000100000000000000000000", // window update for stream 0
        "000000030000000100000000", // begun and accepted at once
        "000200000000000000000001", // ping neither asked nor answered
        "000200030000000000000001", // ping both
        "000200050000000000000001", // ping with FIN
        "000200010000000100000001", // ping on a stream
        "000300000000000100000000", // goodbye on a stream
        "000300010000000000000000", // goodbye with a flag
    };
    for (auto const *hex : rows) {
        CAPTURE(hex);
        CHECK(parse(hex).error() == errc::protocol_violation);
    }
}

} // namespace yamux_frame_test
