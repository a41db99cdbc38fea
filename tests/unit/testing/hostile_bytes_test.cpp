#include <gigi/testing/hostile_bytes.hpp>

#include <gigi/codec/frame.hpp>
#include <gigi/core/varint.hpp>
#include <gigi/discovery/dns_message.hpp>
#include <gigi/link/multistream.hpp>
#include <gigi/mux/yamux_frame.hpp>

#include <doctest/doctest.h>

namespace hostile_bytes_test {

using namespace gigi;
using namespace gigi::testing;

TEST_CASE("hostile_bytes: what is not made wrong is right") {
    bytes proper;
    append_frame(proper, as_bytes("abc"));
    CHECK(frame_bytes(as_bytes("abc")) == proper);
    proper.clear();
    multistream::append_message(proper, "/noise");
    CHECK(multistream_bytes("/noise") == proper);

    auto const frame = yamux_bytes(0, yamux_flag::syn, 7, 3, as_bytes("abc"));
    auto const header = parse_yamux_header(std::span<std::uint8_t const, yamux_header::size>{frame.data(), yamux_header::size});
    CHECK(header.value() == yamux_header{yamux_type::data, yamux_flag::syn, 7, 3});
    CHECK(as_text(bytes_view{frame}.subspan(yamux_header::size)) == "abc");

    dns_bytes message{0x8400, 0, 1};
    message.name("_p2p._udp.local").record(12, 120, 4).label("x").pointer(12);
    auto const wrong = dns_message::parse(message.data()); // the label and the pointer are 4 bytes
    REQUIRE(wrong);
    CHECK(wrong->answers.at(0).ttl == std::chrono::seconds{120});
    CHECK(std::get<dns_name>(wrong->answers[0].data) == dns_name::from_text("x._p2p._udp.local").value());
}

TEST_CASE("hostile_bytes: what is wrong is wrong in just that") {
    CHECK(varint_bytes(300) == bytes{0xac, 2});
    CHECK(varint_bytes(0) == bytes{0});
    CHECK(varint_bytes(1, 3) == bytes{0x81, 0x80, 0});
    CHECK(read_varint(varint_bytes(1, 3)).state == varint_result::status::invalid);
    CHECK(varint_bytes(UINT64_MAX).size() == 10);
    auto const lie = frame_bytes(std::uint64_t{1} << 62, as_bytes("abc"));
    CHECK(read_varint(lie).value == std::uint64_t{1} << 62);
    CHECK(lie.size() == 9 + 3);
    CHECK(yamux_bytes(9, 0xffff, 0, 0xffffffff, {}, 3) == from_hex("0309ffff00000000ffffffff").value());
    dns_bytes loop{0, 1};
    loop.pointer(12).question(255);
    CHECK_FALSE(dns_message::parse(loop.data()));
}

} // namespace hostile_bytes_test
