#include <gigi/discovery/mdns.hpp>

#include "mdns_support.hpp"

#include <gigi/testing/interruption.hpp>

#include <doctest/doctest.h>

#include <ostream>

// Without an interface nothing is sent: what is multicast is tested in namespaces (tests/netns/mdns_test.py).

namespace mdns_test {

using namespace gigi;
using namespace gigi::testing;
using namespace std::literals;

static_assert(Discovery<mdns>);

namespace {

mdns_options nowhere() {
    mdns_options options;
    options.interface_name = "nosuch";
    options.scan_interval = 5ms;
    return options;
}

void run(awaitable<void> test) {
    asio::io_context io;
    std::exception_ptr failure;
    bool finished = false;
    asio::co_spawn(asio::make_strand(io), std::move(test), [&](std::exception_ptr e) { failure = e, finished = true; });
    io.run();
    if (failure) std::rethrow_exception(failure);
    CHECK(finished);
}

awaitable<void> stop_in_callback(mdns &discovery) { co_await discovery.stop(); }

} // namespace

TEST_CASE("mdns: no network is an error that is reported once, and nothing else") {
    run([]() -> awaitable<void> {
        auto const executor = co_await asio::this_coro::executor;
        mdns discovery{executor, numbered_peer(1), nowhere()};
        int errors = 0;
        std::string text;
        discovery_handler handler;
        handler.on_error = [&](std::error_code code, std::string_view what) {
            CHECK(code == condition::unreachable);
            text = what;
            ++errors;
        };
        for (int round = 0; round < 2; ++round) { // it can be started again
            errors = 0;
            discovery.start(handler);
            discovery.update({multiaddr::parse("/ip4/0.0.0.0/tcp/1").value()}, "alice");
            co_await sleep_for(30ms);
            CHECK(errors == 1);
            CHECK(text == "no network interface nosuch");
            CHECK(discovery.link_count() == 0);
            co_await discovery.stop();
            co_await discovery.stop();
        }
        CHECK_THROWS_AS((discovery.start(handler), discovery.start(handler)), error);
        co_await discovery.stop();
    }());
}

TEST_CASE("mdns: a callback may update and stop what calls it") {
    run([]() -> awaitable<void> {
        auto const executor = co_await asio::this_coro::executor;
        mdns discovery{executor, numbered_peer(1), nowhere()};
        task_group stopping{executor};
        int calls = 0;
        discovery_handler handler;
        handler.on_error = [&](std::error_code, std::string_view) {
            ++calls;
            discovery.update({}, "bob");
            stopping.spawn(stop_in_callback(discovery));
        };
        discovery.start(handler);
        co_await sleep_for(20ms);
        co_await stopping.join();
        CHECK(calls == 1);
    }());
}

TEST_CASE("mdns: a stop that is cancelled goes on to its end, and it can be started again") {
    for (std::uint64_t step = 0;; ++step) {
        CAPTURE(step);
        simulation sim;
        mdns discovery{sim.get_executor(), numbered_peer(1), nowhere()};
        discovery.start({});
        sim.run_for(1s);
        auto const ended = cancel_at(sim, sim.get_executor(), discovery.stop(), step);
        if (step > 0) CHECK_MESSAGE(ended.succeeded(), ended.message());
        if (!ended.succeeded()) sim.run(discovery.stop()); // cancelled before it began, it has not begun
        CHECK_NOTHROW(discovery.start({}));
        sim.run(discovery.stop());
        if (!ended.disturbed) break;
    }
}

TEST_CASE("mdns: a service that is no domain name") {
    asio::io_context io;
    auto options = nowhere();
    options.service = "_p2p..local";
    CHECK_THROWS_AS((mdns{io.get_executor(), numbered_peer(1), options}), error);
}

} // namespace mdns_test
