// Whole nodes on the in-process network, in simulated time: 3, 10 and 50 of them.
#include <gigi/testing/memory_stack.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

namespace network_test {

using namespace gigi;
using namespace gigi::testing;

namespace {

/// Some nodes, each a host of its own, and everything that happened at each.
class lab {
  public:
    lab(std::size_t count, std::uint64_t seed, memory_network_options const &how = {})
        : sim_{seed}, network_{sim_.get_executor(), sim_.random(), how},
          folder_{std::filesystem::temp_directory_path() / ("gigi-sim-" + std::to_string(::getpid()))} {
        std::filesystem::remove_all(folder_);
        for (std::size_t i = 0; i < count; ++i) add(i);
    }
    ~lab() {
        try { // a test that failed has not stopped them
            stop_all();
        } catch (std::exception const &e) {
            MESSAGE("stopping: ", e.what());
        }
        nodes_.clear();
        std::filesystem::remove_all(folder_);
    }

    simulation &sim() { return sim_; }
    memory_network &network() { return network_; }
    std::size_t size() const { return nodes_.size(); }
    memory_node &operator[](std::size_t i) { return *nodes_[i]; }
    std::filesystem::path folder(std::size_t i) const { return folder_ / std::to_string(i); }
    static std::string host(std::size_t i) { return "10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1); }
    std::string address(std::size_t i) { return nodes_[i]->addresses().front().to_string(); }

    void start_all() {
        for (auto &n : nodes_) sim_.run(n->start());
    }
    void stop_all() {
        for (auto &n : nodes_) sim_.run(n->stop());
    }

    /// All events of a kind that a node has had and that were not taken before.
    template <class E> std::vector<E> taken(std::size_t i) {
        std::vector<E> found;
        event e;
        auto &kept = kept_[i];
        while (readers_[i].try_next(e)) kept.push_back(std::move(e));
        for (auto at = kept.begin(); at != kept.end();) {
            if (auto const *match = std::get_if<E>(&*at)) {
                found.push_back(*match);
                at = kept.erase(at);
            } else {
                ++at;
            }
        }
        return found;
    }

    void add(std::size_t i) {
        auto options = memory_node_options("node" + std::to_string(i), host(i));
        options.output_directory = folder(i);
        memory_stack stack;
        stack.network = &network_;
        stack.host = host(i);
        stack.seed = sim_.seed() * 1000 + i;
        nodes_.push_back(std::make_unique<memory_node>(sim_.get_executor(), std::move(options), std::move(stack)));
        readers_.push_back(nodes_.back()->subscribe());
        kept_.emplace_back();
    }

  private:
    simulation sim_;
    memory_network network_;
    std::filesystem::path folder_;
    std::vector<event_reader> readers_;
    std::vector<std::vector<event>> kept_;
    std::vector<std::unique_ptr<memory_node>> nodes_;
};

awaitable<void> dial(memory_node &from, std::string address) { co_await from.dial(address); }
awaitable<void> say(memory_node &from, std::string to, std::string text) { co_await from.send(to, text); }
awaitable<void> enter(memory_node &who, std::string group) { co_await who.join(group); }

std::error_code code_of(lab &l, awaitable<void> what) {
    try {
        l.sim().run(std::move(what));
    } catch (std::system_error const &e) {
        return e.code();
    }
    return {};
}

} // namespace

TEST_CASE("network: two nodes meet, know each other by nickname, and send messages with receipts") {
    memory_network_options how;
    for (bool const split : {false, true}) {
        how.split = split;
        how.jitter = std::chrono::milliseconds{3};
        lab l{2, 11, how};
        l.start_all();
        l.sim().run(dial(l[0], l.address(1)));
        l.sim().run_for(1s);
        auto const met = l.taken<event::peer_identified>(1);
        REQUIRE(met.size() == 1);
        CHECK(met[0].nickname == "node0");
        CHECK(met[0].peer == l[0].id());
        l.sim().run(say(l[0], "node1", "hello"));
        l.sim().run(say(l[1], "node0", std::string(200'000, 'x')));
        auto const heard = l.taken<event::direct_message>(1);
        REQUIRE(heard.size() == 1);
        CHECK(heard[0].text == "hello");
        CHECK(heard[0].nickname == "node0");
        auto const long_one = l.taken<event::direct_message>(0);
        REQUIRE(long_one.size() == 1);
        CHECK(long_one[0].text.size() == 200'000);
        CHECK(code_of(l, say(l[0], "nobody", "x")) == errc::unknown_peer);
        CHECK(code_of(l, say(l[0], "node1", std::string((1 << 20) + 1, 'x'))) == errc::message_too_large);
        l.sim().run(l[1].stop());
        l.sim().run_for(1s);
        auto const gone = l.taken<event::peer_disconnected>(0);
        REQUIRE(gone.size() == 1);
        CHECK(gone[0].error == condition::closed);
        CHECK(l.taken<event::peer_disconnected>(1).size() == 1);
        l.sim().run(l[0].stop());
    }
}

TEST_CASE("network: simultaneous dials converge on one connection, and nothing that was under way is lost") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        CAPTURE(seed);
        memory_network_options how;
        how.jitter = std::chrono::milliseconds{5};
        lab l{2, seed, how};
        l.start_all();
        auto const both = [](lab &at) -> awaitable<void> {
            auto const executor = co_await asio::this_coro::executor;
            task_group dialling{executor};
            dialling.spawn(dial(at[0], at.address(1)));
            dialling.spawn(dial(at[1], at.address(0)));
            co_await dialling.join();
        };
        l.sim().run(both(l));
        l.sim().run(say(l[0], l[1].id().to_string(), "one"));
        l.sim().run(say(l[1], l[0].id().to_string(), "two"));
        l.sim().run_for(10s);
        CHECK(l[0].stats().connections == 1);
        CHECK(l[1].stats().connections == 1);
        CHECK(l.taken<event::peer_connected>(0).size() == 1);
        CHECK(l.taken<event::peer_disconnected>(0).empty());
        CHECK(l.taken<event::direct_message>(0).size() == 1);
        CHECK(l.taken<event::direct_message>(1).size() == 1);
        l.sim().run(say(l[0], "node1", "three"));
        l.stop_all();
    }
}

TEST_CASE("network: a message to a known peer that is not connected dials it; one that is gone is an error in bounded time") {
    lab l{2, 5};
    l.start_all();
    l.sim().run(dial(l[0], l.address(1)));
    l.sim().run_for(1s);
    l.network().cut(lab::host(0));
    l.sim().run_for(1s);
    CHECK(l[0].stats().connections == 0);
    l.sim().run(say(l[0], "node1", "again"));
    CHECK(l.taken<event::direct_message>(1).size() == 1);
    l.network().separate(lab::host(0), lab::host(1));
    l.sim().run_for(1ms);
    auto const before = l.sim().now();
    CHECK(code_of(l, say(l[0], "node1", "nobody hears")) == condition::unreachable);
    CHECK(l.sim().now() - before < 60s);
    l.stop_all();
}

TEST_CASE("network: groups of 3, 10 and 50: what one says, everyone hears once, from its author") {
    for (std::size_t const count : {std::size_t{3}, std::size_t{10}, std::size_t{50}}) {
        CAPTURE(count);
        memory_network_options how;
        how.latency = std::chrono::milliseconds{10};
        how.jitter = std::chrono::milliseconds{10};
        lab l{count, 7 + count, how};
        l.start_all();
        for (std::size_t i = 0; i < count; ++i) l.sim().run(enter(l[i], "lobby"));
        for (std::size_t i = 1; i < count; ++i) // a ring with chords: nobody knows everybody
            for (std::size_t const step : {std::size_t{1}, std::size_t{3}, std::size_t{7}})
                if (i >= step) l.sim().run(dial(l[i], l.address(i - step)));
        l.sim().run_for(5s);
        for (std::size_t i = 0; i < count; ++i) l.taken<event::group_message>(i);
        std::size_t const speakers = std::min<std::size_t>(count, 5);
        for (std::size_t i = 0; i < speakers; ++i) l[i].publish("lobby", "from " + std::to_string(i));
        l.sim().run_for(10s);
        for (std::size_t i = 0; i < count; ++i) {
            std::map<std::string, int> heard;
            for (auto const &m : l.taken<event::group_message>(i)) {
                ++heard[m.text];
                CHECK(m.group == "lobby");
                for (std::size_t s = 0; s < speakers; ++s)
                    if (m.text == "from " + std::to_string(s)) CHECK(m.peer == l[s].id());
            }
            for (std::size_t s = 0; s < speakers; ++s) CHECK(heard["from " + std::to_string(s)] == (s == i ? 0 : 1));
        }
        l.stop_all();
    }
}

TEST_CASE("network: a file goes from one node to another, with events, and its content is what was shared") {
    lab l{2, 3};
    l.start_all();
    l.sim().run(dial(l[0], l.address(1)));
    l.sim().run_for(1s);
    std::filesystem::create_directories(l.folder(0));
    auto const source = l.folder(0) / "talk.bin";
    bytes content(3'000'000);
    seeded_random{99}.fill(content);
    std::ofstream{source, std::ios::binary}.write(reinterpret_cast<char const *>(content.data()), static_cast<std::streamsize>(content.size()));
    auto const exchange = [](lab &at, std::filesystem::path from, std::filesystem::path &to) -> awaitable<void> {
        std::string const code = co_await at[0].share(from);
        auto const files = co_await at[1].list_files("node0");
        CHECK(files.size() == 1);
        CHECK(files.front().code == code);
        download_result const done = co_await at[1].download("node0", code);
        to = done.path;
    };
    std::filesystem::path arrived;
    l.sim().run(exchange(l, source, arrived));
    std::ifstream in{arrived, std::ios::binary};
    bytes const got{std::istreambuf_iterator<char>{in}, {}};
    CHECK(got == content);
    CHECK(l.taken<event::file_shared>(0).size() == 1);
    CHECK(l.taken<event::download_started>(1).size() == 1);
    CHECK(l.taken<event::download_finished>(1).size() == 1);
    CHECK_FALSE(l.taken<event::download_progress>(1).empty());
    CHECK_FALSE(l.taken<event::upload_progress>(0).empty());
    l.stop_all();
}

TEST_CASE("network: a node starts again after a stop, with the same identity, and readers see the end") {
    lab l{2, 21};
    l.start_all();
    auto const before = l[0].id();
    l.sim().run(l[0].stop());
    CHECK(code_of(l, say(l[0], "node1", "x")) == errc::stopped);
    l.sim().run(l[0].start());
    CHECK(l[0].id() == before);
    l.sim().run(dial(l[1], l.address(0)));
    l.sim().run_for(1s);
    l.sim().run(say(l[1], "node0", "welcome back"));
    CHECK(l.taken<event::direct_message>(0).size() == 1);
    l.stop_all();
}

} // namespace network_test
