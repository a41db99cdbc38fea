// Connections that break after any byte, in either direction, with notice or without; and peers that are killed at any moment.
#include "failure/operations.hpp"

#include <gigi/protocol/ping.hpp>

#include <memory>
#include <string>
#include <vector>

namespace wire_test {

using namespace failure;

namespace {

std::string name_of(memory_fault what) { return what == memory_fault::reset ? "reset" : "silence"; }

/// What may be said of a connection that broke while it was used, or could not be made.
bool explains_a_broken_wire(std::error_code code) {
    return code == condition::closed || code == condition::timed_out || code == condition::unreachable || code == errc::protocol_violation;
}

/// Breaks the wire after so many bytes, in both directions and both ways, and more and more of them until the operation is not disturbed.
/// Each time it has a defined result in time, and both go on. @return the bytes that it takes, from alice and to her
void break_everywhere(std::string const &name, preparation prepare, operation what, std::uint64_t stride) {
    for (auto const fault : {memory_fault::reset, memory_fault::silence})
        for (bool const from_alice : {true, false}) {
            int failed = 0, went_on = 0;
            std::uint64_t bytes = 0;
            std::string const from = from_alice ? world::alice_host : world::bob_host, to = from_alice ? world::bob_host : world::alice_host;
            for (;; bytes += stride) {
                CAPTURE(name);
                CAPTURE(name_of(fault));
                CAPTURE(from_alice);
                CAPTURE(bytes);
                world w;
                prepare(w);
                w.network.fail_after(from, to, bytes, fault);
                auto const ended = disturb_at(w.sim, w.alice->get_executor(), what(w), UINT64_MAX, [] {}, 3min);
                if (ended.failure) CHECK_MESSAGE(explains_a_broken_wire(ended.code()), ended.message());
                bool const broke = !w.network.fault_pending();
                w.network.fail_after(from, to, UINT64_MAX, fault); // what was not needed is not to happen later
                CHECK((broke || ended.succeeded()));
                failed += !ended.succeeded();
                went_on += broke && ended.succeeded();
                w.sim.run_for(fault == memory_fault::reset ? 1s : 61s); // pings go out every 30 s, and want an answer in 20 s
                CHECK(w.network.connections() <= 1);                    // both ends know
                w.check_recovers();
                if (!broke) break;
                REQUIRE(bytes < (8u << 20));
            }
            MESSAGE(name, ", ", name_of(fault), " from ", from, ": ", bytes, " bytes; failed ", failed, ", went on ", went_on);
            CHECK(failed + went_on > 0);
        }
}

/// Dials, and waits until both know each other.
awaitable<void> meet_by_itself(world &w) {
    co_await w.alice->dial(w.bob_at);
    co_await sleep_for(1s);
}
/// A message that may have to wait until a connection is noticed to be gone.
awaitable<void> send_and_ask(world &w) {
    co_await w.alice->send(w.bob->id(), "hello");
    std::string const question(3000, 'q');
    co_await w.alice->request<echo>(w.bob->id(), question);
}

/// How bob disappears.
enum class end { crashed, unplugged };

/// Makes bob disappear at every step of what alice does with him; carol is there still.
void kill_everywhere(std::string const &name, preparation prepare, operation what, std::uint64_t stride = 1, bool never_fails = false) {
    for (auto const how : {end::crashed, end::unplugged}) {
        int failed = 0, succeeded = 0;
        for (std::uint64_t step = 0;; step += stride) {
            CAPTURE(name);
            CAPTURE(step);
            CAPTURE((how == end::crashed));
            world w;
            prepare(w);
            auto const carol = w.add("carol", "10.0.0.3", {});
            w.sim.run(carol->start());
            w.sim.run(dial(*w.alice, w.address_of(*carol)));
            auto const ended = disturb_at(w.sim, w.alice->get_executor(), what(w), step,
                                          [&] {
                                              if (how == end::crashed)
                                                  w.network.separate(world::alice_host, world::bob_host);
                                              else
                                                  w.network.silence(world::alice_host, world::bob_host);
                                          },
                                          3min);
            if (ended.failure) CHECK_MESSAGE(explains_a_broken_wire(ended.code()), ended.message());
            CHECK(ended.after < 3min);
            failed += !ended.succeeded();
            succeeded += ended.succeeded();
            CHECK_NOTHROW(w.sim.run(say(*w.alice, carol->id(), "bob is gone"), 10s)); // nobody else notices
            CHECK_NOTHROW(w.sim.run(say(*carol, w.alice->id(), "is he?"), 10s));
            w.sim.run_for(61s);
            if (ended.disturbed) CHECK(w.alice->stats().connections == 1);
            w.sim.run(carol->stop());
            w.network.join(world::alice_host, world::bob_host); // and comes back
            w.sim.run_for(1s);
            w.check_recovers();
            if (!ended.disturbed) break;
        }
        MESSAGE(name, std::string{how == end::crashed ? ", crashed" : ", unplugged"}, ": failed ", failed, ", succeeded ", succeeded);
        CHECK((failed > 0) == !never_fails);
        CHECK(succeeded > 0);
    }
}

/// An app that ends without stopping its nodes: its coroutine is destroyed with the context, wherever it is.
awaitable<void> careless_app(simulation &sim, std::filesystem::path folder, bool &done) {
    memory_network network{sim.get_executor(), sim.random()};
    std::vector<std::unique_ptr<memory_node>> nodes;
    for (int i = 0; i < 2; ++i) {
        std::string const host = "10.0.0." + std::to_string(i + 1);
        auto options = memory_node_options("n" + std::to_string(i), host);
        options.output_directory = folder / "downloads";
        memory_stack stack;
        stack.network = &network;
        stack.host = host;
        stack.seed = static_cast<std::uint64_t>(i);
        nodes.push_back(std::make_unique<memory_node>(sim.get_executor(), std::move(options), std::move(stack)));
        co_await nodes.back()->start();
    }
    auto &a = *nodes[0], &b = *nodes[1];
    co_await a.join("lobby");
    co_await b.join("lobby");
    std::string const address = b.addresses().front().to_string();
    co_await a.dial(address);
    co_await a.send(b.id(), "hello");
    std::string const code = co_await b.share(folder / "shared.bin");
    co_await a.download(b.id(), code);
    auto const second = a.start_download(b.id(), code); // whose coroutine is not this one's
    for (bool finished = false; !finished;) {
        event const e = co_await a.next_event();
        auto const *const one = std::get_if<event::download_finished>(&e);
        finished = one && one->id == second;
    }
    a.publish("lobby", "bye");
    co_await a.stop();
    co_await b.stop();
    done = true;
}

} // namespace

TEST_CASE("a wire that breaks: at every byte of the handshake and of a stream's beginning") {
    for (auto const fault : {memory_fault::reset, memory_fault::silence})
        for (bool const from_alice : {true, false}) {
            int failed = 0;
            std::uint64_t bytes = 0;
            for (;; bytes += fault == memory_fault::reset ? 1 : 3) {
                CAPTURE(bytes);
                CAPTURE(name_of(fault));
                CAPTURE(from_alice);
                simulation sim;
                memory_network network{sim.get_executor(), sim.random()};
                memory_host alice{network, world::alice_host, sim.random()}, bob{network, world::bob_host, sim.random()};
                alice.known[bob.id()].assign(1, bob.address);
                ping::serve(bob.net);
                network.fail_after(from_alice ? world::alice_host : world::bob_host, from_alice ? world::bob_host : world::alice_host, bytes, fault);
                auto const first = disturb_at(sim, sim.get_executor(), ping::measure(alice.net, bob.id(), 5s), UINT64_MAX, [] {});
                if (first.failure) CHECK_MESSAGE(explains_a_broken_wire(first.code()), first.message());
                bool const broke = !network.fault_pending();
                failed += !first.succeeded();
                if (!broke) {
                    CHECK(first.succeeded());
                    network.fail_after(world::alice_host, world::bob_host, UINT64_MAX, fault);
                    network.fail_after(world::bob_host, world::alice_host, UINT64_MAX, fault);
                }
                sim.run_for(fault == memory_fault::reset ? 1s : 61s);
                CHECK(network.connections() <= 1);
                CHECK_NOTHROW(sim.run(ping::measure(alice.net, bob.id(), 5s), 1min));
                CHECK(network.connections() == 1);
                sim.run(alice.net.stop(), 5s);
                sim.run(bob.net.stop(), 5s);
                CHECK(network.connections() == 0);
                if (!broke) break;
            }
            MESSAGE(name_of(fault), std::string{from_alice ? " from alice: " : " to alice: "}, bytes, " bytes; failed ", failed);
            CHECK(failed > 100); // the handshake
        }
}
TEST_CASE("a wire that breaks: while two nodes introduce themselves") { break_everywhere("dial", strangers, meet_by_itself, 29); }
TEST_CASE("a wire that breaks: messages and requests") { break_everywhere("messages", met, send_and_ask, 61); }
TEST_CASE("a wire that breaks: a message to who has to be dialled") { break_everywhere("a message", apart, send_text_by_id, 53); }
TEST_CASE("a wire that breaks: a download goes on where it was") { break_everywhere("download", with_files, download_by_id, 150'001); }

TEST_CASE("a peer that is gone: while it is dialled, while it is spoken to, while it sends a file") {
    kill_everywhere("dial", strangers, dial_address);
    kill_everywhere("message", met, send_text_by_id);
    kill_everywhere("long message", met, send_long_text_by_id, 3);
    kill_everywhere("request", apart, ask);
    kill_everywhere("publish", gathered, publish_text, 3, true); // which waits for nobody
    kill_everywhere("download", with_files, download_by_id, 11);
}

TEST_CASE("a program that ends at any moment, without stopping its nodes, leaks nothing") {
    temporary_folder const folder;
    folder.write("shared.bin", random_content(700'000));
    bool done = false;
    std::uint64_t steps = 1;
    for (; !done && steps < 3000; steps += 2) {
        simulation sim;
        asio::co_spawn(sim.get_executor(), careless_app(sim, folder.path, done), [](std::exception_ptr failure) {
            if (failure) std::rethrow_exception(failure);
        });
        for (std::uint64_t n = 0; n < steps && sim.step(); ++n) {}
    }
    CHECK(done);
    MESSAGE(steps, " steps");
}

} // namespace wire_test
