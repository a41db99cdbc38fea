#include <gigi/codec/codec.hpp>

#include <gigi/codec/cereal_codec.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace codec_test {

using namespace gigi;

namespace {

/// A message that knows its own encoding: one byte.
struct one_byte {
    static constexpr std::size_t max_size = 1;
    std::uint8_t value = 0;
    void encode(bytes &out) const { out.push_back(value); }
    static result<one_byte> decode(bytes_view data) {
        if (data.size() != 1) return errc::protocol_violation;
        return one_byte{data[0]};
    }
};

struct bounded_elsewhere {};
struct with_a_function {
    std::size_t max_size() const { return 7; } // as a string has
};

struct encodes_only {
    template <class T> void encode(T const &, bytes &) const {}
};
struct decodes_without_a_result {
    template <class T> void encode(T const &, bytes &) const {}
    template <class T> T decode(bytes_view) const { return T(); }
};
struct only_moves {
    std::unique_ptr<int> state;
    template <class T> void encode(T const &, bytes &) const {}
    template <class T> result<T> decode(bytes_view) const { return T(); }
};
struct needs_to_change {
    template <class T> void encode(T const &, bytes &) {}
    template <class T> result<T> decode(bytes_view) { return T(); }
};

} // namespace
} // namespace codec_test

template <> inline constexpr std::size_t gigi::max_size_of<codec_test::bounded_elsewhere> = 12;

namespace codec_test {

TEST_CASE("codec: what is one, and what is none") {
    static_assert(Codec<bytes_codec, bytes>);
    static_assert(!Codec<bytes_codec, std::string>);
    static_assert(Codec<message_codec, one_byte>);
    static_assert(Codec<cereal_codec, std::string>);
    static_assert(!Codec<cereal_codec, std::unique_ptr<int>>);
    static_assert(!Codec<encodes_only, one_byte>);
    static_assert(!Codec<decodes_without_a_result, one_byte>);
    static_assert(!Codec<only_moves, one_byte>);
    static_assert(!Codec<needs_to_change, one_byte>);
    static_assert(!Codec<int, one_byte>);
}

TEST_CASE("codec: the largest size of a type: its own, or one that is said elsewhere, or 1 MiB") {
    CHECK(max_size_of<one_byte> == 1);
    CHECK(max_size_of<bounded_elsewhere> == 12);
    CHECK(max_size_of<with_a_function> == std::size_t{1} << 20);
    CHECK(max_size_of<std::string> == std::size_t{1} << 20);
    CHECK(max_size_of<int> == std::size_t{1} << 20);
    CHECK(max_size_of<bytes> == std::size_t{4} << 20);
}

TEST_CASE("codec: a message's own encoding, and bytes that are their own") {
    bytes out{0xaa};
    message_codec{}.encode(one_byte{7}, out);
    bytes_codec{}.encode(bytes{8, 9}, out);
    CHECK(to_hex(out) == "aa070809"); // appended
    CHECK(message_codec{}.decode<one_byte>(bytes_view{out}.subspan(1, 1))->value == 7);
    CHECK(message_codec{}.decode<one_byte>(out).error() == errc::protocol_violation);
    CHECK(bytes_codec{}.decode<bytes>(out).value() == out);
    CHECK(bytes_codec{}.decode<bytes>({}).value().empty());
}

} // namespace codec_test
