#include <gigi/security/noise.hpp>
#include <gigi/security/noise_xx.hpp>
#include <gigi/security/secure_channel.hpp>

#include <gigi/core/task_group.hpp>
#include <gigi/testing/simulation.hpp>
#include <gigi/transport/memory.hpp>
#include <gigi/transport/transport.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace noise_test {

using namespace gigi;
using namespace gigi::testing;

namespace {

using channel_type = noise<memory_connection>;
static_assert(SecureChannel<channel_type>);

std::vector<std::string> const yamux_only{"/yamux/1.0.0"};

awaitable<void> raw_write(memory_connection &to, bytes data) { co_await to.write(bytes_view{data}); }

struct pair_of_channels {
    explicit pair_of_channels(bool split, std::uint64_t seed = 4) : sim{seed}, network{sim.get_executor(), sim.random(), how(split)},
          alice{identity::generate(sim.random())}, bob{identity::generate(sim.random())} {
        memory_transport here{network, "10.0.0.1"}, there{network, "10.0.0.2"};
        auto listener = there.listen(multiaddr::parse("/ip4/10.0.0.2/tcp/1").value());
        auto const connect = [&]() -> awaitable<void> {
            raw.push_back(co_await here.dial(listener.local_address()));
            raw.push_back(co_await listener.accept());
        };
        sim.run(connect());
    }
    static memory_network_options how(bool split) {
        memory_network_options o;
        o.split = split;
        o.latency = 10us;
        o.window = 1 << 20;
        return o;
    }
    void secure() {
        auto const both = [this]() -> awaitable<void> {
            task_group g{sim.get_executor()};
            g.spawn(dial());
            g.spawn(accept());
            co_await g.join();
        };
        sim.run(both());
    }
    awaitable<void> dial() {
        std::span<std::string const> const muxers{yamux_only};
        std::optional<peer_id> const expected{bob.id()};
        auto made = co_await channel_type::dial(std::move(raw[0]), alice, expected, muxers);
        client.emplace(std::move(made));
    }
    /// The handshake alone: what follows is up to the test. @return its keys
    awaitable<noise_keys> dial_by_hand() {
        system_random random;
        noise_handshake handshake{true, alice, std::nullopt, yamux_only, random};
        bytes const first = framed(handshake.next().value());
        co_await raw_write(raw[0], first);
        bytes size(2);
        mutable_bytes const size_room{size};
        co_await read_exactly(raw[0], size_room);
        bytes answer(load_be<std::uint16_t>(size.data()));
        mutable_bytes const room{answer};
        co_await read_exactly(raw[0], room);
        CHECK_FALSE(handshake.take(answer));
        bytes const last = framed(handshake.next().value());
        co_await raw_write(raw[0], last);
        co_return handshake.keys();
    }
    static bytes framed(bytes const &message) {
        bytes out;
        append_be(out, static_cast<std::uint16_t>(message.size()));
        append(out, message);
        return out;
    }
    awaitable<void> accept() {
        std::span<std::string const> const muxers{yamux_only};
        auto made = co_await channel_type::accept(std::move(raw[1]), bob, muxers);
        server.emplace(std::move(made));
    }

    simulation sim;
    memory_network network;
    identity alice, bob;
    std::vector<memory_connection> raw;
    std::optional<channel_type> client, server;
};

/// What a channel's other end may send, frame by frame.
class framer {
  public:
    explicit framer(noise_keys const &keys) : sealing_{keys.send, true} {}
    void add(bytes_view plain) {
        append_be(out, static_cast<std::uint16_t>(plain.size() + chacha20_poly1305::tag_size));
        std::size_t const at = out.size();
        out.resize(at + plain.size() + chacha20_poly1305::tag_size);
        sealing_.seal(sent_++, {}, plain, out.data() + at);
    }
    bytes out;

  private:
    chacha20_poly1305 sealing_;
    std::uint64_t sent_ = 0;
};

awaitable<void> count_turns(bool const &stop, int &turns) {
    auto const executor = co_await asio::this_coro::executor;
    while (!stop) {
        co_await asio::post(executor, use_awaitable);
        ++turns;
    }
}

awaitable<void> send_pieces(channel_type &to, std::vector<bytes> const &pieces, std::size_t at_once) {
    std::vector<bytes_view> views;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        views.push_back(pieces[i]);
        if (views.size() < at_once && i + 1 < pieces.size()) continue;
        co_await to.write(std::span<bytes_view const>{views});
        views.clear();
    }
    to.close_write();
}

awaitable<bytes> receive_all(channel_type &from) {
    bytes all;
    for (;;) {
        bytes_view const part = co_await from.read();
        if (part.empty()) break;
        append(all, part);
    }
    co_return all;
}

/// A connection that says what is given to it to read into.
class watched {
  public:
    watched(memory_connection inner, std::size_t &room) : inner_{std::move(inner)}, room_{&room} {}
    awaitable<std::size_t> read_some(mutable_bytes buffer) {
        *room_ = buffer.size();
        return inner_.read_some(buffer);
    }
    awaitable<void> wait_readable() {
        *room_ = 0;
        return inner_.wait_readable();
    }
    awaitable<void> write(bytes_view data) { return inner_.write(data); }
    awaitable<void> write(std::span<bytes_view const> pieces) { return inner_.write(pieces); }
    void close_write() { inner_.close_write(); }
    void reset() { inner_.reset(); }
    void close() { inner_.close(); }
    multiaddr local_address() const { return inner_.local_address(); }
    multiaddr remote_address() const { return inner_.remote_address(); }

  private:
    memory_connection inner_;
    std::size_t *room_;
};
static_assert(RawConnection<watched>);

awaitable<void> accept_watched(pair_of_channels &p, std::size_t &room, std::optional<noise<watched>> &server) {
    std::span<std::string const> const muxers{yamux_only};
    watched from{std::move(p.raw[1]), room};
    auto made = co_await noise<watched>::accept(std::move(from), p.bob, muxers);
    server.emplace(std::move(made));
}

awaitable<void> read_until_end(noise<watched> &from, std::size_t &total) {
    for (;;) {
        bytes_view const part = co_await from.read();
        if (part.empty()) break;
        total += part.size();
    }
}

} // namespace

TEST_CASE("noise: a channel that waits for messages holds no buffer, one that carries much reads much at once") {
    pair_of_channels p{false};
    std::size_t room = 99, total = 0;
    std::optional<noise<watched>> server;
    task_group reading{p.sim.get_executor()};
    auto const begin = [&]() -> awaitable<void> {
        task_group g{p.sim.get_executor()};
        g.spawn(p.dial());
        g.spawn(accept_watched(p, room, server));
        co_await g.join();
        reading.spawn(read_until_end(*server, total));
    };
    p.sim.run(begin());
    auto const send = [&](std::size_t size) {
        std::vector<bytes_view> pieces;
        bytes const data(size, 7);
        pieces.push_back(data);
        p.sim.run(p.client->write(pieces));
        p.sim.run_for(1s);
    };
    std::size_t sent = 0;
    for (std::size_t const size : {100u, 900u, 5u}) {
        CHECK(room == 0);
        send(size);
        CHECK(total == (sent += size));
    }
    send(2 << 20);
    CHECK(total == (sent += 2 << 20));
    CHECK(room >= 64 * 1024);
    send(100); // after that it is quiet
    CHECK(total == (sent += 100));
    CHECK(room == 0);
    p.client->close_write();
    p.sim.run(reading.join());
    CHECK(total == sent);
}

TEST_CASE("T2: noise: a frame takes a few times what has come of it, not what it says, and not what others before it took") {
    for (std::size_t const begun : {3u, 200u, 300u, 5000u}) {
        CAPTURE(begun);
        pair_of_channels p{false};
        std::size_t room = 99, total = 0;
        std::optional<noise<watched>> server;
        task_group reading{p.sim.get_executor()};
        bytes all;
        auto const begin = [&]() -> awaitable<void> {
            task_group g{p.sim.get_executor()};
            g.spawn(accept_watched(p, room, server));
            noise_keys const keys = co_await p.dial_by_hand();
            co_await g.join();
            reading.spawn(read_until_end(*server, total));
            framer frames{keys};
            bytes const much(65'519, 'm');
            for (int i = 0; i < 8; ++i) frames.add(much);
            co_await raw_write(p.raw[0], frames.out);
            co_await sleep_for(1s);
            frames.out.clear();
            frames.add(much);
            all = frames.out;
            bytes const first(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(begun));
            co_await raw_write(p.raw[0], first);
            co_await sleep_for(1s);
        };
        p.sim.run(begin());
        CHECK(total == 8 * 65'519);
        CHECK(room + begun <= (begun <= 256 ? 1024u : 64u * 1024)); // less in steps
        auto const finish = [&]() -> awaitable<void> { // in all sizes of pieces
            for (std::size_t at = begun, n = 1; at < all.size(); at += n, n = n * 3 + 1) {
                bytes const next(all.begin() + static_cast<std::ptrdiff_t>(at), all.begin() + static_cast<std::ptrdiff_t>(std::min(at + n, all.size())));
                co_await raw_write(p.raw[0], next);
                co_await sleep_for(10ms);
                if (at + n < all.size()) CHECK(room + at <= std::max<std::size_t>(1024, at * 16));
            }
            p.raw[0].close_write();
            co_await reading.join();
        };
        p.sim.run(finish());
        CHECK(total == 9 * 65'519);
    }
}

TEST_CASE("noise: what is written in pieces of any size is read whole, however the network splits it") {
    for (bool const split : {false, true}) {
        pair_of_channels p{split};
        p.secure();
        CHECK(p.client->remote_peer() == p.bob.id());
        CHECK(p.server->remote_peer() == p.alice.id());
        CHECK(p.client->muxer() == "/yamux/1.0.0");
        std::vector<bytes> pieces;
        bytes expected;
        constexpr std::size_t sizes[] = {1, 0, 12, 4096, 65518, 65519, 65520, 200'000, 3};
        for (std::size_t const size : sizes) {
            if (split && size > 5000) continue;
            bytes piece(size);
            p.sim.random().fill(piece);
            append(expected, piece);
            pieces.push_back(std::move(piece));
        }
        for (std::size_t const at_once : {std::size_t{4}}) {
            bytes got;
            auto const both = [&]() -> awaitable<void> {
                task_group g{p.sim.get_executor()};
                g.spawn(send_pieces(*p.client, pieces, at_once));
                got = co_await receive_all(*p.server);
                co_await g.join();
            };
            p.sim.run(both());
            CHECK(got == expected);
        }
    }
}

TEST_CASE("noise: forged ciphertext ends the channel; an end inside a frame is an error") {
    struct row {
        std::string forged;
        errc expected;
    };
    for (auto const &[forged, expected] : {row{std::string("\x00\x20", 2) + std::string(32, 'x'), errc::decryption_failed}, row{std::string("\x00\x03zzz", 5), errc::decryption_failed},
                                           row{std::string("\x00\x20zz", 4), errc::end_of_stream}, row{std::string("\x00", 1), errc::end_of_stream}}) {
        pair_of_channels p{false};
        // A second connection plays the attacker: what it writes is no ciphertext of the channel's keys.
        std::error_code code;
        auto const attack = [&]() -> awaitable<void> {
            task_group g{p.sim.get_executor()};
            g.spawn(p.accept());
            (void)co_await p.dial_by_hand();
            co_await g.join();
            co_await raw_write(p.raw[0], to_bytes(forged));
            p.raw[0].close_write();
            try {
                co_await receive_all(*p.server);
            } catch (std::system_error const &e) {
                code = e.code();
            }
        };
        p.sim.run(attack());
        CHECK(code == expected);
    }
}

TEST_CASE("T29: noise: empty frames are passed over, and however many there are, others get their turns") {
    pair_of_channels p{false};
    bool done = false;
    int turns = 0;
    bytes got;
    auto const attack = [&]() -> awaitable<void> {
        task_group g{p.sim.get_executor()};
        g.spawn(p.accept());
        noise_keys const keys = co_await p.dial_by_hand();
        co_await g.join();
        framer frames{keys};
        for (int i = 0; i < 40'000; ++i) frames.add({});
        frames.add(as_bytes("something"));
        co_await raw_write(p.raw[0], frames.out);
        co_await sleep_for(1s); // all of it has arrived
        g.reset();
        g.spawn(count_turns(done, turns));
        bytes_view const part = co_await p.server->read();
        got = to_bytes(part);
        done = true;
        co_await g.join();
    };
    p.sim.run(attack());
    CHECK(got == to_bytes(std::string{"something"}));
    CHECK(turns > 100);
}

TEST_CASE("T2: noise: an oversized handshake message is refused unread") {
    pair_of_channels p{false};
    std::error_code code;
    auto const attack = [&]() -> awaitable<void> {
        co_await raw_write(p.raw[0], to_bytes(std::string("\xff\xff", 2)));
        try {
            co_await p.accept();
        } catch (std::system_error const &e) {
            code = e.code();
        }
    };
    p.sim.run(attack());
    CHECK(code == errc::message_too_large);
}

TEST_CASE("noise_xx: payloads travel, and each side's keys are the other's") {
    seeded_random random{8};
    noise_xx a{true, x25519_pair::generate(random), x25519_pair::generate(random)}, b{false, x25519_pair::generate(random), x25519_pair::generate(random)};
    CHECK(to_text(b.read(a.write(as_bytes("one")).value()).value()) == "one");
    CHECK(to_text(a.read(b.write(as_bytes("two")).value()).value()) == "two");
    CHECK(to_text(b.read(a.write(as_bytes("three")).value()).value()) == "three");
    CHECK(a.complete());
    CHECK(b.complete());
    CHECK(a.hash() == b.hash());
    CHECK(a.keys().send == b.keys().receive);
    CHECK(a.their_static() == b.own_static());
    CHECK(a.write({}).error() == errc::protocol_violation);
    CHECK(a.read({}).error() == errc::protocol_violation);
}

} // namespace noise_test
