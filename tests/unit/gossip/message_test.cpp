#include <gigi/gossip/message.hpp>

#include <gigi/codec/protobuf.hpp>

#include "support/vectors.hpp"

#include <doctest/doctest.h>

#include <functional>

namespace message_test {

using namespace gigi;

namespace {

bytes hex(std::string_view text) { return from_hex(text).value(); }

identity golden_identity() {
    bytes const raw = hex(test::vector("ed25519Seed"));
    ed25519_seed seed{};
    std::ranges::copy(raw, seed.begin());
    return identity::from_seed(seed);
}

gossip_message golden() { return detail::parse_message(hex(test::vector("gossip.message"))).value(); }

} // namespace

TEST_CASE("message: signed as js-libp2p signs it, byte for byte") {
    auto const made = sign_message(golden_identity(), "news", to_bytes("payload"), 0x0102);
    CHECK(to_hex(signed_bytes(made)) == test::vector("gossip.signedBytes"));
    bytes wire;
    protobuf_writer writer{wire};
    encode(made, writer);
    CHECK(to_hex(wire) == test::vector("gossip.message"));
    CHECK(to_hex(default_message_id(made)) == test::vector("gossip.messageIdFromSeqno"));
    CHECK((made == golden()));
}

TEST_CASE("message: the golden message verifies, with its key and without") {
    auto m = golden();
    REQUIRE(verify_message(m));
    CHECK(verify_message(m)->to_string() == test::vector("peerId"));
    m.key.clear();
    CHECK(verify_message(m)); // an Ed25519 key is in the peer id
}

TEST_CASE("T7: whatever is changed, the message is refused") {
    system_random random;
    identity const other = identity::generate(random);
    struct row {
        char const *what;
        std::function<void(gossip_message &)> change;
        errc expected;
    };
    row const rows[] = {
        {"data", [](auto &m) { m.data[0] ^= 1; }, errc::bad_signature},
        {"no data", [](auto &m) { m.data.clear(); }, errc::bad_signature},
        {"data absent", [](auto &m) { m.data.clear(), m.has_data = false; }, errc::bad_signature},
        {"topic", [](auto &m) { m.topic = "olds"; }, errc::bad_signature},
        {"seqno", [](auto &m) { m.seqno[7] ^= 1; }, errc::bad_signature},
        {"signature", [](auto &m) { m.signature[63] ^= 1; }, errc::bad_signature},
        {"signature cut off", [](auto &m) { m.signature.pop_back(); }, errc::bad_signature},
        {"signature too long", [](auto &m) { m.signature.push_back(0); }, errc::bad_signature},
        {"no signature", [](auto &m) { m.signature.clear(); }, errc::protocol_violation},
        {"no seqno", [](auto &m) { m.seqno.clear(); }, errc::protocol_violation},
        {"short seqno", [](auto &m) { m.seqno.pop_back(); }, errc::protocol_violation},
        {"long seqno", [](auto &m) { m.seqno.push_back(0); }, errc::protocol_violation},
        {"no author", [](auto &m) { m.from.clear(); }, errc::protocol_violation},
        {"author that is no peer id", [](auto &m) { m.from.pop_back(); }, errc::protocol_violation},
        {"another author", [&](auto &m) { m.from = to_bytes(other.id().data()); }, errc::peer_mismatch},
        {"another author, without key", [&](auto &m) { m.from = to_bytes(other.id().data()), m.key.clear(); }, errc::bad_signature},
        {"another's key", [&](auto &m) { m.key = other.public_key().encode(); }, errc::peer_mismatch},
        {"damaged key", [](auto &m) { m.key.pop_back(); }, errc::unsupported_key},
        {"key of an unknown type", [](auto &m) { m.key[1] = 9; }, errc::unsupported_key},
        {"author known by hash only, without key", [](auto &m) { m.from = bytes{0x12, 0x20}, m.from.resize(34), m.key.clear(); }, errc::protocol_violation},
    };
    for (auto const &[what, change, expected] : rows) {
        CAPTURE(what);
        auto m = golden();
        change(m);
        auto const author = verify_message(m);
        REQUIRE(!author);
        bool const as_expected = author.error() == expected || (expected == errc::unsupported_key && author.error() == errc::protocol_violation);
        CHECK(as_expected);
    }
}

TEST_CASE("message: another's message signed by me is still mine") {
    system_random random;
    identity const me = identity::generate(random), other = identity::generate(random);
    auto m = sign_message(me, "t", to_bytes("x"), 1);
    m.from = to_bytes(other.id().data());
    m.signature = to_bytes(bytes_view{me.sign(signed_bytes(m))});
    CHECK(verify_message(m).error() == errc::peer_mismatch);
    m.key.clear();
    CHECK(verify_message(m).error() == errc::bad_signature);
}

TEST_CASE("message: a second encoding of an author's id is not the author") {
    system_random random;
    identity const me = identity::generate(random);
    auto m = sign_message(me, "t", to_bytes("x"), 1);
    // the same key with its fields in the other order: decodes, but is no peer's id
    bytes reordered{0x00, 36, 0x12, 0x20};
    append(reordered, me.public_key().data());
    append(reordered, bytes{0x08, 0x01});
    m.from = reordered;
    m.signature = to_bytes(bytes_view{me.sign(signed_bytes(m))});
    CHECK(!verify_message(m));
}

TEST_CASE("message: empty data is signed and comes through") {
    system_random random;
    identity const me = identity::generate(random);
    auto const m = sign_message(me, "t", {}, 1);
    rpc r;
    r.messages.push_back(std::make_shared<gossip_message const>(m));
    bytes wire;
    encode(r, wire);
    auto const parsed = parse_rpc(wire);
    REQUIRE(parsed);
    CHECK(verify_message(*parsed->messages[0]));
}

TEST_CASE("message: sequence numbers begin with the time and always grow") {
    sequence_numbers numbers;
    wall_time const start{std::chrono::seconds{1'700'000'000}};
    CHECK(numbers.next(start) == 1'700'000'000'000'000'000u);
    CHECK(numbers.next(start) == 1'700'000'000'000'000'001u);
    CHECK(numbers.next(start - 1h) == 1'700'000'000'000'000'002u); // T31: the clock jumps back
    CHECK(numbers.next(start + 1s) == 1'700'000'001'000'000'000u);
    sequence_numbers before_epoch;
    CHECK(before_epoch.next(wall_time{-5s}) == 1);
}

} // namespace message_test
