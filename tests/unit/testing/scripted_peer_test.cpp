#include <gigi/testing/scripted_peer.hpp>

#include <gigi/protocol/ping.hpp>
#include <gigi/testing/memory_host.hpp>
#include <gigi/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <string>
#include <system_error>

namespace scripted_peer_test {

using namespace gigi;
using namespace gigi::testing;

namespace {

struct lab {
    simulation sim{7};
    memory_network network{sim.get_executor(), sim.random()};
    memory_host host{network, "10.0.0.1", sim.random()};
    identity self = identity::generate(sim.random());

    lab() { ping::serve(host.net); }
    ~lab() { sim.run(host.net.stop()); }

    awaitable<void> connect_and_ping(handshake_script script) {
        auto const peer = co_await scripted_dial(network, "10.0.0.2", host.address, self, sim.random());
        co_await peer->connect(std::move(script));
        CHECK(peer->remote()->identity_key == host.self.public_key().encode());
        co_await peer->open(1, std::string{ping::protocol}, bytes(32, 0x5a));
        while (peer->heard.streams[1].size() < 32 + multistream_offer(ping::protocol).size()) (void)co_await peer->next_frame();
        bytes expected = multistream_offer(ping::protocol);
        append(expected, bytes(32, 0x5a));
        CHECK(peer->heard.streams[1] == expected);
        CHECK(host.net.is_connected(self.id()));
        co_await peer->send(yamux_bytes(1, yamux_flag::fin, 1, 0));
        co_await peer->send(yamux_bytes(3, 0, 0, 0)); // goodbye
        bool const ended = co_await peer->wait_for_end(5s);
        CHECK(ended);
    }

    /// @return how the host took it
    std::error_code listen_for_host(handshake_script script) {
        memory_transport at{network, "10.0.0.3"};
        auto listener = at.listen(multiaddr::parse("/ip4/10.0.0.3/tcp/1").value());
        task_group tasks{sim.get_executor()};
        tasks.spawn(accept(listener, std::move(script)));
        std::error_code code;
        auto const dial = [&]() -> awaitable<void> {
            try {
                co_await host.net.dial(listener.local_address().with_peer(self.id()));
            } catch (std::system_error const &e) {
                code = e.code();
            }
        };
        sim.run(dial());
        tasks.cancel();
        sim.run(tasks.join());
        return code;
    }
    awaitable<void> accept(memory_listener &at, handshake_script script) {
        auto const peer = co_await scripted_accept(network, at, self, sim.random());
        try {
            co_await peer->connect(std::move(script));
            co_await peer->listen();
        } catch (std::system_error const &e) {
            if (e.code() == condition::cancelled) throw;
        }
    }
};

} // namespace

TEST_CASE("scripted_peer: without a script it is a peer like any other, either way") {
    lab l;
    handshake_script script;
    l.sim.run(l.connect_and_ping(script));
    script.muxers.clear(); // negotiated after the handshake
    l.sim.run(l.connect_and_ping(script));
    CHECK_FALSE(l.listen_for_host(script));
    script.muxers.assign(1, "/yamux/1.0.0");
    CHECK_FALSE(l.listen_for_host(script));
    CHECK(l.host.net.stats().handshakes_failed == 0);
}

TEST_CASE("scripted_peer: each part of the handshake can be wrong, and shows as just that") {
    lab l;
    handshake_script unsigned_key, garbled, cut, other_muxer;
    unsigned_key.payload = [](noise_payload &p, x25519_key const &) { p.signature[0] ^= 1; };
    garbled.encoded = [](bytes &p) { p[0] = 0xff; };
    cut.message = [](int, bytes &m) { m[m.size() - 1] ^= 1; };
    other_muxer.muxers.assign(1, "/mplex/6.7.0");
    CHECK(l.listen_for_host(unsigned_key) == errc::bad_signature);
    CHECK(l.listen_for_host(garbled) == errc::protocol_violation);
    CHECK(l.listen_for_host(cut) == errc::decryption_failed);
    CHECK(l.listen_for_host(other_muxer) == errc::unsupported_protocol);
}

TEST_CASE("scripted_peer: bytes one at a time, in the clear, past the encryption") {
    lab l;
    auto const slowly = [&]() -> awaitable<void> {
        auto const peer = co_await scripted_dial(l.network, "10.0.0.2", l.host.address, l.self, l.sim.random());
        co_await peer->drip(multistream_offer("/noise"), 10ms);
        (void)co_await peer->hear();
        std::string const answer = co_await peer->hear();
        CHECK(answer == "/noise");
        co_await peer->handshake();
        co_await peer->send_raw(bytes(100, 0));
        bool const ended = co_await peer->wait_for_end(5s);
        CHECK(ended);
    };
    l.sim.run(slowly());
    CHECK_FALSE(l.host.net.is_connected(l.self.id()));
}

} // namespace scripted_peer_test
