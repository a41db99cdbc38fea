// What connections cost that carry nothing: memory of one end, after identify and after its buffers have shrunk.
// Build Release.
//
//   idle_bench swarm|gossip|node [--connections N] [--settle SECONDS]
//
// "swarm" is a swarm with ping and identify, "gossip" the same with gossip, "node" a whole node, before it has any connection
// and with more and more of them. What is connected to is in this process alone; who connects is in another.
#include "crowd.hpp"
#include "crowd_node.hpp"
#include "gigi_line.hpp"

#include <gigi/gossip/gossip.hpp>
#include <gigi/protocol/identify.hpp>
#include <gigi/protocol/ping.hpp>

#include <cstring>

namespace {

gigi::swarm_options many_links() {
    gigi::swarm_options o;
    o.max_connections = o.max_connections_per_address = 100'000;
    return o;
}

/// A node without names and files.
class light_node {
  public:
    explicit light_node(asio::io_context &io)
        : end_{io, many_links()},
          identify_{end_.net, "bench", [this] { return end_.net.listen_addresses(); }, [](gigi::peer_id const &, gigi::identify_message const &) {}} {
        gigi::ping::serve(end_.net);
        if (!with_gossip) return;
        chat_ = std::make_unique<gigi::gossip>(end_.net, gigi::gossip_options(), gigi::gossip_callbacks(), random_);
        chat_->start();
    }
    gigi::awaitable<std::string> listen() {
        end_.net.start();
        co_return end_.listen().to_string();
    }
    gigi::awaitable<std::size_t> connections() { co_return end_.net.connection_count(); }
    gigi::awaitable<void> connect(std::string hub) {
        auto const to = gigi::multiaddr::parse(hub).value();
        co_await end_.net.dial(to);
        co_await identify_.ask(*to.peer());
    }

    static inline bool with_gossip = false;

  private:
    bench::link_end end_;
    gigi::identify_service identify_;
    gigi::system_random random_;
    std::unique_ptr<gigi::gossip> chat_;
};

class whole_node {
  public:
    explicit whole_node(asio::io_context &io) : self_{io.get_executor(), bench::on_loopback("hub")} {}
    gigi::awaitable<std::string> listen() {
        co_await self_.start();
        asio::co_spawn(self_.get_executor(), read_events(), [](std::exception_ptr) {});
        co_return self_.addresses().front().to_string();
    }
    gigi::awaitable<std::size_t> connections() { co_return self_.peers().size(); }

  private:
    /// As every app does: what nobody reads is memory, too.
    gigi::awaitable<void> read_events() {
        for (;;) co_await self_.next_event();
    }
    gigi::node self_;
};

struct settings {
    std::size_t connections = 1000;
    int settle = 5; // seconds: a duplicate's retirement, identify, shrinking, some heartbeats
};

/// Measures a `Hub` to which `Member`s connect. @param series whether to show how it grows
template <class Hub, class Member> [[noreturn]] void measure(std::string const &what, settings const &chosen, bool series) {
    bench::crowd<Member> others;
    bench::worker thread;
    auto const at_first = bench::memory::now();
    auto const hub = std::make_unique<Hub>(thread.io);
    auto const address = thread.run(hub->listen());
    std::vector<std::size_t> steps{0, chosen.connections};
    if (series) steps = {0, chosen.connections / 10, chosen.connections / 4, chosen.connections / 2, chosen.connections};
    bench::memory alone, now;
    for (auto const count : steps) {
        others.grow_to(count, address);
        std::this_thread::sleep_for(std::chrono::seconds{chosen.settle});
        if (thread.run(hub->connections()) != count) std::fputs("idle_bench: connections were lost\n", stderr), std::_Exit(1);
        now = bench::memory::now();
        if (count == 0) alone = now;
        if (!series) continue;
        bench::point("memory of a node by connections", "heap", count, (now.heap - at_first.heap) / (1 << 20), "MiB");
        bench::point("memory of a node by connections", "resident", count, (now.resident - at_first.resident) / (1 << 20), "MiB");
    }
    auto const row = [](std::string const &name, bench::memory const &from, bench::memory const &to, double parts) {
        bench::row("heap", name, (to.heap - from.heap) / 1024 / parts, "KiB");
        bench::row("resident", name, (to.resident - from.resident) / 1024 / parts, "KiB");
    };
    auto const count = static_cast<double>(chosen.connections);
    row("idle connection, " + what, alone, now, count);
    if (series) {
        row("node without connections", at_first, alone, 1);
        row("node with " + std::to_string(chosen.connections) + " connections", at_first, now, 1);
    }
    std::fflush(stdout);
    std::_Exit(0); // without goodbyes to all of them
}

} // namespace

int main(int argc, char **argv) {
    settings chosen;
    std::string const mode = argc > 1 ? argv[1] : "";
    for (int i = 2; i + 1 < argc; i += 2) {
        if (!std::strcmp(argv[i], "--connections")) chosen.connections = std::strtoul(argv[i + 1], nullptr, 10);
        if (!std::strcmp(argv[i], "--settle")) chosen.settle = std::atoi(argv[i + 1]);
    }
    bench::allow_files();
    light_node::with_gossip = mode == "gossip";
    if (mode == "swarm") measure<light_node, light_node>("swarm alone", chosen, false);
    if (mode == "gossip") measure<light_node, light_node>("swarm and gossip", chosen, false);
    if (mode == "node") measure<whole_node, bench::crowd_node>("whole node", chosen, true);
    std::fputs("usage: idle_bench swarm|gossip|node [--connections N] [--settle SECONDS]\n", stderr);
    return 1;
}
