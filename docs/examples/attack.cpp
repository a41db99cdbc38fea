// docs/examples/attack.cpp: the program of docs/attacks.md: a protocol, and peers that speak it wrongly.
#include "expect.hpp"

#include <gigi/codec/codec.hpp>
#include <gigi/codec/framed.hpp>

// [includes]
#include <gigi/testing/memory_host.hpp>
#include <gigi/testing/scripted_peer.hpp>
#include <gigi/testing/simulation.hpp>

using namespace gigi::testing;
// [includes]

namespace {

/// Echoes messages of at most 1000 bytes.
gigi::awaitable<void> echo(gigi::stream incoming) {
    gigi::framed<gigi::stream, gigi::bytes_codec> line{std::move(incoming)};
    for (;;) {
        gigi::bytes const message = co_await line.read_bytes(1000);
        co_await line.write_bytes(message);
    }
}

// [world]
struct world {
    world() { victim.net.handle("/example/echo/1.0.0", echo); }
    ~world() { sim.run(victim.net.stop()); }

    simulation sim;
    gigi::memory_network network{sim.get_executor(), sim.random()};
    memory_host victim{network, "10.0.0.1", sim.random()};
    gigi::identity mallory = gigi::identity::generate(sim.random());
};

gigi::awaitable<void> claim_a_frame_of_2_62_bytes(world &w) {
    auto const evil = co_await scripted_dial(w.network, "10.0.0.66", w.victim.address, w.mallory, w.sim.random());
    co_await evil->connect(); // in good order up to yamux
    co_await evil->open(1, "/example/echo/1.0.0", frame_bytes(std::uint64_t{1} << 62));
    while (evil->heard.resets == 0) (void)co_await evil->next_frame();
    expect(w.victim.net.is_connected(w.mallory.id()), "the stream is reset, the connection stays");
}
// [world]

// [handshake]
gigi::awaitable<void> sign_wrongly(world &w) {
    auto const evil = co_await scripted_dial(w.network, "10.0.0.66", w.victim.address, w.mallory, w.sim.random());
    handshake_script script;
    script.payload = [](gigi::noise_payload &p, gigi::x25519_key const &) { p.signature[0] ^= 1; };
    co_await evil->connect(script);
    bool const ended = co_await evil->wait_for_end(std::chrono::seconds{1});
    expect(ended, "nobody talks to somebody who cannot prove who he is");
}
// [handshake]

} // namespace

int main() {
    world w;
    w.sim.run(claim_a_frame_of_2_62_bytes(w));
    w.sim.run(sign_wrongly(w));
}
