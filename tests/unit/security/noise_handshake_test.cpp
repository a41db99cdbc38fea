#include <gigi/security/noise_handshake.hpp>

#include <support/vectors.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace noise_handshake_test {

using namespace gigi;

namespace {

std::vector<std::string> const yamux_only{"/yamux/1.0.0"};

struct outcome {
    std::error_code dialler, listener;
    bool complete = false;
};

/// Runs a handshake; `meddle(step, message)` may change what is under way.
template <class F> outcome shake(noise_handshake &dialler, noise_handshake &listener, F meddle) {
    outcome o;
    for (int step = 0; step < 3; ++step) {
        auto &from = step % 2 == 0 ? dialler : listener;
        auto &to = step % 2 == 0 ? listener : dialler;
        auto message = from.next();
        REQUIRE(message);
        meddle(step, *message);
        if (auto const failed = to.take(*message)) {
            (step % 2 == 0 ? o.listener : o.dialler) = failed;
            return o;
        }
    }
    o.complete = dialler.complete() && listener.complete();
    return o;
}

void untouched(int, bytes &) {}

} // namespace

TEST_CASE("noise: both sides authenticate the other, agree on keys and on the muxer") {
    seeded_random random{1};
    identity const alice = identity::generate(random), bob = identity::generate(random);
    noise_handshake a{true, alice, bob.id(), yamux_only, random}, b{false, bob, std::nullopt, yamux_only, random};
    CHECK(a.sends_next());
    CHECK_FALSE(b.sends_next());
    auto const o = shake(a, b, untouched);
    CHECK(o.complete);
    CHECK(a.remote_peer() == bob.id());
    CHECK(b.remote_peer() == alice.id());
    CHECK(a.remote_key() == bob.public_key());
    CHECK(a.muxer() == "/yamux/1.0.0");
    CHECK(b.muxer() == "/yamux/1.0.0");
    CHECK(a.keys().send == b.keys().receive);
    CHECK(a.keys().receive == b.keys().send);
    CHECK(a.keys().send != a.keys().receive);
}

TEST_CASE("noise: the first message is a bare key of 32 bytes") {
    seeded_random random{2};
    identity const alice = identity::generate(random);
    noise_handshake a{true, alice, std::nullopt, yamux_only, random};
    CHECK(a.next().value().size() == 32);
    CHECK(a.next().error() == errc::protocol_violation); // not its turn
}

TEST_CASE("noise: the dialler's order of muxers decides; none in common is an error; none offered leaves it open") {
    struct row {
        std::vector<std::string> dialler, listener;
        std::string agreed;
        bool refused;
    };
    for (auto const &[first, second, agreed, refused] : std::vector<row>{{{"/a", "/b"}, {"/b", "/a"}, "/a", false},
                                                                         {{"/a"}, {"/b"}, "", true},
                                                                         {{}, {"/b"}, "", false},
                                                                         {{"/a"}, {}, "", false}}) {
        seeded_random random{3};
        identity const alice = identity::generate(random), bob = identity::generate(random);
        noise_handshake a{true, alice, std::nullopt, first, random}, b{false, bob, std::nullopt, second, random};
        auto const o = shake(a, b, untouched);
        CHECK(o.complete == !refused);
        if (refused) CHECK(o.dialler == errc::unsupported_protocol);
        if (!refused) CHECK(a.muxer() == agreed);
        if (!refused) CHECK(b.muxer() == agreed);
    }
}

TEST_CASE("T8: noise: a peer that is not the one that was dialled is refused before it learns who dials") {
    seeded_random random{4};
    identity const alice = identity::generate(random), bob = identity::generate(random), mallory = identity::generate(random);
    noise_handshake a{true, alice, bob.id(), yamux_only, random}, m{false, mallory, std::nullopt, yamux_only, random};
    auto const o = shake(a, m, untouched);
    CHECK_FALSE(o.complete);
    CHECK(o.dialler == errc::peer_mismatch);
}

TEST_CASE("T7: noise: a static key that its owner has not signed is refused") {
    seeded_random random{5};
    identity const alice = identity::generate(random), bob = identity::generate(random);
    x25519_pair const real = x25519_pair::generate(random), other = x25519_pair::generate(random);
    auto payload = noise_payload::make(bob, real.public_key(), yamux_only);
    CHECK(payload.verify(real.public_key()));
    CHECK(payload.verify(other.public_key()).error() == errc::bad_signature);
    payload.identity_key = alice.public_key().encode(); // claims to be alice
    CHECK(payload.verify(real.public_key()).error() == errc::bad_signature);
    payload.signature.clear();
    CHECK(payload.verify(real.public_key()).error() == errc::bad_signature);
    payload.identity_key.clear();
    CHECK(payload.verify(real.public_key()).error() == errc::unsupported_key);
}

TEST_CASE("noise: a message that was changed, cut or lengthened at any place never completes a handshake") {
    for (int step = 0; step < 3; ++step) {
        std::size_t size = 0;
        for (std::size_t at = 0; at == 0 || at < size; at += 7) {
            for (int how = 0; how < 3; ++how) {
                seeded_random random{6};
                identity const alice = identity::generate(random), bob = identity::generate(random);
                noise_handshake a{true, alice, std::nullopt, yamux_only, random}, b{false, bob, std::nullopt, yamux_only, random};
                auto const o = shake(a, b, [&](int now, bytes &message) {
                    if (now != step) return;
                    size = message.size();
                    if (how == 0) message[at] ^= 0x40;
                    if (how == 1) message.resize(at);
                    if (how == 2 && at == 0) message.push_back(0);
                });
                if (how == 2 && (at != 0 || step == 0)) continue; // a longer first message is a payload that nobody reads
                CAPTURE(step);
                CAPTURE(at);
                CHECK_FALSE(o.complete);
            }
        }
    }
}

TEST_CASE("noise: a key of low order is refused") {
    seeded_random random{7};
    identity const bob = identity::generate(random);
    noise_handshake b{false, bob, std::nullopt, yamux_only, random};
    bytes const zero(32);
    CHECK_FALSE(b.take(zero)); // unencrypted: looked at when it is used
    CHECK(b.next().error() == errc::protocol_violation);
}

TEST_CASE("noise: payloads: hostile bytes are errors, unknown fields are passed over, lists are bounded") {
    CHECK(noise_payload::decode({})->identity_key.empty());
    CHECK(noise_payload::decode(from_hex("0aff").value()).error() == errc::protocol_violation);
    CHECK(noise_payload::decode(from_hex("78010a0101").value())->identity_key.size() == 1);
    noise_payload many;
    many.muxers.assign(noise_payload::max_muxers + 1, "/x");
    CHECK(noise_payload::decode(many.encode()).error() == errc::limit_exceeded);
}

TEST_CASE("noise: the payload of the golden vector is made and read byte for byte") {
    ed25519_seed seed{};
    auto const raw = from_hex(test::vector("ed25519Seed")).value();
    std::ranges::copy(raw, seed.begin());
    x25519_key key{};
    auto const key_bytes = from_hex(test::vector("noisePayload.staticPublicKey")).value();
    std::ranges::copy(key_bytes, key.begin());
    auto const golden = from_hex(test::vector("noisePayload.payload")).value();
    identity const self = identity::from_seed(seed);
    CHECK(to_hex(noise_payload::make(self, key, yamux_only).encode()) == to_hex(golden));
    auto const read = noise_payload::decode(golden).value();
    CHECK(read.verify(key).value() == self.public_key());
    CHECK(read.muxers == yamux_only);
}

} // namespace noise_handshake_test
