// What a connection costs that carries nothing: memory of one end, after identify and after its buffers have shrunk.
// Build Release.
//
//   idle_bench [--connections N] [--gossip]
//
// A hub in this process, its N peers in another; each side is measured by itself. A peer has a swarm, and with --gossip a
// gossip, of its own, which its numbers contain: the hub's are those of an end. "heap" is what malloc has given out, its own
// overhead included; "resident" is what the process has in memory, the kernel's buffers not included.
#include <gigi/gossip/gossip.hpp>
#include <gigi/link/swarm.hpp>
#include <gigi/mux/yamux.hpp>
#include <gigi/protocol/identify.hpp>
#include <gigi/protocol/ping.hpp>
#include <gigi/security/noise.hpp>
#include <gigi/transport/tcp.hpp>

#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

using namespace gigi;

namespace {

struct stack {
    using transport = tcp_transport;
    template <class Raw> using secure = noise<Raw>;
    template <class Channel> using muxer = yamux<Channel>;
};

swarm_options many_links() {
    swarm_options o;
    o.max_connections = o.max_connections_per_address = o.max_pending_handshakes = 1'000'000;
    return o;
}

/// A node without names and files.
struct side {
    side(asio::io_context &io, bool with_gossip)
        : self{identity::generate()}, net{io.get_executor(), self, many_links(), [](peer_id const &) { return std::vector<multiaddr>(); }},
          identify{net, "bench", [this] { return net.listen_addresses(); }, [this](peer_id const &, identify_message const &) { ++identified; }} {
        net.add(std::make_unique<stack_connector<stack>>(tcp_transport{io.get_executor()}, self));
        ping::serve(net);
        if (!with_gossip) return;
        chat = std::make_unique<gossip>(net, gossip_options(), gossip_callbacks(), random);
        chat->start();
    }
    identity self;
    swarm net;
    std::size_t identified = 0;
    identify_service identify;
    system_random random;
    std::unique_ptr<gossip> chat;
};

struct memory {
    double heap = 0, resident = 0; // bytes
    static memory now() {
        memory m;
        m.heap = static_cast<double>(::mallinfo2().uordblks);
        std::ifstream statm{"/proc/self/statm"};
        double total = 0, pages = 0;
        statm >> total >> pages;
        m.resident = pages * static_cast<double>(::sysconf(_SC_PAGESIZE));
        return m;
    }
};

void report(char const *who, memory const &before, std::size_t count) {
    auto const after = memory::now();
    auto const each = [count](double from, double to) { return (to - from) / 1024 / static_cast<double>(count); };
    std::printf("%-6s %6zu connections   heap %6.1f KiB each   resident %6.1f KiB each\n", who, count, each(before.heap, after.heap),
                each(before.resident, after.resident));
    std::fflush(stdout);
}

awaitable<void> dial(side &from, multiaddr to, peer_id hub) {
    co_await from.net.dial(to);
    co_await from.identify.ask(hub);
}

[[noreturn]] void give_up(char const *why) {
    std::fprintf(stderr, "idle_bench: %s\n", why);
    std::_Exit(1);
}

/// Runs a coroutine on a context that has no thread of its own.
void run(asio::io_context &io, awaitable<void> what) {
    bool done = false;
    asio::co_spawn(io, std::move(what), [&done](std::exception_ptr e) {
        if (e) give_up("a dial failed");
        done = true;
    });
    io.restart();
    while (!done) io.run_one();
}

constexpr auto settling = std::chrono::seconds{5}; // a duplicate's retirement, identify, shrinking, some heartbeats

void be_peers(std::size_t count, bool with_gossip, multiaddr const &hub) {
    asio::io_context io{1};
    std::vector<std::unique_ptr<side>> all;
    {
        side warm{io, with_gossip}; // one-time costs
        run(io, dial(warm, hub, *hub.peer()));
        run(io, warm.net.disconnect(*hub.peer()));
        if (warm.chat) run(io, warm.chat->stop());
        run(io, warm.net.stop());
    }
    auto const before = memory::now();
    for (std::size_t i = 0; i < count; ++i) {
        all.push_back(std::make_unique<side>(io, with_gossip));
        run(io, dial(*all.back(), hub, *hub.peer()));
    }
    io.restart();
    io.run_for(settling);
    report("peers", before, count);
    io.run_for(settling);
    std::_Exit(0);
}

} // namespace

int main(int count_of_words, char **words) {
    std::size_t count = 1000;
    bool with_gossip = false;
    for (int i = 1; i < count_of_words; ++i) {
        std::string_view const word{words[i]};
        if (word == "--gossip")
            with_gossip = true;
        else if (word == "--connections" && i + 1 < count_of_words)
            count = std::strtoul(words[++i], nullptr, 10);
        else
            give_up("usage: idle_bench [--connections N] [--gossip]");
    }
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);

    int line[2];
    if (::pipe(line) != 0) give_up("pipe");
    auto const child = ::fork();
    if (child < 0) give_up("fork");
    if (child == 0) {
        char text[256] = {};
        if (::read(line[0], text, sizeof text - 1) <= 0) give_up("no hub");
        be_peers(count, with_gossip, multiaddr::parse(text).value());
    }
    asio::io_context io{1};
    side hub{io, with_gossip};
    hub.net.start();
    auto const address = hub.net.listen(multiaddr::parse("/ip4/127.0.0.1/tcp/0").value()).with_peer(hub.self.id()).to_string();
    if (::write(line[1], address.data(), address.size()) < 0) give_up("write");
    std::size_t met = 0;
    swarm_observer observer;
    observer.connected = [&met](connection_info const &) { ++met; };
    auto const token = hub.net.observe(std::move(observer));
    while (met < 1) io.run_one(); // the one that warms up
    while (hub.net.connection_count() > 0) io.run_one();
    auto const before = memory::now();
    while (hub.net.connection_count() < count) io.run_one();
    io.run_for(settling);
    if (hub.net.connection_count() != count) give_up("connections were lost");
    report("hub", before, count);
    ::waitpid(child, nullptr, 0);
    std::_Exit(0);
}
