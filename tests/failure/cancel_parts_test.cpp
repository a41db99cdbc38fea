// The parts that can be used without a node, cancelled at each of their steps: swarm, streams, frames, channels, deadlines, groups.
#include <gigi/codec/cereal_codec.hpp>
#include <gigi/codec/framed.hpp>
#include <gigi/core/channel.hpp>
#include <gigi/core/offload.hpp>
#include <gigi/core/task_group.hpp>
#include <gigi/core/timeout.hpp>
#include <gigi/file/rate_limiter.hpp>
#include <gigi/link/receive_budget.hpp>
#include <gigi/protocol/ping.hpp>
#include <gigi/testing/interruption.hpp>
#include <gigi/testing/memory_host.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace cancel_parts_test {

using namespace gigi;
using namespace gigi::testing;

namespace {

/// Reads slowly, so that who writes much has to wait; then says "thanks".
awaitable<void> read_slowly(stream s) {
    bytes buffer(64 << 10);
    mutable_bytes const room{buffer};
    for (;;) {
        co_await sleep_for(2ms);
        std::size_t const n = co_await s.read_some(room);
        if (n == 0) break;
    }
    framed<stream, cereal_codec> line{std::move(s)};
    std::string const thanks = "thanks";
    co_await line.write(thanks);
    line.close_write();
}

struct hosts {
    hosts() : network{sim.get_executor(), sim.random()}, a{network, "10.0.0.1", sim.random()}, b{network, "10.0.0.2", sim.random()} {
        a.known[b.id()].assign(1, b.address);
        ping::serve(b.net);
        b.net.handle("/slow", read_slowly);
    }
    ~hosts() {
        try {
            sim.run(a.net.stop(), 10s);
            sim.run(b.net.stop(), 10s);
        } catch (std::exception const &e) {
            MESSAGE("stopping: ", e.what());
        }
    }
    simulation sim;
    memory_network network;
    memory_host a, b;
};

void apart(hosts &) {}
void met(hosts &h) { h.sim.run(h.a.connect(h.b)); }

void try_everywhere(std::string const &name, void (*prepare)(hosts &), std::function<awaitable<void>(hosts &)> const &what, bool stops = false) {
    CAPTURE(name);
    int cancelled = 0;
    for (std::uint64_t step = 0;; ++step) {
        CAPTURE(step);
        hosts h;
        prepare(h);
        auto const ended = cancel_at(h.sim, h.sim.get_executor(), what(h), step, 30s);
        if (ended.failure) CHECK_MESSAGE(ended.code() == condition::cancelled, ended.message());
        if (!stops && !ended.succeeded()) CHECK(ended.after < 100ms);
        cancelled += !ended.succeeded();
        CHECK((ended.disturbed || ended.succeeded()));
        if (!stops) CHECK(h.sim.run(ping::measure(h.a.net, h.b.id(), 5s)) < 1s);
        h.sim.run_for(11s);
        CHECK(h.a.net.stats().streams == 0);
        CHECK(h.b.net.stats().streams == 0);
        h.sim.run(h.a.net.stop(), 5s);
        h.sim.run(h.b.net.stop(), 5s);
        CHECK(h.network.connections() == 0);
        if (!ended.disturbed) break;
        REQUIRE(step < 5000);
    }
    MESSAGE(name, ": ", cancelled, " times cancelled");
    CHECK(cancelled > 0);
}

awaitable<void> connect_it(hosts &h) { co_await h.a.net.connect(h.b.id()); }
awaitable<void> dial_it(hosts &h) { co_await h.a.net.dial(h.b.address); }
awaitable<void> dial_anybody(hosts &h) {
    auto const address = h.b.address.without_peer();
    co_await h.a.net.dial(address);
}
awaitable<void> disconnect_it(hosts &h) { co_await h.a.net.disconnect(h.b.id()); }
awaitable<void> ping_it(hosts &h) { co_await ping::measure(h.a.net, h.b.id(), 5s); }
awaitable<void> stop_it(hosts &h) { co_await h.a.net.stop(); }
awaitable<void> send_much(hosts &h) {
    std::vector<std::string> offer(1, "/slow");
    stream opened = co_await h.a.net.open_stream(h.b.id(), std::move(offer));
    bytes const much(1'000'000);
    co_await opened.write(much);
    opened.close_write();
    bytes answer(8);
    mutable_bytes const room{answer};
    co_await opened.read_some(room);
}
awaitable<void> send_frames(hosts &h) {
    lazy_stream opened = co_await h.a.net.open_stream_optimistic(h.b.id(), "/slow");
    framed<lazy_stream, cereal_codec> line{std::move(opened)};
    std::string const text(200'000, 'x');
    for (int n = 0; n < 3; ++n) co_await line.write(text);
    line.put(text);
    co_await line.flush();
    line.close_write();
    std::string const thanks = co_await line.read<std::string>();
    CHECK(thanks == "thanks");
    std::optional<std::string> const end = co_await line.try_read<std::string>();
    CHECK_FALSE(end);
}

// ---- what needs no network: `use` is tried, `check` must succeed after it ---------------------------------------------

void try_alone(std::string const &name, std::function<awaitable<void>(any_io_executor)> const &use) {
    CAPTURE(name);
    int cancelled = 0;
    for (std::uint64_t step = 0;; ++step) {
        CAPTURE(step);
        simulation sim;
        auto const ended = cancel_at(sim, sim.get_executor(), use(sim.get_executor()), step, 1h);
        if (ended.failure) CHECK_MESSAGE(ended.code() == condition::cancelled, ended.message());
        cancelled += !ended.succeeded();
        if (!ended.disturbed) break;
    }
    MESSAGE(name, ": ", cancelled, " times cancelled");
    CHECK(cancelled > 0);
}

/// Sends three items through a channel for one.
awaitable<void> produce(channel<int> &into) {
    for (int n = 0; n < 3; ++n) {
        co_await into.send(n);
        co_await sleep_for(1ms);
    }
}
awaitable<void> consume(channel<int> &from, std::vector<int> &got) {
    for (int n = 0; n < 3; ++n) {
        int const one = co_await from.receive();
        got.push_back(one);
        co_await sleep_for(3ms);
    }
}
/// Both ends of a channel, in a group; what is not joined would abort.
awaitable<void> through_channel(any_io_executor executor) {
    channel<int> line{executor, 1};
    std::vector<int> got;
    task_group both{executor};
    both.spawn(produce(line));
    both.spawn(consume(line, got));
    co_await both.join();
    CHECK(got == std::vector{0, 1, 2});
}
awaitable<void> nap(int &naps) {
    co_await sleep_for(10ms);
    ++naps;
}
awaitable<void> under_deadlines(any_io_executor) {
    int naps = 0;
    co_await with_timeout(nap(naps), 1s);
    bool late = false;
    try {
        co_await with_timeout(nap(naps), 1ms);
    } catch (std::system_error const &e) {
        late = e.code() == errc::timed_out;
        if (!late) throw;
    }
    CHECK(late);
    co_await with_timeout(with_timeout(nap(naps), 1s), 2s);
    CHECK(naps == 2);
}
awaitable<void> on_a_pool(any_io_executor executor) {
    int value = 0;
    auto const work = [&value] { return ++value; };
    int const one = co_await run_on(executor, work);
    int const two = co_await run_on(executor, work);
    CHECK(one + two == 3);
}
awaitable<void> in_turn(any_io_executor executor) {
    rate_gate gate{executor, 100'000};
    seeded_random random{1};
    auto const who = identity::generate(random).id();
    for (int n = 0; n < 3; ++n) co_await gate.wait(who, 50'000);
}
awaitable<void> in_budget(any_io_executor executor) {
    receive_budget budget{executor, 100'000};
    seeded_random random{1};
    auto const who = identity::generate(random).id();
    auto const hold = [](receive_budget &of, peer_id peer) -> awaitable<void> {
        receive_budget::share const mine = co_await of.take(peer, 25'000, 1s);
        co_await sleep_for(5ms);
    };
    task_group all{executor};
    for (int n = 0; n < 4; ++n) all.spawn(hold(budget, who));
    std::exception_ptr failure;
    try {
        co_await all.join();
    } catch (...) {
        failure = std::current_exception();
    }
    CHECK(budget.held() == 0);
    if (failure) std::rethrow_exception(failure);
}

} // namespace

TEST_CASE("cancelled anywhere: a swarm") {
    try_everywhere("connect", apart, connect_it);
    try_everywhere("dial", apart, dial_it);
    try_everywhere("dial whoever is there", apart, dial_anybody);
    try_everywhere("disconnect", met, disconnect_it);
    try_everywhere("ping", apart, ping_it);
    try_everywhere("stop", met, stop_it, true);
}
TEST_CASE("cancelled anywhere: streams and frames") {
    try_everywhere("a stream", apart, send_much);
    try_everywhere("frames", met, send_frames);
}
TEST_CASE("cancelled anywhere: what coroutines wait for each other with") {
    try_alone("a channel and a group", through_channel);
    try_alone("deadlines", under_deadlines);
    try_alone("run_on", on_a_pool);
    try_alone("a rate", in_turn);
    try_alone("a budget", in_budget);
}

} // namespace cancel_parts_test
