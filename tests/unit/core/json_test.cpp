#include <gigi/core/json.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace json_test {

using namespace gigi;

namespace {

struct address {
    std::string to_string() const { return "/ip4/127.0.0.1"; }
};

struct happening {
    std::string nickname;
    std::uint64_t size = 0;
    std::vector<address> addresses;
    std::error_code error;
    gigi::bytes data;
    std::filesystem::path path;
    bool inbound = false;
    template <class F> void for_each_member(F &&f) const {
        f("nickname", nickname), f("size", size), f("addresses", addresses), f("error", error), f("bytes", data), f("path", path),
            f("inbound", inbound);
    }
};

} // namespace

TEST_CASE("json: values") {
    CHECK(json_text(true) == "true");
    CHECK(json_text(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
    CHECK(json_text(-5) == "-5");
    CHECK(json_text(0.5) == "0.5");
    CHECK(json_text(std::numeric_limits<double>::quiet_NaN()) == "0");
    CHECK(json_text(std::numeric_limits<double>::infinity()) == "0");
    CHECK(json_text("text") == R"("text")");
    CHECK(json_text(std::string{"a\"b\n\xff"}) == "\"a\\\"b\\n\ufffd\"");
    CHECK(json_text(std::filesystem::path{"/tmp/two words"}) == R"("/tmp/two words")");
    CHECK(json_text(make_error_code(errc::unknown_peer)) == R"("unknown_peer")");
    CHECK(json_text(std::vector<int>{}) == "[]");
    CHECK(json_text(std::vector<std::string>{"a", "b"}) == R"(["a","b"])");
}

TEST_CASE("json: objects") {
    CHECK(json_object{}.text() == "{}");
    json_object inner;
    inner.add("x", 1);
    json_object outer;
    outer.add("inner", inner).add("list", std::vector{inner, inner});
    CHECK(outer.text() == R"({"inner":{"x":1},"list":[{"x":1},{"x":1}]})");

    CHECK(json_object{inner}.add_all(json_object{}).add_all(outer).text() == R"({"x":1,"inner":{"x":1},"list":[{"x":1},{"x":1}]})");
    CHECK(json_object{}.add_all(inner).text() == R"({"x":1})");

    happening const h{"bob", 7, {address{}}, make_error_code(errc::closed), to_bytes("foo"), "a b", true};
    CHECK(json_text(h) == R"({"nickname":"bob","size":7,"addresses":["/ip4/127.0.0.1"],"error":"closed","bytes":"Zm9v","path":"a b","inbound":true})");
}

} // namespace json_test
