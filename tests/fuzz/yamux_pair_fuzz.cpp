// Two yamux sessions, dialler and listener, joined by pipes that cut everything as the fuzzer decides: every byte arrives, intact and in
// order, no rule is ever found broken, and when all is said both hold nothing: no stream, no byte, no grown window. No deadlock.
#include "fuzz.hpp"

#include <gigi/mux/yamux_session.hpp>

#include <map>
#include <memory>

namespace yamux_pair_fuzz {

using namespace gigi;

namespace {

time_point now{};

struct model : yamux_stream_state {
    std::uint64_t sent = 0, received = 0; // bytes
    std::uint32_t waiting = 0;            // received, not read
    bool ended = false, is_reset = false;
};

std::uint8_t byte_at(std::uint32_t id, std::uint64_t position) { return static_cast<std::uint8_t>(position * 31 + id * 7 + (position >> 8)); }

class end {
  public:
    end(bool dialled, yamux_options const &o) : session{dialled, o, now} {}

    yamux_stream_state &on_open(std::uint32_t id) {
        FUZZ_CHECK(!streams.contains(id)); // honest ends do not use an id twice
        return *(streams[id] = std::make_unique<model>());
    }
    void on_data(yamux_stream_state &state, bytes_view data) {
        auto &s = static_cast<model &>(state);
        FUZZ_CHECK(!s.ended && !s.is_reset);
        bool same = true;
        for (auto const byte : data) same = same && byte == byte_at(s.id, s.received++);
        FUZZ_CHECK(same);
        s.waiting += static_cast<std::uint32_t>(data.size());
    }
    void on_end(yamux_stream_state &s) { FUZZ_CHECK(!std::exchange(static_cast<model &>(s).ended, true)); }
    void on_closed(yamux_stream_state &) {}
    void on_reset(yamux_stream_state &s, std::error_code) { static_cast<model &>(s).is_reset = true; }

    void open() {
        auto made = std::make_unique<model>();
        auto const failed = session.open(*made);
        FUZZ_CHECK(!failed || failed == errc::limit_exceeded || (failed == errc::closed && leaving));
        if (!failed) streams[made->id] = std::move(made);
    }
    void read(model &s, std::uint32_t n) {
        n = std::min(n, s.waiting);
        s.waiting -= n;
        if (n > 0 && session.consume(s, n)) session.grant(s, now);
    }
    /// @return whether there was anything to say
    bool flush(std::size_t frames) {
        bool any = false;
        while (frames-- > 0) {
            auto const out = session.next(now);
            if (!out) break;
            any = true;
            std::array<std::uint8_t, yamux_header::size> raw;
            build_yamux_header(out->header, raw);
            append(pipe, raw);
            if (out->header.type != yamux_type::data) continue;
            auto &s = static_cast<model &>(*out->stream);
            for (std::uint32_t i = 0; i < out->header.length; ++i) pipe.push_back(byte_at(s.id, s.sent++));
        }
        return any;
    }
    bool deliver(end &to, std::size_t n) {
        n = std::min(n, pipe.size());
        to.heard = now;
        auto const failed = to.session.receive(bytes_view{pipe}.first(n), now, to);
        FUZZ_CHECK(!failed); // we keep every rule that we hold others to
        pipe.erase(pipe.begin(), pipe.begin() + static_cast<std::ptrdiff_t>(n));
        return n > 0;
    }
    model *pick(std::size_t n) {
        if (streams.empty()) return nullptr;
        auto i = streams.begin();
        std::advance(i, static_cast<std::ptrdiff_t>(n % streams.size()));
        return i->second.get();
    }

    yamux_session session;
    bytes pipe; // to the other end
    std::map<std::uint32_t, std::unique_ptr<model>> streams;
    bool leaving = false;
    time_point heard = now; // when the other end was, last
};

} // namespace

FUZZ_TARGET(yamux_pair) {
    fuzz::input in{data};
    now = time_point{std::chrono::seconds{1000}};
    yamux_options o;
    o.max_inbound_streams = o.max_outbound_streams = 6;
    o.max_unacknowledged = 2;
    o.quantum = 1 + in.number<std::uint16_t>();
    o.max_stream_window = 1024 * 1024;
    end a{true, o}, b{false, o};
    std::size_t total = 0; // bytes written; the time of one input is bounded
    while (!in.empty()) {
        auto const op = in.byte();
        end &me = op & 1 ? a : b, &other = op & 1 ? b : a;
        auto *const s = me.pick(op >> 5);
        switch (op >> 1 & 15) {
        case 0: case 1: me.open(); break;
        case 2: case 3: case 4: {
            std::size_t const n = 1 + (op & 0x20 ? in.number<std::uint16_t>() * std::size_t{8} : in.byte());
            if (s && s->attached && !s->fin_queued && total < 300'000) {
                me.session.write(*s, n);
                total += n;
            }
            break;
        }
        case 5: case 6:
            if (s) me.read(*s, op & 0x20 ? UINT32_MAX : 1u + in.number<std::uint16_t>());
            break;
        case 7:
            if (s && s->attached) me.session.finish(*s);
            break;
        case 8:
            if (s && s->attached) {
                me.session.reset(*s);
                s->is_reset = true;
            }
            break;
        case 9: case 10: me.flush(in.byte()); break;
        case 11: case 12: me.deliver(other, in.number<std::uint16_t>()); break;
        case 13: me.deliver(other, in.byte()); break;
        case 14:
            now += std::chrono::milliseconds{in.byte()};
            if (auto const failed = me.session.on_time(now)) FUZZ_CHECK(failed == errc::timed_out && now - me.heard >= o.keepalive_timeout);
            break;
        default:
            if (op >> 5 == 7) {
                me.session.go_away();
                me.leaving = other.leaving = true; // the other end hears of it
            }
        }
    }
    // Let all of it come to an end: read all, finish all, until nothing moves.
    for (bool moved = true; moved;) {
        moved = false;
        for (auto *const e : {&a, &b}) {
            for (auto const &[id, s] : e->streams) {
                e->read(*s, UINT32_MAX);
                if (s->attached) e->session.finish(*s);
            }
            moved |= e->flush(10'000);
            moved |= e->deliver(e == &a ? b : a, e->pipe.size());
        }
    }
    for (auto *const e : {&a, &b}) {
        FUZZ_CHECK(e->session.drained() && !e->session.wants_write() && !e->session.inside_frame());
        FUZZ_CHECK(e->session.size() == 0 && e->session.buffered() == 0 && e->session.window_growth() == 0);
        end const &other = e == &a ? b : a;
        for (auto const &[id, s] : e->streams) {
            auto const peer = other.streams.find(id);
            if (peer == other.streams.end()) {
                FUZZ_CHECK(s->is_reset && s->received == 0); // it never began, or was refused
                continue;
            }
            FUZZ_CHECK(s->received <= peer->second->sent);
            if (s->is_reset || peer->second->is_reset) continue;
            FUZZ_CHECK(s->received == peer->second->sent && s->waiting == 0 && s->ended && peer->second->ended);
        }
    }
}

FUZZ_SEEDS {
    fuzz::script s, bulk;
    s.number(std::uint16_t{3000}).byte(1).byte(0).byte(1 | 2 << 1).byte(50).byte(0 | 2 << 1).byte(60); // both open, both write
    for (int i = 0; i < 3; ++i)
        s.byte(1 | 9 << 1).byte(9).byte(1 | 11 << 1).number(std::uint16_t{500}).byte(0 | 9 << 1).byte(9).byte(0 | 13 << 1).byte(30).byte(0 | 5 << 1).number(std::uint16_t{20});
    s.byte(1 | 7 << 1).byte(0 | 8 << 1 | 1 << 5).byte(1 | 14 << 1).byte(200);
    bulk.number(std::uint16_t{32768}).byte(1).byte(1 | 9 << 1).byte(9);
    for (int i = 0; i < 4; ++i)
        bulk.byte(1 | 2 << 1 | 1 << 5).number(std::uint16_t{20000}).byte(1 | 9 << 1).byte(99).byte(1 | 11 << 1).number(std::uint16_t{65535}).byte(0 | 5 << 1 | 1 << 5).byte(0 | 9 << 1).byte(9)
            .byte(0 | 11 << 1).number(std::uint16_t{1000});
    return {s, bulk};
}

} // namespace yamux_pair_fuzz
