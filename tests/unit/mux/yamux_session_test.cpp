// The rules of yamux, one by one, without I/O; and two sessions against each other.
#include <gigi/mux/yamux_session.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <map>
#include <memory>
#include <ostream>
#include <random>
#include <string>

namespace yamux_session_test {

using namespace gigi;

namespace {

constexpr time_point start{1000s};

bytes frame(yamux_type type, int flags, std::uint32_t id, std::uint32_t length) {
    bytes raw(yamux_header::size);
    build_yamux_header({type, static_cast<std::uint16_t>(flags), id, length}, std::span{raw}.first<yamux_header::size>());
    return raw;
}
bytes data_frame(int flags, std::uint32_t id, std::size_t n) {
    bytes raw = frame(yamux_type::data, flags, id, static_cast<std::uint32_t>(n));
    raw.resize(raw.size() + n, 0x5a);
    return raw;
}
bytes update(int flags, std::uint32_t id, std::uint32_t n) { return frame(yamux_type::window_update, flags, id, n); }

using namespace yamux_flag;

struct test_stream : yamux_stream_state {
    std::size_t received = 0;
    std::size_t taken = 0; // by the application
    bool ended = false;
    bool closed = false;
    std::error_code reset;
};

std::string text(yamux_header const &h) {
    std::string out;
    switch (h.type) {
    case yamux_type::data: out = "data"; break;
    case yamux_type::window_update: out = "update"; break;
    case yamux_type::ping: out = "ping"; break;
    case yamux_type::go_away: out = "goaway"; break;
    }
    if (h.has(syn)) out += " syn";
    if (h.has(ack)) out += " ack";
    if (h.has(fin)) out += " fin";
    if (h.has(rst)) out += " rst";
    if (h.stream_id) out += " #" + std::to_string(h.stream_id);
    return out + " " + std::to_string(h.length);
}

/// A session, its streams, and what it said.
struct side {
    explicit side(bool dialled, yamux_options const &options = {}) : session{dialled, options, start} {}

    std::error_code feed(bytes_view raw) { return session.receive(raw, now, *this); }
    test_stream &open() {
        auto &s = *made.emplace_back(std::make_unique<test_stream>());
        open_code = session.open(s);
        return s;
    }
    /// All that it wants to send, "; " between the frames.
    std::string output() {
        std::string all;
        while (auto const out = session.next(now)) {
            all += (all.empty() ? "" : "; ") + text(out->header);
            if (out->closed) static_cast<test_stream *>(out->stream)->closed = true;
        }
        return all;
    }
    test_stream *find(std::uint32_t id) {
        for (auto const &s : made)
            if (s->id == id) return s.get();
        return nullptr;
    }
    bool read(test_stream &s, std::size_t n) {
        s.taken += n;
        bool const due = session.consume(s, n);
        if (due) session.grant(s, now);
        return due;
    }

    yamux_stream_state &on_open(std::uint32_t) { return *made.emplace_back(std::make_unique<test_stream>()); }
    void on_data(yamux_stream_state &s, bytes_view data) { static_cast<test_stream &>(s).received += data.size(); }
    void on_end(yamux_stream_state &s) { static_cast<test_stream &>(s).ended = true; }
    void on_closed(yamux_stream_state &s) { static_cast<test_stream &>(s).closed = true; }
    void on_reset(yamux_stream_state &s, std::error_code why) { static_cast<test_stream &>(s).reset = why; }

    yamux_session session;
    std::vector<std::unique_ptr<test_stream>> made;
    std::error_code open_code;
    time_point now = start;
};
static_assert(YamuxHandler<side>);

} // namespace

TEST_CASE("yamux_session: ids are odd for the dialler and even for the listener") {
    side a{true}, b{false};
    CHECK(a.open().id == 1);
    CHECK(a.open().id == 3);
    CHECK(b.open().id == 2);
    CHECK(b.open().id == 4);
}

TEST_CASE("yamux_session: nothing is sent for a stream before its first write; SYN rides on it, FIN on a frame of its own") {
    side a{true};
    auto &s = a.open();
    CHECK(a.output() == "");
    a.session.write(s, 10);
    CHECK(a.output() == "data syn #1 10");
    a.session.write(s, 5);
    a.session.finish(s);
    CHECK(a.output() == "data #1 5; update fin #1 0");
    CHECK(!s.closed);
    CHECK(!a.feed(update(ack | fin, 1, 0)));
    CHECK(s.ended);
    CHECK(s.closed);
    CHECK(a.session.size() == 0);
}

TEST_CASE("yamux_session: an inbound stream is acknowledged by the first frame back") {
    side b{false};
    CHECK(!b.feed(data_frame(syn, 1, 3)));
    auto &s = *b.find(1);
    CHECK(s.received == 3);
    CHECK(b.output() == "");
    b.session.write(s, 2);
    CHECK(b.output() == "data ack #1 2");
    b.session.write(s, 2);
    CHECK(b.output() == "data #1 2");
    CHECK(!b.feed(data_frame(fin, 1, 4)));
    CHECK(s.received == 7);
    CHECK(s.ended);
    b.session.finish(s);
    CHECK(b.output() == "update fin #1 0");
    CHECK(s.closed);
}

TEST_CASE("yamux_session: a stream that is reset before it began leaves no trace; after that RST is sent") {
    side a{true};
    a.session.reset(a.open());
    CHECK(a.output() == "");
    auto &s = a.open();
    a.session.write(s, 1);
    CHECK(a.output() == "data syn #3 1");
    a.session.reset(s);
    CHECK(a.output() == "update rst #3 0");
    CHECK(!a.feed(data_frame(ack, 3, 100))); // late
    CHECK(!a.feed(update(fin, 3, 0)));
    CHECK(s.received == 0);
    CHECK(a.session.stats().frames_ignored == 2);
}

TEST_CASE("yamux_session: a reset by the peer ends one stream; a length in it is no credit") {
    side b{false};
    CHECK(!b.feed(update(syn, 1, 0)));
    CHECK(!b.feed(update(syn, 3, 0)));
    CHECK(!b.feed(update(rst, 1, 0xffffffff)));
    CHECK(b.find(1)->reset == errc::reset);
    CHECK(!b.find(3)->reset);
    CHECK(b.session.size() == 1);
}

TEST_CASE("yamux_session: what ends the session, and how the peer is told") {
    struct row {
        char const *what;
        bytes raw;
        errc code;
        char const *said;
    };
    auto const join = [](bytes a, bytes const &b) {
        append(a, b);
        return a;
    };
    constexpr std::uint32_t window = yamux_initial_window;
    row const rows[] = {
        {"a bad header", from_hex("010000000000000100000000").value(), errc::protocol_violation, "goaway 1"},
        {"SYN with an id of ours", update(syn, 2, 0), errc::protocol_violation, "goaway 1"},
        {"SYN twice", join(update(syn, 1, 0), update(syn, 1, 0)), errc::protocol_violation, "goaway 1"},
        {"a frame for a stream that we never opened", data_frame(0, 2, 1), errc::protocol_violation, "goaway 1"},
        {"T3: SYN with more data than the window", frame(yamux_type::data, syn, 1, window + 1), errc::flow_control, "goaway 1"},
        {"T3: data past the window", join(data_frame(syn, 1, window), data_frame(0, 1, 1)), errc::flow_control, "goaway 1"},
        {"T1: the largest length", join(update(syn, 1, 0), frame(yamux_type::data, 0, 1, 0xffffffff)), errc::flow_control, "goaway 1"},
        {"T3: window overflow on SYN", update(syn, 1, 0xffffffff), errc::protocol_violation, "goaway 1"},
        {"T3: window overflow", join(update(syn, 1, 0xffffffff - window), update(0, 1, 1)), errc::protocol_violation, "goaway 1"},
        {"a ping answer that nobody asked for", frame(yamux_type::ping, ack, 0, 0), errc::protocol_violation, "goaway 1"},
        {"GoAway with an error", frame(yamux_type::go_away, 0, 0, 2), errc::reset, ""},
    };
    for (auto const &r : rows) {
        CAPTURE(std::string{r.what});
        for (std::size_t const split : {std::size_t{1}, std::size_t{5}, r.raw.size()}) {
            side b{false};
            std::error_code code;
            for (std::size_t i = 0; i < r.raw.size() && !code; i += split)
                code = b.feed(bytes_view{r.raw}.subspan(i, std::min(split, r.raw.size() - i)));
            CHECK(code == r.code);
            CHECK(b.session.failure() == r.code);
            CHECK(b.output() == r.said);
            CHECK(b.feed(update(syn, 9, 0)) == r.code); // deaf from now on
            CHECK(b.find(9) == nullptr);
            b.open();
            CHECK(b.open_code == errc::closed);
            if (split == 1 && r.raw.size() > 1000) break;
        }
    }
}

TEST_CASE("yamux_session: what is tolerated") {
    struct row {
        char const *what;
        bytes raw;
    };
    auto const join = [](bytes a, bytes const &b) {
        append(a, b);
        return a;
    };
    row const rows[] = {
        {"a frame for a stream that has ended", data_frame(0, 7, 50)},
        {"FIN for one", update(fin, 7, 0)},
        {"RST for one", update(rst, 7, 0)},
        {"a stream begun and reset at once", data_frame(syn | rst, 1, 9)},
        {"the whole window at once", data_frame(syn, 1, yamux_initial_window)},
        {"SYN and FIN", data_frame(syn | fin, 1, 9)},
        {"the largest window", update(syn, 1, 0xffffffff - yamux_initial_window)},
        {"FIN twice", join(update(syn | fin, 1, 0), update(fin, 1, 0))},
        {"credit after FIN", join(update(syn | fin, 1, 0), update(0, 1, 100))},
        {"ACK for the peer's own stream", join(update(syn, 1, 0), update(ack, 1, 0))},
        {"an empty data frame", join(update(syn, 1, 0), data_frame(0, 1, 0))},
        {"ids in any order", join(update(syn, 5, 0), update(syn, 1, 0))},
        {"goodbye twice", join(frame(yamux_type::go_away, 0, 0, 0), frame(yamux_type::go_away, 0, 0, 0))},
    };
    for (auto const &r : rows) {
        CAPTURE(std::string{r.what});
        side b{false};
        CHECK(!b.feed(r.raw));
        CHECK(!b.session.inside_frame());
        CHECK(!b.feed(frame(yamux_type::ping, syn, 0, 77)));
        CHECK(b.output() == "ping ack 77");
    }
}

TEST_CASE("yamux_session: T5: data after FIN resets that stream alone") {
    side b{false};
    CHECK(!b.feed(data_frame(syn | fin, 1, 9)));
    CHECK(!b.feed(update(syn, 3, 0)));
    CHECK(!b.feed(data_frame(0, 1, 1)));
    CHECK(b.find(1)->reset == errc::protocol_violation);
    CHECK(b.output() == "update rst #1 0");
    CHECK(b.session.size() == 1);
}

TEST_CASE("yamux_session: credit: data stops at the window and goes on with an update") {
    side a{true};
    auto &s = a.open();
    a.session.write(s, 600'000);
    std::size_t sent = 0;
    while (auto const out = a.session.next(a.now)) sent += out->header.length;
    CHECK(sent == yamux_initial_window);
    CHECK(s.send_credit == 0);
    CHECK(!a.session.wants_write());
    CHECK(!a.feed(update(ack, 1, 1000)));
    CHECK(a.output() == "data #1 1000");
    CHECK(s.queued == 600'000 - yamux_initial_window - 1000);
    a.session.withdraw(s, s.queued);
    CHECK(!a.feed(update(0, 1, 1000)));
    CHECK(a.output() == "");
}

TEST_CASE("yamux_session: the peer gets new credit when half of the window has been read") {
    side b{false};
    CHECK(!b.feed(data_frame(syn, 1, yamux_initial_window)));
    auto &s = *b.find(1);
    CHECK(!b.read(s, yamux_initial_window / 2 - 1));
    CHECK(b.output() == "");
    CHECK(b.read(s, 1));
    CHECK(!b.read(s, 1000)); // one update is enough
    CHECK(b.output() == "update ack #1 " + std::to_string(yamux_initial_window / 2 + 1000));
    CHECK(s.receive_credit == yamux_initial_window / 2 + 1000);
    CHECK(!b.feed(data_frame(0, 1, s.receive_credit)));
    CHECK(b.feed(data_frame(0, 1, 1)) == errc::flow_control);
}

TEST_CASE("yamux_session: no credit after FIN") {
    side b{false};
    CHECK(!b.feed(data_frame(syn | fin, 1, yamux_initial_window)));
    CHECK(!b.read(*b.find(1), yamux_initial_window));
    CHECK(b.output() == "");
}

TEST_CASE("yamux_session: windows grow with the bandwidth-delay product, within both budgets, and give back at the end") {
    yamux_options options;
    options.max_stream_window = 1024 * 1024;
    options.max_window_growth = 1200 * 1024;
    side b{false, options};
    // a ping that takes 10 ms
    CHECK(!b.session.on_time(b.now));
    CHECK(b.output() == "ping syn 1");
    b.now += 10ms;
    CHECK(!b.feed(frame(yamux_type::ping, ack, 0, 1)));
    CHECK(b.session.round_trip() == 10ms);

    auto const fill = [&](std::uint32_t id, duration pace, int rounds) {
        if (!b.find(id)) CHECK(!b.feed(update(syn, id, 0)));
        auto &s = *b.find(id);
        for (int i = 0; i < rounds; ++i) {
            b.now += pace;
            std::size_t const n = s.receive_credit;
            CHECK(!b.feed(data_frame(0, id, n)));
            b.read(s, n);
            b.output();
        }
        return s.window;
    };
    CHECK(fill(1, 21ms, 5) == yamux_initial_window); // slow: no reason to grow
    CHECK(fill(1, 5ms, 1) == 2 * yamux_initial_window);
    CHECK(fill(1, 5ms, 5) == options.max_stream_window);
    CHECK(b.session.window_growth() == options.max_stream_window - yamux_initial_window);
    CHECK(fill(3, 5ms, 9) == yamux_initial_window + (1200 - 768) * 1024); // what is left for all
    CHECK(b.session.window_growth() == options.max_window_growth);
    b.session.reset(*b.find(1));
    CHECK(b.session.window_growth() == (1200 - 768) * 1024);
    CHECK(!b.feed(update(rst, 3, 0)));
    CHECK(b.session.window_growth() == 0);
    CHECK(b.session.buffered() == 0);
}

TEST_CASE("yamux_session: T4: streams over a limit are answered with RST, and counted") {
    yamux_options options;
    options.max_inbound_streams = 3;
    side b{false, options};
    for (std::uint32_t id = 1; id <= 9; id += 2) CHECK(!b.feed(data_frame(syn, id, 100)));
    CHECK(b.output() == "update rst #7 0; update rst #9 0");
    CHECK(b.session.size() == 3);
    CHECK(b.session.stats().streams_refused == 2);
    b.session.reset(*b.find(1));
    b.output();
    CHECK(!b.feed(update(syn, 11, 0)));
    CHECK(b.find(11));

    side c{false};
    for (std::uint32_t i = 0; i < 300; ++i) CHECK(!c.feed(update(syn, 2 * i + 1, 0)));
    CHECK(c.session.size() == 256); // unacknowledged
    CHECK(c.session.stats().streams_refused == 44);
    c.session.write(*c.find(1), 1);
    c.output();
    CHECK(!c.feed(update(syn, 1001, 0)));
    CHECK(c.session.size() == 257);
    CHECK(!c.feed(update(syn, 1003, 0)));
    CHECK(c.session.size() == 257);
}

TEST_CASE("yamux_session: the place of a stream that gives up before it began goes to the next that waits") {
    for (bool const resets : {true, false}) {
        yamux_options o;
        o.max_unacknowledged = 2;
        side a{true, o};
        for (int i = 0; i < 4; ++i) a.session.write(a.open(), 1);
        CHECK(a.output() == "data syn #1 1; data syn #3 1"); // the others wait
        CHECK(!a.feed(update(ack, 1, 0)));
        auto &third = *a.find(5);
        if (resets) a.session.reset(third);
        else a.session.withdraw(third, 1);
        CHECK(a.output() == "data syn #7 1");
    }
}

TEST_CASE("yamux_session: our own streams: limits, and no more than 256 begin unacknowledged") {
    yamux_options options;
    options.max_outbound_streams = 300;
    side a{true, options};
    for (int i = 0; i < 300; ++i) a.session.write(a.open(), 1);
    CHECK(!a.open_code);
    a.open();
    CHECK(a.open_code == errc::limit_exceeded);
    int begun = 0;
    while (auto const out = a.session.next(a.now)) begun += out->header.has(syn);
    CHECK(begun == 256);
    CHECK(!a.feed(update(ack, 1, 0)));
    CHECK(a.output() == "data syn #513 1");
    CHECK(!a.feed(update(ack, 1, 0))); // once is enough
    CHECK(a.output() == "");
    CHECK(!a.feed(update(rst, 3, 0)));
    CHECK(a.output() == "data syn #515 1");
    a.session.reset(*a.find(517)); // one that waits to begin
    a.session.reset(*a.find(5));
    CHECK(a.output() == "update rst #5 0; data syn #519 1");
}

TEST_CASE("yamux_session: a side that has used up its ids opens no more, and the other one's streams come as before") {
    CHECK(1 + 2 * std::uint64_t{yamux_options().max_opened} < std::numeric_limits<std::uint32_t>::max()); // ids do not wrap
    yamux_options options;
    options.max_opened = 2;
    for (bool const dialled : {true, false}) {
        side a{dialled, options};
        for (int i = 0; i < 2; ++i) {
            CHECK_FALSE(a.session.used_up());
            auto &s = a.open();
            CHECK_FALSE(a.open_code);
            if (i == 0) a.session.reset(s); // its id does not come back
        }
        CHECK(a.session.used_up());
        a.open();
        CHECK(a.open_code == errc::closed);
        CHECK_FALSE(a.feed(update(syn, dialled ? 2 : 1, 0)));
        CHECK(a.session.size() == 2);
        CHECK_FALSE(a.session.left());
    }
}

TEST_CASE("yamux_session: T4: more unread data than the connection may hold resets the stream that overran") {
    yamux_options options;
    options.max_buffered = 400'000;
    side b{false, options};
    CHECK(!b.feed(data_frame(syn, 1, 250'000)));
    CHECK(!b.feed(data_frame(syn, 3, 150'000)));
    CHECK(!b.feed(data_frame(syn, 5, 1)));
    CHECK(b.find(5)->reset == errc::limit_exceeded);
    CHECK(!b.find(1)->reset);
    CHECK(b.session.stats().streams_overrun == 1);
    CHECK(b.output() == "update rst #5 0");
    static_cast<void>(b.read(*b.find(1), 1));
    CHECK(!b.feed(data_frame(0, 3, 1)));
    CHECK(!b.find(3)->reset);
}

TEST_CASE("yamux_session: T3: floods of frames that say nothing end the session; a normal number does not") {
    struct row {
        char const *what;
        bytes raw;
    };
    row const rows[] = {
        {"empty data", data_frame(0, 1, 0)},
        {"empty updates", update(0, 1, 0)},
        {"pings", frame(yamux_type::ping, syn, 0, 1)},
        {"updates for a stream that has ended", update(0, 7, 1)},
        {"FIN again and again", update(fin, 1, 0)},
        {"streams begun and reset at once", update(syn | rst, 9, 0)},
        {"goodbyes", frame(yamux_type::go_away, 0, 0, 0)},
        {"streams begun, used and reset", from_hex("000000010000000b0000000178" "000100080000000b00000000").value()},
    };
    for (auto const &r : rows) {
        CAPTURE(std::string{r.what});
        side b{false};
        CHECK(!b.feed(update(syn, 1, 0)));
        std::error_code code;
        int n = 0;
        for (; n < 100'000 && !code; ++n) code = b.feed(r.raw);
        CHECK(code == errc::protocol_violation);
        CHECK(n > 10'000);
        CHECK(b.output() == "goaway 1");
    }
    side b{false}; // 300 a second for ten minutes
    CHECK(!b.feed(update(syn, 1, 0)));
    for (int i = 0; i < 20; ++i) {
        for (int k = 0; k < 9000; ++k) REQUIRE(!b.feed(update(0, 1, 0)));
        b.now += 30s;
        REQUIRE(!b.session.on_time(b.now));
        b.output();
        REQUIRE(!b.feed(frame(yamux_type::ping, ack, 0, static_cast<std::uint32_t>(i + 1))));
    }
}

TEST_CASE("yamux_session: late frames for many streams that we have aborted are no flood") {
    side a{true};
    for (int i = 0; i < 100'000; ++i) {
        auto &s = a.open();
        a.session.write(s, 1);
        a.output();
        a.session.reset(s);
        a.output();
        REQUIRE(!a.feed(update(ack, s.id, 1)));
        REQUIRE(!a.feed(data_frame(0, s.id, 1)));
        REQUIRE(!a.feed(update(fin, s.id, 0)));
        a.made.clear();
    }
}

TEST_CASE("yamux_session: T1, T2: hostile bytes: random ones, and good ones with random changes") {
    for (std::uint32_t seed = 1; seed <= 300; ++seed) {
        CAPTURE(seed);
        std::mt19937 random{seed};
        side b{false};
        bytes raw;
        for (int i = 0; i < 200; ++i) {
            std::uint32_t const id = static_cast<std::uint32_t>(random() % 12);
            int const flags = random() % 2 ? 0 : static_cast<int>(random() % 16);
            switch (random() % 6) {
            case 0: append(raw, frame(yamux_type::ping, random() % 8 ? syn : ack, 0, id)); break;
            case 1: append(raw, update(flags, id, static_cast<std::uint32_t>(random() % 3 ? random() % 1000 : random()))); break;
            case 2: append(raw, update(syn, id | 1, 0)); break;
            default: append(raw, data_frame(flags, id | 1, random() % 300)); break;
            }
        }
        if (seed % 3)
            for (int i = 0; i < 5; ++i) raw[random() % raw.size()] = static_cast<std::uint8_t>(random());
        else
            for (auto &byte : raw) byte = random() % 3 ? byte : static_cast<std::uint8_t>(random() % 5);
        for (std::size_t i = 0; i < raw.size();) {
            std::size_t const n = std::min<std::size_t>(raw.size() - i, 1 + random() % 700);
            if (b.feed(bytes_view{raw}.subspan(i, n))) break;
            i += n;
            if (!b.made.empty() && random() % 3 == 0) {
                auto &s = *b.made[random() % b.made.size()];
                if (random() % 4 == 0) b.session.reset(s);
                if (s.attached && random() % 3 == 0) b.session.finish(s);
                if (s.attached && !s.fin_queued) b.session.write(s, random() % 100);
            }
            b.output();
        }
        CHECK(b.session.size() <= b.made.size());
        CHECK(b.session.buffered() <= b.session.size() * yamux_initial_window);
    }
}

TEST_CASE("yamux_session: T3: frames that wait for a peer who does not read are bounded") {
    yamux_options options;
    options.max_inbound_streams = 1;
    side b{false, options};
    std::error_code code;
    std::uint32_t id = 1;
    for (; !code && id < 100'000; id += 2) code = b.feed(update(syn, id, 0));
    CHECK(code == errc::limit_exceeded);
    CHECK(id < 10'000);
    CHECK(b.output() == "goaway 2");

    side c{false};
    for (std::uint32_t i = 0; i < 100; ++i) CHECK(!c.feed(frame(yamux_type::ping, syn, 0, i)));
    CHECK(c.session.stats().pings_dropped == 84);
    std::string const answers = c.output();
    CHECK(answers.starts_with("ping ack 0; ping ack 1; "));
    CHECK(answers.ends_with("ping ack 15"));
    CHECK(!c.feed(frame(yamux_type::ping, syn, 0, 9)));
    CHECK(c.output() == "ping ack 9");
}

TEST_CASE("yamux_session: keepalive: a ping at once, then every 30 s; silence ends the session") {
    side a{true};
    CHECK(a.session.next_time() == start);
    CHECK(!a.session.on_time(a.now));
    CHECK(a.output() == "ping syn 1");
    CHECK(a.session.next_time() == start + 20s);
    a.now += 4ms;
    CHECK(!a.feed(frame(yamux_type::ping, ack, 0, 1)));
    CHECK(a.session.round_trip() == 4ms);
    CHECK(a.session.next_time() == start + 30s);
    a.now = start + 29s;
    CHECK(!a.session.on_time(a.now));
    CHECK(a.output() == "");
    a.now = start + 30s;
    CHECK(!a.session.on_time(a.now));
    CHECK(a.output() == "ping syn 2");
    // Bytes keep a session alive whose answer to the ping is late.
    for (int i = 0; i < 10; ++i) {
        a.now += 15s;
        CHECK(!a.feed(data_frame(0, 8, 10)));
        CHECK(!a.session.on_time(a.now));
    }
    CHECK(a.session.next_time() == a.now + 20s);

    side b{false};
    CHECK(!b.session.on_time(b.now));
    b.output();
    b.now += 15s;
    CHECK(!b.feed(update(syn, 1, 0)));
    b.now += 15s;
    CHECK(!b.session.on_time(b.now));
    CHECK(b.output() == ""); // one at a time
    b.now += 4s;
    CHECK(!b.session.on_time(b.now));
    b.now += 1s;
    CHECK(b.session.next_time() == b.now);
    CHECK(b.session.on_time(b.now) == errc::timed_out);
}

TEST_CASE("yamux_session: ping answers: wrong, early and twice are violations; the mean is smoothed") {
    side a{true};
    CHECK(!a.session.on_time(a.now));
    CHECK(a.feed(frame(yamux_type::ping, ack, 0, 1)) == errc::protocol_violation); // before it was sent
    side b{true};
    CHECK(!b.session.on_time(b.now));
    b.output();
    CHECK(b.feed(frame(yamux_type::ping, ack, 0, 2)) == errc::protocol_violation);
    side c{true};
    duration const trips[] = {8ms, 16ms};
    for (std::uint32_t i = 0; i < 2; ++i) {
        CHECK(!c.session.on_time(c.now));
        c.output();
        c.now += trips[i];
        CHECK(!c.feed(frame(yamux_type::ping, ack, 0, i + 1)));
        c.now += 30s;
    }
    CHECK(c.session.round_trip() == 9ms);
    CHECK(c.feed(frame(yamux_type::ping, ack, 0, 2)) == errc::protocol_violation);
}

TEST_CASE("yamux_session: goodbye: no new streams either way, the open ones can end") {
    side a{true};
    auto &s = a.open();
    a.session.write(s, 1);
    a.output();
    CHECK(!a.feed(frame(yamux_type::go_away, 0, 0, 0)));
    CHECK(a.session.peer_left());
    a.open();
    CHECK(a.open_code == errc::closed);
    a.session.write(s, 5);
    CHECK(!a.feed(data_frame(ack | fin, 1, 3)));
    CHECK(s.received == 3);
    a.session.finish(s);
    CHECK(!a.session.drained());
    CHECK(a.output() == "data #1 5; update fin #1 0");
    CHECK(a.session.drained());
    a.session.go_away();
    a.session.go_away();
    CHECK(a.output() == "goaway 0");
    CHECK(!a.feed(update(syn, 2, 0)));
    CHECK(a.output() == "update rst #2 0");
}

TEST_CASE("yamux_session: a small message on another stream waits for a few frames of a bulk transfer at most") {
    side a{true};
    std::vector<test_stream *> bulk;
    for (int i = 0; i < 20; ++i) {
        bulk.push_back(&a.open());
        a.session.write(*bulk.back(), 200'000);
    }
    for (int i = 0; i < 7; ++i) a.session.next(a.now);
    auto &small = a.open();
    a.session.write(small, 64);
    a.session.finish(small);
    int before = 0;
    while (a.session.next(a.now)->stream != &small) ++before;
    CHECK(before <= 16); // while none of the bulk streams had had its turn; later on it comes at once
    while (!small.fin_sent) a.session.next(a.now);
    for (int i = 0; i < 40; ++i) a.session.next(a.now);
    auto &second = a.open();
    a.session.write(second, 64);
    before = 0;
    while (a.session.next(a.now)->stream != &second) ++before;
    CHECK(before <= 1);
}

TEST_CASE("yamux_session: bulk streams share alike, and many small ones do not starve them") {
    yamux_options options;
    options.quantum = 1000;
    side a{true, options};
    auto &x = a.open(), &y = a.open();
    a.session.write(x, 200'000);
    a.session.write(y, 200'000);
    for (int i = 0; i < 100; ++i) a.session.next(a.now);
    CHECK(x.queued == y.queued);
    std::size_t const before = x.queued;
    auto &chatty = a.open();
    a.session.write(chatty, 1);
    for (int i = 0; i < 340; ++i) { // always has something new to say
        auto const out = a.session.next(a.now);
        if (out->stream == &chatty) a.session.write(chatty, 1);
    }
    CHECK(before - x.queued >= 10'000);
}

namespace {

/// Two sessions joined by two pipes of bytes, with a model of what each stream should hold.
struct world {
    explicit world(std::uint32_t seed) : random{seed}, a{true, options()}, b{false, options()} {}

    static yamux_options options() {
        yamux_options o;
        o.max_inbound_streams = 20;
        o.max_outbound_streams = 25;
        o.max_unacknowledged = 5;
        o.quantum = 3000;
        o.max_stream_window = 1024 * 1024;
        return o;
    }
    struct end {
        end(bool dialled, yamux_options const &o) : session{dialled, o, start} {}
        yamux_session session;
        bytes pipe;                                                 // to the other end
        std::map<std::uint32_t, std::unique_ptr<struct model>> streams; // by id; kept for good

        yamux_stream_state &on_open(std::uint32_t id);
        void on_data(yamux_stream_state &s, bytes_view data);
        void on_end(yamux_stream_state &s);
        void on_closed(yamux_stream_state &s);
        void on_reset(yamux_stream_state &s, std::error_code);
    };

    static std::uint8_t byte_at(std::uint32_t id, std::uint64_t position) {
        return static_cast<std::uint8_t>(position * 31 + id * 7 + (position >> 8));
    }
    void step();
    void flush(end &from, std::size_t frames);
    void deliver(end &to, end &from, std::size_t n);

    std::mt19937 random;
    end a, b;
    time_point now = start;
};

struct model : yamux_stream_state {
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    std::uint32_t waiting = 0; // received, not read
    bool end_seen = false;
    bool is_reset = false;
};

yamux_stream_state &world::end::on_open(std::uint32_t id) { return *(streams[id] = std::make_unique<model>()); }
void world::end::on_data(yamux_stream_state &state, bytes_view data) {
    auto &s = static_cast<model &>(state);
    bool same = true;
    for (auto const byte : data) same = same && byte == byte_at(s.id, s.received++);
    REQUIRE(same);
    s.waiting += static_cast<std::uint32_t>(data.size());
    REQUIRE(s.waiting <= s.unread);
}
void world::end::on_end(yamux_stream_state &state) { static_cast<model &>(state).end_seen = true; }
void world::end::on_closed(yamux_stream_state &) {}
void world::end::on_reset(yamux_stream_state &state, std::error_code) { static_cast<model &>(state).is_reset = true; }

void world::flush(end &from, std::size_t frames) {
    while (frames-- > 0) {
        auto const out = from.session.next(now);
        if (!out) break;
        std::array<std::uint8_t, yamux_header::size> raw{};
        build_yamux_header(out->header, raw);
        append(from.pipe, raw);
        if (out->header.type != yamux_type::data) continue;
        auto &s = static_cast<model &>(*out->stream);
        REQUIRE(out->header.length <= 3000);
        for (std::uint32_t i = 0; i < out->header.length; ++i) from.pipe.push_back(byte_at(s.id, s.sent++));
    }
}
void world::deliver(end &to, end &from, std::size_t n) {
    n = std::min(n, from.pipe.size());
    REQUIRE(!to.session.receive(bytes_view{from.pipe}.first(n), now, to));
    from.pipe.erase(from.pipe.begin(), from.pipe.begin() + static_cast<std::ptrdiff_t>(n));
}
void world::step() {
    end &me = random() % 2 ? a : b;
    end &other = &me == &a ? b : a;
    now += std::chrono::microseconds{random() % 3000};
    model *s = nullptr;
    if (!me.streams.empty()) {
        auto i = me.streams.begin();
        std::advance(i, static_cast<std::ptrdiff_t>(random() % me.streams.size()));
        s = i->second.get();
    }
    switch (random() % 12) {
    case 0: {
        auto made = std::make_unique<model>();
        auto *const raw = made.get();
        auto const code = me.session.open(*raw);
        if (!code) me.streams[raw->id] = std::move(made);
        else REQUIRE(code == errc::limit_exceeded);
        break;
    }
    case 1:
    case 2:
    case 3:
        if (s && s->attached && !s->fin_queued) me.session.write(*s, 1 + random() % (random() % 20 ? 100 : 300'000));
        break;
    case 4:
    case 5:
        if (s && s->waiting) {
            std::uint32_t const n = 1 + static_cast<std::uint32_t>(random() % s->waiting);
            s->waiting -= n;
            if (me.session.consume(*s, n)) me.session.grant(*s, now);
        }
        break;
    case 6:
        if (s && s->attached && random() % 3 == 0) me.session.finish(*s);
        break;
    case 7:
        if (s && s->attached && random() % 10 == 0) {
            me.session.reset(*s);
            s->is_reset = true;
        }
        break;
    case 8: flush(me, random() % 20); break;
    case 9: flush(me, random() % 20); [[fallthrough]];
    case 10: deliver(other, me, random() % 20 == 0 ? 1 : random() % 5000); break;
    default: REQUIRE(!me.session.on_time(now));
    }
}

} // namespace

TEST_CASE("yamux_session: two sessions, random operations, random splitting: bytes in order, no lost credit, agreement") {
    for (std::uint32_t seed = 1; seed <= 10; ++seed) {
        CAPTURE(seed);
        world w{seed};
        for (int i = 0; i < 4000; ++i) w.step();
        // Let everything drain: read all, deliver all, until nothing moves.
        for (int i = 0; i < 2000; ++i) {
            for (auto *const e : {&w.a, &w.b}) {
                for (auto const &[id, s] : e->streams) {
                    if (s->waiting) {
                        std::uint32_t const n = std::exchange(s->waiting, 0);
                        if (e->session.consume(*s, n)) e->session.grant(*s, w.now);
                    }
                    if (s->attached) e->session.finish(*s);
                }
                w.flush(*e, 1000);
                w.deliver(e == &w.a ? w.b : w.a, *e, e->pipe.size());
            }
            if (w.a.session.size() + w.b.session.size() == 0) break;
        }
        CHECK(w.a.session.size() == 0);
        CHECK(w.b.session.size() == 0);
        CHECK(w.a.session.buffered() == 0);
        CHECK(w.b.session.buffered() == 0);
        CHECK(w.a.session.window_growth() == 0);
        CHECK(w.b.session.window_growth() == 0);
        std::size_t whole = 0;
        for (auto const &[id, s] : w.a.streams) {
            auto const peer = w.b.streams.find(id);
            if (peer == w.b.streams.end() || s->is_reset || peer->second->is_reset) continue;
            ++whole;
            CHECK(s->received == peer->second->sent);
            CHECK(peer->second->received == s->sent);
            CHECK(s->end_seen);
            CHECK(peer->second->end_seen);
        }
        CHECK(whole > 5);
    }
}

} // namespace yamux_session_test
