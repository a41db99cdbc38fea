#include <gigi/file/share_code.hpp>

#include <gigi/crypto/hash.hpp>

#include <doctest/doctest.h>

#include <ostream>
#include <random>

namespace share_code_test {

using namespace gigi;

namespace {

merkle_hash root_of(unsigned seed) {
    merkle_hash root;
    std::mt19937 random{seed};
    for (auto &b : root) b = static_cast<std::uint8_t>(random());
    return root;
}

/// The definition, by the letter: the digest as a number, 5 bits at a time from the front.
std::string reference(merkle_hash const &root, std::uint64_t size) {
    bytes content{root.begin(), root.end()};
    append_be(content, size);
    std::string bits;
    for (auto b : sha256(content))
        for (int i = 7; i >= 0; --i) bits += (b >> i & 1) ? '1' : '0';
    std::string out;
    for (std::size_t i = 0; i < 100; i += 5) {
        if (i > 0 && i % 20 == 0) out += '-';
        out += "0123456789abcdefghjkmnpqrstvwxyz"[std::stoul(bits.substr(i, 5), nullptr, 2)];
    }
    return out;
}

} // namespace

TEST_CASE("share code: the first 100 bits, in Crockford's base 32") {
    for (unsigned seed = 0; seed < 50; ++seed) {
        auto const code = share_code::of(root_of(seed), seed * 1000).to_string();
        CHECK(code == reference(root_of(seed), seed * 1000));
        CHECK(code.size() == 24);
    }
    CHECK(share_code::of({}, 0).to_string() == reference({}, 0)); // the empty file
}

TEST_CASE("share code: bound to the content and to its size") {
    auto const root = root_of(1);
    auto const code = share_code::of(root, 1000);
    CHECK(code.names(root, 1000));
    CHECK(!code.names(root, 1001)); // T25
    CHECK(!code.names(root_of(2), 1000));
    // The empty file has no tree: whoever says that a file is empty shows nothing, and is believed of its own root alone.
    auto const whole = share_code::parse(to_hex(root)).value();
    CHECK(!whole.names(root, 0)); // T25
    CHECK(share_code::parse(std::string(64, '0')).value().names({}, 0));
    CHECK(!share_code::parse(std::string(64, '0')).value().names({}, 5));
}

TEST_CASE("share code: as people type it") {
    for (std::string const typed : {"k7qm-3fz2-01ab-9xyz-w4tv", "K7QM-3FZ2-01AB-9XYZ-W4TV", "k7qm3fz201ab9xyzw4tv", " k7qm 3fz2 01ab 9xyz w4tv ",
                                    "k7qm-3fz2-OiAB-9xyz-w4tv", "k7qm-3fz2-oLab-9xyz-w4tv", "k7q-m3fz201ab9xyzw4t-v"}) {
        CAPTURE(typed);
        auto const code = share_code::parse(typed);
        REQUIRE(code);
        CHECK(code->to_string() == "k7qm-3fz2-01ab-9xyz-w4tv");
        CHECK(!code->is_root());
    }
    for (std::string const wrong : {"", "-", "k7qm-3fz2-01ab-9xyz-w4t", "k7qm-3fz2-01ab-9xyz-w4tvv", "u7qm-3fz2-01ab-9xyz-w4tv", "../../etc/passwd-xxxx",
                                    "k7qm_3fz2_01ab_9xyz_w4tv", "\xc3\xa9" "7qm3fz201ab9xyzw4t"})
        CHECK(share_code::parse(wrong).error() == errc::unknown_code);
    CHECK(share_code::parse(std::string(1 << 20, '0')).error() == errc::unknown_code);
}

TEST_CASE("share code: a whole root is accepted") {
    auto const root = root_of(3);
    auto hex = to_hex(root);
    auto const code = share_code::parse(hex);
    REQUIRE(code);
    CHECK(code->is_root());
    CHECK(code->names(root, 1));
    CHECK(code->names(root, 2));
    CHECK(!code->names(root_of(4), 1));
    for (char &c : hex) c = static_cast<char>(std::toupper(c));
    CHECK(share_code::parse(hex)->names(root, 1));
    hex[5] = 'g';
    CHECK(!share_code::parse(hex));
    CHECK(!share_code::parse(to_hex(root).substr(1)));
}

TEST_CASE("share code: every code reads back") {
    for (unsigned seed = 0; seed < 200; ++seed) {
        auto const code = share_code::of(root_of(seed), seed);
        CHECK(*share_code::parse(code.to_string()) == code);
    }
}

} // namespace share_code_test
