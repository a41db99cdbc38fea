#include <gigi/crypto/hash.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace hash_test {

using namespace gigi;

TEST_CASE("sha256: FIPS 180-4's examples, at once and in pieces of any size") {
    CHECK(to_hex(sha256({})) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(to_hex(sha256(as_bytes("abc"))) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(to_hex(sha256(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))) == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    bytes const data(1000, 'a');
    sha256_hasher h; // used again and again
    for (std::size_t const step : {1u, 7u, 63u, 64u, 65u, 1000u}) {
        for (std::size_t i = 0; i < data.size(); i += step) h.update(bytes_view{data}.subspan(i, std::min(step, data.size() - i))).update({});
        CHECK(h.finish() == sha256(data));
    }
    h.update(as_bytes("forgotten"));
    h.reset();
    CHECK(h.update(as_bytes("abc")).finish() == sha256(as_bytes("abc")));
}

TEST_CASE("hmac_sha256: RFC 4231, tests 1, 2, 6 and 7") {
    CHECK(to_hex(hmac_sha256(bytes(20, 0x0b), as_bytes("Hi There"))) == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    CHECK(to_hex(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    CHECK(to_hex(hmac_sha256(bytes(131, 0xaa), as_bytes("Test Using Larger Than Block-Size Key - Hash Key First"))) ==
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    CHECK(to_hex(hmac_sha256(bytes(131, 0xaa), as_bytes("This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed "
                                                        "before being used by the HMAC algorithm."))) == "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
    CHECK(hmac_sha256({}, {}) == hmac_sha256(bytes(64), {})); // a key is padded with zeros
}

TEST_CASE("noise_hkdf: RFC 5869, test 3, whose info is empty as Noise's is") {
    auto const three = noise_hkdf<3>({}, bytes(22, 0x0b));
    std::string const expected = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8";
    CHECK((to_hex(three[0]) + to_hex(three[1])).substr(0, expected.size()) == expected);
    auto const two = noise_hkdf<2>({}, bytes(22, 0x0b));
    CHECK(two[0] == three[0]);
    CHECK(two[1] == three[1]);
    // T(3) = HMAC(PRK, T(2) | 3)
    bytes message = to_bytes(three[1]);
    message.push_back(3);
    CHECK(three[2] == hmac_sha256(hmac_sha256({}, bytes(22, 0x0b)), message));
}

TEST_CASE("wipe: leaves zeros") {
    bytes secret(100, 7);
    wipe(secret);
    CHECK(secret == bytes(100));
    wipe({});
}

} // namespace hash_test
