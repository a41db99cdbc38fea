// Attacks on the handshake: T2, T7, T8, T9, T20, T29.
#include "attacks/arena.hpp"

#include <gigi/codec/protobuf.hpp>

#include <functional>
#include <vector>

namespace handshake_test {

using namespace attacks;

namespace {

/// Connects with a script, as the dialler. @return whether the victim took it
awaitable<bool> try_to_enter(arena &a, handshake_script script) {
    auto const evil = co_await a.dial();
    try {
        co_await evil->connect(std::move(script));
    } catch (std::system_error const &) {
    }
    co_await sleep_for(100ms);
    co_return a.victim.net.connection_count() > 1;
}

struct impostor {
    std::error_code dial;    // what the victim says
    bool learnt = false;     // whether the impostor heard who dials
};

/// Answers one dial of the victim's with a script. `who` is who it is expected to be.
awaitable<void> answer(arena &a, memory_listener &at, handshake_script script, impostor &seen) {
    auto const evil = co_await scripted_accept(a.network, at, a.evil, a.sim.random());
    try {
        co_await evil->connect(std::move(script));
    } catch (std::system_error const &e) {
        if (e.code() == condition::cancelled) throw;
    }
    seen.learnt = evil->remote().has_value();
    (void)co_await evil->wait_for_end(1s);
}
awaitable<void> dial_impostor(arena &a, peer_id who, handshake_script script, impostor &seen) {
    memory_transport at{a.network, "10.0.0.66"};
    auto listener = at.listen(multiaddr::parse("/ip4/10.0.0.66/tcp/1").value());
    task_group other{a.sim.get_executor()};
    other.spawn(answer(a, listener, std::move(script), seen));
    try {
        (void)co_await a.victim.net.dial(listener.local_address().with_peer(who));
    } catch (std::system_error const &e) {
        seen.dial = e.code();
    }
    if (!seen.dial) co_await a.victim.net.disconnect(who);
    co_await sleep_for(100ms);
    other.cancel();
    co_await other.join();
}

using change = std::function<void(arena &, noise_payload &, x25519_key const &)>;

/// Lies about who one is.
std::vector<std::pair<std::string, change>> const &lies() {
    static std::vector<std::pair<std::string, change>> const all{
        {"no signature", [](arena &, noise_payload &p, x25519_key const &) { p.signature.clear(); }},
        {"a signature of zeros", [](arena &, noise_payload &p, x25519_key const &) { p.signature.assign(64, 0); }},
        {"a signature with one bit changed", [](arena &, noise_payload &p, x25519_key const &) { p.signature[40] ^= 4; }},
        {"a signature that is cut", [](arena &, noise_payload &p, x25519_key const &) { p.signature.pop_back(); }},
        {"a signature with more behind it", [](arena &, noise_payload &p, x25519_key const &) { p.signature.push_back(0); }},
        {"another's key, our signature", [](arena &a, noise_payload &p, x25519_key const &) { p.identity_key = a.honest.self.public_key().encode(); }},
        {"signed: another static key", [](arena &a, noise_payload &p, x25519_key const &k) {
             auto other = k;
             other[0] ^= 1;
             auto const s = a.evil.sign(as_bytes("noise-libp2p-static-key:" + to_text(other)));
             p.signature.assign(s.begin(), s.end());
         }},
        {"signed: without the prefix", [](arena &a, noise_payload &p, x25519_key const &k) {
             auto const s = a.evil.sign(k);
             p.signature.assign(s.begin(), s.end());
         }},
        {"no key", [](arena &, noise_payload &p, x25519_key const &) { p.identity_key.clear(); }},
        {"a key of no known type", [](arena &, noise_payload &p, x25519_key const &) { p.identity_key[1] = 9; }},
        {"a short key", [](arena &, noise_payload &p, x25519_key const &) { p.identity_key = from_hex("08011201aa").value(); }},
    };
    return all;
}

handshake_script telling(arena &a, change const &lie) {
    handshake_script script;
    script.payload = [&a, lie](noise_payload &p, x25519_key const &k) { lie(a, p, k); };
    return script;
}

/// An RSA key of so many bits, in libp2p's encoding; nobody has its private half.
bytes rsa_key(std::size_t bits) {
    auto const der = [](std::uint8_t tag, bytes_view content) {
        bytes out{tag};
        if (content.size() >= 256)
            out.insert(out.end(), {0x82, static_cast<std::uint8_t>(content.size() >> 8)});
        else if (content.size() >= 128)
            out.push_back(0x81);
        out.push_back(static_cast<std::uint8_t>(content.size()));
        append(out, content);
        return out;
    };
    bytes modulus(bits / 8 + 1, 0xc5);
    modulus[0] = 0;
    bytes numbers = der(2, modulus);
    append(numbers, from_hex("0203010001").value());
    bytes bit_string{0};
    append(bit_string, der(0x30, numbers));
    bytes info = from_hex("300d06092a864886f70d0101010500").value();
    append(info, der(3, bit_string));
    bytes key;
    protobuf_writer{key}.varint(1, 0).data(2, der(0x30, info));
    return key;
}

} // namespace

TEST_CASE("T7: handshake: whoever lies about its key gets in neither by dialling nor by being dialled") {
    arena a;
    CHECK(a.sim.run(try_to_enter(a, handshake_script())));
    a.sim.run_for(1s);
    for (auto const &[what, lie] : lies()) {
        CAPTURE(what);
        for (int round = 0; round < 5; ++round) { // "sometimes" is not enough: every time
            auto const failed = a.victim.net.stats().handshakes_failed;
            CHECK_FALSE(a.sim.run(try_to_enter(a, telling(a, lie))));
            CHECK(a.victim.net.stats().handshakes_failed == failed + 1);
            impostor seen;
            a.sim.run(dial_impostor(a, a.evil.id(), telling(a, lie), seen));
            CHECK(seen.dial);
            CHECK_FALSE(seen.learnt);
        }
    }
    a.check_unharmed();
}

TEST_CASE("T8, T20: handshake: an address that a liar gave for somebody else ends there, before the liar learns who dialled") {
    arena a;
    impostor seen;
    a.sim.run(dial_impostor(a, a.honest.id(), handshake_script(), seen)); // its own key, well signed, at another's address
    CHECK_FALSE(seen.dial); // connected already, to the real one
    a.sim.run(a.victim.net.disconnect(a.honest.id()));
    a.sim.run_for(5s);
    a.sim.run(dial_impostor(a, a.honest.id(), handshake_script(), seen));
    CHECK(seen.dial == errc::peer_mismatch);
    CHECK_FALSE(seen.learnt);
    CHECK_FALSE(a.victim.net.is_connected(a.honest.id()));
    a.sim.run(a.honest.connect(a.victim)); // the real one still can
    CHECK(a.honest_ping() < 100ms);

    // An announcement with a liar's address first, and the true one behind it.
    a.sim.run(a.honest.net.disconnect(a.victim.id()));
    a.sim.run_for(5s);
    memory_transport at{a.network, "10.0.0.66"};
    auto listener = at.listen(multiaddr::parse("/ip4/10.0.0.66/tcp/2").value());
    a.tasks.spawn(answer(a, listener, handshake_script(), seen));
    a.victim.known[a.honest.id()] = {listener.local_address(), a.honest.address};
    a.sim.run(a.victim.net.connect(a.honest.id()));
    CHECK(a.victim.net.find(a.honest.id())->info.remote == a.honest.address.without_peer());
    a.sim.run_for(5s);
}

TEST_CASE("T9: handshake: RSA keys of any unreasonable size are refused") {
    arena a;
    for (std::size_t const bits : {1024u, 4104u, 7168u, 8192u, 16'384u, 57'344u}) {
        CAPTURE(bits);
        handshake_script script;
        script.payload = [bits](noise_payload &p, x25519_key const &) {
            p.identity_key = rsa_key(bits);
            p.signature.assign(bits / 8, 0x11);
        };
        impostor seen;
        a.sim.run(dial_impostor(a, a.evil.id(), script, seen));
        CHECK(seen.dial);
        CHECK_FALSE(a.sim.run(try_to_enter(a, script)));
    }
    a.check_unharmed();
}

TEST_CASE("T7: handshake: no bit of it can be changed on its way") {
    arena a;
    std::size_t size = 0;
    handshake_script measure;
    measure.message = [&](int number, bytes &m) { if (number == 2) size = m.size(); };
    CHECK(a.sim.run(try_to_enter(a, measure)));
    a.sim.run_for(1s);
    REQUIRE(size > 150);
    for (int const number : {0, 2})
        for (std::size_t at = 2; at < (number == 0 ? 34 : size); ++at) {
            CAPTURE(number);
            CAPTURE(at);
            handshake_script script;
            script.message = [=](int n, bytes &m) { if (n == number) m[at] ^= static_cast<std::uint8_t>(1 << (at % 7)); };
            CHECK_FALSE(a.sim.run(try_to_enter(a, script)));
        }
    a.check_unharmed();
}

TEST_CASE("T29: handshake: cut anywhere it leaves nothing behind") {
    arena a;
    bytes first, second;
    handshake_script record;
    record.message = [&](int number, bytes &m) { (number == 0 ? first : second) = m; };
    CHECK(a.sim.run(try_to_enter(a, record)));
    a.sim.run_for(1s);
    auto const cut = [&](std::size_t at, bool politely) -> awaitable<void> {
        auto const evil = co_await a.dial();
        bytes clear = multistream_offer("/noise");
        append(clear, first);
        clear.resize(std::min(at, clear.size()));
        co_await evil->send_raw(clear);
        if (politely)
            evil->close_write();
        else
            evil->reset();
        (void)co_await evil->wait_for_end(1s);
    };
    std::size_t const all = multistream_offer("/noise").size() + first.size();
    for (int i = 0; i < 4; ++i) a.sim.run(cut(0, true)); // what stays by itself is there
    a.sim.run_for(1s);
    memory_meter::span const used;
    auto const failed = a.victim.net.stats().handshakes_failed;
    for (std::size_t at = 0; at < all; ++at) a.sim.run(cut(at, at % 2 == 0));
    a.sim.run_for(15s);
    CHECK(a.victim.net.stats().handshakes_failed == failed + all);
    CHECK(used.held() < 16'384);
    a.check_unharmed();
}

TEST_CASE("T2: handshake: what is not multistream-select, or too large, ends and costs nothing") {
    arena a;
    std::vector<bytes> const beginnings{
        to_bytes("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        from_hex("1603010200010001fc0303").value(),           // TLS
        multistream_bytes("/multistream/2.0.0"),
        multistream_bytes(""),
        frame_bytes(0, {}),
        frame_bytes(std::uint64_t{1} << 62, {}),
        frame_bytes(1025, bytes(1025, 'x')),
        varint_bytes(20, 9),
        bytes(4096, 0xff),
        multistream_bytes(std::string(900, '/')),
    };
    memory_meter::span const used;
    auto const knock = [&](bytes text) -> awaitable<bool> {
        auto const evil = co_await a.dial();
        co_await evil->send_raw(std::move(text));
        bool const ended = co_await evil->wait_for_end(11s); // some may be the beginning of something that is right
        co_return ended;
    };
    for (auto const &text : beginnings) CHECK(a.sim.run(knock(text)));
    auto const huge = [&]() -> awaitable<bool> { // a Noise message of 64 KiB where 32 bytes are due
        auto const evil = co_await a.dial();
        co_await evil->agree_on_noise();
        co_await evil->send_raw(from_hex("ffff").value());
        bool const ended = co_await evil->wait_for_end(1s);
        co_return ended;
    };
    CHECK(a.sim.run(huge()));
    CHECK(used.most() < 256 * 1024);
    a.check_unharmed();
}

TEST_CASE("T29: handshake: a byte a second, and it is over after the time that a handshake has") {
    arena a;
    auto const start = a.sim.now() + 1s;
    auto const drip = [&]() -> awaitable<void> {
        auto const evil = co_await a.dial();
        try {
            co_await evil->drip(multistream_offer("/noise"), 1s);
        } catch (std::system_error const &) {
        }
    };
    a.pings.begin();
    a.sim.run_for(1s);
    memory_meter::span const used;
    a.sim.run(drip());
    CHECK(a.sim.now() - start < 12s);
    CHECK(a.victim.net.stats().handshakes_failed == 1);
    CHECK(used.most() < 256 * 1024);
    MESSAGE("byte a second: ", used.most() / 1024, " KiB at most; ", a.pings.summary("pings"));
    a.check_unharmed();
}

} // namespace handshake_test
