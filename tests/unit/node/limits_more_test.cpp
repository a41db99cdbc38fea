// That what node_options say of peers, groups, events and files is what the node does, and which counter says so. In simulated
// time.
#include "support/gossip_node.hpp"
#include "unit/node/node_lab.hpp"

#include <gigi/node.hpp>
#include <gigi/node/group_payload.hpp>
#include <gigi/node/node_core.hpp>
#include <gigi/node/options.hpp>
#include <gigi/protocol/direct.hpp>
#include <gigi/protocol/nickname.hpp>
#include <gigi/testing/hostile_bytes.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace limits_more_test {

using namespace gigi;
using namespace node_lab;

namespace {

awaitable<void> tell_nickname(memory_host &who, peer_id to, std::string nickname) {
    nickname_exchange::request mine;
    mine.nickname = std::move(nickname);
    (void)co_await send_request<nickname_exchange>(who.net, to, mine, 5s);
}
awaitable<void> share(memory_node &from, fs::path file, std::string &code) { code = co_await from.share(file); }
awaitable<void> list(memory_node &asking, std::string of, std::size_t &count) {
    auto const files = co_await asking.list_files(of);
    count = files.size();
}
awaitable<void> fetch_from_all(memory_node &to, std::string code) { (void)co_await to.download(code); }

/// What a node consists of, with what discovery would find told by hand.
struct bare_core {
    explicit bare_core(setting const &set) {
        set(options);
        parts = parts_of(stack_of("10.1.0.1"));
        core = std::make_unique<node_core>(
            sim.get_executor(), options, identity::generate(sim.random()), "alice",
            [this](any_io_executor const &executor, identity const &self) { return parts.make_connector(executor, self, mux_limits()); },
            sim.get_executor(), sim.random(), events);
        core->start();
    }
    ~bare_core() {
        sim.run(core->stop());
        for (auto &h : hosts) sim.run(h->net.stop());
    }
    testing::memory_stack stack_of(std::string const &ip) {
        testing::memory_stack stack;
        stack.network = &network;
        stack.host = ip;
        return stack;
    }
    void find(int number) {
        hosts.push_back(std::make_unique<memory_host>(network, "10.1.1." + std::to_string(number), sim.random()));
        discovered_peer found;
        found.peer = hosts.back()->id();
        found.addresses.push_back(hosts.back()->address);
        core->around().handler().on_found(found);
    }

    testing::simulation sim{6};
    memory_network network{sim.get_executor(), sim.random()};
    node_options options = testing::memory_node_options("alice", "10.1.0.1");
    event_hub events{sim.get_executor(), event_limits()};
    node_parts parts;
    std::unique_ptr<node_core> core;
    std::vector<std::unique_ptr<memory_host>> hosts;
};

/// A stack whose pool says how many threads it was asked for.
struct counting_offload : inline_offload {
    counting_offload(any_io_executor const &executor, std::size_t threads) : inline_offload{executor, threads} { asked = threads; }
    inline static std::size_t asked = 0;
};
struct counting_stack : testing::memory_stack {
    using offload = counting_offload;
};

std::string content_of(fs::path const &file) {
    std::ifstream in{file};
    return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace

TEST_CASE("limits: node: peers and nicknames that are remembered") {
    lab l{[](node_options &o) {
        o.max_peers = 3;
        o.max_pinned_nicknames = 2;
    }};
    for (int i = 1; i <= 5; ++i) CHECK_FALSE(l.code_of(tell_nickname(l.enter(i), l.alice->id(), "stranger" + std::to_string(i))));
    auto const now = l.alice->stats();
    CHECK(now.peers_known == 3);
    CHECK(now.peers.peers_forgotten >= 3);
    CHECK(now.peers.pins_refused >= 3);
}

TEST_CASE("limits: node: how many peers discovery may find, and until when they are dialled by themselves") {
    bare_core few{[](node_options &o) {
        o.max_discovered_peers = 4;
        o.auto_dial_limit = 2;
    }};
    for (int i = 1; i <= 6; ++i) few.find(i);
    few.sim.run_for(1min);
    CHECK(few.core->stats().peers_discovered == 4);
    CHECK(few.core->stats().discoveries_refused == 2);
    CHECK(few.core->stats().connections == 2);
    bare_core many{[](node_options &) {}};
    for (int i = 1; i <= 6; ++i) many.find(i);
    many.sim.run_for(1min);
    CHECK(many.core->stats().peers_discovered == 6);
    CHECK(many.core->stats().connections == 6);
}

TEST_CASE("limits: node: events that wait for a reader, by their number") {
    lab l{[](node_options &o) { o.max_queued_events = 5; }};
    l.heard<event::listening>(); // everything so far
    for (int i = 0; i < 8; ++i) CHECK_FALSE(l.code_of(say(*l.bob, "alice", 1)));
    CHECK(l.alice->stats().events_queued == 5);
    CHECK(l.alice->stats().events_dropped >= 3);
    auto const dropped = l.heard<event::events_dropped>();
    REQUIRE(dropped.size() == 1);
    CHECK(dropped[0].count == 3);
}

TEST_CASE("limits: node: large gossip waits for its room in what is received at once") {
    lab l{[](node_options &o) { o.max_receiving = 400'000; }};
    for (auto *n : {l.alice.get(), l.bob.get()}) CHECK_FALSE(l.code_of(enter(*n, "lobby")));
    l.sim.run_for(3s);
    l.bob->publish("lobby", std::string(300'000, 'x'));
    l.sim.run_for(1s);
    CHECK(l.heard<event::group_message>().size() == 1);
    CHECK(l.links().requests_delayed == 0);

    auto &slow = l.enter(1); // begins a request, and holds its room
    REQUIRE_FALSE(l.open(slow, std::string{direct_protocol::id}));
    bytes const start = testing::frame_bytes(300'000, bytes(100, 'x'));
    auto const begin = [&]() -> awaitable<void> { co_await l.kept[0].write(start); };
    l.sim.run(begin());
    l.sim.run_for(1s);
    CHECK(l.links().bytes_receiving == 300'000);
    l.bob->publish("lobby", std::string(300'000, 'y'));
    l.sim.run_for(5s);
    CHECK(l.links().requests_delayed == 1);
    CHECK(l.heard<event::group_message>().empty());
    l.sim.run_for(30s); // until the request is given up
    CHECK(l.heard<event::group_message>().size() == 1);
    CHECK(l.links().bytes_receiving == 0);
}

TEST_CASE("limits: node: gossip's own, which the node counts") {
    for (std::size_t const most : {3u, 2048u}) {
        CAPTURE(most);
        lab l{[&](node_options &o) { o.gossip.max_subscription_changes = most; }};
        test::scripted_peer other{l.sim.get_executor(), l.network, 3};
        other.known[l.alice->id()] = {l.address()};
        rpc many;
        for (int i = 0; i < 10; ++i) many.subscriptions.push_back({true, "topic " + std::to_string(i)});
        auto const tell = [&]() -> awaitable<void> {
            std::vector<std::string> offer{other.protocol};
            stream opened = co_await other.net.open_stream(l.alice->id(), std::move(offer));
            other.out = std::make_unique<stream>(std::move(opened));
            co_await other.say(many);
        };
        l.sim.run(tell());
        l.sim.run_for(100ms);
        CHECK(l.alice->stats().gossip.router.subscriptions_refused == (most == 3 ? 1 : 0));
        other.out.reset();
        l.sim.run(other.net.stop());
    }
}

TEST_CASE("limits: node: authors whose messages are known again") {
    for (std::size_t const most : {1u, 100u}) {
        CAPTURE(most);
        lab l{[&](node_options &o) {
            o.max_authors = most;
            o.idle_timeout = 24h;
        }};
        CHECK_FALSE(l.code_of(enter(*l.alice, "lobby")));
        test::scripted_peer other{l.sim.get_executor(), l.network, 3};
        other.known[l.alice->id()] = {l.address()};
        auto const begin = [&]() -> awaitable<void> {
            std::vector<std::string> offer{other.protocol};
            stream opened = co_await other.net.open_stream(l.alice->id(), std::move(offer));
            other.out = std::make_unique<stream>(std::move(opened));
            other.net.protect(l.alice->id(), "test");
        };
        l.sim.run(begin());
        sequence_numbers numbers;
        group_payload said;
        said.text = "hello";
        bytes data;
        cereal_codec{}.encode(said, data);
        auto const sign = [&](int author) {
            auto const now = context_clock{l.sim.get_executor()}.wall_now();
            return sign_message(identity::from_seed(test::host::seed(author)), std::string{group_topic_prefix} + "lobby", data, numbers.next(now));
        };
        auto const tell = [&](gossip_message const &m) {
            l.sim.run(other.say(test::rpc_of(m)));
            l.sim.run_for(10min);
            return l.heard<event::group_message>().size();
        };
        auto const first = sign(9);
        CHECK(tell(first) == 1);
        CHECK(tell(sign(10)) == 1);
        CHECK(tell(first) == (most == 1 ? 1 : 0));
        CHECK(l.alice->stats().replays_refused == (most == 1 ? 0 : 1));
        CHECK(l.alice->stats().authors_forgotten == (most == 1 ? 2 : 0));
        other.out.reset();
        l.sim.run(other.net.stop());
    }
}

TEST_CASE("limits: node: the files of a peer's list") {
    lab l{[](node_options &o) { o.max_listed_files = 2; }};
    std::string code;
    std::size_t count = 0;
    for (char const c : {'a', 'b', 'c'}) l.sim.run(share(*l.bob, l.file(std::string(1, c), 10, c), code));
    l.sim.run(list(*l.alice, "bob", count));
    CHECK(count == 2);
    CHECK(l.alice->stats().files.lists_cut == 1);
    l.sim.run(share(*l.alice, l.folder / "a", code));
    l.sim.run(list(*l.bob, "alice", count));
    CHECK(count == 1);
    CHECK(l.bob->stats().files.lists_cut == 0);
}

TEST_CASE("limits: node: downloads at once, their sources, and their rate") {
    lab l{[](node_options &o) {
        o.max_downloads = 1;
        o.max_download_sources = 1;
        o.max_download_rate = 100'000;
    }};
    auto &carol = l.add_friend("carol");
    std::string first, second;
    for (auto *n : {l.bob.get(), &carol}) l.sim.run(share(*n, l.file("a", 500'000, 'a'), first));
    l.sim.run(share(*l.bob, l.file("b", 1000, 'b'), second));
    std::error_code codes[2];
    auto const start = l.sim.now();
    l.tasks.spawn(note(fetch_from_all(*l.alice, first), codes[0]));
    l.tasks.spawn(note(fetch(*l.alice, "bob", second), codes[1]));
    l.sim.run_for(1s);
    CHECK(l.alice->stats().downloads == 2);
    CHECK(l.alice->stats().files.downloads_queued == 1);
    CHECK(l.alice->stats().files.downloads_finished == 0);
    CHECK(l.alice->stats().files.sources_delayed == 1);
    l.sim.run(l.tasks.join());
    CHECK_FALSE(codes[0]);
    CHECK_FALSE(codes[1]);
    CHECK(l.sim.now() - start > 4s);
    CHECK(l.sim.now() - start < 10s);
    CHECK(l.alice->stats().files.downloads_delayed > 0);
    CHECK(l.alice->stats().files.downloads_finished == 2);
    CHECK(l.alice->stats().files.bytes_downloaded >= 501'000);
    CHECK(fs::file_size(l.folder / "alice" / "a") == 500'000);
    CHECK(l.alice->stats().files.downloads_failed == 0);
    CHECK(l.code_of(fetch(*l.alice, "bob", "0000-0000-0000-0000-0000")) == errc::unknown_code);
    CHECK(l.alice->stats().files.downloads_failed == 1);
}

TEST_CASE("limits: node: uploads at once: who is told \"busy\" tries again, and gets the file") {
    lab l{[](node_options &o) {
        o.max_uploads = 1;
        o.max_upload_rate = 200'000;
    }};
    auto &carol = l.add_friend("carol");
    std::string code;
    l.sim.run(share(*l.alice, l.file("a", 800'000), code));
    std::error_code codes[2];
    l.tasks.spawn(note(fetch(*l.bob, "alice", code), codes[0]));
    l.tasks.spawn(note(fetch(carol, "alice", code), codes[1]));
    l.sim.run_for(2s);
    CHECK(l.alice->stats().uploads == 1);
    CHECK(l.alice->stats().files.uploads_refused > 0);
    l.sim.run(l.tasks.join());
    CHECK_FALSE(codes[0]);
    for (auto const &one : codes) CHECK((!one || one == errc::limit_exceeded));
}

TEST_CASE("limits: node: threads for disks and hashing") {
    testing::simulation sim;
    memory_network network{sim.get_executor(), sim.random()};
    counting_stack stack;
    stack.network = &network;
    stack.host = "10.1.0.1";
    auto o = testing::memory_node_options("alice", "10.1.0.1");
    o.file_threads = 7;
    basic_node<counting_stack> n{sim.get_executor(), o, stack};
    sim.run(n.start());
    CHECK(counting_offload::asked == 7);
    sim.run(n.stop());
}

#ifdef __linux__
TEST_CASE("node_options: an interface's name: the node listens on its addresses only; one that is not there is an error") {
    asio::io_context io{1};
    for (auto const *name : {"lo", "no-such-interface"}) {
        CAPTURE(name);
        node_options o;
        o.mdns = false;
        o.interface_name = name;
        o.listen.assign(1, "/ip4/0.0.0.0/tcp/0");
        node n{io.get_executor(), o};
        std::error_code code;
        std::vector<multiaddr> where;
        auto const live = [&]() -> awaitable<void> {
            co_await n.start();
            where = n.addresses();
            co_await n.stop();
        };
        asio::co_spawn(io, note(live(), code), [](std::exception_ptr) {});
        io.restart();
        io.run();
        if (std::string_view{name} == "lo") {
            CHECK_FALSE(code);
            REQUIRE(where.size() == 1);
            CHECK(where[0].ip_text() == "127.0.0.1");
        } else {
            CHECK(code == errc::invalid_address);
        }
    }
}
#endif

TEST_CASE("node_options: each of them is used by the node, and set by a test of one") {
    std::string const text = content_of("include/gigi/node/options.hpp");
    std::string used, set;
    for (auto const *folder : {"include/gigi/node", "include/gigi/node/impl", "include/gigi/impl"})
        for (auto const &entry : fs::directory_iterator{folder})
            if (entry.is_regular_file() && entry.path().filename() != "options.hpp" && entry.path().filename() != "src.hpp") used += content_of(entry.path());
    for (auto const *folder : {"tests/unit", "tests/unit/node"})
        for (auto const &entry : fs::directory_iterator{folder})
            if (entry.path().extension() == ".cpp") set += content_of(entry.path());
    auto const names_in = [](std::string const &source, char const *pattern) {
        std::regex const shape{pattern};
        std::set<std::string> names;
        for (std::sregex_iterator i{source.begin(), source.end(), shape}, end; i != end; ++i) names.insert((*i)[1]);
        return names;
    };
    auto const in_use = names_in(used, R"((?:options_?|from|\bo)\.(\w+))");
    auto const assigned = names_in(set, R"(\b(?:o|options)\.(\w+)(?:(?:\.\w+)? = |\.(?:assign|clear)\())");
    std::regex const member{R"(\n    [\w:<>]+ (\w+)(?: = [^;\n]*|\{[^;\n]*\})?;)"};
    auto const body = text.substr(text.find("struct node_options {"));
    std::set<std::string> found, documented;
    for (std::sregex_iterator i{body.begin(), body.end(), member}, end; i != end; ++i) {
        std::string const name = (*i)[1];
        found.insert(name);
        CAPTURE(name);
        CHECK(in_use.contains(name));
        CHECK(assigned.contains(name));
    }
    std::string const page = content_of("docs/limits.md");
    auto const table = page.substr(page.find("| `node_options` |"), page.find("\n\n", page.find("| `node_options` |")) - page.find("| `node_options` |"));
    std::regex const row{R"(\n\| `(\w+)` \|)"};
    for (std::sregex_iterator i{table.begin(), table.end(), row}, end; i != end; ++i) documented.insert((*i)[1]);
    CHECK(found == documented);
    CHECK(found.size() > 40);
}

} // namespace limits_more_test
