// Attacks on a whole node, by a peer that is connected to it in good order: T15, T20, T23, T26, T29, T31.
#include "attacks/company.hpp"

#include <gigi/protocol/direct.hpp>
#include <gigi/protocol/nickname.hpp>
#include <gigi/testing/hostile_bytes.hpp>

#include <doctest/doctest.h>

#include <string>
#include <system_error>
#include <vector>

namespace node_test {

using namespace attacks;

namespace {

direct_protocol::request image(std::size_t size, std::string name = "a.png") {
    direct_protocol::request message;
    message.id = std::string(32, 'a');
    message.kind = direct_protocol::kind::image;
    message.name = std::move(name);
    message.data.assign(size, 0x89);
    return message;
}

} // namespace

TEST_CASE("T20: node: whoever takes another's nickname gets nothing that is meant for its owner") {
    company c;
    nickname_exchange::request claim;
    claim.nickname = "bob";
    CHECK_FALSE(c.say<nickname_exchange>(claim));
    c.sim.run_for(1s);
    CHECK(c.taken<events::nickname_conflict>().size() == 1);
    CHECK_THROWS_AS(c.alice.resolve("bob"), error); // both are here: say which
    std::vector<std::string> heard;
    serve_requests<direct_protocol>(c.mallory.net, [&](peer_id const &, direct_protocol::request const &m) {
        heard.push_back(m.text);
        delivery_receipt taken;
        taken.id = m.id;
        return taken;
    }, 5s);
    auto const send = [&]() -> awaitable<void> {
        try {
            (void)co_await c.alice.send("bob", "for bob alone");
        } catch (std::system_error const &) {
        }
    };
    c.sim.run(send());
    auto const leave = [&]() -> awaitable<void> { co_await c.bob.stop(); };
    c.sim.run(leave()); // and while bob is away
    c.sim.run_for(5s);
    c.sim.run(send());
    CHECK(heard.empty());
}

TEST_CASE("T23: node: nicknames that would command a terminal, or end a line, are no nicknames") {
    company c;
    for (auto const &name : {std::string{"\x1b[2J"}, std::string{"a\nb"}, std::string("a\0b", 3), std::string{"\xe2\x80\xae" "bob"}, std::string{"\xff"}, std::string(65, 'x'),
                             std::string{"a~b"}, std::string{"\""}, std::string{"b\u200bob"}, std::string{"bob\U000e0041"}}) {
        CAPTURE(to_hex(as_bytes(name)));
        nickname_exchange::request claim;
        claim.nickname = name;
        c.say<nickname_exchange>(claim);
        c.sim.run_for(100ms);
        CHECK(c.alice.nickname_of(c.mallory.id()).empty());
    }
    auto offer = image(0, "\x1b]0;x\x07/../../etc/passwd");
    offer.kind = direct_protocol::kind::file_offer;
    offer.code = "\x1b]0;x\x07";
    CHECK(c.say<direct_protocol>(offer)); // what is offered can be asked for
    offer.code = share_code::of(merkle_hash{}, 7).to_string();
    CHECK_FALSE(c.say<direct_protocol>(offer));
    auto const offered = c.taken<events::file_offered>();
    REQUIRE(offered.size() == 1);
    CHECK(offered[0].name == "passwd");
    CHECK(c.files() == 0); // an offer is no file
    c.check_bob();
}

TEST_CASE("T26: node: nothing is written that is larger than what the user lets in by itself, or has no reasonable name") {
    node_options careful;
    careful.auto_accept_size = 1000;
    company c{careful};
    CHECK(c.say<direct_protocol>(image(1001)));
    CHECK(c.files() == 0);
    CHECK_FALSE(c.say<direct_protocol>(image(1000, "../../../outside")));
    CHECK(c.files() == 1);
    CHECK(fs::exists(c.folder.path / "out" / "outside"));
    CHECK_FALSE(c.say<direct_protocol>(image(1000, "../../../outside")));
    CHECK(fs::exists(c.folder.path / "out" / "outside (1)"));
    for (auto const &entry : fs::directory_iterator{c.folder.path}) CHECK(entry.path().filename() == "out");
    auto other = image(10);
    other.kind = static_cast<direct_protocol::kind>(77);
    CHECK(c.say<direct_protocol>(other));
    other = image(10);
    other.id = std::string(33, 'a');
    CHECK(c.say<direct_protocol>(other));
    CHECK(c.files() == 2);
    c.check_bob();
}

TEST_CASE("T15, T29: node: a flood of messages costs the events that fit the queue, and the app is told of the rest") {
    node_options few;
    few.max_queued_events = 100;
    company c{few};
    memory_meter::span const used;
    direct_protocol::request text;
    text.id = std::string(32, 'a');
    text.text = std::string(1000, 'x');
    for (int i = 0; i < 1000; ++i) CHECK_FALSE(c.say<direct_protocol>(text));
    CHECK(used.most() < 2 * 1024 * 1024);
    CHECK(c.alice.stats().events_dropped >= 900);
    std::size_t reported = 0;
    event e;
    while (c.events.try_next(e))
        if (auto const *dropped = std::get_if<events::events_dropped>(&e)) reported += dropped->count;
    CHECK(reported >= 900);
    c.check_bob();
}

TEST_CASE("T29: node: requests that are begun and never ended are held for a bounded time, and no more of them than a peer may have") {
    company c;
    memory_meter::span const used;
    std::vector<stream> held;
    auto const begin = [&]() -> awaitable<void> {
        for (int i = 0; i < 200; ++i) {
            std::vector<std::string> offer(1, std::string{direct_protocol::id});
            try {
                stream one = co_await c.mallory.net.open_stream(c.alice.id(), std::move(offer));
                bytes const start = frame_bytes(16 << 20, bytes(100'000, 'x')); // the largest that there may be; 100 kB of it
                bytes_view const all{start};
                co_await one.write(all);
                held.push_back(std::move(one));
            } catch (std::system_error const &) {
            }
        }
        co_await sleep_for(1s);
    };
    c.sim.run(begin());
    CHECK(c.alice.stats().links.streams_refused >= 136);
    CHECK(used.most() < 64 * 1024 * 1024); // both ends of 64 times 100 kB, and what waits for the refused
    auto const latency = c.check_bob();
    CHECK(latency < 500ms);
    MESSAGE("requests that never end: ", used.most() / 1024, " KiB at most, both ends; bob's message took ",
            std::chrono::duration_cast<std::chrono::milliseconds>(latency).count(), " ms simulated");
    c.sim.run_for(30s);
    CHECK(used.held() < 8 * 1024 * 1024);
    c.check_bob();
}

TEST_CASE("T31: node: a host that sleeps for hours finds its peers again, and what it says then is new to them") {
    node_options friends;
    company c{friends};
    auto const enter = [&]() -> awaitable<void> {
        co_await c.alice.join("lobby");
        co_await c.bob.join("lobby");
    };
    c.sim.run(enter());
    c.sim.run_for(5s);
    c.alice.publish("lobby", "before");
    c.sim.run_for(1s);
    c.sim.sleep(8h); // every deadline is over at once
    c.sim.run_for(1min);
    auto const dial = [&]() -> awaitable<void> {
        std::string const address = c.alice.addresses().front().to_string();
        (void)co_await c.bob.dial(address);
    };
    c.sim.run(dial());
    c.sim.run_for(5s);
    c.alice.publish("lobby", "after");
    c.sim.run_for(1s);
    std::vector<std::string> texts;
    event e;
    while (c.heard_by_bob.try_next(e))
        if (auto const *m = std::get_if<events::group_message>(&e)) texts.push_back(m->text);
    CHECK(texts == std::vector<std::string>{"before", "after"});
    c.check_bob();
}

} // namespace node_test
