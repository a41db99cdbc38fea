// Attacks on the muxer and on what runs on its streams: T1–T5, T28, T29.
#include "attacks/arena.hpp"

#include <gigi/codec/framed.hpp>
#include <gigi/protocol/identify.hpp>
#include <gigi/protocol/nickname.hpp>
#include <gigi/protocol/request_response.hpp>

#include <string>
#include <vector>

namespace mux_test {

using namespace attacks;

namespace {

constexpr std::uint8_t data = 0, update = 1, ping_frame = 2, goodbye = 3;
constexpr auto syn = yamux_flag::syn, ack = yamux_flag::ack, fin = yamux_flag::fin, rst = yamux_flag::rst;
constexpr std::uint32_t window = 256 * 1024;

template <class... Parts> bytes joined(Parts const &...parts) {
    bytes out;
    (append(out, parts), ...);
    return out;
}

/// Sends bytes where yamux frames should be. @return what the victim said to it, once it has ended the connection
awaitable<scripted_record> provoke(arena &a, bytes frames) {
    auto const evil = co_await a.connected();
    try {
        co_await evil->send(std::move(frames));
    } catch (std::system_error const &) { // it was faster
    }
    co_await with_timeout(evil->listen(), 20s);
    CHECK(evil->ended);
    co_return evil->heard;
}

} // namespace

TEST_CASE("T1, T3: mux: whoever breaks the muxer's rules is told so and has its connection ended, and nobody else is touched") {
    arena a;
    struct row {
        std::string what;
        bytes frames;
        std::uint32_t code;
    };
    bytes const offer = multistream_offer("/unread");
    auto const offered = static_cast<std::uint32_t>(offer.size());
    std::vector<row> const rows{
        {"SYN with more than the window", yamux_bytes(data, syn, 1, window + 1), 1},
        {"the largest length", yamux_bytes(data, syn, 1, 0xffffffff), 1},
        {"more than the window, in steps", joined(yamux_bytes(data, syn, 1, offered, offer), yamux_bytes(data, 0, 1, window - offered, bytes(window - offered)), yamux_bytes(data, 0, 1, 1)), 1},
        {"credit that overflows", joined(yamux_bytes(update, syn, 1, 0), yamux_bytes(update, 0, 1, 0xffffffff)), 1},
        {"credit that overflows in two steps", joined(yamux_bytes(update, syn, 1, 0x7fffffff), yamux_bytes(update, 0, 1, 0x7fffffff), yamux_bytes(update, 0, 1, 0x7fffffff)), 1},
        {"a stream begun twice", joined(yamux_bytes(update, syn, 1, 0), yamux_bytes(update, syn, 1, 0)), 1},
        {"a stream with an id of ours", yamux_bytes(update, syn, 2, 0), 1},
        {"data on a stream that we are yet to open", yamux_bytes(data, 0, 100, 0), 1},
        {"stream 0", yamux_bytes(data, syn, 0, 0), 1},
        {"an unknown version", yamux_bytes(data, syn, 1, 0, {}, 1), 1},
        {"an unknown type", yamux_bytes(4, 0, 1, 0), 1},
        {"an unknown flag", yamux_bytes(data, 0x8000, 1, 0), 1},
        {"an answer to a ping that nobody sent", yamux_bytes(ping_frame, ack, 0, 0xdeadbeef), 1},
        {"a ping on a stream", yamux_bytes(ping_frame, syn, 5, 0), 1},
    };
    for (auto const &r : rows) {
        CAPTURE(r.what);
        auto const heard = a.sim.run(provoke(a, r.frames));
        CHECK(heard.goodbye == r.code);
        a.check_unharmed();
    }
}

TEST_CASE("T2: mux: random bytes behind the handshake end it, in bounded memory") {
    arena a;
    memory_meter::span const used;
    for (int round = 0; round < 100; ++round) {
        bytes noise_of_all_kinds(1 + a.sim.random().below(3000));
        a.sim.random().fill(noise_of_all_kinds);
        if (round % 2) noise_of_all_kinds[0] = 0, noise_of_all_kinds[1] &= 3, noise_of_all_kinds[2] = 0, noise_of_all_kinds[3] &= 15;
        auto const throwing = [&]() -> awaitable<void> {
            auto const evil = co_await a.connected();
            co_await evil->send(noise_of_all_kinds);
            evil->close_write();
            bool const ended = co_await evil->wait_for_end(70s);
            CHECK(ended);
        };
        a.sim.run(throwing());
    }
    a.sim.run_for(15s);
    CHECK(used.most() < 1024 * 1024);
    a.check_unharmed();
}

TEST_CASE("T3: mux: floods of frames that oblige us to answer end, whether or not the answers are read") {
    struct row {
        std::string what;
        bytes frame;
        bool new_stream;
    };
    std::vector<row> const rows{
        {"pings", yamux_bytes(ping_frame, syn, 0, 1), false},
        {"streams begun and aborted", {}, true},
        {"frames that say nothing", yamux_bytes(update, 0, 1, 0), false},
        {"goodbyes", yamux_bytes(goodbye, 0, 0, 0), false},
    };
    for (auto const &r : rows)
        for (bool const reads : {true, false}) {
            CAPTURE(r.what);
            CAPTURE(reads);
            arena a;
            memory_meter::span const used;
            auto &evil = a.enter();
            if (reads) a.tasks.spawn(evil.listen());
            a.pings.begin();
            auto const flood = [&]() -> awaitable<bool> {
                std::uint32_t id = 1;
                co_await evil.send(yamux_bytes(update, syn, id, 0));
                for (int i = 0; i < 1000; ++i) {
                    bytes many;
                    for (int n = 0; n < 100; ++n) {
                        id += 2;
                        if (r.new_stream) append(many, joined(yamux_bytes(update, syn, id, 0), yamux_bytes(update, rst, id, 0)));
                        else append(many, r.frame);
                    }
                    try {
                        co_await with_timeout(evil.send(std::move(many)), 2min);
                    } catch (std::system_error const &e) {
                        co_return e.code() == condition::closed;
                    }
                }
                co_return false;
            };
            CHECK(a.sim.run(flood())); // ended by the victim long before 100,000
            CHECK(used.most() < 2 * 1024 * 1024);
            a.sim.run_for(3s);
            a.check_unharmed();
        }
}

TEST_CASE("T3: mux: answers that are taken one by one, and never all of them, take no memory") {
    struct reader {
        yamux_stream_state &on_open(std::uint32_t) { return *opened.emplace_back(std::make_unique<yamux_stream_state>()); }
        void on_data(yamux_stream_state &, bytes_view) {}
        void on_end(yamux_stream_state &) {}
        void on_closed(yamux_stream_state &) {}
        void on_reset(yamux_stream_state &, std::error_code) {}
        std::vector<std::unique_ptr<yamux_stream_state>> opened;
    } handler;
    static_assert(YamuxHandler<reader>);
    yamux_options few;
    few.max_inbound_streams = 1;
    time_point const now{1s};
    yamux_session victim{false, few, now};
    std::uint32_t id = 1;
    auto const ask = [&] {
        bytes const one = yamux_bytes(update, syn, id, 0); // all but the first are refused
        id += 2;
        return victim.receive(one, now, handler);
    };
    for (int i = 0; i < 1000; ++i) REQUIRE_FALSE(ask());
    memory_meter::span const used;
    for (int i = 0; i < 200'000; ++i) {
        REQUIRE_FALSE(ask());
        REQUIRE(victim.next(now).has_value());
    }
    CHECK(victim.wants_write()); // there has been something to say all the time
    CHECK(used.most() < 256 * 1024);
}

TEST_CASE("T4: mux: 100,000 streams asked for: a bounded number is there at any time, the rest is refused") {
    for (bool const with_protocol : {false, true}) {
        CAPTURE(with_protocol);
        arena a;
        auto &evil = a.enter();
        a.tasks.spawn(evil.listen());
        a.pings.begin();
        a.sim.run_for(1s);
        memory_meter::span const used;
        std::size_t most_streams = 0;
        auto const ask = [&]() -> awaitable<void> {
            std::uint32_t id = 1;
            for (int i = 0; i < 1000; ++i) {
                bytes many;
                for (int n = 0; n < 100; ++n, id += 2) {
                    bytes const offer = with_protocol ? multistream_offer("/held") : bytes();
                    append(many, yamux_bytes(data, syn, id, static_cast<std::uint32_t>(offer.size()), offer));
                }
                co_await evil.send(std::move(many));
                co_await sleep_for(1ms);
                if (auto const *c = a.victim.net.find(a.evil.id())) most_streams = std::max(most_streams, c->mux->stream_count());
            }
            co_await sleep_for(1s);
        };
        a.sim.run(ask());
        CHECK(most_streams <= 257);
        CHECK(evil.heard.resets > 99'000);
        CHECK(used.most() < 4 * 1024 * 1024);
        a.check_honest();
        std::string const kind = with_protocol ? "of a protocol" : "without a word";
        MESSAGE("100,000 streams ", kind, ": at most ", most_streams, " at once, ", used.most() / 1024,
                " KiB at most on both sides; ", a.pings.summary("pings"));
        a.sim.run_for(15s); // the time that a stream has to say its protocol
        if (!with_protocol) CHECK(a.victim.net.find(a.evil.id())->mux->stream_count() == 0);
    }
}

TEST_CASE("T5: mux: a peer that asks for much and reads nothing costs a bounded amount, and is given up") {
    arena a;
    a.victim.net.handle("/endless", [](stream s) -> awaitable<void> {
        bytes const piece(100'000, 'x');
        for (;;) co_await s.write(piece);
    });
    auto &evil = a.enter();
    a.pings.begin();
    a.sim.run_for(1s);
    memory_meter::span const used;
    auto const ask = [&]() -> awaitable<void> {
        for (std::uint32_t id = 1; id < 200; id += 2) {
            co_await evil.open(id, "/endless");
            co_await evil.send(yamux_bytes(update, 0, id, 0x7fff0000)); // the largest window, if one lets it
        }
        co_await sleep_for(10s);
    };
    a.sim.run(ask());
    CHECK(a.victim.net.is_connected(a.evil.id()));
    CHECK(used.most() < 24 * 1024 * 1024); // 64 streams of a protocol, each with its queue and the piece that it writes
    MESSAGE("a peer that never reads: ", used.most() / 1024, " KiB at most; ", a.pings.summary("pings"));
    a.sim.run_for(70s);
    CHECK_FALSE(a.victim.net.is_connected(a.evil.id()));
    CHECK(used.held() < 1024 * 1024);
    a.check_unharmed();
}

TEST_CASE("T2, T4, T5: mux: bytes that a stream has left unread count until they are gone, however the stream and its connection end") {
    struct row {
        std::string what;
        bool reset, leave;
    };
    std::vector<row> const rows{{"left open", false, false}, {"ended and reset", true, false}, {"the peer has left in order", false, true}};
    swarm_options limits;
    limits.closing_grace = 10s;
    for (auto const &r : rows)
        for (std::size_t const limit : {std::size_t{64} << 20, std::size_t{4} << 20}) {
            CAPTURE(r.what);
            CAPTURE(limit);
            constexpr std::size_t streams = 40;
            limits.max_buffered = limit;
            arena a{limits};
            auto &evil = a.enter();
            a.tasks.spawn(evil.listen());
            a.sim.run_for(1500ms); // the swarm looks at what is held every second: not for a while
            memory_meter::span const used;
            auto const fill = [&]() -> awaitable<void> {
                for (std::uint32_t id = 1; id < 2 * streams; id += 2) {
                    bytes const unread(window - 200, 'u');
                    co_await evil.open(id, "/unread", unread);
                }
                co_await sleep_for(100ms); // the handlers have begun
                for (std::uint32_t id = 1; id < 2 * streams; id += 2) {
                    co_await evil.send(yamux_bytes(update, fin, id, 0));
                    if (r.reset) co_await evil.send(yamux_bytes(update, rst, id, 0));
                }
                if (r.leave) {
                    co_await evil.send(yamux_bytes(goodbye, 0, 0, 0));
                    evil.close_write();
                }
                co_await sleep_for(100ms);
            };
            a.sim.run(fill());
            std::size_t const counted = a.victim.net.stats().mux.bytes_buffered;
            CHECK(counted > streams * (window - 1024));
            CHECK(used.held() > counted); // it is really there
            a.sim.run_for(2s);
            bool const too_much = limit < streams * window / 2;
            CHECK(a.victim.net.stats().connections_overrun == (too_much ? 1 : 0));
            CHECK(a.victim.net.stats().mux.bytes_buffered == (too_much ? 0 : counted));
            CHECK((used.held() < 1024 * 1024) == too_much);
            CHECK(a.honest_ping() < 100ms);
            evil.close();
            a.sim.run_for(15s);
            CHECK(a.victim.net.stats().mux.bytes_buffered == 0);
            a.check_unharmed();
        }
}

TEST_CASE("T2: mux: many who have sent much and begin another frame hold little of it each") {
    arena a;
    constexpr std::size_t count = 40;
    a.pings.begin();
    a.sim.run_for(1s);
    std::vector<std::unique_ptr<identity>> faces;
    memory_meter::span const used;
    auto const come = [&](std::string host) -> awaitable<void> {
        faces.push_back(std::make_unique<identity>(identity::generate(a.sim.random())));
        a.attackers.push_back(co_await scripted_dial(a.network, std::move(host), a.victim.address, *faces.back(), a.sim.random()));
        auto &evil = *a.attackers.back();
        co_await evil.connect();
        bytes much(window - 200, 'm');
        co_await evil.open(1, "/held", std::move(much)); // it is read
        bytes begun{0xff, 0xff, 0};
        co_await evil.send_raw(std::move(begun));
        co_await sleep_for(100ms);
    };
    for (std::size_t i = 0; i < count; ++i) a.sim.run(come("10.0.1." + std::to_string(i + 1)));
    a.sim.run_for(5s);
    CHECK(a.victim.net.connection_count() == count + 1);
    CHECK(a.victim.net.stats().mux.bytes_buffered == 0);
    CHECK(used.held() < count * 64 * 1024); // of both sides
    MESSAGE(count, " connections with the beginning of a frame: ", used.held() / count / 1024, " KiB each, of both sides");
    a.check_honest();
    for (auto &evil : a.attackers) evil->close();
    a.sim.run_for(5s);
    a.check_unharmed();
}

TEST_CASE("T5: mux: one bad stream does not end the others, nor one slow one") {
    arena a;
    a.victim.net.handle("/throws", [](stream) -> awaitable<void> {
        co_await sleep_for(1ms);
        throw std::runtime_error{"a handler's own failure"};
    });
    auto const misbehave = [&]() -> awaitable<void> {
        auto const evil = co_await a.connected();
        co_await evil->open(1, std::string{ping::protocol});
        co_await evil->open(3, "/nobody/serves/this");
        co_await evil->open(5, "/throws");
        co_await evil->send(yamux_bytes(data, syn, 7, 4, bytes(4, 0xff)));                  // no multistream
        co_await evil->open(9, "/held", bytes(window - 200, 'h'));                          // held: nobody reads on
        co_await evil->send(yamux_bytes(data, syn | fin, 11, 0));
        co_await evil->send(yamux_bytes(data, 0, 11, 1, bytes(1)));                         // data after the end
        co_await evil->send(joined(yamux_bytes(data, 0, 99, 3, bytes(3)), yamux_bytes(update, rst, 99, 0))); // of no stream that there is
        co_await sleep_for(1s);
        co_await evil->send_data(1, bytes(32, 'p'));
        std::size_t const whole = multistream_offer(ping::protocol).size() + 32;
        while (evil->heard.streams[1].size() < whole) (void)co_await evil->next_frame();
        CHECK_FALSE(evil->heard.goodbye);
        CHECK(evil->heard.resets >= 2);
    };
    a.sim.run(misbehave());
    a.sim.run_for(1s);
    a.check_unharmed();
}

TEST_CASE("T4: mux: many identities get as many connections as one host may have, or all hosts together") {
    swarm_options few;
    few.max_connections_per_address = 20;
    few.max_connections = 40;
    arena a{few};
    std::vector<std::unique_ptr<identity>> faces;
    std::vector<std::unique_ptr<attacker>> all;
    auto const come = [&](std::string host) -> awaitable<void> {
        faces.push_back(std::make_unique<identity>(identity::generate(a.sim.random())));
        auto evil = co_await scripted_dial(a.network, std::move(host), a.victim.address, *faces.back(), a.sim.random());
        try {
            co_await evil->connect();
        } catch (std::system_error const &) {
        }
        all.push_back(std::move(evil));
    };
    for (int i = 0; i < 60; ++i) a.sim.run(come("10.0.0.66"));
    CHECK(a.victim.net.connection_count() == 21);
    for (int i = 0; i < 60; ++i) a.sim.run(come("10.0.1." + std::to_string(i))); // a quiet one makes room for each that is new
    CHECK(a.victim.net.connection_count() <= 40 + 40 / 8); // and those that say goodbye
    CHECK(a.victim.net.stats().handshakes_refused == 40);
    CHECK(a.honest_ping() < 100ms);
}

TEST_CASE("T29: mux: bytes that come one a second keep nothing longer than it may last") {
    swarm_options quick;
    quick.idle_timeout = 2min;
    arena a{quick};
    a.victim.net.protect(a.honest.id(), "a friend");
    a.honest.net.protect(a.victim.id(), "a friend");
    serve_requests<nickname_exchange>(a.victim.net, [](peer_id const &, nickname_exchange::request const &) { return nickname_exchange::response(); }, 20s);
    struct row {
        std::string what;
        bytes slowly;      // one byte a second
        std::uint32_t stream; // in its data, each byte a frame; or 0: as the frames' own bytes
        duration limit;
    };
    bytes const endless = frame_bytes(200, bytes(200, 'x'));
    std::vector<row> const rows{
        {"frame headers", yamux_bytes(data, 0, 99, 500, bytes(500)), 0, 3min}, // idle: no stream, no whole frame
        {"a stream's multistream", multistream_offer("/held"), 1, 12s},
        {"a request", endless, 3, 25s},
    };
    for (auto const &r : rows) {
        CAPTURE(r.what);
        auto &evil = a.enter();
        a.tasks.spawn(evil.listen());
        auto const start = a.sim.now();
        auto const trickle = [&]() -> awaitable<void> {
            if (r.stream == 1) co_await evil.send(yamux_bytes(update, syn, r.stream, 0));
            if (r.stream == 3) co_await evil.open(r.stream, std::string{nickname_exchange::id});
            for (auto const byte : r.slowly) {
                if (r.stream)
                    co_await evil.send_data(r.stream, bytes(1, byte));
                else
                    co_await evil.send(bytes(1, byte));
                co_await sleep_for(1s);
                if (evil.ended || evil.heard.resets > 0) co_return;
            }
        };
        try {
            a.sim.run(trickle());
        } catch (std::system_error const &) { // gone
        }
        CHECK(a.sim.now() - start < r.limit);
        evil.close();
        a.sim.run_for(5s);
    }
    a.check_unharmed();
}

TEST_CASE("T1, T2: framing: frames of up to 2^64 bytes on every protocol: the stream ends, and nothing is allocated") {
    arena a;
    identify_service identify{a.victim.net, "victim", [] { return std::vector<multiaddr>(); }, [](peer_id const &, identify_message const &) {}};
    serve_requests<nickname_exchange>(a.victim.net, [](peer_id const &, nickname_exchange::request const &) { return nickname_exchange::response(); }, 20s);
    auto &evil = a.enter();
    a.tasks.spawn(evil.listen());
    a.pings.begin();
    a.sim.run_for(1s);
    memory_meter::span const used;
    std::uint32_t id = 1;
    std::vector<bytes> const heads{varint_bytes(std::uint64_t{1} << 31), varint_bytes((std::uint64_t{1} << 32) + 1), varint_bytes(std::uint64_t{1} << 62),
                                   varint_bytes((std::uint64_t{1} << 63) - 1), varint_bytes(UINT64_MAX), varint_bytes(5, 9), bytes(10, 0xff)};
    for (auto const &protocol : {std::string{nickname_exchange::id}, std::string{identify_service::push_protocol}})
        for (auto const &head : heads) {
            CAPTURE(protocol);
            CAPTURE(to_hex(head));
            auto const resets = evil.heard.resets;
            auto const lie = [&]() -> awaitable<void> {
                bytes all = head;
                append(all, bytes(100, 'x'));
                co_await evil.open(id, protocol, std::move(all));
                id += 2;
                co_await sleep_for(100ms);
            };
            a.sim.run(lie());
            CHECK(evil.heard.resets == resets + 1);
        }
    CHECK(used.most() < 256 * 1024);
    CHECK_FALSE(evil.ended); // nothing of that ends the connection
    a.check_honest();
    MESSAGE("frames of up to 2^64 bytes: ", used.most() / 1024, " KiB at most; ", a.pings.summary("pings"));
    a.sim.run(identify.stop());
}

TEST_CASE("T28: framing: bodies of random bytes, and good ones with a size tag that lies, are errors in bounded memory") {
    arena a;
    serve_requests<nickname_exchange>(a.victim.net, [](peer_id const &, nickname_exchange::request const &) { return nickname_exchange::response(); }, 20s);
    auto &evil = a.enter();
    a.tasks.spawn(evil.listen());
    a.sim.run_for(1s);
    memory_meter::span const used;
    auto const send_bodies = [&]() -> awaitable<void> {
        std::uint32_t id = 1;
        for (int i = 0; i < 500; ++i, id += 2) {
            bytes body(1 + a.sim.random().below(60));
            a.sim.random().fill(body);
            if (i % 2) { // a string of up to 2^63 bytes
                body = varint_bytes(std::uint64_t{1} << (i % 64));
                append(body, "abc");
            }
            co_await evil.open(id, std::string{nickname_exchange::id}, frame_bytes(body));
            co_await evil.send(yamux_bytes(update, fin, id, 0));
            if (i % 20 == 19) co_await sleep_for(100ms);
        }
        co_await sleep_for(1s);
    };
    a.sim.run(send_bodies());
    CHECK(used.most() < 512 * 1024);
    CHECK_FALSE(evil.ended);
    CHECK(a.victim.net.find(a.evil.id())->mux->stream_count() == 0);
    CHECK(a.honest_ping() < 100ms);
}

} // namespace mux_test
