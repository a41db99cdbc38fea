#include <gigi/peer/multibase.hpp>

#include <doctest/doctest.h>

#include <string>

namespace multibase_test {

using namespace gigi;

TEST_CASE("base58: leading zeros, round trips, and what is no base58") {
    for (auto const *hex : {"", "00", "0000ff", "61", "626262", "516b6fcd0f", "00eb15231dfceb60925886b67d065299925915aeb172c06647"})
        CHECK(to_hex(from_base58(to_base58(from_hex(hex).value())).value()) == hex);
    CHECK(to_base58(as_bytes("Hello World!")) == "2NEpo7TZRRrLZSi2U");
    for (auto const *bad : {"0", "O", "I", "l", " ", "a b"}) CHECK_FALSE(from_base58(bad));
    CHECK_FALSE(from_base58(std::string(max_base58_size + 1, '2')));
    CHECK_FALSE(from_base58(std::string(1'000'000, 'z'))); // not even begun: decoding is quadratic
    CHECK(from_base58(std::string(max_base58_size, '1')).value() == bytes(max_base58_size));
}

TEST_CASE("base36: what go-ipfs writes") {
    CHECK(to_hex(from_base36("").value()).empty());
    CHECK(to_hex(from_base36("0").value()) == "00");
    CHECK(to_hex(from_base36("zz").value()) == "050f"); // 35 * 36 + 35
    CHECK_FALSE(from_base36("A"));
    CHECK_FALSE(from_base36(std::string(max_base58_size + 1, '1')));
}

TEST_CASE("base32 and base64url: RFC 4648, section 10, without padding; one text for one value") {
    struct row {
        char const *plain, *base32, *base64url;
    };
    for (auto const &[plain, base32, base64url] : {row{"", "", ""}, row{"f", "my", "Zg"}, row{"fo", "mzxq", "Zm8"}, row{"foo", "mzxw6", "Zm9v"},
                                                   row{"foob", "mzxw6yq", "Zm9vYg"}, row{"fooba", "mzxw6ytb", "Zm9vYmE"}, row{"foobar", "mzxw6ytboi", "Zm9vYmFy"}}) {
        CHECK(to_text(from_base32(base32).value()) == plain);
        CHECK(to_text(from_base64url(base64url).value()) == plain);
        CHECK(to_base64url(as_bytes(plain)) == base64url);
    }
    CHECK(to_base64url(bytes{0xfb, 0xff}) == "-_8");
    for (auto const *bad : {"a", "mya", "m", "mz", "MY", "my======", "m1", "mzx", "mzxw6y"}) CHECK_FALSE(from_base32(bad));
    for (auto const *bad : {"A", "AAAAA", "Z", "Zh", "Zg==", "Zm9vY", "+/8"}) CHECK_FALSE(from_base64url(bad));
}

} // namespace multibase_test
