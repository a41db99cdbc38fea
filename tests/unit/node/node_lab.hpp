// tests/unit/node/node_lab.hpp: Alice, whose limits a test sets, and Bob, who has the usual ones, on a network in memory.
#pragma once

#include <gigi/core/asio.hpp>
#include <gigi/core/task_group.hpp>
#include <gigi/testing/memory_host.hpp>
#include <gigi/testing/memory_stack.hpp>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <unistd.h>

namespace node_lab {

using namespace gigi;
using testing::memory_host;
using testing::memory_node;
namespace fs = std::filesystem;

using setting = std::function<void(node_options &)>;

class lab {
  public:
    explicit lab(setting const &set, setting const &of_bob = {}) : network{sim.get_executor(), sim.random()} {
        fs::remove_all(folder);
        alice = make("alice", 1, set);
        bob = make("bob", 2, of_bob);
        events = std::make_unique<event_reader>(alice->subscribe());
        sim.run(meet());
        sim.run_for(1s);
    }
    ~lab() {
        try { // a test that failed may have left anything behind
            tasks.cancel();
            sim.run(tasks.join());
            kept.clear();
            for (auto &h : strangers) sim.run(h->net.stop());
            for (auto &n : more) sim.run(n->stop());
            sim.run(bob->stop());
            sim.run(alice->stop());
        } catch (std::exception const &) {
        }
        fs::remove_all(folder);
    }

    /// A further node, not started.
    memory_node &add(std::string const &nickname, setting const &set = {}) {
        more.push_back(make(nickname, static_cast<int>(more.size()) + 3, set));
        return *more.back();
    }
    /// A further node that is connected to Alice.
    memory_node &add_friend(std::string const &nickname) {
        auto &made = add(nickname);
        sim.run(made.start());
        sim.run(dial(made));
        sim.run_for(1s);
        return made;
    }
    /// A peer that is right up to the streams, and says nothing by itself. @param number of its address, 10.1.1.number
    memory_host &add_stranger(int number) {
        strangers.push_back(std::make_unique<memory_host>(network, "10.1.1." + std::to_string(number), sim.random()));
        return *strangers.back();
    }
    /// The same, connected to Alice.
    memory_host &enter(int number) {
        auto &made = add_stranger(number);
        code_of(dial(made));
        return made;
    }
    multiaddr address() const { return alice->addresses().front(); }
    awaitable<void> dial(memory_host &from) {
        from.known[alice->id()].assign(1, address().without_peer());
        co_await from.net.connect(alice->id());
    }
    awaitable<void> dial(memory_node &from) {
        std::string const to = address().to_string();
        (void)co_await from.dial(to);
    }
    /// Opens a stream to Alice, and keeps it.
    std::error_code open(memory_host &from, std::string protocol) {
        auto const work = [&]() -> awaitable<void> {
            std::vector<std::string> offer(1, protocol);
            stream opened = co_await from.net.open_stream(alice->id(), std::move(offer));
            kept.push_back(std::move(opened));
        };
        return code_of(work());
    }

    std::error_code code_of(awaitable<void> what) {
        try {
            sim.run(std::move(what));
        } catch (std::system_error const &e) {
            return e.code();
        }
        return {};
    }
    template <class E> std::vector<E> heard() {
        std::vector<E> all;
        event e;
        while (events->try_next(e))
            if (auto const *const match = std::get_if<E>(&e)) all.push_back(*match);
        return all;
    }
    swarm_stats links() const { return alice->stats().links; }
    fs::path file(std::string const &name, std::size_t size, char content = 'x') const {
        fs::create_directories(folder);
        std::ofstream{folder / name} << std::string(size, content) << std::flush;
        return folder / name;
    }

    testing::simulation sim{5};
    memory_network network;
    fs::path const folder = fs::temp_directory_path() / ("gigi-limits-" + std::to_string(::getpid()));
    std::unique_ptr<memory_node> alice, bob;
    std::unique_ptr<event_reader> events; // Alice's
    std::vector<std::unique_ptr<memory_node>> more;
    std::vector<std::unique_ptr<memory_host>> strangers;
    std::vector<stream> kept;
    task_group tasks{sim.get_executor()};

  private:
    std::unique_ptr<memory_node> make(std::string const &nickname, int number, setting const &set) {
        std::string const ip = "10.1.0." + std::to_string(number);
        auto options = testing::memory_node_options(nickname, ip);
        options.output_directory = folder / nickname;
        if (set) set(options);
        testing::memory_stack stack;
        stack.network = &network;
        stack.host = ip;
        stack.seed = static_cast<std::uint64_t>(number);
        return std::make_unique<memory_node>(sim.get_executor(), options, stack);
    }
    awaitable<void> meet() {
        co_await alice->start();
        co_await bob->start();
        co_await dial(*bob);
    }
};

/// Runs a call beside others. @param code what became of it
inline awaitable<void> note(awaitable<void> what, std::error_code &code) {
    try {
        co_await std::move(what);
    } catch (std::system_error const &e) {
        code = e.code();
    }
}

inline awaitable<void> say(memory_node &from, std::string to, std::size_t size) {
    std::string const text(size, 'x');
    co_await from.send(to, text);
}
inline awaitable<void> send_bytes(memory_node &from, std::string to, std::size_t size) {
    bytes const data(size);
    co_await from.send_bytes(to, data);
}
inline awaitable<void> send_image(memory_node &from, std::string to, fs::path file) { co_await from.send_image(to, file); }
inline awaitable<void> enter(memory_node &who, std::string group) { co_await who.join(group); }
inline awaitable<void> fetch(memory_node &to, std::string from, std::string code) { co_await to.download(from, code); }
inline awaitable<void> copy(memory_node &from, memory_node &to, fs::path file) {
    std::string const code = co_await from.share(file);
    co_await fetch(to, from.nickname(), code);
}

/// A stream that stays, of which nothing is read.
inline awaitable<void> hold(stream s) {
    co_await sleep_for(1h);
    s.reset();
}
/// A stream of which everything is read.
inline awaitable<void> swallow(stream s) { co_await multistream::drain(s); }
inline awaitable<void> pour(stream &into, std::size_t size) {
    bytes const data(size);
    co_await into.write(data);
}

} // namespace node_lab
