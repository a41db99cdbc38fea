#include <gigi/link/swarm.hpp>

#include <gigi/core/timeout.hpp>
#include <gigi/link/connection.hpp>
#include <gigi/link/dial_race.hpp>
#include <gigi/link/lazy_stream.hpp>
#include <gigi/link/upgrade.hpp>
#include <gigi/mux/muxer.hpp>
#include <gigi/mux/yamux.hpp>
#include <gigi/peer/peer_record.hpp>
#include <gigi/protocol/identify.hpp>
#include <gigi/protocol/nickname.hpp>
#include <gigi/protocol/ping.hpp>
#include <gigi/protocol/protocol.hpp>
#include <gigi/protocol/request_response.hpp>
#include <gigi/security/noise.hpp>
#include <gigi/testing/simulation.hpp>
#include <gigi/transport/memory.hpp>

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace swarm_test {

using namespace gigi;
using namespace gigi::testing;

namespace {

struct stack {
    using transport = memory_transport;
    template <class Raw> using secure = noise<Raw>;
    template <class Channel> using muxer = yamux<Channel>;
};

struct host {
    host(simulation &sim, memory_network &network, int number, swarm_options const &options)
        : ip{"10.0.0." + std::to_string(number)}, self{identity::generate(sim.random())},
          net{sim.get_executor(), self, options, [this](peer_id const &peer) { return book[peer]; }} {
        net.add(std::make_unique<stack_connector<stack>>(memory_transport{network, ip}, self));
        net.start();
        address = net.listen(multiaddr::parse("/ip4/" + ip + "/tcp/4001").value()).with_peer(self.id());
        swarm_observer o;
        o.connected = [this](connection_info const &) { ++connected; };
        o.disconnected = [this](peer_id const &, std::error_code why) {
            ++disconnected;
            last = why;
        };
        token = net.observe(std::move(o));
    }
    std::string ip;
    identity self;
    std::map<peer_id, std::vector<multiaddr>> book;
    swarm net;
    multiaddr address;
    int connected = 0, disconnected = 0;
    std::error_code last;
    subscription_token token;
};

class lab {
  public:
    explicit lab(int count, swarm_options const &options = {}, std::uint64_t seed = 2) : sim{seed}, network{sim.get_executor(), sim.random()} {
        for (int i = 1; i <= count; ++i) hosts.push_back(std::make_unique<host>(sim, network, i, options));
    }
    ~lab() {
        for (auto &h : hosts) sim.run(h->net.stop());
    }
    host &operator[](std::size_t i) { return *hosts[i]; }
    peer_id id(std::size_t i) { return hosts[i]->self.id(); }

    std::error_code code_of(awaitable<void> what) {
        try {
            sim.run(std::move(what));
        } catch (std::system_error const &e) {
            return e.code();
        }
        return {};
    }
    std::error_code dial(std::size_t from, multiaddr to) { return code_of(dial_only(hosts[from]->net, std::move(to))); }

    simulation sim;
    memory_network network;
    std::vector<std::unique_ptr<host>> hosts;

  private:
    static awaitable<void> dial_only(swarm &from, multiaddr to) { co_await from.dial(to); }
};

/// A swarm that lets 16 handshakes be under way, and hosts that begin one and say nothing more.
class half_open_lab : public lab {
  public:
    half_open_lab() : lab{3, few()} {}
    void knock(int number) {
        auto const work = [&]() -> awaitable<void> {
            memory_transport from{network, "10.0.0." + std::to_string(number)};
            memory_connection made = co_await from.dial(hosts[0]->address);
            held_.push_back(std::move(made));
            co_await sleep_for(10ms);
        };
        sim.run(work());
    }

  private:
    static swarm_options few() {
        swarm_options o;
        o.max_pending_handshakes = 16;
        o.handshake_timeout = 10s;
        return o;
    }
    std::vector<memory_connection> held_;
};

awaitable<void> open(swarm &from, peer_id to, std::vector<std::string> protocols, std::vector<stream> &kept) {
    stream s = co_await from.open_stream(to, std::move(protocols));
    kept.push_back(std::move(s));
}

/// Keeps a stream open until the other side ends it.
awaitable<void> hold(stream s) {
    bytes buffer(10);
    mutable_bytes const room{buffer};
    co_await s.read_some(room);
}

struct doubling {
    static constexpr std::string_view id = "/test/double/1.0.0";
    using request = std::string;
    using response = std::string;
};

awaitable<void> ask(swarm &from, peer_id to, std::string question, std::string &answer, duration limit = std::chrono::seconds{5}) {
    answer = co_await send_request<doubling>(from, to, question, limit);
}

awaitable<std::string> slowly(peer_id const &, std::string const &question) {
    co_await sleep_for(1min);
    co_return question;
}

} // namespace

TEST_CASE("swarm: connects once, whoever asks and however often; says goodbye in good order") {
    lab l{2};
    CHECK_FALSE(l.dial(0, l[1].address));
    CHECK_FALSE(l.dial(0, l[1].address));
    CHECK_FALSE(l.dial(0, l[1].address.without_peer())); // known only after the handshake: the newer one stays
    l.sim.run_for(10s);
    CHECK(l[0].net.connection_count() == 1);
    CHECK(l[0].connected == 1);
    CHECK(l[1].connected == 1);
    CHECK(l[0].disconnected == 0);
    CHECK_FALSE(l.code_of(l[0].net.disconnect(l.id(1))));
    l.sim.run_for(1s);
    CHECK(l[1].disconnected == 1);
    CHECK(l[1].last == errc::closed);
    CHECK(l[0].net.connection_count() == 0);
}

TEST_CASE("swarm: dials that cannot work fail with what to know") {
    lab l{3};
    CHECK(l.dial(0, l[0].address) == errc::self_dial);
    CHECK(l.dial(0, l[1].address.with_peer(l.id(2))) == errc::peer_mismatch); // T8
    CHECK(l.dial(0, multiaddr::parse("/ip4/10.0.0.2/tcp/9").value().with_peer(l.id(1))) == errc::refused);
    CHECK(l.dial(0, multiaddr::parse("/ip4/10.0.0.2/udp/9/quic-v1").value().with_peer(l.id(1))) == errc::no_addresses);
    CHECK(l.code_of(l[0].net.connect(l.id(1))) == errc::no_addresses);
    l[0].book[l.id(1)] = {multiaddr::parse("/ip4/10.0.0.2/tcp/9").value(), l[1].address};
    CHECK_FALSE(l.code_of(l[0].net.connect(l.id(1)))); // the second address works
    CHECK(l[0].net.stats().dials_failed == 3);
}

TEST_CASE("swarm: an address that does not answer delays the next one by the stagger only") {
    lab l{2};
    l.network.separate("10.0.0.1", "10.0.0.9");
    l.network.options().latency = 20ms;
    l[0].book[l.id(1)] = {multiaddr::parse("/ip4/10.0.0.9/tcp/1").value(), l[1].address};
    auto const start = l.sim.now();
    CHECK_FALSE(l.code_of(l[0].net.connect(l.id(1))));
    CHECK(l.sim.now() - start < 1s);
}

TEST_CASE("swarm: an address that is given while the peer is dialled elsewhere is tried at once, for all who wait") {
    lab l{2};
    l.network.options().latency = 20ms;
    l.network.silence("10.0.0.1", "10.0.0.9");
    l[0].book[l.id(1)] = {multiaddr::parse("/ip4/10.0.0.9/tcp/1").value()};
    bool by_id = false;
    auto const connect = [&]() -> awaitable<void> {
        co_await l[0].net.connect(l.id(1));
        by_id = true;
    };
    task_group stale{l.sim.get_executor()};
    stale.spawn(connect());
    l.sim.run_for(5s);
    CHECK_FALSE(by_id);
    auto const start = l.sim.now();
    CHECK_FALSE(l.dial(0, l[1].address));
    CHECK(l.sim.now() - start < 1s);
    l.sim.run(stale.join());
    CHECK(by_id);
    CHECK(l.sim.now() - start < 1s);
    CHECK(l[0].net.connection_count() == 1);
}

TEST_CASE("swarm: an address that is given just before a dial's deadline has the time of a dial of its own") {
    lab l{2};
    l.network.silence("10.0.0.1", "10.0.0.9");
    l.network.silence("10.0.0.1", "10.0.0.2");
    l[0].book[l.id(1)] = {multiaddr::parse("/ip4/10.0.0.9/tcp/1").value()};
    std::error_code by_id, given;
    auto const connect = [&]() -> awaitable<void> {
        try {
            co_await l[0].net.connect(l.id(1));
        } catch (std::system_error const &e) {
            by_id = e.code();
        }
    };
    auto const dial = [&]() -> awaitable<void> {
        try {
            co_await l[0].net.dial(l[1].address);
        } catch (std::system_error const &e) {
            given = e.code();
        }
    };
    duration const limit = swarm_options().dial_timeout;
    for (bool const answers : {true, false}) {
        CAPTURE(answers);
        task_group dials{l.sim.get_executor()};
        dials.spawn(connect());
        l.sim.run_for(limit - 1s);
        dials.spawn(dial());
        l.sim.run_for(5s);
        CHECK(by_id == errc::timed_out);
        if (answers) l.network.join("10.0.0.1", "10.0.0.2");
        auto const start = l.sim.now();
        l.sim.run(dials.join());
        if (answers) {
            CHECK_FALSE(given);
            CHECK(l.sim.now() - start < 1s);
            l.sim.run(l[0].net.disconnect(l.id(1)));
            l.sim.run_for(1s);
            l.network.silence("10.0.0.1", "10.0.0.2");
        } else {
            CHECK(given == errc::timed_out);
            CHECK(l.sim.now() - start == limit - 4s);
        }
        CHECK(l[0].net.stats().dials_failed == (answers ? 1 : 3));
    }
}

TEST_CASE("swarm: streams: strict negotiation falls back to what is served; what is not is refused") {
    lab l{2};
    l.dial(0, l[1].address);
    l[1].net.handle("/b", hold);
    std::vector<stream> kept;
    CHECK_FALSE(l.code_of(open(l[0].net, l.id(1), {"/a", "/b"}, kept)));
    CHECK(kept.back().protocol() == "/b");
    CHECK(kept.back().peer() == l.id(1));
    CHECK(l.code_of(open(l[0].net, l.id(1), {"/c"}, kept)) == errc::unsupported_protocol);
    l.sim.run_for(1s);
    CHECK(l[1].net.stats().streams_unsupported == 1);
    l[1].net.unhandle("/b");
    CHECK(l.code_of(open(l[0].net, l.id(1), {"/b"}, kept)) == errc::unsupported_protocol);
}

TEST_CASE("T4: swarm: streams over the limits are reset, and the others live on") {
    swarm_options few;
    few.max_streams_per_protocol = 3;
    lab l{2, few};
    l.dial(0, l[1].address);
    l[1].net.handle("/held", hold);
    ping::serve(l[1].net);
    std::vector<stream> kept;
    for (int i = 0; i < 6; ++i) l.code_of(open(l[0].net, l.id(1), {"/held"}, kept));
    l.sim.run_for(1s);
    CHECK(l[1].net.stats().streams_refused == 3);
    CHECK(l.sim.run(ping::measure(l[0].net, l.id(1), 5s)) > duration{});
    kept.clear();
    l.sim.run_for(1s);
    CHECK_FALSE(l.code_of(open(l[0].net, l.id(1), {"/held"}, kept)));
}

TEST_CASE("swarm: at max_connections a quiet connection makes room, a protected one does not") {
    swarm_options few;
    few.max_connections = 2;
    lab l{4, few};
    l.dial(1, l[0].address);
    l.dial(2, l[0].address);
    l.sim.run_for(1s);
    l[0].net.protect(l.id(1), "friend");
    l[0].net.protect(l.id(2), "friend");
    l.dial(3, l[0].address);
    l.sim.run_for(1s);
    CHECK_FALSE(l[0].net.is_connected(l.id(3)));
    CHECK(l[0].net.stats().connections_refused == 1);
    l[0].net.unprotect(l.id(2), "friend");
    l.dial(3, l[0].address);
    l.sim.run_for(1s);
    CHECK(l[0].net.is_connected(l.id(3)));
    CHECK(l[0].net.is_connected(l.id(1)));
    CHECK_FALSE(l[0].net.is_connected(l.id(2)));
}

TEST_CASE("swarm: idle connections are closed after idle_timeout; protected ones and those with streams are not") {
    swarm_options quick;
    quick.idle_timeout = 1min;
    lab l{4, quick};
    for (std::size_t i = 1; i < 4; ++i) l.dial(0, l[i].address);
    for (std::size_t i = 1; i < 4; ++i) l[0].net.protect(l.id(i), "x"), l[i].net.protect(l.id(0), "x");
    l[0].net.unprotect(l.id(1), "x");
    l[0].net.unprotect(l.id(2), "x");
    l[2].net.handle("/held", hold);
    std::vector<stream> kept;
    l.code_of(open(l[0].net, l.id(2), {"/held"}, kept));
    l.sim.run_for(5min);
    CHECK_FALSE(l[0].net.is_connected(l.id(1)));
    CHECK(l[0].net.is_connected(l.id(2)));
    CHECK(l[0].net.is_connected(l.id(3)));
    CHECK(l[0].last == errc::idle);
    kept.clear();
}

TEST_CASE("swarm: a connection that is kept stays however long it is idle, but makes room; until the peer goes") {
    swarm_options quick;
    quick.idle_timeout = 1min;
    quick.max_connections = 2;
    lab l{4, quick};
    for (std::size_t i = 1; i < 3; ++i) {
        l.dial(0, l[i].address);
        l[i].net.protect(l.id(0), "x"); // or it would end it
        l[0].net.keep(l.id(i));
    }
    l[0].net.keep(l.id(3)); // who is not here is not kept
    l.sim.run_for(5min);
    CHECK(l[0].net.is_connected(l.id(1)));
    CHECK(l[0].net.is_connected(l.id(2)));
    l.dial(0, l[3].address);
    l.sim.run_for(5min);
    CHECK_FALSE(l[0].net.is_connected(l.id(3)));
    CHECK(l[0].net.is_connected(l.id(2)));
    CHECK_FALSE(l[0].net.is_connected(l.id(1))); // it made room
    l.dial(0, l[1].address);
    l.sim.run_for(5min);
    CHECK_FALSE(l[0].net.is_connected(l.id(1))); // and is a stranger again
    l[0].net.let_go(l.id(2));
    l.sim.run_for(5min);
    CHECK_FALSE(l[0].net.is_connected(l.id(2)));
}

TEST_CASE("swarm: strangers make room before peers that are kept, even where they are idle for a shorter time") {
    swarm_options few;
    few.max_connections = 3;
    lab l{5, few};
    for (std::size_t i = 1; i < 4; ++i) {
        l.dial(0, l[i].address);
        l[i].net.protect(l.id(0), "x");
        l.sim.run_for(1s);
    }
    l[0].net.keep(l.id(1));
    l[0].net.keep(l.id(2));
    l.dial(0, l[4].address);
    l.sim.run_for(1s);
    CHECK(l[0].net.is_connected(l.id(4)));
    CHECK_FALSE(l[0].net.is_connected(l.id(3)));
    CHECK(l[0].net.is_connected(l.id(1)));
    CHECK(l[0].net.is_connected(l.id(2)));
}

namespace {

/// Sends a little every 10 s, and hears what the other side sends, for good.
awaitable<void> beat(stream s) {
    s.set_background();
    for (;;) {
        co_await s.write(as_bytes("x"));
        co_await sleep_for(10s);
    }
}

} // namespace

TEST_CASE("swarm: a stream in the background keeps no connection, however busy it is") {
    swarm_options quick;
    quick.idle_timeout = 1min;
    lab l{2, quick};
    l[1].net.handle("/beat", beat);
    l[1].net.protect(l.id(0), "x"); // or it would end it
    l.dial(0, l[1].address);
    std::vector<stream> kept;
    l.code_of(open(l[0].net, l.id(1), {"/beat"}, kept));
    l.sim.run_for(5min);
    CHECK(l[0].net.is_connected(l.id(1))); // here it is in the foreground
    CHECK(l[0].disconnected == 0);
    kept.back().set_background();
    l.sim.run_for(2min);
    CHECK_FALSE(l[0].net.is_connected(l.id(1)));
    CHECK(l[0].last == errc::idle);
    CHECK(l[1].last == errc::closed); // in good order
    kept.clear();
}

TEST_CASE("swarm: at max_connections the one that has been without foreground streams longest makes room") {
    swarm_options few;
    few.max_connections = 2;
    lab l{4, few};
    l[0].net.handle("/held", hold);
    l[0].net.handle("/beat", beat);
    l.dial(1, l[0].address);
    l.dial(2, l[0].address);
    std::vector<stream> kept;
    l.code_of(open(l[1].net, l.id(0), {"/beat"}, kept));
    l.code_of(open(l[2].net, l.id(0), {"/held"}, kept));
    l.sim.run_for(1min);
    kept.pop_back(); // now the second is quiet, too, but not for as long
    l.sim.run_for(1s);
    l.dial(3, l[0].address);
    l.sim.run_for(1s);
    CHECK(l[0].net.is_connected(l.id(3)));
    CHECK(l[0].net.is_connected(l.id(2)));
    CHECK_FALSE(l[0].net.is_connected(l.id(1)));
    CHECK(l[0].net.stats().connections_idle == 1);
    kept.clear();
}

TEST_CASE("ping: being asked is no sign of use") {
    swarm_options quick;
    quick.idle_timeout = 1min;
    lab l{2, quick};
    l.dial(0, l[1].address);
    ping::serve(l[1].net);
    std::vector<stream> kept;
    l.code_of(open(l[0].net, l.id(1), {std::string{ping::protocol}}, kept));
    auto const keep_pinging = [&]() -> awaitable<void> {
        bytes payload(ping::size);
        mutable_bytes const room{payload};
        for (;;) {
            co_await kept.back().write(bytes_view{payload});
            co_await read_exactly(kept.back(), room);
            co_await sleep_for(10s);
        }
    };
    l.sim.run_for(1s);
    CHECK_THROWS_AS(l.sim.run(keep_pinging(), 3min), std::system_error);
    CHECK(l[1].last == errc::idle);
    kept.clear();
}

namespace {

struct note {
    static constexpr std::string_view id = "/test/note/1.0.0";
    using request = std::string;
    using response = std::string;
};

awaitable<void> ask_note(swarm &from, peer_id to, std::string &answer) {
    std::string const question = "slow";
    answer = co_await send_request<note>(from, to, question, 10min);
}

/// Opens many streams, says something on each, and leaves.
awaitable<void> say_much_and_leave(swarm &from, peer_id to, int count, std::vector<lazy_stream> &kept) {
    bytes frame;
    append_frame_of(frame, [](bytes &out) { cereal_codec{}.encode(std::string("bye"), out); });
    for (int i = 0; i < count; ++i) {
        kept.push_back(co_await from.open_stream_optimistic(to, std::string{note::id}));
        co_await kept.back().write(bytes_view{frame});
    }
    co_await from.disconnect(to);
}

/// Says something, waits until it has been taken into the connection, and leaves without the answer.
awaitable<void> say_and_leave(swarm &from, peer_id to, std::string what, std::vector<lazy_stream> &kept) {
    lazy_stream s = co_await from.open_stream_optimistic(to, std::string{note::id});
    framed<lazy_stream, cereal_codec> channel{std::move(s)};
    co_await channel.write(what);
    channel.close_write();
    kept.push_back(std::move(channel.stream()));
    co_await from.disconnect(to);
}

} // namespace

TEST_CASE("swarm: what a peer said just before it left is heard, and then that it left") {
    lab l{2};
    std::vector<std::string> told;
    swarm_observer o;
    o.disconnected = [&](peer_id const &, std::error_code) { told.push_back("gone"); };
    auto const token = l[1].net.observe(std::move(o));
    auto const hear = [&](peer_id const &, std::string const &what) -> std::string {
        told.push_back(what);
        return "thanks";
    };
    serve_requests<note>(l[1].net, hear, 5s);
    l.dial(0, l[1].address);
    std::vector<lazy_stream> kept;
    l.sim.run(say_and_leave(l[0].net, l.id(1), "bye", kept));
    l.sim.run_for(10s);
    CHECK(told == std::vector<std::string>{"bye", "gone"});
    CHECK(l[1].net.connection_count() == 0);
}

TEST_CASE("swarm: streams that nobody had accepted when the peer left are served all the same") {
    lab l{2};
    int heard = 0;
    auto const hear = [&](peer_id const &, std::string const &what) -> std::string {
        ++heard;
        return what;
    };
    serve_requests<note>(l[1].net, hear, 5s);
    l.dial(0, l[1].address);
    std::vector<lazy_stream> kept;
    l.sim.run(say_much_and_leave(l[0].net, l.id(1), 60, kept));
    l.sim.run_for(10s);
    CHECK(heard == 60);
    CHECK(l[1].disconnected == 1);
}

TEST_CASE("swarm: after a peer has left in order, handlers have the grace and no more; after a broken connection they have none") {
    swarm_options patient;
    patient.closing_grace = 3s;
    lab l{2, patient};
    std::vector<std::string> finished;
    auto const work = [&](peer_id const &, std::string const &what) -> awaitable<std::string> {
        co_await sleep_for(what == "quick" ? duration{1s} : duration{1min});
        finished.push_back(what);
        co_return what;
    };
    serve_requests<note>(l[1].net, work, 5min);
    std::vector<lazy_stream> kept;
    for (auto const *what : {"quick", "slow"}) {
        l.dial(0, l[1].address);
        l.sim.run(say_and_leave(l[0].net, l.id(1), what, kept));
        l.sim.run_for(100ms);
        CHECK_FALSE(l[1].net.is_connected(l.id(0)));
        CHECK(l[1].net.connection_count() == 1); // it counts for the limits until its handlers have ended
        l.sim.run_for(2s);
        CHECK(l[1].net.connection_count() == (what[0] == 'q' ? 0 : 1));
        l.sim.run_for(1s);
        CHECK(l[1].net.connection_count() == 0);
    }
    CHECK(finished == std::vector<std::string>{"quick"});
    CHECK(l[1].disconnected == 2);

    l.dial(0, l[1].address);
    std::string answer;
    task_group asking{l.sim.get_executor()};
    asking.spawn([](lab &in, std::string &to) -> awaitable<void> {
        try {
            co_await ask_note(in[0].net, in.id(1), to);
        } catch (std::system_error const &) {
        }
    }(l, answer));
    l.sim.run_for(100ms);
    l.network.cut("10.0.0.1");
    l.sim.run_for(100ms);
    CHECK(l[1].net.connection_count() == 0);
    CHECK(l[1].disconnected == 3);
    l.sim.run_for(2min);
    CHECK(finished.size() == 1);
    l.sim.run(asking.join());
}

TEST_CASE("swarm: a peer that comes back while its last words are handled is told as gone and then as there") {
    lab l{2};
    auto const work = [&](peer_id const &, std::string const &what) -> awaitable<std::string> {
        co_await sleep_for(1s);
        co_return what;
    };
    serve_requests<note>(l[1].net, work, 5min);
    std::vector<lazy_stream> kept;
    l.dial(0, l[1].address);
    l.sim.run(say_and_leave(l[0].net, l.id(1), "back soon", kept));
    l.sim.run_for(100ms);
    CHECK(l[1].disconnected == 0);
    l.dial(0, l[1].address);
    l.sim.run_for(100ms);
    CHECK(l[1].disconnected == 1);
    CHECK(l[1].connected == 2);
    CHECK(l[1].net.is_connected(l.id(0)));
    l.sim.run_for(10s);
    CHECK(l[1].disconnected == 1);
    CHECK(l[1].net.is_connected(l.id(0)));
    CHECK(l[1].net.connection_count() == 1);
}

TEST_CASE("swarm: stopping does not wait for the last words of those who left") {
    swarm_options patient;
    patient.closing_grace = 1h;
    lab l{2, patient};
    serve_requests<note>(l[1].net, slowly, 5min);
    std::vector<lazy_stream> kept;
    l.dial(0, l[1].address);
    l.sim.run(say_and_leave(l[0].net, l.id(1), "bye", kept));
    l.sim.run_for(100ms);
    auto const before = l.sim.now();
    l.sim.run(l[1].net.stop());
    CHECK(l.sim.now() - before < 1s);
    CHECK(l[1].disconnected == 1);
}

TEST_CASE("swarm: a connection whose handlers need a while to end is told as gone, and counted, when the swarm stops") {
    lab l{2};
    l[1].net.handle("/slow", [](stream) -> awaitable<void> { co_await with_timeout(with_timeout(sleep_for(1h), 2h), 3h); });
    l.dial(0, l[1].address);
    std::vector<stream> kept;
    CHECK_FALSE(l.code_of(open(l[0].net, l.id(1), {"/slow"}, kept)));
    kept.clear();
    l.sim.run(l[1].net.stop());
    CHECK(l[1].disconnected == 1);
    CHECK(l[1].net.connection_count() == 0);
    CHECK(l[1].net.stats().connections_closed == l[1].net.stats().connections_opened);
}

TEST_CASE("swarm: a handler that throws anything at all harms its own stream only") {
    lab l{3};
    l[1].net.handle("/odd", [](stream) -> awaitable<void> {
        throw 42;
        co_return;
    });
    serve_requests<doubling>(l[1].net, [](peer_id const &, std::string const &q) { return q + q; }, 5s);
    l.dial(0, l[1].address);
    std::vector<stream> kept;
    l.code_of(open(l[0].net, l.id(1), {"/odd"}, kept)); // it may be reset before it is agreed on
    std::string answer;
    CHECK_FALSE(l.code_of(ask(l[0].net, l.id(1), "ha", answer)));
    CHECK(answer == "haha");
    CHECK_FALSE(l.dial(1, l[2].address));
    l.sim.run(l[1].net.stop());
    CHECK(l[1].net.connection_count() == 0);
}

TEST_CASE("swarm: stopping ends dials, whether their addresses name a peer or not") {
    for (bool const named : {true, false}) {
        CAPTURE(named);
        lab l{2};
        l.network.silence("10.0.0.1", "10.0.0.2");
        std::error_code code;
        auto const connect = [&]() -> awaitable<void> {
            multiaddr const to = named ? l[1].address : l[1].address.without_peer();
            try {
                co_await l[0].net.dial(to);
            } catch (std::system_error const &e) {
                code = e.code();
            }
        };
        task_group dialling{l.sim.get_executor()};
        dialling.spawn(connect());
        l.sim.run_for(1s);
        CHECK_FALSE(code);
        auto const before = l.sim.now();
        l.sim.run(l[0].net.stop());
        CHECK(l.sim.now() - before < 100ms);
        l.sim.run(dialling.join());
        CHECK(code == errc::stopped);
        CHECK(l.sim.now() - before < 100ms);
    }
}

TEST_CASE("swarm: one that has stopped makes no connections until it is started again") {
    lab l{2};
    l.dial(0, l[1].address);
    l.sim.run(l[0].net.stop());
    CHECK(l.dial(0, l[1].address) == errc::stopped);
    CHECK(l.dial(0, l[1].address.without_peer()) == errc::stopped);
    std::vector<stream> kept;
    CHECK(l.code_of(open(l[0].net, l.id(1), {"/any"}, kept)) == errc::stopped);
    l[0].net.start();
    CHECK_FALSE(l.dial(0, l[1].address));
}

TEST_CASE("T29: swarm: half-open connections, each from a host of its own, are bounded in number and in time") {
    half_open_lab l;
    for (int i = 100; i < 140; ++i) l.knock(i);
    CHECK(l[0].net.stats().handshakes_refused == 24);
    CHECK(l[0].net.stats().handshakes_refused_per_address == 0);
    l.sim.run_for(11s);
    CHECK(l[0].net.stats().handshakes_failed == 16);
    CHECK_FALSE(l.dial(1, l[0].address));
}

TEST_CASE("T29: swarm: of the last eighth of the half-open connections a host gets one, and none that has some already") {
    half_open_lab l;
    auto const refused = [&] { return l[0].net.stats().handshakes_refused; };
    for (int i = 0; i < 40; ++i) l.knock(66);
    CHECK(refused() == 26); // 14 are there
    CHECK_FALSE(l.dial(1, l[0].address));
    for (int i = 0; i < 3; ++i) l.knock(67);
    CHECK(refused() == 28); // 15
    l.knock(68);
    CHECK(refused() == 28); // 16: now it is full for everybody
    l.knock(69);
    CHECK(refused() == 29);
    CHECK(l.dial(2, l[0].address));
    l.sim.run_for(11s);
    CHECK(l[0].net.stats().handshakes_failed == 16);
    CHECK_FALSE(l.dial(2, l[0].address));
}

TEST_CASE("newer_connection_wins: both sides of a simultaneous dial decide alike") {
    seeded_random random{1};
    peer_id small = identity::generate(random).id(), large = identity::generate(random).id();
    if (large < small) std::swap(small, large);
    auto const info = [](peer_id const &with, direction dir, duration since) {
        connection_info i;
        i.peer = with;
        i.dir = dir;
        i.since = time_point{since};
        return i;
    };
    // The connection that `small` dialled is A, the other B. Whatever order each side sees them in, A stays.
    CHECK(newer_connection_wins(info(large, direction::inbound, 1s), info(large, direction::outbound, 2s), small));       // small sees B, then A
    CHECK_FALSE(newer_connection_wins(info(large, direction::outbound, 1s), info(large, direction::inbound, 2s), small)); // A, then B
    CHECK(newer_connection_wins(info(small, direction::outbound, 1s), info(small, direction::inbound, 2s), large));       // large sees B, then A
    CHECK_FALSE(newer_connection_wins(info(small, direction::inbound, 1s), info(small, direction::outbound, 2s), large)); // A, then B
    CHECK(newer_connection_wins(info(large, direction::outbound, 1s), info(large, direction::inbound, 60s), small)); // not simultaneous: it lost the old one
    CHECK(newer_connection_wins(info(large, direction::inbound, 1s), info(large, direction::inbound, 2s), small));
}

TEST_CASE("request_response: answers, errors by their codes, deadlines, and peers that do not speak it") {
    lab l{3};
    l.dial(0, l[1].address);
    l.dial(0, l[2].address);
    serve_requests<doubling>(l[1].net, [](peer_id const &, std::string const &q) -> std::string {
        if (q == "bad") throw error{errc::invalid_name, "bad"};
        if (q == "confused") throw error{errc::stopped, "not you, but I"};
        if (q == "oops") throw std::runtime_error{"secret"};
        return q + q;
    }, 5s);
    std::string answer;
    CHECK_FALSE(l.code_of(ask(l[0].net, l.id(1), "ab", answer)));
    CHECK(answer == "abab");
    CHECK_FALSE(l.code_of(ask(l[0].net, l.id(1), std::string(300'000, 'x'), answer)));
    CHECK(answer.size() == 600'000);
    CHECK(l.code_of(ask(l[0].net, l.id(1), "bad", answer)) == errc::invalid_name);
    CHECK(l.code_of(ask(l[0].net, l.id(1), "oops", answer)) == errc::rejected);
    CHECK(l.code_of(ask(l[0].net, l.id(1), "confused", answer)) == errc::rejected); // a peer cannot say that this node has stopped
    CHECK(l.code_of(ask(l[0].net, l.id(1), std::string((1 << 20) + 1, 'x'), answer)) == errc::message_too_large);
    CHECK(l.code_of(ask(l[0].net, l.id(2), "ab", answer)) == errc::unsupported_protocol);
    serve_requests<doubling>(l[2].net, slowly, 5min);
    auto const before = l.sim.now();
    CHECK(l.code_of(ask(l[0].net, l.id(2), "ab", answer, 3s)) == errc::timed_out);
    CHECK(l.sim.now() - before < 4s);
    CHECK_FALSE(l.code_of(ask(l[0].net, l.id(2), "ab", answer, 3min)));
    CHECK(answer == "ab");
    CHECK(l[0].net.connection_count() == 2);
}

TEST_CASE("identify: each side learns who the other is; a push tells of changes; a wrong key is refused") {
    lab l{2};
    std::vector<identify_message> heard;
    auto const note = [&](peer_id const &, identify_message const &m) { heard.push_back(m); };
    auto const addresses = [&] { return l[1].net.listen_addresses(); };
    identify_service asking{l[0].net, "asker", [] { return std::vector<multiaddr>(); }, note};
    identify_service answering{l[1].net, "answerer/1", addresses, [](peer_id const &, identify_message const &) {}};
    l.dial(0, l[1].address);
    CHECK_FALSE(l.code_of(asking.ask(l.id(1))));
    REQUIRE(heard.size() == 1);
    CHECK(heard[0].agent == "answerer/1");
    CHECK(heard[0].public_key == l[1].self.public_key().encode());
    CHECK(heard[0].listen_addresses == l[1].net.listen_addresses());
    CHECK(heard[0].observed->ip_text() == "10.0.0.1");
    CHECK(open_peer_record(heard[0].signed_record)->peer == l.id(1));
    ping::serve(l[1].net);
    answering.push_soon();
    l.sim.run_for(3s);
    REQUIRE(heard.size() == 2);
    CHECK(std::ranges::find(heard[1].protocols, ping::protocol) != heard[1].protocols.end());

    l[1].net.handle("/ipfs/id/1.0.0", [&](stream s) -> awaitable<void> { // T7: claims another's key
        framed<stream, message_codec> channel{std::move(s)};
        identify_message lie;
        lie.public_key = l[0].self.public_key().encode();
        co_await channel.write(lie);
        channel.close_write();
    });
    CHECK(l.code_of(asking.ask(l.id(1))) == errc::peer_mismatch);
    CHECK(heard.size() == 2);
    l.sim.run(asking.stop());
    l.sim.run(answering.stop());
}

} // namespace swarm_test
