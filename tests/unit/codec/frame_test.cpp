#include <gigi/codec/frame.hpp>

#include <doctest/doctest.h>

#include <ostream>
#include <random>

namespace frame_test {

using namespace gigi;

namespace {
bytes hex(std::string_view text) { return from_hex(text).value(); }
} // namespace

TEST_CASE("frame: encoders agree, at every length of the header") {
    for (std::size_t size : {0u, 1u, 127u, 128u, 16383u, 16384u, 70000u}) {
        CAPTURE(size);
        bytes const body(size, 0x5a);
        bytes a{1, 2, 3}, b{1, 2, 3};
        append_frame(a, body);
        append_frame_of(b, [&](bytes &out) { append(out, body); });
        CHECK(a == b);
        auto const header = read_frame_header(bytes_view{a}.subspan(3), size).value();
        REQUIRE(header);
        CHECK(header->body == size);
        CHECK(header->size == a.size() - 3 - size);
    }
}

TEST_CASE("frame: any split of the stream gives the same frames") {
    std::mt19937 random{7};
    std::vector<bytes> sent;
    bytes wire;
    for (std::size_t size : {0u, 1u, 5u, 127u, 128u, 300u, 0u, 5000u, 0u, 2u}) {
        bytes body(size);
        for (auto &b : body) b = static_cast<std::uint8_t>(random());
        append_frame(wire, body);
        sent.push_back(body);
    }
    for (std::size_t largest : {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{130}, wire.size()}) {
        CAPTURE(largest);
        frame_decoder decoder{5000};
        std::vector<bytes> got;
        for (std::size_t at = 0; at < wire.size();) {
            std::size_t const n = std::min<std::size_t>(largest == 130 ? 1 + random() % 130 : largest, wire.size() - at);
            bytes const piece{wire.begin() + static_cast<std::ptrdiff_t>(at), wire.begin() + static_cast<std::ptrdiff_t>(at + n)};
            bytes_view input{piece};
            for (;;) {
                auto const frame = decoder.feed(input);
                REQUIRE(frame);
                if (!*frame) break;
                got.push_back(to_bytes(**frame));
            }
            CHECK(input.empty());
            at += n;
        }
        CHECK(got == sent);
        CHECK(decoder.at_boundary());
    }
}

TEST_CASE("frame: knows whether the stream may end") {
    bytes const wire = hex("8001" + std::string(256, '0'));
    frame_decoder decoder{128};
    CHECK(decoder.at_boundary());
    for (std::size_t i = 0; i < wire.size(); ++i) {
        bytes_view one = bytes_view{wire}.subspan(i, 1);
        auto const frame = decoder.feed(one);
        REQUIRE(frame);
        CHECK(frame->has_value() == (i + 1 == wire.size()));
        CHECK(decoder.at_boundary() == (i + 1 == wire.size()));
    }
}

TEST_CASE("T1, T2: hostile lengths") {
    struct row {
        char const *wire;
        errc wanted;
    };
    for (auto const &[wire, wanted] : std::initializer_list<row>{
             {"8108", errc::frame_too_large},                           // one above the cap
             {"ffffffff0f", errc::frame_too_large},                     // 2^32 - 1
             {"8080808010", errc::frame_too_large},                     // 2^32
             {"ffffffffffffffff7f", errc::frame_too_large},             // 2^63 - 1
             {"ffffffffffffffffff01", errc::protocol_violation},        // 2^64 - 1
             {"8000", errc::protocol_violation},                        // not minimal
             {"80808080808080808080808000", errc::protocol_violation}}) // endless
        for (bool bytewise : {false, true}) {
            CAPTURE(wire);
            bytes const data = hex(wire);
            frame_decoder decoder{1024};
            result<std::optional<bytes_view>> got = std::optional<bytes_view>{};
            for (std::size_t at = 0; at < data.size() && got; at += bytewise ? 1 : data.size()) {
                bytes_view input = bytewise ? bytes_view{data}.subspan(at, 1) : bytes_view{data};
                got = decoder.feed(input);
                if (got) CHECK(!*got);
            }
            CHECK(got.error() == wanted);
            bytes const more(10, 1);
            bytes_view input{more};
            CHECK(decoder.feed(input).error() == wanted); // for good
            CHECK(!decoder.at_boundary());
        }
}

} // namespace frame_test
