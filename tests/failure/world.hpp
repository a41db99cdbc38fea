// tests/failure/world.hpp: two nodes that know each other, share a group and have files to give, and what must hold of them at any time.
#pragma once

#include "unit/file/temporary_folder.hpp"

#include <gigi/file/share_list.hpp>
#include <gigi/testing/interruption.hpp>
#include <gigi/testing/memory_stack.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace failure {

using namespace gigi;
using namespace gigi::testing;

/// Answers with its request.
struct echo {
    static constexpr std::string_view id = "/test/echo/1.0.0";
    using request = std::string;
    using response = std::string;
};

/// Sends back what comes, until its end.
inline awaitable<void> reflect(stream s) {
    bytes buffer(4096);
    mutable_bytes const room{buffer};
    for (;;) {
        std::size_t const n = co_await s.read_some(room);
        if (n == 0) break;
        bytes_view const part = bytes_view{buffer}.first(n);
        co_await s.write(part);
    }
    s.close_write();
}

// Each is one call, whose arguments live until its end.
inline awaitable<void> dial(memory_node &from, std::string to) { co_await from.dial(to); }
inline awaitable<void> say(memory_node &from, peer_id to, std::string text) { co_await from.send(to, text); }
inline awaitable<void> rename(memory_node &who, std::string nickname) { co_await who.set_nickname(nickname); }
inline awaitable<void> enter(memory_node &who, std::string group) { co_await who.join(group); }
inline awaitable<std::string> share(memory_node &who, std::filesystem::path file) {
    std::string code = co_await who.share(file);
    co_return code;
}
inline awaitable<std::filesystem::path> fetch(memory_node &who, peer_id from, std::string code) {
    download_result done = co_await who.download(from, code);
    co_return done.path;
}

/// alice (10.0.0.1) and bob (10.0.0.2). What a test disturbs is alice's.
class world {
  public:
    explicit world(std::function<void(node_options &)> const &change = {}, memory_network_options const &how = {}, std::uint64_t seed = 1)
        : sim{seed}, network{sim.get_executor(), sim.random(), how} {
        alice = add("alice", alice_host, [&](node_options &o) {
            o.share_list = folder.path / "alice.json";
            if (change) change(o);
        });
        bob = add("bob", bob_host, {});
    }
    world(world const &) = delete;
    ~world() {
        try { // a test that failed has not stopped them
            stop();
        } catch (std::exception const &e) {
            MESSAGE("stopping: ", e.what());
        }
    }

    std::unique_ptr<memory_node> add(std::string nickname, std::string const &host, std::function<void(node_options &)> const &change) {
        auto options = memory_node_options(nickname, host);
        options.output_directory = folder.path / (nickname + "-downloads");
        if (change) change(options);
        memory_stack stack;
        stack.network = &network;
        stack.host = host;
        stack.seed = ++seed_;
        auto made = std::make_unique<memory_node>(sim.get_executor(), std::move(options), std::move(stack));
        made->serve<echo>([](peer_id const &, std::string const &text) { return text; });
        made->handle("/test/raw/1.0.0", reflect);
        return made;
    }

    std::string address_of(memory_node const &who) const { return who.addresses().front().to_string(); }
    void start() {
        sim.run(alice->start());
        sim.run(bob->start());
        alice_at = address_of(*alice);
        bob_at = address_of(*bob);
    }
    /// Started, connected, known to each other by name.
    void meet() {
        start();
        sim.run(dial(*alice, bob_at));
        sim.run_for(500ms);
    }
    /// … and in the same group.
    void gather() {
        meet();
        sim.run(enter(*alice, "lobby"));
        sim.run(enter(*bob, "lobby"));
        sim.run_for(2s);
    }
    void stop() {
        sim.run(alice->stop(), 10s);
        sim.run(bob->stop(), 10s);
    }

    /// A message goes through, both ways; it may have to dial.
    void check_alive() {
        CHECK_NOTHROW(sim.run(dial(*alice, bob_at), 30s));
        CHECK_NOTHROW(sim.run(say(*alice, bob->id(), "still there?"), 30s));
        CHECK_NOTHROW(sim.run(say(*bob, alice->id(), "yes"), 30s));
    }
    /// A file for somebody to give, of this content.
    std::filesystem::path file(std::string const &name, std::size_t size, unsigned seed = 1) const { return folder.write(name, random_content(size, seed)); }

    /// Nothing is under way but what is open all the time: the group's streams.
    void check_quiet() {
        sim.run_for(11s); // what is let go may linger for 10 s
        for (auto *one : {alice.get(), bob.get()}) {
            auto const now = one->stats();
            CHECK(now.connections == 1);
            CHECK(now.links.streams == 2);
            CHECK(now.downloads == 0);
            CHECK(now.uploads == 0);
            CHECK(now.links.bytes_receiving == 0);
            CHECK(now.links.mux.bytes_buffered == 0);
        }
    }
    /// What alice shares is what her list on disk says.
    void check_list() {
        auto const kept = share_list::load(folder.path / "alice.json").files();
        auto const now = alice->shared_files();
        CHECK(kept.size() == now.size());
        for (auto const &one : now) CHECK(kept.contains(one.code));
    }
    /// Both stop in good time, and leave nothing behind.
    void check_stops() {
        auto const begin = sim.now();
        CHECK_NOTHROW(stop());
        CHECK(sim.now() - begin < 5s);
        CHECK(network.connections() == 0);
    }

    /// After whatever disturbed alice: both talk, what was being fetched goes on and ends right, and nothing is left of it.
    void check_recovers() {
        if (alice->addresses().empty()) sim.run(alice->start());
        check_alive();
        if (!code.empty()) {
            auto const there = sim.run(fetch(*alice, bob->id(), code), 3min);
            CHECK(temporary_folder::read(there) == temporary_folder::read(folder.path / "talk.bin"));
        }
        check_list();
        check_quiet();
        check_stops();
    }

    static constexpr char const *alice_host = "10.0.0.1";
    static constexpr char const *bob_host = "10.0.0.2";

    temporary_folder const folder;
    simulation sim;
    memory_network network;
    std::unique_ptr<memory_node> alice, bob;
    std::string alice_at, bob_at;
    std::string code, own_code; ///< of what bob and alice share

  private:
    std::uint64_t seed_ = 0;
};

} // namespace failure
