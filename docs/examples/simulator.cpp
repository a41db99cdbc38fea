// docs/examples/simulator.cpp: the program of docs/own-protocol.md and docs/testing.md: an app's own protocol, tested on a
// simulated network.
#include "expect.hpp"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// [protocol]
#include <gigi/node.hpp>

struct vote {
    static constexpr std::string_view id = "/example/vote/1.0.0";

    struct request {
        static constexpr std::size_t max_size = 1024; // bytes, encoded
        std::string question;
        template <class Archive> void serialize(Archive &archive) { archive(question); }
        bool valid() const { return !question.empty() && question.size() <= 500 && gigi::is_utf8(question); }
    };
    struct response {
        static constexpr std::size_t max_size = 16;
        bool yes = false;
        template <class Archive> void serialize(Archive &archive) { archive(yes); }
    };
};
static_assert(gigi::Protocol<vote>);
// [protocol]

// [app]
struct tally {
    int yes = 0, no = 0, silent = 0;
    bool operator==(tally const &) const = default;
};

/// Asks everybody who is connected. A template over the node: the same code runs on gigi::node and in the simulator.
template <class Node> class ballot {
  public:
    using opinion = std::function<gigi::awaitable<bool>(std::string)>;

    /// @par Lifetime `node` must outlive the ballot, and `opinion` may run until `node.stop()` has returned.
    ballot(Node &node, opinion mine) : node_{node} {
        node_.template serve<vote>([mine](gigi::peer_id const &, vote::request const &asked) { return answer(mine, asked.question); });
    }

    gigi::awaitable<tally> ask(std::string question) {
        vote::request asked;
        asked.question = std::move(question);
        tally result;
        gigi::task_group asking{node_.get_executor()};
        for (auto const &peer : node_.peers())
            if (peer.connected) asking.spawn(ask_one(peer.peer, asked, result));
        co_await asking.join(); // cancels them where this is cancelled, and waits for their ends
        co_return result;
    }

  private:
    static gigi::awaitable<vote::response> answer(opinion mine, std::string question) {
        vote::response said;
        said.yes = co_await mine(std::move(question));
        co_return said;
    }

    gigi::awaitable<void> ask_one(gigi::peer_id peer, vote::request const &asked, tally &result) {
        try {
            vote::response const said = co_await node_.template request<vote>(peer, asked);
            ++(said.yes ? result.yes : result.no);
        } catch (gigi::error const &e) {
            if (e.code() == gigi::condition::cancelled) throw;
            ++result.silent; // timed_out, unsupported_protocol, closed, …
        }
    }

    Node &node_;
};
// [app]

// [world]
#include <gigi/testing/interruption.hpp>
#include <gigi/testing/memory_stack.hpp>

using namespace std::chrono_literals;
using sim_node = gigi::testing::memory_node;

struct world {
    explicit world(std::uint64_t seed) : sim{seed}, network{sim.get_executor(), sim.random()} {}
    ~world() {
        for (auto &n : nodes) sim.run(n->stop());
    }

    /// Starts a node, connected to all that are there.
    sim_node &add(std::string const &nickname) {
        std::string const host = "10.0.0." + std::to_string(nodes.size() + 1);
        gigi::testing::memory_stack const stack{&network, host, sim.random().next()};
        auto const options = gigi::testing::memory_node_options(nickname, host);
        nodes.push_back(std::make_unique<sim_node>(sim.get_executor(), options, stack));
        sim_node &added = *nodes.back();
        sim.run(added.start());
        for (auto &other : nodes)
            if (other.get() != &added) sim.run(added.dial(other->addresses().front().to_string()));
        sim.run_for(1s); // nicknames have been exchanged
        return added;
    }

    gigi::testing::simulation sim;
    gigi::memory_network network;
    std::vector<std::unique_ptr<sim_node>> nodes; // ended before the network
};
// [world]

// [opinions]
gigi::awaitable<bool> agrees(std::string) { co_return true; }
gigi::awaitable<bool> thinks_long(std::string) {
    co_await gigi::sleep_for(1h);
    co_return true;
}
// [opinions]

// [test]
void everybody_is_asked() {
    world w{1};
    ballot<sim_node> alice{w.add("alice"), agrees}, bob{w.add("bob"), agrees}, carol{w.add("carol"), thinks_long};
    w.add("dave"); // does not speak the protocol

    auto const begin = w.sim.now();
    tally const result = w.sim.run(alice.ask("shall we?"));
    expect(result == tally{1, 0, 2}, "bob says yes; carol and dave are silent");
    expect(w.sim.now() - begin >= 20s && w.sim.now() - begin < 21s, "request_timeout has passed: of simulated time");
}
// [test]

// [faults]
void a_link_breaks() {
    world w{2};
    ballot<sim_node> alice{w.add("alice"), agrees}, bob{w.add("bob"), thinks_long};
    w.network.options().latency = 80ms;
    w.network.options().jitter = 40ms;
    w.network.options().split = true; // reads return pieces of any size

    auto const part = [&w]() -> gigi::awaitable<void> {
        co_await gigi::sleep_for(5s);
        w.network.separate("10.0.0.1", "10.0.0.2"); // until network.join(…)
    };
    gigi::task_group meanwhile{w.sim.get_executor()};
    meanwhile.spawn(part());
    tally const result = w.sim.run(alice.ask("still there?"));
    expect(result == tally{0, 0, 1}, "bob is silent");
    expect(w.nodes[0]->peers().empty(), "and gone");
    w.sim.run(meanwhile.join());
}
// [faults]

// [repeat]
std::string trace(std::uint64_t seed) {
    world w{seed};
    gigi::event_reader events = w.add("alice").subscribe();
    w.network.options().jitter = 50ms;
    for (auto const *name : {"bob", "carol"}) w.add(name);
    std::string all;
    for (gigi::event e; events.try_next(e);) all += std::string{e.name()} + ' ';
    return all + std::to_string(w.sim.random().next());
}
// [repeat]

void same_seed_same_run() { expect(trace(7) == trace(7), "a run is repeated by its seed, to the last random number"); }

// [refused]
void bad_requests_do_not_reach_the_handler() {
    world w{3};
    ballot<sim_node> alice{w.add("alice"), agrees}, bob{w.add("bob"), agrees};
    vote::request empty;
    std::error_code code;
    try {
        w.sim.run(w.nodes[0]->request<vote>("bob", empty));
    } catch (gigi::error const &e) {
        code = e.code();
    }
    expect(code == gigi::condition::closed, "valid() refuses it: the stream is reset");
}
// [refused]

// [every-moment]
void a_question_that_is_given_up() {
    for (std::uint64_t step = 0;; ++step) { // each time in a new world, one step later
        world w{4};
        ballot<sim_node> alice{w.add("alice"), agrees}, bob{w.add("bob"), agrees};
        auto const ended = gigi::testing::cancel_at(w.sim, w.nodes[0]->get_executor(), alice.ask("well?"), step);
        expect(ended.succeeded() || ended.code() == gigi::condition::cancelled, "it has an answer, or was given up");
        expect(w.sim.run(alice.ask("and now?")) == tally{1, 0, 0}, "and the next question is answered");
        if (!ended.disturbed) break; // it had ended before this step: all have been tried
    }
}
// [every-moment]

int main() {
    a_question_that_is_given_up();
    everybody_is_asked();
    a_link_breaks();
    same_seed_same_run();
    bad_requests_do_not_reach_the_handler();
    return 0;
}
