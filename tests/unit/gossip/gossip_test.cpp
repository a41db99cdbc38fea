// Gossip over the whole stack (swarm, yamux, noise, a network in memory) in simulated time.
#include "support/gossip_node.hpp"

#include <gigi/testing/interruption.hpp>

#include <doctest/doctest.h>

namespace gossip_test {

using namespace gigi;
using namespace gigi::test;

namespace {

std::string const topic = "lobby";
using texts = std::vector<std::string>;
using ids = std::vector<peer_id>;

/// A node that has no room for a large frame, and a peer that is about to send one.
struct crowded_world : gossip_world {
    crowded_world() : a{add({}, with_room())}, p{add_scripted()} {
        a.chat.subscribe(topic);
        connect(p, a);
        elsewhere = sim.run(a.net.receiving().take(p.id(), room, std::chrono::seconds{1})); // what it has announced to another protocol
        append_varint(header, room);
    }
    static constexpr std::size_t room = 1 << 20;
    static swarm_options with_room() {
        swarm_options links;
        links.max_receiving = room;
        return links;
    }

    gossip_node &a;
    scripted_peer &p;
    receive_budget::share elsewhere;
    bytes header; // of a frame as large as the room
};

} // namespace

TEST_CASE("gossip: two nodes meet in a topic and hear each other") {
    gossip_world w;
    auto &a = w.add(), &b = w.add();
    a.chat.subscribe(topic);
    b.chat.subscribe(topic);
    w.connect(a, b);
    w.run_for(1s);
    CHECK(a.joined == ids{b.id()});
    CHECK(b.joined == ids{a.id()});
    CHECK(a.chat.peers(topic) == ids{b.id()});
    CHECK(a.chat.mesh_peers(topic) == ids{b.id()});
    CHECK(b.chat.mesh_peers(topic) == ids{a.id()});
    auto const id = a.publish(topic, "hello");
    b.publish(topic, "hi");
    w.run_for(100ms);
    REQUIRE(b.got.size() == 1);
    CHECK(b.got[0].text == "hello");
    CHECK(b.got[0].topic == topic);
    CHECK(b.got[0].author == a.id());
    CHECK(b.got[0].forwarder == a.id());
    CHECK(b.got[0].seqno >= 1'700'000'000'000'000'000u);
    CHECK(b.got[0].id == id);
    CHECK(a.texts() == texts{"hi"}); // and not its own
    b.chat.unsubscribe(topic);
    w.run_for(100ms);
    CHECK(a.left == ids{b.id()});
    CHECK(b.left.empty());
    CHECK(a.chat.mesh_peers(topic).empty());
    a.publish(topic, "gone?");
    w.run_for(2s);
    CHECK(b.got.size() == 1);
    auto const now = a.chat.stats();
    CHECK(now.streams_opened == 1);
    CHECK(now.streams_failed == 0);
    CHECK(now.rpcs_sent > 2);
    CHECK(now.rpcs_received > 2);
    CHECK(now.rpcs_malformed == 0);
    w.stop();
}

TEST_CASE("gossip: a message goes through those in between, and its author stays its author") {
    gossip_world w;
    auto &a = w.add(), &b = w.add(), &c = w.add();
    for (auto *n : {&a, &b, &c}) n->chat.subscribe(topic);
    w.connect(a, b);
    w.connect(c, b);
    w.run_for(1s);
    a.publish(topic, "pass it on");
    w.run_for(100ms);
    REQUIRE(c.got.size() == 1);
    CHECK(c.got[0].author == a.id());
    CHECK(c.got[0].forwarder == b.id());
    w.stop();
}

TEST_CASE("gossip: what is published before anybody is there reaches who comes soon after") {
    gossip_world w;
    auto &a = w.add(), &b = w.add();
    a.chat.subscribe(topic);
    b.chat.subscribe(topic);
    a.publish(topic, "anybody?");
    w.run_for(3s);
    w.connect(a, b);
    w.run_for(1s);
    CHECK(b.texts() == texts{"anybody?"});
    w.stop();
}

TEST_CASE("gossip: both dial at once; nothing is lost, nothing comes twice") {
    for (std::uint64_t const seed : {1u, 2u, 3u}) {
        CAPTURE(seed);
        memory_network_options options;
        options.latency = 5ms;
        options.jitter = 10ms;
        gossip_world w{seed, options};
        auto &a = w.add(), &b = w.add();
        a.chat.subscribe(topic);
        b.chat.subscribe(topic);
        task_group both{w.sim.get_executor()};
        both.spawn(a.connect(b));
        both.spawn(b.connect(a));
        w.sim.run(both.join());
        texts said;
        for (int i = 0; i < 60; ++i) {
            said.push_back(std::to_string(i));
            a.publish(topic, said.back());
            w.run_for(100ms);
        }
        w.run_for(5s);
        auto heard = b.texts();
        std::ranges::sort(heard);
        std::ranges::sort(said);
        CHECK(heard == said);
        w.stop();
    }
}

TEST_CASE("gossip: a connection that breaks and comes back") {
    gossip_world w;
    auto &a = w.add(), &b = w.add();
    a.chat.subscribe(topic);
    b.chat.subscribe(topic);
    w.connect(a, b);
    w.run_for(1s);
    w.network.cut(a.ip);
    w.run_for(100ms);
    CHECK(a.left == ids{b.id()});
    CHECK(a.chat.peers(topic).empty());
    a.publish(topic, "while we were apart");
    w.run_for(1s);
    w.connect(b, a);
    w.run_for(1s);
    CHECK(b.texts() == texts{"while we were apart"});
    b.publish(topic, "back again");
    w.run_for(100ms);
    CHECK(a.texts() == texts{"back again"});
    w.stop();
}

TEST_CASE("gossip: the app judges, and may publish from within the callback") {
    gossip_world w;
    auto &a = w.add(), &b = w.add(), &c = w.add();
    for (auto *n : {&a, &b, &c}) n->chat.subscribe(topic);
    w.connect(a, b);
    w.connect(b, c);
    w.run_for(1s);
    b.on_message = [&](gossip_node::message const &m) {
        if (m.text == "ping") b.publish(topic, "pong");
    };
    a.publish(topic, "ping");
    w.run_for(100ms);
    CHECK(a.texts() == texts{"pong"});
    CHECK(c.got.size() == 2);
    b.verdict = validity::reject;
    a.publish(topic, "spam");
    w.run_for(3s);
    CHECK(b.got.size() == 1);
    CHECK(c.got.size() == 2);
    CHECK(b.chat.stats().router[message_outcome::rejected] == 1);
    w.stop();
}

TEST_CASE("gossip: a callback that leaves the topic in which a peer has just been heard keeps nobody connected") {
    gossip_world w;
    swarm_options quick;
    quick.idle_timeout = 1min;
    auto &a = w.add({}, quick);
    auto &p = w.add_scripted();
    a.chat.subscribe(topic);
    a.on_message = [&](gossip_node::message const &) { a.chat.unsubscribe(topic); };
    w.connect(p, a);
    w.sim.run(p.open(a));
    rpc both = rpc_of(p.sign(topic, "goodbye", 1));
    both.subscriptions.push_back({true, topic});
    w.sim.run(p.say(both));
    w.run_for(1s);
    REQUIRE(a.got.size() == 1);
    CHECK(a.joined.empty());
    w.run_for(3min);
    CHECK_FALSE(a.net.is_connected(p.id()));
    w.stop();
}

TEST_CASE("gossip: what must not be published, and where") {
    gossip_world w;
    auto &a = w.add();
    auto const code_of = [](auto &&f) -> std::error_code {
        try {
            f();
        } catch (std::system_error const &e) {
            return e.code();
        }
        return {};
    };
    CHECK(code_of([&] { a.publish("", "x"); }) == errc::invalid_name);
    CHECK(code_of([&] { a.publish(std::string(257, 't'), "x"); }) == errc::invalid_name);
    CHECK(code_of([&] { a.publish(topic, std::string((1 << 20) + 1, 'x')); }) == errc::message_too_large);
    CHECK(code_of([&] { a.chat.subscribe(""); }) == errc::invalid_name);
    CHECK(!code_of([&] { a.publish(topic, std::string(1 << 20, 'x')); }));
    gossip_options bad;
    bad.degree = 3;
    CHECK(code_of([&] { gossip{a.net, bad, {}, a.random}; }) == errc::invalid_argument);
    w.stop();
}

TEST_CASE("gossip: stopping in the middle of things, and starting again") {
    gossip_world w;
    auto &a = w.add(), &b = w.add();
    a.chat.subscribe(topic);
    b.chat.subscribe(topic);
    w.connect(a, b);
    w.run_for(1s);
    for (int i = 0; i < 100; ++i) a.publish(topic, std::string(50'000, 'x'));
    w.sim.run(b.chat.stop());
    w.run_for(5s);
    CHECK(b.chat.peers(topic).empty());
    b.chat.start();
    b.chat.start(); // does nothing
    w.run_for(70s);
    CHECK(b.chat.peers(topic) == ids{a.id()});
    b.got.clear();
    a.publish(topic, "still there?");
    w.run_for(1s);
    CHECK(std::ranges::count(b.texts(), "still there?") == 1);
    w.stop();
}

TEST_CASE("gossip: a stop that is cancelled goes on to its end, and it can be started again") {
    swarm_options links;
    links.max_receiving = 1 << 20;
    bytes header;
    append_varint(header, 1 << 20);
    for (std::uint64_t step = 0;; ++step) {
        CAPTURE(step);
        gossip_world w;
        auto &a = w.add({}, links), &b = w.add();
        a.chat.subscribe(topic);
        b.chat.subscribe(topic);
        auto &p = w.add_scripted();
        w.connect(a, b);
        w.connect(p, a);
        auto elsewhere = w.sim.run(a.net.receiving().take(p.id(), 1 << 20, 1s));
        w.sim.run(p.open(a));
        w.sim.run(p.out->write(header)); // its reader waits for room, and takes some steps to end
        w.run_for(1s);
        auto const ended = testing::cancel_at(w.sim, w.sim.get_executor(), a.chat.stop(), step, 10s);
        if (step > 0) CHECK_MESSAGE(ended.succeeded(), ended.message());
        if (!ended.succeeded()) w.sim.run(a.chat.stop()); // cancelled before it began, it has not begun
        a.chat.start();
        w.run_for(5s);
        b.publish(topic, "still there?");
        w.run_for(100ms);
        CHECK(a.texts() == texts{"still there?"});
        elsewhere = {};
        w.stop();
        if (!ended.disturbed) break;
    }
}

// ---------------------------------------------------------------- scripted peers

TEST_CASE("gossip: what a peer hears first, and how its words are taken") {
    gossip_world w;
    auto &a = w.add();
    a.chat.subscribe(topic);
    auto &p = w.add_scripted();
    w.connect(p, a);
    w.run_for(100ms);
    REQUIRE(p.heard.size() == 1);
    CHECK(p.heard[0].subscriptions == std::vector<rpc::subscription>{{true, topic}});
    w.sim.run(p.open(a));
    w.sim.run(p.say(subscription_to(topic)));
    w.run_for(100ms);
    REQUIRE(p.heard.size() == 2);
    CHECK(p.heard[1].graft == std::vector{topic});
    w.sim.run(p.say(rpc_of(p.sign(topic, "by hand", 1))));
    w.run_for(10ms);
    CHECK(a.texts() == texts{"by hand"});
    CHECK(a.joined == ids{p.id()});
    w.stop();
}

TEST_CASE("gossip: older peers are spoken to in their own protocol") {
    for (std::string const protocol : {"/floodsub/1.0.0", "/meshsub/1.0.0", "/meshsub/1.1.0", "/meshsub/1.2.0"}) {
        CAPTURE(protocol);
        gossip_world w;
        auto &a = w.add();
        a.chat.subscribe(topic);
        auto &p = w.add_scripted(protocol);
        w.connect(a, p);
        w.sim.run(p.open(a));
        w.sim.run(p.say(subscription_to(topic)));
        w.run_for(3s);
        bool grafted = false;
        for (auto const &r : p.heard) grafted = grafted || !r.graft.empty();
        CHECK(grafted == (protocol != "/floodsub/1.0.0"));
        a.publish(topic, "old and new");
        w.run_for(100ms);
        CHECK(p.messages_heard() == 1);
        w.sim.run(p.say(rpc_of(p.sign(topic, "hello from then", 1))));
        w.run_for(10ms);
        CHECK(a.texts() == texts{"hello from then"});
        w.stop();
    }
}

TEST_CASE("gossip: a peer without gossip is asked once, and again when it turns out to speak it") {
    gossip_world w;
    auto &a = w.add();
    a.chat.subscribe(topic);
    auto &p = w.add_scripted("");
    w.connect(a, p);
    w.run_for(5min);
    CHECK(a.chat.stats().streams_failed == 1);
    CHECK(a.chat.peers(topic).empty());
    p.protocol = "/meshsub/1.1.0";
    p.net.handle(p.protocol, [&p](stream incoming) { return p.listen(std::move(incoming)); });
    w.sim.run(p.open(a));
    w.sim.run(p.say(subscription_to(topic)));
    w.run_for(3s);
    CHECK(p.streams == 1);
    CHECK(a.chat.peers(topic) == ids{p.id()});
    w.stop();
}

TEST_CASE("gossip: a stream that the peer gives up is opened again, and the greeting repeated") {
    gossip_world w;
    auto &a = w.add();
    a.chat.subscribe(topic);
    auto &p = w.add_scripted();
    w.connect(a, p);
    w.sim.run(p.open(a));
    w.sim.run(p.say(subscription_to(topic)));
    w.sim.run(p.say(word_of(p)));
    w.run_for(5s);
    CHECK(p.streams == 1);
    p.heard.clear();
    REQUIRE(p.last.lock());
    p.last.lock()->reset();
    a.publish(topic, "into the gap");
    w.run_for(3s);
    CHECK(p.streams == 2);
    REQUIRE(!p.heard.empty());
    CHECK(p.heard[0].subscriptions.size() == 1);
    CHECK(p.heard[0].graft.size() == 1);
    CHECK(p.heard[0].ihave.size() == 1); // what may have been lost can be asked for
    CHECK(a.chat.mesh_peers(topic) == ids{p.id()});
    // One that resets every stream at once is not asked more and more often.
    p.reading = false;
    p.net.handle(p.protocol, [&p](stream) -> awaitable<void> {
        ++p.streams;
        co_return;
    });
    if (auto const last = p.last.lock()) last->reset();
    p.streams = 0;
    w.run_for(10min);
    CHECK(p.streams >= 5);
    CHECK(p.streams <= 20);
    w.stop();
}

TEST_CASE("gossip: of two streams from one peer the newer counts") {
    gossip_world w;
    auto &a = w.add();
    a.chat.subscribe(topic);
    auto &p = w.add_scripted();
    w.connect(p, a);
    w.sim.run(p.open(a));
    w.sim.run(p.say(subscription_to(topic)));
    auto const first = std::move(p.out);
    w.sim.run(p.open(a));
    w.sim.run(p.say(rpc_of(p.sign(topic, "second", 1))));
    w.run_for(100ms);
    CHECK(a.texts() == texts{"second"});
    std::uint8_t room[1];
    CHECK_THROWS_AS(w.sim.run(first->read_some(room)), std::system_error);
    w.stop();
}

TEST_CASE("T1, T2: what is no RPC ends its stream; the others hear nothing of it") {
    struct row {
        char const *what;
        std::function<awaitable<void>(scripted_peer &)> say;
    };
    row const rows[] = {
        {"garbage", [](scripted_peer &p) -> awaitable<void> {
             bytes const garbage(100, 0xff);
             co_await p.say_bytes(garbage);
         }},
        {"a frame of 4 MiB and a byte", [](scripted_peer &p) -> awaitable<void> {
             bytes header;
             append_varint(header, (4 << 20) + 1);
             co_await p.out->write(header);
         }},
        {"a length of 2^62", [](scripted_peer &p) -> awaitable<void> {
             bytes header;
             append_varint(header, std::uint64_t{1} << 62);
             co_await p.out->write(header);
         }},
        {"too many subscriptions", [](scripted_peer &p) -> awaitable<void> {
             rpc r;
             r.subscriptions.resize(8193);
             co_await p.say(r);
         }},
    };
    for (auto const &[what, say] : rows) {
        CAPTURE(what);
        gossip_world w;
        auto &a = w.add(), &b = w.add();
        a.chat.subscribe(topic);
        b.chat.subscribe(topic);
        auto &p = w.add_scripted();
        w.connect(a, b);
        w.connect(p, a);
        w.sim.run(p.open(a));
        w.sim.run(p.say(subscription_to(topic)));
        w.run_for(1s);
        w.sim.run(say(p));
        w.run_for(1s);
        std::uint8_t room[1];
        CHECK_THROWS_AS(w.sim.run(p.out->read_some(room)), std::system_error); // reset
        bool const frame = what[0] != 'a'; // a length is the swarm's to count
        CHECK(a.chat.stats().rpcs_malformed == std::uint64_t{frame});
        CHECK(a.net.stats().frames_too_large == std::uint64_t{!frame});
        b.publish(topic, "all is well");
        w.run_for(100ms);
        CHECK(a.texts() == texts{"all is well"});
        w.stop();
    }
}

TEST_CASE("T7: forged, altered and unsigned messages are neither delivered nor forwarded") {
    gossip_world w;
    auto &a = w.add(), &b = w.add();
    a.chat.subscribe(topic);
    b.chat.subscribe(topic);
    auto &p = w.add_scripted();
    w.connect(a, b);
    w.connect(p, a);
    w.sim.run(p.open(a));
    w.sim.run(p.say(subscription_to(topic)));
    w.run_for(1s);
    auto altered = p.sign(topic, "altered", 1);
    altered.data[0] ^= 1;
    auto forged = p.sign(topic, "forged", 2);
    forged.from = to_bytes(b.id().data());
    auto keyless = forged;
    keyless.key.clear();
    auto bare = p.sign(topic, "bare", 3);
    bare.signature.clear();
    for (auto const &m : {altered, forged, keyless, bare}) w.sim.run(p.say(rpc_of(m)));
    auto const real = p.sign(topic, "real", 1); // the id of the altered one
    w.sim.run(p.say(rpc_of(real)));
    w.run_for(3s);
    CHECK(a.texts() == texts{"real"});
    CHECK(b.texts() == texts{"real"});
    CHECK(a.chat.stats().router[message_outcome::invalid] == 4);
    w.stop();
}

TEST_CASE("T5: a large frame that waits for room does not keep gossip from stopping") {
    crowded_world w;
    for (int i = 0; i < 3; ++i) { // streams that are replaced have no reader, either
        w.sim.run(w.p.open(w.a));
        w.sim.run(w.p.out->write(w.header));
        w.run_for(1s);
    }
    CHECK(w.a.net.receiving().delayed() == 3);
    auto const began = w.sim.now();
    w.sim.run(w.a.chat.stop());
    CHECK(w.sim.now() - began < 1s);
    CHECK(w.a.net.receiving().held() == w.room);
    w.elsewhere = {};
    w.stop();
}

TEST_CASE("T5: gossip stops at once in whatever turn a large frame's length has come") {
    for (int turns = 0; turns < 60; ++turns) {
        CAPTURE(turns);
        crowded_world w;
        w.sim.run(w.p.open(w.a));
        w.run_for(1s);
        task_group saying{w.sim.get_executor()};
        saying.spawn(w.p.out->write(w.header));
        for (int i = 0; i < turns; ++i) w.sim.step();
        auto const began = w.sim.now();
        w.sim.run(w.a.chat.stop());
        CHECK(w.sim.now() - began < 1s);
        w.sim.run(saying.join());
        w.elsewhere = {};
        w.stop();
    }
}

TEST_CASE("T5: a peer that does not read costs bounded memory, and the others nothing") {
    gossip_options o;
    o.max_queued_bytes = 1 << 20;
    gossip_world w;
    auto &a = w.add(o), &b = w.add(o);
    a.chat.subscribe(topic);
    b.chat.subscribe(topic);
    auto &p = w.add_scripted();
    p.reading = false;
    w.connect(a, b);
    w.connect(p, a);
    w.sim.run(p.open(a));
    w.sim.run(p.say(subscription_to(topic)));
    w.run_for(1s);
    for (int i = 0; i < 100; ++i) {
        a.publish(topic, std::string(50'000, static_cast<char>('a' + i % 26)));
        w.run_for(50ms);
    }
    CHECK(b.got.size() == 100);
    CHECK(a.chat.stats().messages_dropped > 50);
    w.run_for(60s);
    CHECK(p.streams >= 2); // the stream was given up after `write_timeout`
    w.stop();
}

TEST_CASE("T12: a peer with more to say than we care to check has to wait, and loses nothing") {
    gossip_options o;
    o.max_verifications = 50;
    gossip_world w;
    auto &a = w.add(o), &b = w.add(o);
    a.chat.subscribe(topic);
    b.chat.subscribe(topic);
    auto &p = w.add_scripted();
    w.connect(a, b);
    w.connect(p, a);
    w.sim.run(p.open(a));
    w.sim.run(p.say(subscription_to(topic)));
    w.run_for(1s);
    rpc flood;
    for (std::uint64_t i = 0; i < 200; ++i)
        flood.messages.push_back(std::make_shared<gossip_message const>(p.sign(topic, std::to_string(i), i)));
    w.sim.run(p.say(flood));
    w.run_for(1s);
    CHECK(a.got.size() >= 50);
    CHECK(a.got.size() <= 110);
    w.run_for(3s);
    CHECK(a.got.size() == 200);
    CHECK(b.got.size() == 200);
    CHECK(a.chat.stats().peers_slowed > 0);
    w.stop();
}

TEST_CASE("T12: a peer that makes us talk and does not listen loses its stream") {
    gossip_options o;
    o.max_queued_control = 20'000;
    gossip_world w;
    auto &a = w.add(o);
    a.chat.subscribe(topic);
    auto &p = w.add_scripted();
    p.reading = false;
    w.connect(p, a);
    w.sim.run(p.open(a));
    w.sim.run(p.say(subscription_to(topic)));
    w.run_for(1s);
    for (int i = 0; i < 20; ++i) a.publish(topic, std::string(50'000, 'x')); // fills the stream's window
    w.run_for(500ms);
    rpc r;
    r.ihave.push_back({topic, {}});
    for (std::uint32_t i = 0; i < 1000; ++i) append_be(r.ihave[0].ids.emplace_back(bytes(40)), i);
    w.sim.run(p.say(r));
    w.run_for(100ms);
    CHECK(a.chat.stats().control_overflows == 1);
    w.stop();
}

TEST_CASE("T12: a peer that leaves control unread is gossiped to no more, and that is counted") {
    gossip_options o;
    o.max_queued_control = 20'000;
    gossip_world w;
    auto &a = w.add(o), &b = w.add();
    for (auto *n : {&a, &b}) n->chat.subscribe(topic);
    auto &p = w.add_scripted();
    p.reading = false;
    w.connect(a, b);
    w.connect(p, a);
    w.sim.run(p.open(a));
    w.sim.run(p.say(subscription_to(topic)));
    w.sim.run(p.say(word_of(p)));
    w.run_for(1s);
    for (int i = 0; i < 20; ++i) a.publish(topic, std::string(50'000, 'x')); // fills the stream's window
    w.run_for(500ms);
    rpc r;
    r.ihave.push_back({topic, {}});
    for (std::uint32_t i = 0; i < 300; ++i) append_be(r.ihave[0].ids.emplace_back(bytes(40)), i);
    w.sim.run(p.say(r)); // more than half of what may wait
    w.run_for(100ms);
    CHECK(a.chat.stats().gossip_dropped == 0);
    b.publish(topic, std::string(1000, 'x')); // of which a would say that it has it
    w.run_for(100ms);
    CHECK(a.got.size() == 1);
    CHECK(a.chat.stats().gossip_dropped == 1);
    CHECK(a.chat.stats().control_overflows == 0);
    w.sim.run(p.net.disconnect(a.id()));
    w.run_for(1s);
    CHECK(a.chat.stats().gossip_dropped == 1); // still
    w.stop();
}

TEST_CASE("gossip: whoever is in a topic of ours stays connected; its streams alone keep nobody") {
    gossip_world w;
    swarm_options quick;
    quick.idle_timeout = 1min;
    auto &hub = w.add({}, quick), &member = w.add(), &stranger = w.add();
    hub.chat.subscribe(topic);
    hub.chat.subscribe("other");
    for (auto const *name : {"lobby", "other"}) member.chat.subscribe(name);
    stranger.chat.subscribe("elsewhere");
    w.connect(member, hub);
    w.connect(stranger, hub);
    w.run_for(30s);
    CHECK(hub.net.is_connected(stranger.id()));
    w.run_for(2min);
    CHECK(hub.net.is_connected(member.id()));
    CHECK_FALSE(hub.net.is_connected(stranger.id()));
    hub.chat.unsubscribe(topic); // they still share a topic
    w.run_for(2min);
    CHECK(hub.net.is_connected(member.id()));
    member.chat.unsubscribe("other");
    w.run_for(2min);
    CHECK_FALSE(hub.net.is_connected(member.id()));
    CHECK(hub.net.stats().connections_idle == 2);
    w.connect(member, hub);
    member.chat.subscribe(topic);
    hub.chat.subscribe(topic); // after it
    w.run_for(2min);
    CHECK(hub.net.is_connected(member.id()));
    hub.chat.unsubscribe(topic);
    w.run_for(2min);
    CHECK_FALSE(hub.net.is_connected(member.id()));
    w.stop();
}

} // namespace gossip_test
