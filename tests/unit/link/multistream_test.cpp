#include <gigi/link/multistream.hpp>

#include <gigi/core/task_group.hpp>
#include <gigi/core/timeout.hpp>
#include <gigi/testing/simulation.hpp>
#include <gigi/transport/memory.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace multistream_test {

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

/// What is left of a stream whose connection has ended: it can be read, and not written.
struct last_words {
    bytes left;
    awaitable<std::size_t> read_some(mutable_bytes buffer) {
        std::size_t const n = std::min(buffer.size(), left.size());
        std::copy_n(left.begin(), n, buffer.begin());
        left.erase(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(n));
        co_return n;
    }
    awaitable<void> write(bytes_view) {
        throw error{why};
        co_return;
    }
    void close_write() {}
    void reset() {}
    std::error_code why = make_error_code(errc::closed);
};

awaitable<std::string> all_of(memory_connection &c) {
    std::string all;
    bytes buffer(100);
    mutable_bytes const room{buffer};
    for (std::size_t n = 1; n > 0;) {
        n = co_await c.read_some(room);
        all += as_text(room.first(n));
    }
    co_return all;
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

TEST_CASE("multistream: a dialler that waits for the header before it offers anything gets it") {
    two_ends t;
    auto const patient = [&](std::string &answer) -> awaitable<void> {
        bytes out;
        multistream::append_message(out, multistream::header);
        co_await t.ends[0].write(bytes_view{out});
        bytes heard(out.size());
        mutable_bytes const room{heard};
        co_await read_exactly(t.ends[0], room);
        CHECK(heard == out);
        out.clear();
        multistream::append_message(out, "/noise");
        co_await t.ends[0].write(bytes_view{out});
        multistream::message_reader reader;
        answer = co_await multistream::read_message(t.ends[0], reader);
        t.ends[0].close_write();
    };
    std::string agreed, rest, answer;
    std::error_code code;
    auto const both = [&]() -> awaitable<void> {
        task_group g{t.sim.get_executor()};
        g.spawn(patient(answer));
        g.spawn(as_listener(t.ends[1], {"/noise"}, agreed, code, rest));
        co_await g.join();
    };
    t.sim.run(both());
    CHECK(answer == "/noise");
    CHECK(agreed == "/noise");
}

TEST_CASE("multistream: an offer of a dialler that has closed the connection is taken, of one that has aborted it is not") {
    simulation sim;
    std::vector<std::string> const known{"/noise"};
    last_words s;
    multistream::append_message(s.left, multistream::header);
    multistream::append_message(s.left, "/noise");
    append(s.left, as_bytes("app data"));
    last_words aborted = s;
    aborted.why = make_error_code(errc::reset);
    CHECK(sim.run(negotiate_as_listener(s, std::span<std::string const>{known})) == "/noise");
    CHECK(as_text(s.left) == "app data");
    CHECK_THROWS_AS(sim.run(negotiate_as_listener(aborted, std::span<std::string const>{known})), std::system_error);
}

TEST_CASE("multistream: a name that is too long to be offered is an error, and nothing is sent") {
    two_ends t;
    std::string agreed;
    std::error_code code;
    t.sim.run(as_dialler(t.ends[0], {std::string(1024, 'x')}, agreed, code));
    CHECK(code == errc::invalid_argument);
    CHECK(t.sim.run(all_of(t.ends[1])).empty());
}

TEST_CASE("multistream: a message is read in any pieces, and never a byte past it") {
    for (auto const &text : {std::string(), std::string("x"), std::string("/noise"), std::string(126, 'a'), std::string(127, 'a'), std::string(1023, 'a')})
        for (std::size_t const step : {1u, 2u, 3u, 64u, 2000u}) {
            bytes all;
            multistream::append_message(all, text);
            std::size_t const message = all.size();
            append(all, as_bytes("beyond"));
            multistream::message_reader reader;
            bytes_view left{all};
            while (!reader.complete()) {
                auto const room = reader.room();
                REQUIRE_FALSE(room.empty());
                std::size_t const n = std::min(step, room.size());
                std::ranges::copy(left.first(n), room.begin());
                REQUIRE_FALSE(reader.took(n));
                left = left.subspan(n);
            }
            CHECK(all.size() - left.size() == message);
            CHECK(reader.take().value() == text);
            CHECK(reader.room().size() == 2); // ready for the next
        }
}

TEST_CASE("T2: multistream: lengths that no message has are errors at once") {
    for (auto const &start : {std::string("\x00x", 2), std::string("\x81\x08"), std::string("\xff\xff"), std::string("\x80\x00", 2)}) {
        multistream::message_reader reader;
        std::ranges::copy(as_bytes(start), reader.room().begin());
        CHECK(reader.took(2) == errc::protocol_violation);
    }
}

TEST_CASE("multistream: an expected answer is told from a refusal and from nonsense, and nothing past it is wanted") {
    using verdict = multistream::expected_answer::verdict;
    auto const message = [](std::string_view text) {
        bytes b;
        multistream::append_message(b, text);
        return to_text(b);
    };
    std::string const greeting = message(multistream::header);
    struct row {
        std::string offer;
        bool with_header;
        std::string heard;
        verdict expected;
    };
    for (auto const &[offer, with_header, heard, expected] :
         std::vector<row>{{"/noise", true, greeting + message("/noise"), verdict::accepted},
                          {"/noise", true, greeting + message("na"), verdict::refused},
                          {"/noise", false, message("na"), verdict::refused},
                          {"/b", false, message("/b"), verdict::accepted}, // as long as a refusal
                          {"/b", false, message("na"), verdict::refused},
                          {"n", false, message("n"), verdict::accepted}, // shorter
                          {"n", false, message("na"), verdict::refused},
                          {"/noise", true, greeting + message("/nois!"), verdict::violation},
                          {"/noise", true, message("/noise"), verdict::violation},
                          {"/noise", true, message("na"), verdict::violation},
                          {"/noise", false, message("ls"), verdict::violation}})
        for (std::size_t const step : {1u, 3u, 1000u}) {
            CAPTURE(offer);
            CAPTURE(heard);
            multistream::expected_answer answer{offer, with_header};
            auto left = as_bytes(heard);
            while (answer.state() == verdict::more) {
                std::size_t const n = std::min({step, answer.wanted(), left.size()});
                REQUIRE(n > 0);
                answer.take(left.first(n));
                left = left.subspan(n);
            }
            CHECK(answer.state() == expected);
            CHECK(answer.wanted() == 0);
            if (expected != verdict::violation) CHECK(left.empty());
        }
}

TEST_CASE("multistream: an answer whose reading was cancelled is read on from there") {
    two_ends t;
    bytes out;
    multistream::append_message(out, multistream::header);
    multistream::append_message(out, "/noise");
    auto const dribble = [&]() -> awaitable<void> {
        for (auto const byte : out) {
            bytes_view const one{&byte, 1};
            co_await t.ends[1].write(one);
            co_await sleep_for(100ms);
        }
    };
    multistream::expected_answer answer{"/noise", true};
    int interrupted = 0;
    auto const read = [&]() -> awaitable<void> {
        while (answer.state() == multistream::expected_answer::verdict::more) {
            try {
                co_await with_timeout(multistream::read_answer(t.ends[0], answer), 250ms);
            } catch (std::system_error const &) {
                ++interrupted;
            }
        }
    };
    auto const both = [&]() -> awaitable<void> {
        task_group g{t.sim.get_executor()};
        g.spawn(dribble());
        g.spawn(read());
        co_await g.join();
    };
    t.sim.run(both());
    CHECK(answer.state() == multistream::expected_answer::verdict::accepted);
    CHECK(interrupted > 5);
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

} // namespace multistream_test
