// What peers may make of identify; that nodes understand each other by it is in swarm_test.cpp.
#include <gigi/protocol/identify.hpp>

#include <gigi/codec/codec.hpp>
#include <gigi/codec/framed.hpp>
#include <gigi/peer/peer_record.hpp>
#include <gigi/testing/memory_host.hpp>
#include <gigi/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace identify_test {

using namespace gigi;
using namespace gigi::testing;

namespace {

/// `here` has the service; the others answer as a test likes.
struct world {
    explicit world(std::size_t others) {
        for (std::size_t i = 0; i < others; ++i) {
            auto &other = there.emplace_back(network, "10.0.0." + std::to_string(i + 2), sim.random());
            sim.run(here.connect(other));
        }
    }
    ~world() {
        sim.run(service.stop());
        for (auto &other : there) sim.run(other.net.stop());
        sim.run(here.net.stop());
    }

    std::error_code ask(memory_host const &whom) {
        try {
            sim.run(service.ask(whom.id()));
        } catch (std::system_error const &e) {
            return e.code();
        }
        return {};
    }

    simulation sim{1};
    memory_network network{sim.get_executor(), sim.random()};
    memory_host here{network, "10.0.0.1", sim.random()};
    std::list<memory_host> there;
    std::vector<identify_message> heard;
    std::vector<multiaddr> addresses{multiaddr::parse("/ip4/10.0.0.1/tcp/4001").value()};
    identify_service service{here.net, "test/1", [this] { return addresses; },
                             [this](peer_id const &, identify_message const &m) { heard.push_back(m); }};
};

/// Answers the question who it is with these messages.
void answer_with(memory_host &who, std::vector<bytes> messages) {
    who.net.handle(std::string{identify_service::protocol}, [messages](stream incoming) -> awaitable<void> {
        framed<stream, bytes_codec> channel{std::move(incoming)};
        for (auto const &one : messages) co_await channel.write(one);
        channel.close_write();
    });
}

/// Counts pushes, and says nothing more until it is let go.
void take_pushes(memory_host &who, std::vector<identify_message> &heard, duration silence = {}) {
    who.net.handle(std::string{identify_service::push_protocol}, [&heard, silence](stream incoming) -> awaitable<void> {
        framed<stream, message_codec> channel{std::move(incoming)};
        identify_message const got = co_await channel.read<identify_message>();
        heard.push_back(got);
        co_await sleep_for(silence);
    });
}

bytes encoded(identify_message const &m) {
    bytes out;
    m.encode(out);
    return out;
}

/// A message that says one thing only, as go-libp2p sends the record by itself.
bytes only_record(bytes_view record) {
    bytes out{0x42, static_cast<std::uint8_t>(record.size())}; // field 8
    append(out, record);
    return out;
}

} // namespace

TEST_CASE("identify: an answer in several messages: what a later one does not say stays") {
    world w{1};
    auto &other = w.there.front();
    identify_message first;
    first.public_key = other.self.public_key().encode();
    first.agent = "go/1";
    first.protocol_version = "ipfs/0.1.0";
    first.protocols = {"/a", "/b"};
    identify_message second;
    second.agent = "go/2";
    second.protocols = {"/c"};
    answer_with(other, {encoded(first), only_record(bytes(100, 7)), encoded(second)});
    CHECK_FALSE(w.ask(other));
    REQUIRE(w.heard.size() == 1);
    CHECK(w.heard[0].public_key == other.self.public_key().encode());
    CHECK(w.heard[0].agent == "go/2");
    CHECK(w.heard[0].protocols == std::vector<std::string>{"/a", "/b", "/c"});
    CHECK(w.heard[0].signed_record == bytes(100, 7));

    answer_with(other, {encoded(first), only_record(bytes(100, 7))});
    CHECK_FALSE(w.ask(other));
    REQUIRE(w.heard.size() == 2);
    CHECK(w.heard[1].agent == "go/1");
    CHECK(w.heard[1].protocol_version == "ipfs/0.1.0");
    CHECK(w.heard[1].public_key == other.self.public_key().encode());
}

TEST_CASE("T7: identify: another's key in the first of several messages is found out") {
    world w{2};
    auto &other = w.there.front();
    identify_message lie;
    lie.public_key = w.there.back().self.public_key().encode();
    answer_with(other, {encoded(lie), only_record(bytes(100, 7))});
    CHECK(w.ask(other) == errc::peer_mismatch);
    CHECK(w.heard.empty());
}

TEST_CASE("identify: ten messages are merged, not one more; and no message is no answer") {
    world w{1};
    auto &other = w.there.front();
    identify_message part;
    part.protocols = {"/x"};
    answer_with(other, std::vector<bytes>(10, encoded(part)));
    CHECK_FALSE(w.ask(other));
    REQUIRE(w.heard.size() == 1);
    CHECK(w.heard[0].protocols.size() == 10);
    answer_with(other, std::vector<bytes>(11, encoded(part)));
    CHECK(w.ask(other) == errc::limit_exceeded);
    answer_with(other, {});
    CHECK(w.ask(other) == errc::end_of_stream);
    answer_with(other, {bytes{0xff}});
    CHECK(w.ask(other) == errc::protocol_violation);
    CHECK(w.heard.size() == 1);
}

TEST_CASE("identify: peers that take a push and are silent keep nobody else waiting") {
    world w{20};
    std::vector<identify_message> heard;
    for (auto &other : w.there) take_pushes(other, heard, 1h);
    w.service.push_soon();
    w.sim.run_for(2s);
    CHECK(heard.size() == 20);

    w.addresses.push_back(multiaddr::parse("/ip4/10.0.0.1/tcp/4002").value()); // while those are still under way
    w.service.push_soon();
    w.service.push_soon();
    w.sim.run_for(30s);
    REQUIRE(heard.size() == 40); // each heard of it once, when its first push had ended
    CHECK(heard.back().listen_addresses.size() == 2);
}

TEST_CASE("identify: a push that comes when the service has stopped, and is gone, is not told") {
    simulation sim{1};
    memory_network network{sim.get_executor(), sim.random()};
    memory_host here{network, "10.0.0.1", sim.random()}, other{network, "10.0.0.2", sim.random()};
    sim.run(here.connect(other));
    int told = 0;
    auto service = std::make_unique<identify_service>(other.net, "test/1", [] { return std::vector<multiaddr>(); },
                                                      [&](peer_id const &, identify_message const &) { ++told; });
    auto const open_push = [&]() -> awaitable<stream> {
        std::vector<std::string> protocols{std::string{identify_service::push_protocol}};
        stream opened = co_await here.net.open_stream(other.id(), std::move(protocols));
        co_return opened;
    };
    auto const say = [&](stream to) -> awaitable<void> {
        framed<stream, message_codec> channel{std::move(to)};
        identify_message m;
        m.agent = "late/1";
        co_await channel.write(m);
        channel.close_write();
    };
    stream early = sim.run(open_push()), late = sim.run(open_push());
    sim.run(say(std::move(early)));
    sim.run_for(1s);
    CHECK(told == 1);
    sim.run(service->stop());
    service.reset();
    sim.run(say(std::move(late)));
    sim.run_for(1s);
    CHECK(told == 1);
    sim.run(here.net.stop());
    sim.run(other.net.stop());
}

TEST_CASE("identify: the record of this node is signed anew only when its addresses change") {
    world w{0};
    auto const first = w.service.self(std::nullopt).signed_record;
    w.sim.run_for(1min);
    CHECK(w.service.self(std::nullopt).signed_record == first);
    w.addresses.push_back(multiaddr::parse("/ip4/10.0.0.1/tcp/4002").value());
    w.sim.run_for(1min);
    auto const second = w.service.self(std::nullopt).signed_record;
    CHECK(second != first);
    auto const before = open_peer_record(first), after = open_peer_record(second);
    REQUIRE(before);
    REQUIRE(after);
    CHECK(after->sequence > before->sequence);
    CHECK(after->addresses == w.addresses);
}

TEST_CASE("T4: identify: of a peer's protocols 16 KiB are kept, however many messages say them") {
    identify_message told;
    for (int i = 0; i < 7; ++i) told.protocols.push_back("/" + std::to_string(i) + std::string(1000, 'p'));
    identify_message merged;
    for (int i = 0; i < 10; ++i) {
        bytes data;
        told.encode(data);
        CHECK_FALSE(merged.merge(data));
    }
    CHECK(merged.protocols.size() == identify_message::max_protocol_bytes / 1002);
    identify_message small;
    small.protocols.push_back("/small"); // there is room for this one
    bytes data;
    small.encode(data);
    CHECK_FALSE(merged.merge(data));
    CHECK(merged.protocols.back() == "/small");
}

} // namespace identify_test
