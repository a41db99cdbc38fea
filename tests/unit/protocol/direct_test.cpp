#include <gigi/protocol/direct.hpp>

#include <gigi/codec/cereal_codec.hpp>
#include <gigi/codec/codec.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace direct_test {

using namespace gigi;

namespace {

template <class T> bytes encoded(T const &value) {
    bytes out;
    cereal_codec{}.encode(value, out);
    return out;
}

} // namespace

TEST_CASE("direct_protocol: a message keeps through its encoding; hostile bytes are errors") {
    direct_protocol::request sent;
    sent.id = "0123";
    sent.kind = direct_protocol::kind::image;
    sent.name = "cat.png";
    sent.data = to_bytes(std::string_view{"png"});
    bytes out;
    cereal_codec{}.encode(sent, out);
    auto const got = cereal_codec{}.decode<direct_protocol::request>(out).value();
    CHECK(got.name == "cat.png");
    CHECK(got.data == sent.data);
    CHECK(got.kind == direct_protocol::kind::image);
    for (std::size_t n = 0; n < out.size(); ++n) CHECK_FALSE(cereal_codec{}.decode<direct_protocol::request>(bytes_view{out}.first(n)));
}

TEST_CASE("direct_protocol: the largest image, the largest bytes and their receipts fit their frames") {
    std::string const id(32, 'f');
    direct_protocol::request image;
    image.id = id;
    image.kind = direct_protocol::kind::image;
    image.name.assign(255, 'n');
    image.mime.assign(128, 'm');
    image.data.resize(std::size_t{16} << 20);
    CHECK(encoded(image).size() <= max_size_of<direct_protocol::request>);
    bytes_protocol::request raw;
    raw.id = id;
    raw.data.resize(std::size_t{16} << 20);
    CHECK(encoded(raw).size() <= max_size_of<bytes_protocol::request>);
    delivery_receipt taken;
    taken.id = id;
    CHECK(encoded(taken).size() <= max_size_of<delivery_receipt>);
    CHECK(to_hex(encoded(taken)).starts_with("2066"));
}

TEST_CASE("bytes_protocol: a message keeps through its encoding; what is cut or longer is an error") {
    bytes_protocol::request sent;
    sent.id = "ab";
    sent.data = {1, 2, 3};
    auto const wire = encoded(sent);
    CHECK(to_hex(wire) == "02616203010203");
    auto const got = cereal_codec{}.decode<bytes_protocol::request>(wire).value();
    CHECK(got.id == "ab");
    CHECK(got.data == sent.data);
    for (std::size_t n = 0; n < wire.size(); ++n) CHECK_FALSE(cereal_codec{}.decode<bytes_protocol::request>(bytes_view{wire}.first(n)));
    bytes longer = wire;
    longer.push_back(0);
    CHECK_FALSE(cereal_codec{}.decode<bytes_protocol::request>(longer));
}

} // namespace direct_test
