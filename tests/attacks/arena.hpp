// tests/attacks/arena.hpp: a victim, an honest peer that talks to it all the while, and an attacker who has its own identity.
#pragma once

#include "attacks/honest_talk.hpp"
#include "attacks/memory_meter.hpp"

#include <gigi/core/task_group.hpp>
#include <gigi/protocol/ping.hpp>
#include <gigi/testing/memory_host.hpp>
#include <gigi/testing/scripted_peer.hpp>
#include <gigi/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace attacks {

using namespace gigi;
using namespace gigi::testing;

using attacker = scripted_peer<memory_connection>;

/// Keeps a stream open until its end.
inline awaitable<void> hold(stream s) { co_await multistream::drain(s); }

/// Keeps a stream for an hour, and reads nothing.
inline awaitable<void> keep_unread(stream) { co_await sleep_for(1h); }

struct arena {
    explicit arena(swarm_options const &options = {}, std::uint64_t seed = 1) : sim{seed}, network{sim.get_executor(), sim.random()},
          victim{network, "10.0.0.1", sim.random(), options}, honest{network, "10.0.0.2", sim.random()}, evil{identity::generate(sim.random())} {
        ping::serve(victim.net);
        victim.net.handle("/held", hold);
        victim.net.handle("/unread", keep_unread);
        sim.run(honest.connect(victim));
        sim.run(ping::measure(honest.net, victim.id(), 5s));
        opened = honest.net.stats().connections_opened;
    }
    arena(arena const &) = delete;
    ~arena() {
        try {
            pings.end();
            tasks.cancel();
            sim.run(tasks.join());
            sim.run(victim.net.stop());
            sim.run(honest.net.stop());
        } catch (std::exception const &) { // the test has failed already
        }
    }

    awaitable<std::unique_ptr<attacker>> dial(std::string host = "10.0.0.66") {
        return scripted_dial(network, std::move(host), victim.address, evil, sim.random());
    }
    /// An attacker that is connected up to yamux.
    awaitable<std::unique_ptr<attacker>> connected(std::string host = "10.0.0.66") {
        auto made = co_await dial(std::move(host));
        co_await made->connect();
        co_return made;
    }

    /// The same, kept until the tasks have ended.
    attacker &enter(std::string host = "10.0.0.66") {
        attackers.push_back(sim.run(connected(std::move(host))));
        return *attackers.back();
    }

    /// What an honest peer needs for a round trip over a new stream, in simulated time.
    duration honest_ping() { return sim.run(ping::measure(honest.net, victim.id(), 5s)); }

    /// The honest peer notices nothing: its pings, where they were begun, and its connection are as they were.
    void check_honest() {
        if (pings.begun()) pings.check();
        CHECK(honest.net.stats().connections_opened == opened);
        CHECK(honest_ping() < 100ms);
    }
    /// … and the attacker has gone.
    void check_unharmed() {
        CHECK(victim.net.connection_count() == 1);
        check_honest();
    }

    simulation sim;
    memory_network network;
    memory_host victim, honest;
    identity evil;
    std::vector<std::unique_ptr<attacker>> attackers;
    task_group tasks{sim.get_executor()};
    std::uint64_t opened = 0;
    honest_talk pings{sim, 10ms, 6ms, [this] { return ping_once(); }};

  private:
    awaitable<void> ping_once() { (void)co_await ping::measure(honest.net, victim.id(), 5s); }
};

} // namespace attacks
