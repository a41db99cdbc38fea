// What a node does past its limits, and which counter says so: messages, groups, what it keeps. Connections and streams are in
// limits_links_test.cpp, peers and files in limits_more_test.cpp. In simulated time.
#include "support/gossip_node.hpp"
#include "unit/node/node_lab.hpp"

#include <gigi/node/group_payload.hpp>
#include <gigi/node/options.hpp>

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace limits_test {

using namespace gigi;
using namespace node_lab;

namespace {

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

TEST_CASE("limits: node: a group's text that is larger than a receiver wants is dropped there, and counted") {
    lab l{[](node_options &o) { o.max_message_size = 10; }};
    for (auto *n : {l.alice.get(), l.bob.get()}) CHECK_FALSE(l.code_of(enter(*n, "lobby")));
    l.sim.run_for(2s);
    for (std::size_t const size : {11u, 10u, 500u}) l.bob->publish("lobby", std::string(size, 'x'));
    l.sim.run_for(1s);
    auto const heard = l.heard<event::group_message>();
    REQUIRE(heard.size() == 1);
    CHECK(heard[0].text.size() == 10);
    CHECK(l.alice->stats().messages_refused == 2);
    CHECK(l.bob->stats().messages_refused == 0);
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

} // namespace limits_test
