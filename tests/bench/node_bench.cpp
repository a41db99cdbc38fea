// What gigi costs beside what it stands on, in one run: a small round trip against bare TCP, a bulk stream against plain TCP,
// a download against cp. Build Release; run on a quiet machine; look at the ratios.
//
//   node_bench [--pin] [--file-mib N] [--folder DIR]
//
// --pin puts everything on one CPU: then a round trip measures work, not how long an idle CPU takes to wake up.
#include <gigi/node.hpp>

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace gigi;

namespace {

using seconds = std::chrono::duration<double>;
double since(std::chrono::steady_clock::time_point start) { return seconds{std::chrono::steady_clock::now() - start}.count(); }

/// A context with a thread of its own.
struct worker {
    asio::io_context io{1};
    asio::any_io_executor work = asio::require(io.get_executor(), asio::execution::outstanding_work.tracked);
    std::thread thread{[this] { io.run(); }};
    ~worker() {
        work = {};
        io.stop();
        thread.join();
    }
    template <class T> T run(awaitable<T> what) {
        std::promise<T> done;
        asio::co_spawn(io, std::move(what), [&done](std::exception_ptr e, T value) {
            if (e)
                done.set_exception(e);
            else
                done.set_value(std::move(value));
        });
        return done.get_future().get();
    }
    void run(awaitable<void> what) {
        std::promise<void> done;
        asio::co_spawn(io, std::move(what), [&done](std::exception_ptr e) {
            if (e)
                done.set_exception(e);
            else
                done.set_value();
        });
        done.get_future().get();
    }
};

struct stack {
    using transport = tcp_transport;
    template <class Raw> using secure = noise<Raw>;
    template <class Channel> using muxer = yamux<Channel>;
};

struct side {
    side() : self{identity::generate()}, net{thread.io.get_executor(), self, swarm_options{}, [](peer_id const &) { return std::vector<multiaddr>(); }} {
        net.add(std::make_unique<stack_connector<stack>>(tcp_transport{thread.io.get_executor()}, self));
    }
    identity self;
    worker thread;
    swarm net;
};

struct echo_protocol {
    static constexpr std::string_view id = "/bench/echo/1.0.0";
    using request = std::string;
    using response = std::string;
};

template <ByteStream S> awaitable<void> echo(S s) {
    bytes buffer(4096);
    mutable_bytes const room{buffer};
    try {
        for (;;) {
            std::size_t const n = co_await s.read_some(room);
            if (n == 0) break;
            bytes_view const back = bytes_view{buffer}.first(n);
            co_await s.write(back);
        }
    } catch (std::system_error const &) {
    }
}

template <ByteStream S> awaitable<double> round_trips(S &s, int count) {
    bytes const message(64, 7);
    bytes buffer(64);
    mutable_bytes const room{buffer};
    std::vector<double> times;
    for (int i = 0; i < count; ++i) {
        auto const start = std::chrono::steady_clock::now();
        co_await s.write(bytes_view{message});
        co_await read_exactly(s, room);
        times.push_back(since(start));
    }
    std::ranges::nth_element(times, times.begin() + count / 2);
    co_return times[static_cast<std::size_t>(count) / 2] * 1e6;
}

awaitable<double> requests(swarm &net, peer_id to, int count) {
    std::string const question(64, 'q');
    std::vector<double> times;
    for (int i = 0; i < count; ++i) {
        auto const start = std::chrono::steady_clock::now();
        std::string const answer = co_await send_request<echo_protocol>(net, to, question, std::chrono::seconds{10});
        times.push_back(since(start));
    }
    std::ranges::nth_element(times, times.begin() + count / 2);
    co_return times[static_cast<std::size_t>(count) / 2] * 1e6;
}

template <ByteStream S> awaitable<void> count_bytes(S s) {
    bytes buffer(256 << 10);
    mutable_bytes const room{buffer};
    for (;;) {
        std::size_t const n = co_await s.read_some(room);
        if (n == 0) break;
    }
    bytes const done(1);
    co_await s.write(bytes_view{done});
    s.close_write();
}

template <ByteStream S> awaitable<double> pour(S &s, std::size_t mib) {
    bytes const piece(1 << 20, 3);
    auto const start = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < mib; ++i) co_await s.write(bytes_view{piece});
    s.close_write();
    bytes end(1);
    mutable_bytes const room{end};
    co_await read_exactly(s, room); // the other side has read all of it
    co_return static_cast<double>(mib) / since(start);
}

awaitable<void> accept_one(tcp_listener &from, std::function<awaitable<void>(tcp_connection)> serve) {
    tcp_connection c = co_await from.accept();
    co_await serve(std::move(c));
}
awaitable<tcp_connection> dial_tcp(tcp_transport &from, multiaddr to) { return from.dial(std::move(to)); }

awaitable<double> tcp_round_trips(multiaddr to, int count) {
    auto const executor = co_await asio::this_coro::executor;
    tcp_transport net{executor};
    tcp_connection c = co_await dial_tcp(net, to);
    double const time = co_await round_trips(c, count);
    co_return time;
}
awaitable<double> tcp_pour(multiaddr to, std::size_t mib) {
    auto const executor = co_await asio::this_coro::executor;
    tcp_transport net{executor};
    tcp_connection c = co_await dial_tcp(net, to);
    double const rate = co_await pour(c, mib);
    co_return rate;
}

awaitable<double> gigi_round_trips(swarm &net, peer_id to, int count) {
    std::vector<std::string> protocols;
    protocols.push_back("/bench/raw");
    stream s = co_await net.open_stream(to, std::move(protocols));
    double const time = co_await round_trips(s, count);
    co_return time;
}
awaitable<double> gigi_pour(swarm &net, peer_id to, std::size_t mib) {
    std::vector<std::string> protocols;
    protocols.push_back("/bench/sink");
    stream s = co_await net.open_stream(to, std::move(protocols));
    double const rate = co_await pour(s, mib);
    co_return rate;
}
awaitable<peer_id> connect(swarm &from, multiaddr to) { return from.dial(std::move(to)); }
awaitable<multiaddr> open_listener(swarm &net) { co_return net.listen(multiaddr::parse("/ip4/127.0.0.1/tcp/0").value()); }

awaitable<void> start(node &n) { co_await n.start(); }
awaitable<std::string> share(node &n, std::filesystem::path file) { return n.share(file); }
awaitable<double> fetch(node &n, std::string from, std::string code, std::filesystem::path &where) {
    peer_id const peer = co_await n.dial(from);
    auto const begin = std::chrono::steady_clock::now();
    download_result const done = co_await n.download(peer, code);
    where = done.path;
    co_return static_cast<double>(done.size) / (1 << 20) / since(begin);
}
awaitable<void> stop(node &n) { co_await n.stop(); }

double median(std::vector<double> all) {
    std::ranges::sort(all);
    return all[all.size() / 2];
}

} // namespace

int main(int argc, char **argv) {
    bool pin = false;
    std::size_t file_mib = 1024;
    std::filesystem::path folder = std::filesystem::temp_directory_path();
    for (int i = 1; i < argc; ++i) {
        if (!std::strcmp(argv[i], "--pin")) pin = true;
        if (!std::strcmp(argv[i], "--file-mib") && i + 1 < argc) file_mib = std::strtoul(argv[++i], nullptr, 10);
        if (!std::strcmp(argv[i], "--folder") && i + 1 < argc) folder = argv[++i];
    }
    if (pin) {
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(0, &one);
        ::sched_setaffinity(0, sizeof one, &one);
    }
    constexpr int rounds = 5, trips = 20'000;
    constexpr std::size_t bulk = 1024;
    auto const local = multiaddr::parse("/ip4/127.0.0.1/tcp/0").value();

    side a, b;
    b.net.handle("/bench/raw", [](stream s) { return echo(std::move(s)); });
    b.net.handle("/bench/sink", [](stream s) { return count_bytes(std::move(s)); });
    serve_requests<echo_protocol>(b.net, [](peer_id const &, std::string const &q) { return q; }, std::chrono::seconds{10});
    auto const address = b.thread.run(open_listener(b.net)).with_peer(b.self.id());
    auto const peer = a.thread.run(connect(a.net, address));

    std::vector<double> tcp_trip, gigi_trip, gigi_request, tcp_bulk, gigi_bulk;
    for (int round = 0; round < rounds; ++round) { // side by side, so that the machine's moods meet all of them
        {
            worker server, client;
            tcp_listener listener{server.io.get_executor(), detail::endpoint_of(local).value()};
            auto const to = listener.local_address();
            auto const serve = [](tcp_connection c) { return echo(std::move(c)); };
            asio::co_spawn(server.io, accept_one(listener, serve), [](std::exception_ptr) {});
            tcp_trip.push_back(client.run(tcp_round_trips(to, trips)));
        }
        gigi_trip.push_back(a.thread.run(gigi_round_trips(a.net, peer, trips)));
        gigi_request.push_back(a.thread.run(requests(a.net, peer, trips / 2)));
        {
            worker server, client;
            tcp_listener listener{server.io.get_executor(), detail::endpoint_of(local).value()};
            auto const to = listener.local_address();
            auto const serve = [](tcp_connection c) { return count_bytes(std::move(c)); };
            asio::co_spawn(server.io, accept_one(listener, serve), [](std::exception_ptr) {});
            tcp_bulk.push_back(client.run(tcp_pour(to, bulk)));
        }
        gigi_bulk.push_back(a.thread.run(gigi_pour(a.net, peer, bulk)));
    }

    std::printf("%-44s %10s %10s %8s\n", pin ? "all on one CPU" : "free to run anywhere", "gigi", "beside", "ratio");
    auto const row = [](char const *what, double ours, double theirs, char const *unit) {
        std::printf("%-44s %10.1f %10.1f %7.2fx  %s\n", what, ours, theirs, ours / theirs, unit);
    };
    row("64 B round trip, open stream / bare TCP", median(gigi_trip), median(tcp_trip), "us, median");
    row("64 B request-response / bare TCP", median(gigi_request), median(tcp_trip), "us, median");
    row("one bulk stream / plain TCP", median(gigi_bulk), median(tcp_bulk), "MiB/s");
    std::fflush(stdout);

    if (file_mib > 0) {
        auto const scratch = folder / ("gigi-bench-" + std::to_string(::getpid()));
        std::filesystem::create_directories(scratch);
        auto const file = scratch / "file.bin";
        {
            std::vector<std::uint64_t> block(1 << 17);
            std::uint64_t x = 88172645463325252;
            std::FILE *out = std::fopen(file.c_str(), "wb");
            for (std::size_t i = 0; i < file_mib; ++i) {
                for (auto &w : block) w = x ^= x << 13, x ^= x >> 7, x ^= x << 17;
                std::fwrite(block.data(), 8, block.size(), out);
            }
            std::fclose(out);
        }
        std::vector<double> download, copy;
        for (int round = 0; round < 3; ++round) {
            worker one, two;
            node_options options;
            options.mdns = false;
            options.listen.assign(1, "/ip4/127.0.0.1/tcp/0");
            options.output_directory = scratch / "out";
            options.nickname = "server";
            node server{one.io.get_executor(), options};
            options.nickname = "client";
            node client{two.io.get_executor(), options};
            one.run(start(server));
            two.run(start(client));
            auto const code = one.run(share(server, file));
            std::filesystem::path where;
            std::string const from = server.addresses().front().to_string();
            download.push_back(two.run(fetch(client, from, code, where)));
            two.run(stop(client));
            one.run(stop(server));
            std::filesystem::remove(where);
            auto const begin = std::chrono::steady_clock::now();
            std::string const command = "cp '" + file.string() + "' '" + (scratch / "copy.bin").string() + "' && sync '" + (scratch / "copy.bin").string() + "'";
            if (std::system(command.c_str()) != 0) return 1;
            copy.push_back(static_cast<double>(file_mib) / since(begin));
            std::filesystem::remove(scratch / "copy.bin");
        }
        row("download, encrypted, verified, synced / cp+sync", median(download), median(copy), "MiB/s");
        std::filesystem::remove_all(scratch);
    }
    a.thread.run(a.net.stop());
    b.thread.run(b.net.stop());
}
