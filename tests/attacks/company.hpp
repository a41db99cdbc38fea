// tests/attacks/company.hpp: two nodes that know each other as alice (the victim) and bob, and mallory, who speaks every protocol
// in its own way.
#pragma once

#include "attacks/memory_meter.hpp"
#include "unit/file/temporary_folder.hpp"

#include <gigi/testing/memory_host.hpp>
#include <gigi/testing/memory_stack.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

namespace attacks {

using namespace gigi;
using namespace gigi::testing;
namespace fs = std::filesystem;

struct company {
    explicit company(node_options const &limits = {}) : alice{sim.get_executor(), with(limits, "alice", 1, folder.path), on(1)},
          bob{sim.get_executor(), with(node_options(), "bob", 2, other_folder.path), on(2)}, events{alice.subscribe()}, heard_by_bob{bob.subscribe()},
          mallory{network, "10.0.0.66", sim.random()} {
        sim.run(start());
        sim.run_for(3s);
        sim.run(mallory.net.dial(multiaddr::parse(alice.addresses().front().to_string()).value()));
        sim.run_for(1s);
    }
    ~company() {
        try {
            sim.run(mallory.net.stop());
            sim.run(alice.stop());
            sim.run(bob.stop());
        } catch (std::exception const &e) {
            FAIL_CHECK("stopping: ", e.what());
        }
    }
    static node_options with(node_options o, std::string const &nickname, int number, fs::path const &output) {
        std::string const host = "10.0.0." + std::to_string(number);
        o.nickname = nickname;
        o.listen.assign(1, "/ip4/" + host + "/tcp/4001");
        o.mdns = false;
        o.output_directory = output / "out";
        return o;
    }
    memory_stack on(int number) {
        memory_stack stack;
        stack.network = &network;
        stack.host = "10.0.0." + std::to_string(number);
        stack.seed = static_cast<std::uint64_t>(number);
        return stack;
    }
    awaitable<void> start() {
        co_await alice.start();
        co_await bob.start();
        std::string const address = alice.addresses().front().to_string();
        (void)co_await bob.dial(address);
    }

    template <class E> std::vector<E> taken() {
        std::vector<E> found;
        event e;
        while (events.try_next(e)) {
            if (auto const *match = std::get_if<E>(&e)) found.push_back(*match);
        }
        return found;
    }
    std::size_t files() const {
        return fs::exists(folder.path / "out") ? static_cast<std::size_t>(std::distance(fs::directory_iterator{folder.path / "out"}, {})) : 0;
    }
    template <class P> std::error_code say(typename P::request const &what) {
        std::error_code code;
        auto const work = [&]() -> awaitable<void> {
            try {
                (void)co_await send_request<P>(mallory.net, alice.id(), what, 30s);
            } catch (std::system_error const &e) {
                code = e.code();
            }
        };
        sim.run(work());
        return code;
    }
    /// Whether a message of bob's arrives. @return after how long
    duration check_bob() {
        auto const start = sim.now();
        taken<events::direct_message>();
        auto const work = [&]() -> awaitable<void> { (void)co_await bob.send("alice", "are you there?"); };
        sim.run(work());
        auto const heard = taken<events::direct_message>();
        REQUIRE(heard.size() == 1);
        CHECK(heard[0].nickname == "bob");
        CHECK(heard[0].text == "are you there?");
        return sim.now() - start;
    }

    temporary_folder folder, other_folder;
    simulation sim{11};
    memory_network network{sim.get_executor(), sim.random()};
    memory_node alice, bob;
    event_reader events, heard_by_bob;
    memory_host mallory;
};

} // namespace attacks
