// A yamux session under any bytes from its peer and any calls from its owner: counters within their caps, windows never negative, no
// frame that the protocol does not allow, a bounded answer to a flood; and the same bytes, split otherwise, have the same effect.
#include "fuzz.hpp"

#include <gigi/mux/yamux_session.hpp>

#include <map>
#include <memory>
#include <tuple>

namespace yamux_session_fuzz {

using namespace gigi;

namespace {

yamux_options small() {
    yamux_options o;
    o.max_inbound_streams = 8;
    o.max_outbound_streams = 8;
    o.max_unacknowledged = 4;
    o.max_stream_window = 1024 * 1024;
    o.max_window_growth = 1024 * 1024;
    o.max_buffered = 600'000;
    return o;
}

struct model : yamux_stream_state {
    std::size_t received = 0; // bytes
    std::size_t taken = 0;    // by the application
    std::uint64_t hash = 0;   // of what was received
    bool ended = false, closed = false;
    std::error_code reset;
};

/// The session and its owner.
class owner {
  public:
    explicit owner(bool dialled) : session{dialled, small(), now}, dialled_{dialled} {}

    // what the session tells
    yamux_stream_state &on_open(std::uint32_t id) {
        FUZZ_CHECK(id != 0 && (id % 2 == 1) != dialled_ && !find(id));
        auto &made = streams[id];
        if (made) old.push_back(std::move(made)); // the peer may use an id again
        made = std::make_unique<model>();
        ++opened;
        return *made;
    }
    void on_data(yamux_stream_state &s, bytes_view data) {
        auto &m = static_cast<model &>(s);
        FUZZ_CHECK(m.attached && !m.ended && !m.reset && !data.empty());
        m.received += data.size();
        for (auto const b : data) m.hash = m.hash * 31 + b;
        FUZZ_CHECK(m.received - m.taken <= s.unread);
    }
    void on_end(yamux_stream_state &s) {
        auto &m = static_cast<model &>(s);
        FUZZ_CHECK(!std::exchange(m.ended, true) && !m.reset);
    }
    void on_closed(yamux_stream_state &s) {
        auto &m = static_cast<model &>(s);
        FUZZ_CHECK(!m.attached && m.ended && !std::exchange(m.closed, true));
    }
    void on_reset(yamux_stream_state &s, std::error_code why) {
        auto &m = static_cast<model &>(s);
        FUZZ_CHECK(!m.attached && why && !m.reset && !m.closed);
        m.reset = why;
    }

    model *find(std::uint32_t id) {
        auto const found = streams.find(id);
        return found != streams.end() && found->second->attached ? found->second.get() : nullptr;
    }
    model *pick(std::size_t n) {
        if (streams.empty()) return nullptr;
        auto i = streams.begin();
        std::advance(i, static_cast<std::ptrdiff_t>(n % streams.size()));
        return i->second.get();
    }

    void receive(bytes_view data) {
        bool const failed = static_cast<bool>(session.failure());
        auto const error = session.receive(data, now, *this);
        FUZZ_CHECK(error == session.failure() && (!failed || error));
        check();
    }
    void open() {
        auto made = std::make_unique<model>();
        auto const error = session.open(*made);
        FUZZ_CHECK(!error == made->attached);
        if (error) return;
        FUZZ_CHECK((made->id % 2 == 1) == dialled_ && !streams.contains(made->id));
        streams[made->id] = std::move(made);
    }
    /// The application reads what has come.
    void read(model &m, std::size_t n) {
        n = std::min(n, m.received - m.taken);
        if (n == 0) return;
        m.taken += n;
        if (session.consume(m, n)) session.grant(m, now);
        check();
    }
    /// Takes frames to send; appends what their peer would see.
    void send(std::size_t most, bytes &wire) {
        while (most-- > 0) {
            auto const out = session.next(now);
            if (!out) {
                check_silent();
                break;
            }
            std::array<std::uint8_t, yamux_header::size> raw;
            build_yamux_header(out->header, raw);
            FUZZ_CHECK(parse_yamux_header(raw).has_value()); // we keep the rules that we demand
            if (out->header.type == yamux_type::data) {
                FUZZ_CHECK(out->stream && out->header.length > 0 && out->header.length <= session.options().quantum);
            }
            if (out->closed) static_cast<model &>(*out->stream).closed = true;
            append(wire, raw);
        }
        check();
    }

    void check() {
        auto const &o = session.options();
        std::size_t inbound = 0, outbound = 0, unread = 0, growth = 0, attached = 0;
        session.for_each([&](yamux_stream_state const &s) {
            ++attached;
            (s.outbound ? outbound : inbound) += 1;
            unread += s.unread;
            growth += s.window - yamux_initial_window;
            FUZZ_CHECK(s.attached && s.window >= yamux_initial_window && s.window <= o.max_stream_window);
            FUZZ_CHECK(s.receive_credit <= s.window && std::uint64_t{s.receive_credit} + s.unread <= s.window);
            auto const &m = static_cast<model const &>(s);
            FUZZ_CHECK(!m.reset && !m.closed && m.received - m.taken <= s.unread);
        });
        FUZZ_CHECK(attached == session.size() && inbound <= o.max_inbound_streams && outbound <= o.max_outbound_streams);
        FUZZ_CHECK(unread == session.buffered() && session.buffered() <= o.max_buffered);
        FUZZ_CHECK(growth == session.window_growth() && growth <= o.max_window_growth);
        for (auto const &[id, m] : streams) FUZZ_CHECK(!(m->closed && m->reset));
    }
    /// Nothing is left to say: no stream waits that might speak.
    void check_silent() const {
        std::size_t unacknowledged = 0;
        session.for_each([&](yamux_stream_state const &s) { unacknowledged += s.outbound && s.begun && !s.acknowledged; });
        if (session.failure()) return;
        session.for_each([&](yamux_stream_state const &s) {
            bool const may_begin = s.begun || unacknowledged < session.options().max_unacknowledged;
            FUZZ_CHECK(!may_begin || ((s.queued == 0 || s.send_credit == 0) && !s.update_due && (s.queued > 0 || s.fin_queued == s.fin_sent)));
        });
    }

    time_point now{std::chrono::seconds{1000}};
    yamux_session session;
    std::map<std::uint32_t, std::unique_ptr<model>> streams;
    std::vector<std::unique_ptr<model>> old;
    std::size_t opened = 0;

  private:
    bool dialled_;
};

/// What can be seen of a session from outside.
struct view {
    std::error_code failure;
    std::size_t streams, buffered, opened;
    bool inside_frame, peer_left;
    std::map<std::uint32_t, std::tuple<std::size_t, std::uint64_t, bool, std::error_code>> received;
    bytes answers;
    bool operator==(view const &) const = default;
};
view look(owner &o) {
    view v{o.session.failure(), o.session.size(), o.session.buffered(), o.opened, o.session.inside_frame(), o.session.peer_left(), {}, {}};
    for (auto const &[id, m] : o.streams) v.received[id] = {m->received, m->hash, m->ended, m->reset};
    o.send(10'000, v.answers);
    return v;
}

} // namespace

FUZZ_TARGET(yamux_session) {
    fuzz::input in{data};
    auto const mode = in.byte();
    bool const dialled = mode & 1;
    if (mode & 2) { // raw bytes, whole and split
        auto const bytes_in = in.rest();
        owner whole{dialled}, parts{dialled};
        for (auto *const o : {&whole, &parts}) o->open(), o->open();
        whole.receive(bytes_in);
        fuzz::split(bytes_in, mode * 77u, [&](bytes_view part) { parts.receive(part); });
        FUZZ_CHECK(look(whole) == look(parts));
        return;
    }
    // A script of calls and frames.
    owner o{dialled};
    bytes wire;
    while (!in.empty()) {
        auto const op = in.byte();
        auto *const m = o.pick(op >> 4);
        switch (op % 16) {
        case 0: case 1: case 2: case 3: { // a frame: type, flags, stream, length; a stream's number is small
            yamux_header h;
            h.type = static_cast<yamux_type>(op % 4);
            h.flags = static_cast<std::uint16_t>(op >> 4);
            auto const id = in.byte();
            h.stream_id = id & 0x40 ? 0 : id % 32;
            if (id & 0x80) h.length = in.byte();
            else h.length = in.number<std::uint32_t>();
            std::array<std::uint8_t, yamux_header::size> raw;
            build_yamux_header(h, raw);
            bool const ready = !o.session.inside_frame();
            o.receive(raw);
            if (ready && h.type == yamux_type::data && !o.session.failure() && h.length <= 300'000 && (op & 0x10) == 0) {
                static bytes const payload(300'000, 0x5a);
                o.receive(bytes_view{payload}.first(h.length));
            }
            break;
        }
        case 4: o.receive(in.part()); break;
        case 5: o.open(); break;
        case 6:
            if (m && m->attached && !m->fin_queued) o.session.write(*m, 1 + in.number<std::uint16_t>() * std::size_t{8});
            break;
        case 7:
            if (m && m->attached && m->queued > 0) o.session.withdraw(*m, 1 + in.below(m->queued));
            break;
        case 8:
            if (m && m->attached) o.session.finish(*m);
            break;
        case 9:
            if (m && m->attached) {
                o.session.reset(*m);
                m->reset = make_error_code(errc::reset);
            }
            break;
        case 10:
            if (m) o.read(*m, in.number<std::uint32_t>());
            break;
        case 11: case 12: o.send(in.byte(), wire); break;
        case 13:
            o.now += std::chrono::milliseconds{in.number<std::uint16_t>()};
            (void)o.session.on_time(o.now);
            FUZZ_CHECK(o.session.next_time() > o.now || o.session.on_time(o.now));
            break;
        case 14:
            if (op >> 4 == 0) o.session.go_away();
            else if (op >> 4 == 1) o.session.refuse_streams();
            break;
        default:
            if (m && m->attached && op >> 4 == 15) {
                o.session.forget(*m);
                m->reset = make_error_code(errc::closed);
            }
        }
        o.check();
    }
    // Whatever has been said, what is left to say comes to an end.
    o.send(2'000'000, wire);
    FUZZ_CHECK(!o.session.wants_write());
    if (o.session.failure()) FUZZ_CHECK(o.session.open(*std::make_unique<model>()));
}

FUZZ_SEEDS {
    fuzz::inputs all;
    auto const frame = [](fuzz::script &s, std::size_t type, std::size_t flags, std::size_t id, std::uint32_t length) {
        s.byte(type | flags << 4).byte(id).number(length);
    };
    for (std::size_t const dialled : {0u, 1u}) {
        std::size_t const theirs = dialled ? 2 : 1, ours = dialled ? 1 : 2;
        fuzz::script s;
        s.byte(dialled).byte(5).byte(5);
        frame(s, 1, 1, theirs, 0);      // their stream
        s.byte(6).number(std::uint16_t{100}).byte(11).byte(5);
        frame(s, 1, 2, ours, 1000);     // our stream is accepted
        frame(s, 0, 0, theirs, 1000);   // data
        s.byte(10).number(std::uint32_t{500}).byte(8).byte(11).byte(200);
        frame(s, 1, 4, theirs, 0);      // its end
        s.byte(13).number(std::uint16_t{40000}).byte(11).byte(9);
        frame(s, 2, 2, 0x40, 1);        // a ping's answer
        frame(s, 3, 0, 0x40, 0);        // goodbye
        all.push_back(s);
        bytes raw(1, static_cast<std::uint8_t>(2 | dialled));
        for (yamux_header const h : {yamux_header{yamux_type::window_update, 1, static_cast<std::uint32_t>(theirs), 0}, {yamux_type::data, 0, static_cast<std::uint32_t>(theirs), 3}}) {
            raw.resize(raw.size() + 12);
            build_yamux_header(h, std::span{raw}.last<12>());
        }
        append(raw, "abc");
        raw.resize(raw.size() + 12);
        build_yamux_header({yamux_type::ping, 1, 0, 7}, std::span{raw}.last<12>());
        all.push_back(raw);
    }
    return all;
}

} // namespace yamux_session_fuzz
