#include <gigi/link/multistream.hpp>

#include <gigi/core/task_group.hpp>
#include <gigi/testing/simulation.hpp>
#include <gigi/transport/memory.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace gigi;
using namespace gigi::testing;

namespace {

struct two_ends {
    explicit two_ends(bool split = false) : sim{9}, network{sim.get_executor(), sim.random(), how(split)} {
        memory_transport here{network, "10.0.0.1"}, there{network, "10.0.0.2"};
        auto listener = there.listen(multiaddr::parse("/ip4/10.0.0.2/tcp/1").value());
        auto const connect = [&]() -> awaitable<void> {
            ends.push_back(co_await here.dial(listener.local_address()));
            ends.push_back(co_await listener.accept());
        };
        sim.run(connect());
    }
    static memory_network_options how(bool split) {
        memory_network_options o;
        o.split = split;
        return o;
    }
    simulation sim;
    memory_network network;
    std::vector<memory_connection> ends;
};

awaitable<void> as_dialler(memory_connection &c, std::vector<std::string> offers, std::string &agreed, std::error_code &code) {
    std::span<std::string const> const offer{offers};
    try {
        agreed = co_await negotiate_as_dialer(c, offer);
        co_await c.write(as_bytes("app data"));
    } catch (std::system_error const &e) {
        code = e.code();
    }
    c.close_write();
}

awaitable<void> as_listener(memory_connection &c, std::vector<std::string> known, std::string &agreed, std::error_code &code, std::string &rest) {
    std::span<std::string const> const supported{known};
    try {
        agreed = co_await negotiate_as_listener(c, supported);
        bytes buffer(100);
        for (;;) {
            mutable_bytes const room{buffer};
            std::size_t const n = co_await c.read_some(room);
            if (n == 0) break;
            rest += as_text(bytes_view{buffer}.first(n));
        }
    } catch (std::system_error const &e) {
        code = e.code();
    }
    c.close_write();
}

awaitable<void> say(memory_connection &c, bytes what) {
    co_await c.write(bytes_view{what});
    c.close_write();
}

} // namespace

TEST_CASE("multistream: both sides agree on the dialler's first choice that is supported, and not a byte more is read") {
    struct row {
        std::vector<std::string> offers, known;
        std::string agreed;
    };
    for (bool const split : {false, true})
        for (auto const &[offers, known, expected] : std::vector<row>{{{"/noise"}, {"/noise"}, "/noise"},
                                                                      {{"/a", "/b", "/c"}, {"/c", "/b"}, "/b"},
                                                                      {{std::string(500, 'x'), "/y"}, {std::string(500, 'x')}, std::string(500, 'x')},
                                                                      {{"/a", "/b"}, {"/c"}, ""}}) {
            two_ends t{split};
            std::string dialled, listened, rest;
            std::error_code dialler_code, listener_code;
            auto const both = [&]() -> awaitable<void> {
                task_group g{t.sim.get_executor()};
                g.spawn(as_dialler(t.ends[0], offers, dialled, dialler_code));
                g.spawn(as_listener(t.ends[1], known, listened, listener_code, rest));
                co_await g.join();
            };
            t.sim.run(both());
            CHECK(dialled == expected);
            CHECK(listened == expected);
            CHECK(rest == (expected.empty() ? "" : "app data"));
            if (expected.empty()) {
                CHECK(dialler_code == errc::unsupported_protocol);
                CHECK(listener_code == errc::unsupported_protocol);
            }
        }
}

TEST_CASE("multistream: the first flight is the header and the offer in one piece, as libp2p writes it") {
    bytes out;
    multistream::append_message(out, multistream::header);
    multistream::append_message(out, "/noise");
    CHECK(as_text(out) == "\x13/multistream/1.0.0\n\x07/noise\n");
}

TEST_CASE("T2: multistream: damaged and oversized messages are errors") {
    std::string const header = "\x13/multistream/1.0.0\n";
    for (std::string const &sent : {std::string("\x03no\n"), std::string("\x13/multistream/2.0.0\n"), std::string("\xff\xff\x03", 3), std::string("\x80\x80\x01", 3),
                                    std::string("\x00\x00", 2), header + "\x05/abcd", header + "\x03/a", std::string("GET / HTTP/1.1\r\n\r\n"), std::string("\x13/multi")}) {
        two_ends t;
        std::string agreed, rest;
        std::error_code code;
        auto const both = [&]() -> awaitable<void> {
            task_group g{t.sim.get_executor()};
            g.spawn(say(t.ends[0], to_bytes(sent)));
            g.spawn(as_listener(t.ends[1], {"/noise"}, agreed, code, rest));
            co_await g.join();
        };
        t.sim.run(both());
        CAPTURE(sent);
        CHECK(agreed.empty());
        CHECK((code == errc::protocol_violation || code == errc::end_of_stream));
    }
}

TEST_CASE("T4: multistream: endless offers end") {
    two_ends t;
    bytes offers;
    multistream::append_message(offers, multistream::header);
    for (int i = 0; i < 100; ++i) multistream::append_message(offers, "/unknown/" + std::to_string(i));
    std::string agreed, rest;
    std::error_code code;
    auto const both = [&]() -> awaitable<void> {
        task_group g{t.sim.get_executor()};
        g.spawn(say(t.ends[0], offers));
        g.spawn(as_listener(t.ends[1], {"/noise"}, agreed, code, rest));
        co_await g.join();
    };
    t.sim.run(both());
    CHECK(code == errc::unsupported_protocol);
}
