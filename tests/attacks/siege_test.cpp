// Attacks on a whole node that go on for a while, and what an honest peer's messages take meanwhile: T2, T4, T5, T29. What they
// cost in memory is counted.
#include "attacks/company.hpp"
#include "attacks/honest_talk.hpp"

#include <gigi/codec/cereal_codec.hpp>
#include <gigi/codec/framed.hpp>
#include <gigi/core/task_group.hpp>
#include <gigi/file/client.hpp>
#include <gigi/file/messages.hpp>
#include <gigi/protocol/direct.hpp>
#include <gigi/protocol/identify.hpp>
#include <gigi/protocol/nickname.hpp>
#include <gigi/testing/hostile_bytes.hpp>
#include <gigi/testing/scripted_peer.hpp>

#include <memory>
#include <string>
#include <vector>

namespace siege_test {

using namespace attacks;

namespace {

using attacker = scripted_peer<memory_connection>;

constexpr std::uint8_t data = 0, update = 1;
constexpr auto syn = yamux_flag::syn;
constexpr std::size_t MiB = std::size_t{1} << 20;

/// Bob talks to alice from the beginning of an attack to its end.
struct siege : company {
    siege() {
        messages.begin();
        sim.run_for(1s);
        messages.count_from_now();
    }
    ~siege() {
        messages.check(); // also of what was said after the report
        try {
            messages.end();
            tasks.cancel();
            sim.run(tasks.join());
        } catch (std::exception const &e) {
            FAIL_CHECK("ending: ", e.what());
        }
    }
    multiaddr address() const { return alice.addresses().front(); }
    /// An attacker that is connected up to yamux, from a host of its own.
    attacker &enter(std::string const &host) {
        auto const work = [&]() -> awaitable<void> {
            auto made = co_await scripted_dial(network, host, address(), evil, sim.random());
            co_await made->connect();
            attackers.push_back(std::move(made));
        };
        sim.run(work());
        return *attackers.back();
    }
    /// Says what it was like.
    void report(std::string const &what, memory_meter::span const &used, std::size_t most) {
        MESSAGE(what, ": ", used.most() / 1024, " KiB at most, both sides; ", messages.summary("messages"));
        CHECK(used.most() < most);
        messages.check();
    }

    identity evil = identity::generate(sim.random());
    std::vector<std::unique_ptr<attacker>> attackers;
    task_group tasks{sim.get_executor()};
    honest_talk messages{sim, 50ms, 2ms, [this] { return ask(); }};

  private:
    awaitable<void> ask() { (void)co_await bob.send("alice", "are you there?"); }
};

} // namespace

TEST_CASE("T29: siege: 10,000 half-open connections, 100 a moment") {
    siege s;
    std::vector<memory_connection> held;
    held.reserve(10'000);
    memory_meter::span const used;
    auto const flood = [&]() -> awaitable<void> {
        bytes const start = multistream_offer("/noise");
        auto const to = s.address().without_peer();
        for (int i = 0; i < 10'000; ++i) {
            memory_transport from{s.network, "10.0.7." + std::to_string(i % 100)};
            memory_connection one = co_await from.dial(to);
            bytes_view const beginning = bytes_view{start}.first(static_cast<std::size_t>(i) % start.size());
            if (!beginning.empty()) co_await one.write(beginning);
            held.push_back(std::move(one));
        }
    };
    s.sim.run(flood());
    auto const links = s.alice.stats().links;
    CHECK(links.handshakes_refused + links.handshakes_failed >= 10'000 - 128);
    s.report("10,000 half-open connections", used, 48 * MiB);
    held.clear();
    s.sim.run_for(15s);
    CHECK(s.alice.stats().connections == 2);
}

TEST_CASE("T4: siege: 100,000 streams asked for") {
    siege s;
    auto &mallory = s.enter("10.0.0.67");
    s.tasks.spawn(mallory.listen());
    s.sim.run_for(1s);
    memory_meter::span const used;
    std::size_t most_streams = 0;
    auto const ask = [&]() -> awaitable<void> {
        bytes const offer = multistream_offer(direct_protocol::id);
        std::uint32_t id = 1;
        for (int i = 0; i < 1000; ++i) {
            bytes many;
            for (int n = 0; n < 100; ++n, id += 2) append(many, yamux_bytes(data, syn, id, static_cast<std::uint32_t>(offer.size()), offer));
            co_await mallory.send(std::move(many));
            co_await sleep_for(1ms);
            most_streams = std::max(most_streams, s.alice.stats().links.streams);
        }
    };
    s.sim.run(ask());
    CHECK(most_streams < 300); // of all peers
    CHECK(mallory.heard.resets > 99'000);
    s.report("100,000 streams", used, 4 * MiB);
}

TEST_CASE("T5: siege: a peer that asks for a file on 64 streams, and never reads") {
    siege s;
    auto const file = s.folder.write("large.bin", random_content(8 * MiB));
    manifest described;
    auto const prepare = [&]() -> awaitable<void> {
        std::string const code = co_await s.alice.share(file);
        std::vector<std::string> offer(1, std::string{file_protocol_id});
        stream opened = co_await s.mallory.net.open_stream(s.alice.id(), std::move(offer));
        file_client<stream> client{std::move(opened), 10s};
        share_code const wanted = share_code::parse(code).value();
        described = co_await client.describe(wanted);
        client.close();
    };
    s.sim.run(prepare());
    file_request request;
    range_request all;
    all.root = described.root;
    all.count = static_cast<std::uint32_t>(described.map().count());
    request.what = all;
    bytes frame;
    append_frame_of(frame, [&](bytes &to) { cereal_codec{}.encode(request, to); });
    auto &mallory = s.enter("10.0.0.67");
    memory_meter::span const used;
    auto const ask = [&]() -> awaitable<void> {
        for (std::uint32_t id = 1; id < 128; id += 2) {
            co_await mallory.open(id, std::string{file_protocol_id}, frame);
            co_await mallory.send(yamux_bytes(update, 0, id, 0x7fff0000)); // the largest window, if one lets it
        }
        co_await sleep_for(20s);
    };
    s.sim.run(ask());
    CHECK(s.alice.stats().uploads == 8); // a quarter of them
    CHECK(s.alice.stats().files.uploads_refused > 0);
    s.report("a peer that never reads", used, 20 * MiB); // 8 uploads, each with its buffers and its stream's queue
    s.sim.run_for(2min);
    CHECK(s.alice.stats().uploads == 0);
    CHECK(used.held() < 4 * MiB);
}

TEST_CASE("T2: siege: frames of 2^62 bytes on every protocol of a node") {
    siege s;
    auto &mallory = s.enter("10.0.0.67");
    s.tasks.spawn(mallory.listen());
    s.sim.run_for(1s);
    memory_meter::span const used;
    std::uint32_t id = 1;
    auto const lie = [&]() -> awaitable<void> {
        for (int round = 0; round < 10; ++round)
            for (auto const protocol : {nickname_exchange::id, direct_protocol::id, bytes_protocol::id, file_protocol_id, identify_service::push_protocol,
                                        std::string_view{"/meshsub/1.2.0"}}) {
                bytes frame = frame_bytes(std::uint64_t{1} << 62, bytes(1000, 'x'));
                co_await mallory.open(id, std::string{protocol}, std::move(frame));
                id += 2;
                co_await sleep_for(20ms);
            }
        co_await sleep_for(1s);
    };
    s.sim.run(lie());
    CHECK(mallory.heard.resets == 60);
    CHECK_FALSE(mallory.ended);
    s.report("frames of 2^62 bytes", used, 1 * MiB);
}

TEST_CASE("T29: siege: 100 hosts that send a byte a second, in handshakes and in requests") {
    siege s;
    auto &mallory = s.enter("10.0.0.67");
    s.tasks.spawn(mallory.listen());
    s.sim.run_for(1s);
    memory_meter::span const used;
    auto const drip = [](siege &on, int number) -> awaitable<void> {
        memory_transport from{on.network, "10.0.7." + std::to_string(number)};
        memory_connection one = co_await from.dial(on.address().without_peer());
        bytes const all = multistream_offer("/noise");
        try {
            for (auto const &byte : all) {
                co_await one.write(bytes_view{&byte, 1});
                co_await sleep_for(1s);
            }
        } catch (std::system_error const &e) {
            if (e.code() == condition::cancelled) throw;
        }
    };
    for (int i = 0; i < 100; ++i) s.tasks.spawn(drip(s, i));
    auto const slowly = [&]() -> awaitable<void> {
        bytes const request = frame_bytes(200, bytes(200, 'x'));
        for (std::uint32_t id = 1; id < 40; id += 2) co_await mallory.open(id, std::string{direct_protocol::id});
        for (auto const byte : request) {
            for (std::uint32_t id = 1; id < 40; id += 2) co_await mallory.send_data(id, bytes(1, byte));
            co_await sleep_for(1s);
            if (mallory.heard.resets >= 20) co_return;
        }
    };
    auto const start = s.sim.now();
    s.sim.run(slowly());
    CHECK(s.sim.now() - start < 25s); // the time of a request
    CHECK(s.alice.stats().links.handshakes_failed == 100);
    s.report("a byte a second", used, 4 * MiB);
}

} // namespace siege_test
