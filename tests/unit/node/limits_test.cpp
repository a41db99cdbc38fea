// What a node does past its limits, and which counter says so. Those of swarms, files, gossip and the parts of a node have
// their tests there; here is what only a whole node has. In simulated time.
#include "support/gossip_node.hpp"

#include <gigi/core/json.hpp>
#include <gigi/node/group_payload.hpp>
#include <gigi/node/node_core.hpp>
#include <gigi/node/node_stats.hpp>
#include <gigi/node/options.hpp>
#include <gigi/node/presence.hpp>
#include <gigi/testing/memory_stack.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <unistd.h>

using namespace gigi;
namespace fs = std::filesystem;

namespace {

/// Alice, whose limits a test sets, and Bob, who has the usual ones.
class lab {
  public:
    explicit lab(std::function<void(node_options &)> const &set) : network{sim.get_executor(), sim.random()} {
        fs::remove_all(folder);
        auto options = testing::memory_node_options("alice", "10.1.0.1");
        options.output_directory = folder / "alice";
        set(options);
        alice = make(options, "10.1.0.1", 1);
        options = testing::memory_node_options("bob", "10.1.0.2");
        options.output_directory = folder / "bob";
        bob = make(options, "10.1.0.2", 2);
        events = std::make_unique<event_reader>(alice->subscribe());
        sim.run(meet());
        sim.run_for(1s);
    }
    ~lab() {
        sim.run(part());
        fs::remove_all(folder);
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
    fs::path file(std::string const &name, std::size_t size) const {
        fs::create_directories(folder);
        std::ofstream{folder / name} << std::string(size, 'x') << std::flush;
        return folder / name;
    }

    testing::simulation sim{5};
    memory_network network;
    fs::path const folder = fs::temp_directory_path() / ("gigi-limits-" + std::to_string(::getpid()));
    std::unique_ptr<testing::memory_node> alice, bob;
    std::unique_ptr<event_reader> events; // Alice's

  private:
    std::unique_ptr<testing::memory_node> make(node_options const &options, std::string const &ip, std::uint64_t number) {
        testing::memory_stack stack;
        stack.network = &network;
        stack.host = ip;
        stack.seed = number;
        return std::make_unique<testing::memory_node>(sim.get_executor(), options, stack);
    }
    awaitable<void> meet() {
        co_await alice->start();
        co_await bob->start();
        std::string const address = alice->addresses().front().to_string();
        co_await bob->dial(address);
    }
    awaitable<void> part() {
        co_await bob->stop();
        co_await alice->stop();
    }
};

awaitable<void> say(testing::memory_node &from, std::string to, std::size_t size) {
    std::string const text(size, 'x');
    co_await from.send(to, text);
}
awaitable<void> send_bytes(testing::memory_node &from, std::string to, std::size_t size) {
    bytes const data(size);
    co_await from.send_bytes(to, data);
}
awaitable<void> send_image(testing::memory_node &from, std::string to, fs::path file) { co_await from.send_image(to, file); }
awaitable<void> enter(testing::memory_node &who, std::string group) { co_await who.join(group); }
awaitable<void> copy(testing::memory_node &from, testing::memory_node &to, fs::path file) {
    std::string const code = co_await from.share(file);
    std::string const name = from.nickname();
    co_await to.download(name, code);
}

bytes payload(group_payload const &said) {
    bytes data;
    cereal_codec{}.encode(said, data);
    return data;
}

} // namespace

TEST_CASE("limits: node: texts, images and bytes that are too large are refused by the sender, and by a receiver that is stricter") {
    lab l{[](node_options &o) {
        o.max_message_size = 10;
        o.max_image_size = 100;
    }};
    CHECK_FALSE(l.code_of(say(*l.bob, "alice", 10)));
    CHECK(l.code_of(say(*l.bob, "alice", 11)) == errc::message_too_large);
    CHECK_FALSE(l.code_of(send_bytes(*l.bob, "alice", 100)));
    CHECK(l.code_of(send_bytes(*l.bob, "alice", 101)) == errc::message_too_large);
    CHECK(l.code_of(send_image(*l.bob, "alice", l.file("cat.png", 101))) == errc::message_too_large);
    CHECK(l.alice->stats().messages_refused == 3);
    CHECK(l.code_of(say(*l.alice, "bob", 11)) == errc::message_too_large);
    CHECK(l.code_of(send_bytes(*l.alice, "bob", 101)) == errc::message_too_large);
    CHECK(l.code_of(send_bytes(*l.bob, "alice", (16 << 20) + 1)) == errc::message_too_large);
    CHECK(l.bob->stats().messages_refused == 0);
    CHECK(l.heard<event::direct_message>().size() == 1);
}

TEST_CASE("limits: node: what is received at once, what waits for readers, groups, rates") {
    lab l{[](node_options &o) {
        o.max_receiving = 100'000;
        o.max_queued_event_bytes = 100'000;
        o.max_groups = 2;
        o.max_upload_rate = 100'000;
        o.max_shared_files = 1;
    }};
    auto const &before = l.alice->stats();
    CHECK(before.connections == 1);
    CHECK(before.links.streams > 0);
    CHECK(l.code_of(send_bytes(*l.bob, "alice", 200'000)) == errc::limit_exceeded);
    CHECK(l.alice->stats().links.requests_refused == 1);
    l.heard<event::listening>(); // everything so far
    for (int i = 0; i < 3; ++i) CHECK_FALSE(l.code_of(send_bytes(*l.bob, "alice", 60'000)));
    CHECK(l.alice->stats().event_bytes_queued <= 100'000);
    CHECK(l.alice->stats().events_dropped >= 2);
    auto const dropped = l.heard<event::events_dropped>();
    REQUIRE(dropped.size() == 1);
    CHECK(dropped[0].count == 2);

    CHECK_FALSE(l.code_of(enter(*l.alice, "a")));
    CHECK_FALSE(l.code_of(enter(*l.alice, "b")));
    CHECK(l.code_of(enter(*l.alice, "c")) == errc::limit_exceeded);
    CHECK(l.alice->stats().groups_refused == 1);
    CHECK(l.alice->stats().groups == 2);

    auto const start = l.sim.now();
    CHECK_FALSE(l.code_of(copy(*l.alice, *l.bob, l.file("large", 500'000))));
    CHECK(l.sim.now() - start > 4s);
    CHECK(l.alice->stats().files.uploads_delayed > 0);
    CHECK(l.alice->stats().files_shared == 1);
    CHECK(l.code_of(copy(*l.alice, *l.bob, l.file("other", 10))) == errc::limit_exceeded);
    CHECK(l.alice->stats().files.shares_refused == 1);
    CHECK(l.alice->stats().links.mux.bytes_sent > 500'000);
    CHECK(l.bob->stats().files.downloads_finished == 1);
}

TEST_CASE("limits: node: a group's message that is sent again after the seen cache has forgotten it; a group's image that is too large") {
    lab l{[](node_options &o) {
        o.auto_accept_size = 1000;
        o.idle_timeout = 24h;
    }};
    std::string const topic = std::string{group_topic_prefix} + "lobby";
    CHECK_FALSE(l.code_of(enter(*l.alice, "lobby")));
    test::scripted_peer mallory{l.sim.get_executor(), l.network, 3};
    identity const author = identity::from_seed(test::host::seed(9));
    mallory.known[l.alice->id()] = {l.alice->addresses().front()};
    sequence_numbers numbers;
    auto const now = [&] { return numbers.next(context_clock{l.sim.get_executor()}.wall_now()); };
    group_payload said;
    said.text = "hello";
    auto const old = sign_message(author, topic, payload(said), now());
    auto const begin = [&]() -> awaitable<void> {
        std::vector<std::string> offer{mallory.protocol};
        stream opened = co_await mallory.net.open_stream(l.alice->id(), std::move(offer));
        mallory.out = std::make_unique<stream>(std::move(opened));
        mallory.net.protect(l.alice->id(), "test");
    };
    l.sim.run(begin());
    auto const tell = [&](gossip_message const &m) {
        l.sim.run(mallory.say(test::rpc_of(m)));
        l.sim.run_for(1s);
        return l.heard<event::group_message>().size();
    };
    CHECK(tell(old) == 1);
    CHECK(tell(old) == 0); // the seen cache
    l.sim.run_for(10min);
    CHECK(tell(old) == 0); // and long after
    CHECK(l.alice->stats().replays_refused == 1);
    CHECK(tell(sign_message(author, topic, payload(said), now())) == 1);
    // Another implementation's author, with numbers at random, is heard with any of them.
    identity const other = identity::from_seed(test::host::seed(10));
    for (std::uint64_t const number : {0xf000'0000'0000'0000ull, 3ull, 0x7000'0000'0000'0000ull}) {
        CHECK(tell(sign_message(other, topic, payload(said), number)) == 1);
        l.sim.run_for(5min);
    }
    CHECK(l.alice->stats().replays_refused == 1);

    group_payload image;
    image.what = group_payload::kind::image;
    image.name = "cat.png";
    image.code = share_code::of(merkle_hash{}, 1001).to_string();
    image.size = 1001;
    l.sim.run(mallory.say(test::rpc_of(sign_message(author, topic, payload(image), now()))));
    l.sim.run_for(1s);
    CHECK(l.heard<event::file_offered>().size() == 1);
    CHECK(l.alice->stats().images_not_fetched == 1);
    mallory.out.reset();
    l.sim.run(mallory.net.stop());
}

TEST_CASE("limits: node: peers that discovery finds") {
    testing::simulation sim;
    memory_network network{sim.get_executor(), sim.random()};
    test::host self{sim.get_executor(), network, 1};
    node_options options;
    options.max_discovered_peers = 3;
    peer_store store;
    std::vector<std::string> told;
    auto const emit = [&](event const &e) { told.emplace_back(e.name()); };
    people known{store, context_clock{sim.get_executor()}, emit};
    presence around{self.net, store, known, options, [] { return std::string{"me"}; }, [] { return std::vector<multiaddr>(); }, emit};
    auto const handler = around.handler();
    std::vector<discovered_peer> found;
    for (int i = 2; i < 8; ++i) {
        discovered_peer one;
        one.peer = identity::from_seed(test::host::seed(i)).id();
        found.push_back(one);
    }
    for (auto const &one : found) handler.on_found(one);
    for (auto const &one : found) handler.on_found(one);
    CHECK(around.discovered_now().size() == 3);
    CHECK(around.refused() == 6);
    handler.on_expired(found[0].peer);
    handler.on_found(found[5]);
    CHECK(around.discovered_now().contains(found[5].peer));
    CHECK(told.size() == 3 + 3 + 1 + 1);
    sim.run(around.stop());
    sim.run(self.net.stop());
}

TEST_CASE("limits: node: who is announced stays connected while it is, but keeps nobody out") {
    testing::simulation sim;
    memory_network network{sim.get_executor(), sim.random()};
    swarm_options links;
    links.max_connections = 2;
    links.idle_timeout = 1min;
    test::host self{sim.get_executor(), network, 1, links}, quiet{sim.get_executor(), network, 2}, other{sim.get_executor(), network, 3};
    test::host more{sim.get_executor(), network, 4};
    node_options const options;
    peer_store store;
    auto const emit = [](event const &) {};
    people known{store, context_clock{sim.get_executor()}, emit};
    presence around{self.net, store, known, options, [] { return std::string{"me"}; }, [] { return std::vector<multiaddr>(); }, emit};
    auto const handler = around.handler();
    for (auto *h : {&quiet, &other, &more}) h->net.protect(self.id(), "x"); // or it would end it
    for (auto *h : {&quiet, &other}) {
        discovered_peer found;
        found.peer = h->id();
        found.addresses.push_back(h->address());
        handler.on_found(found);
        sim.run(self.net.dial(h->address()));
    }
    sim.run_for(10min);
    CHECK(self.net.is_connected(quiet.id()));
    CHECK(self.net.is_connected(other.id()));
    sim.run(more.net.dial(self.address()));
    sim.run_for(1s);
    CHECK(self.net.is_connected(more.id()));
    CHECK(self.net.connection_count() == 2);
    auto const &left = self.net.is_connected(quiet.id()) ? quiet : other;
    handler.on_expired(left.id());
    sim.run_for(10min);
    CHECK_FALSE(self.net.is_connected(left.id()));
    sim.run(around.stop());
    for (auto *h : {&self, &quiet, &other, &more}) sim.run(h->net.stop());
}

TEST_CASE("T30: node: the peer store is saved soon after it has changed, and seldom otherwise") {
    auto const file = fs::temp_directory_path() / ("gigi-store-" + std::to_string(::getpid()));
    fs::remove(file);
    auto const content = [&] {
        std::ifstream in{file};
        return std::string{std::istreambuf_iterator<char>{in}, {}};
    };
    {
        lab l{[&](node_options &o) {
            o.peer_store_file = file;
            o.idle_timeout = 24h;
        }};
        l.sim.run_for(15s);
        CHECK(content().find("\tbob\n") != std::string::npos); // what a `kill -9` now would leave
        CHECK(l.alice->stats().store_saves == 1);
        l.sim.run_for(50min);
        CHECK(l.alice->stats().store_saves == 1);
        l.sim.run_for(20min);
        CHECK(l.alice->stats().store_saves == 2);
        auto const rename = [](testing::memory_node &n) -> awaitable<void> { co_await n.set_nickname("robert"); };
        l.sim.run(rename(*l.bob));
        l.sim.run_for(16s);
        CHECK(l.alice->stats().store_saves == 3);
        CHECK(content().find("\trobert\n") != std::string::npos);
    }
    fs::remove(file);
}

TEST_CASE("limits: node_options: what they set reaches the connections") {
    node_options o;
    o.max_outbound_streams = 7;
    o.max_stream_window = 1 << 20;
    o.max_connection_buffer = 5 << 20;
    auto const limits = node_core::connection_limits(o);
    CHECK(limits.max_outbound_streams == 7);
    CHECK(limits.max_stream_window == 1 << 20);
    CHECK(limits.max_buffered == 5 << 20);
}

TEST_CASE("node_stats: every counter that the options name is there, once, and comes out as JSON") {
    std::set<std::string> names;
    std::size_t members = 0;
    node_stats{}.for_each_member([&](std::string_view name, auto const &) {
        names.emplace(name);
        ++members;
    });
    CHECK(names.size() == members);
    std::set<std::string> inner;
    members = 0;
    gossip_stats{}.for_each_member([&](std::string_view name, auto const &) {
        inner.emplace(name);
        ++members;
    });
    CHECK(inner.size() == members);
    std::ifstream in{"include/gigi/node/options.hpp"};
    std::string const text{std::istreambuf_iterator<char>{in}, {}};
    auto const limits = text.substr(text.find("    // Limits."));
    std::set<std::string> const others{"limit_exceeded", "timed_out", "message_too_large", "file_offered", "max_groups", "max_message_size", "request_timeout", "gossip"};
    std::regex const quoted{"`([a-z_]+)`"};
    std::size_t counters = 0;
    for (std::sregex_iterator i{limits.begin(), limits.end(), quoted}, end; i != end; ++i) {
        CAPTURE((*i)[1].str());
        CHECK((names.contains((*i)[1]) || others.contains((*i)[1])));
        counters += names.contains((*i)[1]);
    }
    CHECK(counters > 30);
    auto const json = json_text(node_stats{});
    CHECK(json.starts_with("{\"connections\":0,"));
    CHECK(json.find("\"gossip\":{\"peers\":0,") != std::string::npos);
}
