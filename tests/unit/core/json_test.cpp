#include <gigi/core/json.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

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
    CHECK(to_json(true) == "true");
    CHECK(to_json(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
    CHECK(to_json(-5) == "-5");
    CHECK(to_json(0.5) == "0.5");
    CHECK(to_json(std::numeric_limits<double>::quiet_NaN()) == "0");
    CHECK(to_json(std::numeric_limits<double>::infinity()) == "0");
    CHECK(to_json("text") == R"("text")");
    CHECK(to_json(std::string{"a\"b\n\xff"}) == "\"a\\\"b\\n\ufffd\"");
    CHECK(to_json(std::filesystem::path{"/tmp/two words"}) == R"("/tmp/two words")");
    CHECK(to_json(make_error_code(errc::unknown_peer)) == R"("unknown_peer")");
    CHECK(to_json(std::vector<int>{}) == "[]");
    CHECK(to_json(std::vector<std::string>{"a", "b"}) == R"(["a","b"])");
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
    CHECK(to_json(h) == R"({"nickname":"bob","size":7,"addresses":["/ip4/127.0.0.1"],"error":"closed","bytes":"Zm9v","path":"a b","inbound":true})");
}
