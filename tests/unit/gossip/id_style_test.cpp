#include <gigi/gossip/id_style.hpp>

#include <gigi/crypto/hash.hpp>

#include "support/vectors.hpp"

#include <doctest/doctest.h>

namespace id_style_test {

using namespace gigi;

namespace {
bytes hex(std::string_view text) { return from_hex(text).value(); }
} // namespace

TEST_CASE("id_style: the golden ids of one message, and each from the other") {
    auto const spec = hex(test::vector("gossip.messageIdFromSeqno")), js = hex(test::vector("gossip.messageIdJs"));
    CHECK(style_of(spec) == id_style::spec);
    CHECK(style_of(js) == id_style::js);
    CHECK(to_spec_id(spec) == spec);
    CHECK(to_spec_id(js) == spec);
    CHECK(from_spec_id(spec, id_style::spec) == spec);
    CHECK(from_spec_id(spec, id_style::js) == js);
    CHECK(!from_spec_id(spec, id_style::unknown));
}

TEST_CASE("id_style: an author whose id is a hash is known from the key, but not the other way round") {
    bytes key = hex("0800" "12a602"); // RSA, 294 bytes
    key.resize(key.size() + 294, 7);
    bytes js = key;
    append_be(js, std::uint64_t{1});
    CHECK(style_of(js) == id_style::js);
    bytes spec = hex("1220");
    append(spec, sha256(key));
    append_be(spec, std::uint64_t{1});
    CHECK(to_spec_id(js) == spec);
    CHECK(style_of(spec) == id_style::spec);
    CHECK(!from_spec_id(spec, id_style::js));
}

TEST_CASE("id_style: what is neither stays as it is") {
    for (char const *const text : {"", "00", "0024", "08011220", "0000000000000000", "313244334b6f6f5741424331373030303030303030303030303030303030",
                                   "00250801122073653cdbb84e0c011c1a17c466862d8ef5fdaf68551dbffd99474fdd055043f60000000000000102",
                                   "0804122073653cdbb84e0c011c1a17c466862d8ef5fdaf68551dbffd99474fdd055043f60000000000000102",
                                   "0801122173653cdbb84e0c011c1a17c466862d8ef5fdaf68551dbffd99474fdd055043f60000000000000102",
                                   "080112ffffffffffffffffff73653cdbb84e0c011c1a17c466862d8ef5fdaf68551dbffd99474fdd055043f6"}) {
        CAPTURE(text);
        auto const id = hex(text);
        CHECK(style_of(id) == id_style::unknown);
        CHECK(to_spec_id(id) == id);
        CHECK(!from_spec_id(id, id_style::js));
    }
}

} // namespace id_style_test
