// Files: hashing to the root against SHA-256 alone, and a download from disk to disk over TCP, noise and yamux on loopback.
// Build with -O2. Arguments: the download's size in MiB (512; above 4096 the source is sparse), and the folder for the files (a
// temporary one).
#include <gigi/core/task_group.hpp>
#include <gigi/file/transfer.hpp>
#include <gigi/mux/yamux.hpp>
#include <gigi/security/noise.hpp>
#include <gigi/transport/tcp.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <thread>

#include <sys/resource.h>
#include <unistd.h>

using namespace gigi;
namespace fs = std::filesystem;

namespace {

using clock_type = std::chrono::steady_clock;
constexpr double MiB = 1 << 20;

double seconds_since(clock_type::time_point begin) { return std::chrono::duration<double>(clock_type::now() - begin).count(); }

struct tcp_stack {
    using transport = tcp_transport;
    template <class Raw> using secure = noise<Raw>;
    template <class Channel> using muxer = yamux<Channel>;
};

void hashing() {
    bytes const data(64 << 20, 0x5a);
    auto begin = clock_type::now();
    for (std::size_t at = 0; at < data.size(); at += merkle_block_size) (void)sha256(bytes_view{data}.subspan(at, merkle_block_size));
    std::printf("SHA-256, 16 KiB blocks     %8.0f MiB/s\n", 64 / seconds_since(begin));
    begin = clock_type::now();
    auto const map = chunk_map::of(data.size());
    file_hasher hasher{map};
    for (std::uint64_t n = 0; n < map.count(); ++n) hasher.add_chunk(bytes_view{data}.subspan(static_cast<std::size_t>(map.offset(n)), map.size_of(n)));
    (void)std::move(hasher).finish();
    std::printf("merkle root in memory      %8.0f MiB/s\n", 64 / seconds_since(begin));
}

/// A node of its own thread.
struct peer_node {
    explicit peer_node(file_service_options options = {})
        : self{identity::generate()}, net{io.get_executor(), self, swarm_options{}, [this](peer_id const &) { return addresses; }},
          files{net, pool.get_executor(), std::move(options), file_events{}} {
        net.add(std::make_unique<stack_connector<tcp_stack>>(tcp_transport{io.get_executor()}, self));
    }
    asio::io_context io{1};
    asio::thread_pool pool{2};
    std::vector<multiaddr> addresses;
    identity self;
    swarm net;
    file_service files;
};

awaitable<void> share(peer_node &node, fs::path path, std::string &code) {
    auto const begin = clock_type::now();
    shared_entry const entry = co_await node.files.share(path);
    std::printf("share, from the page cache %8.0f MiB/s\n", static_cast<double>(entry.size) / MiB / seconds_since(begin));
    code = entry.code;
}

awaitable<void> fetch(peer_node &node, peer_id from, std::string code, fs::path folder) {
    std::vector<peer_id> const peers{from};
    auto const begin = clock_type::now();
    downloaded_file const done = co_await node.files.download(1, peers, code, folder);
    std::printf("download, file to file     %8.0f MiB/s\n", static_cast<double>(done.size) / MiB / seconds_since(begin));
}
awaitable<void> stop(peer_node &node) {
    co_await node.files.stop();
    co_await node.net.stop();
}

void run(peer_node &node, awaitable<void> task, bool until_stopped = false) {
    asio::co_spawn(node.io, std::move(task), [&node, until_stopped](std::exception_ptr failure) {
        if (failure) {
            try {
                std::rethrow_exception(failure);
            } catch (std::exception const &e) {
                std::printf("failed: %s\n", e.what());
            }
        }
        if (!until_stopped) node.io.stop();
    });
    node.io.restart();
    node.io.run();
}

void transfer(std::size_t mebibytes, fs::path const &folder) {
    auto const path = folder / "source.bin";
    {
        std::ofstream out{path, std::ios::binary};
        std::mt19937_64 random{1};
        std::vector<std::uint64_t> block((1 << 20) / 8);
        for (auto &word : block) word = random();
        for (std::size_t i = 0; i < mebibytes && mebibytes <= 4096; ++i) {
            block[0] = i;
            out.write(reinterpret_cast<char const *>(block.data()), 1 << 20);
        }
    }
    fs::resize_file(path, mebibytes << 20);
    ::sync(); // what is still to be written of the source would count against the download
    peer_node server, client;
    server.net.start();
    client.net.start();
    auto const address = server.net.listen(multiaddr::parse("/ip4/127.0.0.1/tcp/0").value());
    client.addresses = {address};
    server.files.start();
    client.files.start();
    std::string code;
    run(server, share(server, path, code));
    std::thread serving{[&] {
        auto const work = asio::make_work_guard(server.io);
        server.io.restart();
        server.io.run();
    }};
    run(client, fetch(client, server.self.id(), code, folder / "out"));
    run(client, stop(client), true);
    asio::post(server.io, [&] {
        asio::co_spawn(server.io, stop(server), [&](std::exception_ptr) { server.io.stop(); });
    });
    serving.join();
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    std::printf("most memory                %8.0f MiB\n", static_cast<double>(usage.ru_maxrss) / 1024);
}

} // namespace

int main(int argc, char **argv) {
    hashing();
    std::size_t const mebibytes = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 512;
    fs::path const folder = (argc > 2 ? fs::path{argv[2]} : fs::temp_directory_path()) / ("gigi-bench-" + std::to_string(::getpid()));
    fs::create_directories(folder);
    transfer(mebibytes, folder);
    fs::remove_all(folder);
}
