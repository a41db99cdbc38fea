#include <gigi/node/group_payload.hpp>

#include <gigi/codec/codec.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>

namespace group_payload_test {

using namespace gigi;

TEST_CASE("group_payload: a message keeps through its encoding; what another app says is an error") {
    bytes out;
    group_payload said;
    said.text = "hi";
    cereal_codec{}.encode(said, out);
    CHECK(cereal_codec{}.decode<group_payload>(out)->text == "hi");
    CHECK_FALSE(cereal_codec{}.decode<group_payload>(as_bytes("hello from somebody else's app")));
}

TEST_CASE("group_payload: every member is on the wire, in order; what is cut or longer is an error") {
    group_payload said;
    said.what = group_payload::kind::image;
    said.text = "t";
    said.name = "n";
    said.mime = "m";
    said.code = "c";
    said.size = 0x0102;
    bytes out;
    cereal_codec{}.encode(said, out);
    CHECK(to_hex(out) == "02" "0174" "016e" "016d" "0163" "0201000000000000");
    auto const got = cereal_codec{}.decode<group_payload>(out).value();
    CHECK(got.what == group_payload::kind::image);
    CHECK(got.text == "t");
    CHECK(got.name == "n");
    CHECK(got.mime == "m");
    CHECK(got.code == "c");
    CHECK(got.size == 0x0102);
    for (std::size_t n = 0; n < out.size(); ++n) CHECK_FALSE(cereal_codec{}.decode<group_payload>(bytes_view{out}.first(n)));
    out.push_back(0);
    CHECK_FALSE(cereal_codec{}.decode<group_payload>(out));
}

TEST_CASE("group_payload: the largest text fits, and a topic is the prefix and the group's name") {
    group_payload said;
    said.text.assign(std::size_t{1} << 20, 'x');
    bytes out;
    cereal_codec{}.encode(said, out);
    CHECK(out.size() <= max_size_of<group_payload>);
    CHECK(std::string{group_topic_prefix} + "lobby" == "/gigi/group/1.0.0/lobby");
}

} // namespace group_payload_test
