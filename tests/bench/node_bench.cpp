// What whole nodes cost: from a dial to a known nickname, an acknowledged message, one while a file is fetched from the same
// peer, a group message to nine others, and a download beside cp and scp, side by side in one run.
//
//   node_bench [--pin] [--rounds N] [--file-mib N] [--folder DIR]
//
// Build Release. Every node has a thread of its own in this process. scp is measured where ssh and sshd are installed: over
// loopback, with a key and a daemon of its own.
#include "bench.hpp"

#include <gigi/node.hpp>

#include <asio/use_future.hpp>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <list>
#include <optional>

using namespace gigi;
namespace fs = std::filesystem;

namespace {

/// A node with a thread of its own, on loopback.
struct person {
    explicit person(std::string nickname, fs::path output = {}) : self{thread.io.get_executor(), options(std::move(nickname), std::move(output))} { thread.run(start(self)); }
    ~person() { thread.run(stop(self)); }

    static node_options options(std::string nickname, fs::path output) {
        node_options o;
        o.mdns = false;
        o.listen.assign(1, "/ip4/127.0.0.1/tcp/0");
        o.nickname = std::move(nickname);
        if (!output.empty()) o.output_directory = std::move(output);
        return o;
    }
    static awaitable<void> start(node &n) { co_await n.start(); }
    static awaitable<void> stop(node &n) { co_await n.stop(); }
    std::string address() const { return self.addresses().front().to_string(); }

    bench::worker thread;
    node self;
};

awaitable<peer_id> dial(node &n, std::string to) { return n.dial(to); }

/// From the dial to the event that says who it is, in microseconds.
awaitable<double> meet(node &n, std::string to) {
    auto const start = bench::clock::now();
    peer_id const peer = co_await n.dial(to);
    for (;;) {
        event const e = co_await n.next_event();
        auto const *const here = std::get_if<event::peer_identified>(&e);
        if (here && here->peer == peer) co_return bench::since(start) * 1e6;
    }
}
awaitable<void> part(node &n, peer_id from) { co_await n.disconnect(from); }

awaitable<std::vector<double>> messages(node &n, peer_id to, int count) {
    std::string const text(64, 'm');
    std::vector<double> times;
    for (int i = 0; i < count; ++i) {
        auto const start = bench::clock::now();
        co_await n.send(to, text);
        times.push_back(bench::since(start) * 1e6);
    }
    co_return times;
}

/// Messages, one after the other, until told to stop.
awaitable<std::vector<double>> messages_until(node &n, peer_id to, bool const &done) {
    std::string const text(64, 'm');
    std::vector<double> times;
    timer pause{co_await asio::this_coro::executor};
    while (!done) {
        auto const start = bench::clock::now();
        co_await n.send(to, text);
        times.push_back(bench::since(start) * 1e6);
        co_await pause.wait_for(std::chrono::milliseconds{5});
    }
    co_return times;
}
awaitable<void> download_and_tell(node &n, peer_id from, std::string code, download_result &result, bool &done) {
    result = co_await n.download(from, code);
    done = true;
}
awaitable<std::vector<double>> messages_beside(node &n, peer_id to, std::string code, download_result &result) {
    bool done = false;
    auto const executor = co_await asio::this_coro::executor;
    task_group fetching{executor};
    fetching.spawn(download_and_tell(n, to, code, result, done));
    std::vector<double> times = co_await messages_until(n, to, done);
    co_await fetching.join();
    co_return times;
}

awaitable<double> fetch(node &n, peer_id from, std::string code, download_result &result) {
    auto const start = bench::clock::now();
    result = co_await n.download(from, code);
    co_return static_cast<double>(result.size) / (1 << 20) / bench::since(start);
}
awaitable<std::string> share(node &n, fs::path file) { return n.share(file); }

// ---- a group

awaitable<void> join(node &n) { co_await n.join("bench"); }
awaitable<void> until_members(node &n, std::size_t wanted) {
    timer pause{co_await asio::this_coro::executor};
    while (n.groups().empty() || n.groups().front().members.size() < wanted) co_await pause.wait_for(std::chrono::milliseconds{50});
}
awaitable<void> take_messages(event_reader &events, int count, std::vector<bench::clock::time_point> &when) {
    while (static_cast<int>(when.size()) < count) {
        event const e = co_await events.next();
        if (std::holds_alternative<event::group_message>(e)) when.push_back(bench::clock::now());
    }
}
awaitable<void> publish(node &n, int count, std::vector<bench::clock::time_point> &when) {
    timer pause{co_await asio::this_coro::executor};
    for (int i = 0; i < count; ++i) {
        when.push_back(bench::clock::now());
        n.publish("bench", "message " + std::to_string(i));
        co_await pause.wait_for(std::chrono::milliseconds{20});
    }
}
/// From the publishing to the last of nine others having the event, in microseconds.
std::vector<double> group_of_ten(int count) {
    std::list<person> all;
    for (int i = 0; i < 10; ++i) all.emplace_back("p" + std::to_string(i));
    auto const &first = all.front();
    for (auto &p : all)
        if (&p != &first) p.thread.run(dial(p.self, first.address()));
    for (auto i = all.begin(); i != all.end(); ++i) // everyone knows everyone, as mDNS would have it
        for (auto j = std::next(i); j != all.end(); ++j)
            if (i != all.begin()) i->thread.run(dial(i->self, j->address()));
    for (auto &p : all) p.thread.run(join(p.self));
    all.front().thread.run(until_members(all.front().self, 9));
    std::this_thread::sleep_for(std::chrono::seconds{2}); // the mesh forms

    std::vector<bench::clock::time_point> sent;
    std::list<std::vector<bench::clock::time_point>> received;
    std::list<event_reader> readers;
    std::vector<std::future<void>> ends;
    for (auto &p : all) {
        if (&p == &first) continue;
        auto &reader = readers.emplace_back(p.self.subscribe());
        ends.push_back(asio::co_spawn(p.thread.io, take_messages(reader, count, received.emplace_back()), asio::use_future));
    }
    all.front().thread.run(publish(all.front().self, count, sent));
    for (auto &end : ends) end.get();
    std::vector<double> times;
    for (std::size_t i = 0; i < sent.size(); ++i) {
        auto last = sent[i];
        for (auto const &one : received) last = std::max(last, one[i]);
        times.push_back(std::chrono::duration<double>{last - sent[i]}.count() * 1e6);
    }
    return times;
}

// ---- files

void make_file(fs::path const &path, std::size_t mib) {
    std::vector<std::uint64_t> block(1 << 17);
    std::uint64_t x = 88172645463325252;
    std::ofstream out{path, std::ios::binary};
    for (std::size_t i = 0; i < mib; ++i) {
        for (auto &word : block) word = x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        out.write(reinterpret_cast<char const *>(block.data()), 1 << 20);
    }
}
int shell(std::string const &command) { return std::system(command.c_str()); }
bool there(char const *program) { return shell(std::string{"command -v "} + program + " > /dev/null 2>&1") == 0; }

/// An ssh daemon of our own on loopback, for as long as this lives.
class ssh_daemon {
  public:
    explicit ssh_daemon(fs::path folder) : folder_{std::move(folder)} {
        fs::create_directories(folder_);
        std::string const at = folder_.string();
        shell("ssh-keygen -q -t ed25519 -N '' -f " + at + "/host && ssh-keygen -q -t ed25519 -N '' -f " + at + "/key && cp " + at + "/key.pub " + at + "/authorized");
        std::ofstream{folder_ / "config"} << "Port " << port << "\nListenAddress 127.0.0.1\nHostKey " << at << "/host\nAuthorizedKeysFile " << at
                                          << "/authorized\nPidFile none\nStrictModes no\nUsePAM no\nSubsystem sftp internal-sftp\n";
        fs::create_directories("/run/sshd"); // sshd's own wish
        daemon_ = ::fork();
        if (daemon_ == 0) {
            std::string const config = at + "/config";
            ::execl("/usr/sbin/sshd", "/usr/sbin/sshd", "-D", "-f", config.c_str(), nullptr);
            ::_exit(127);
        }
        std::this_thread::sleep_for(std::chrono::seconds{1});
    }
    ~ssh_daemon() {
        ::kill(daemon_, SIGTERM);
        ::waitpid(daemon_, nullptr, 0);
    }
    /// The command that fetches a file with ChaCha20-Poly1305.
    std::string fetch(fs::path const &from, fs::path const &to) const {
        return "scp -q -P " + std::to_string(port) + " -i " + folder_.string() + "/key -c chacha20-poly1305@openssh.com -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR 127.0.0.1:" +
               from.string() + " " + to.string() + " && sync " + to.string();
    }

  private:
    static constexpr int port = 42'022;
    fs::path folder_;
    pid_t daemon_ = -1;
};

std::optional<double> timed(std::string const &command, std::size_t mib) {
    auto const start = bench::clock::now();
    if (shell(command) != 0) return std::nullopt;
    return static_cast<double>(mib) / bench::since(start);
}

} // namespace

int main(int argc, char **argv) {
    int rounds = 5;
    std::size_t mib = 1024;
    std::string where = "free";
    fs::path folder = fs::temp_directory_path();
    for (int i = 1; i < argc; ++i) {
        if (!std::strcmp(argv[i], "--pin")) bench::pin(), where = "pinned";
        if (!std::strcmp(argv[i], "--rounds") && i + 1 < argc) rounds = std::atoi(argv[++i]);
        if (!std::strcmp(argv[i], "--file-mib") && i + 1 < argc) mib = std::strtoul(argv[++i], nullptr, 10);
        if (!std::strcmp(argv[i], "--folder") && i + 1 < argc) folder = argv[++i];
    }
    auto const row = [&where](char const *what, double value, char const *unit) { bench::row(where + ", " + what, value, unit); };
    fs::path const scratch = folder / ("gigi-bench-" + std::to_string(::getpid()));
    fs::create_directories(scratch);
    fs::current_path(scratch); // the nodes' own files

    {
        person alice{"alice", scratch / "out"}, bob{"bob"};
        std::string const to = bob.address();
        std::vector<double> met;
        for (int i = 0; i < 40 * rounds; ++i) {
            met.push_back(alice.thread.run(meet(alice.self, to)));
            alice.thread.run(part(alice.self, bob.self.id()));
        }
        row("dial to identified and known by nickname", bench::median(met), "us");
        alice.thread.run(dial(alice.self, to));
        auto const alone = alice.thread.run(messages(alice.self, bob.self.id(), 2000 * rounds));
        row("direct message of 64 B, acknowledged", bench::median(alone), "us");

        if (mib > 0) {
            fs::path const file = scratch / "file.bin";
            make_file(file, mib);
            auto const code = bob.thread.run(share(bob.self, file));
            std::optional<ssh_daemon> ssh;
            if (there("/usr/sbin/sshd") && there("scp") && ::geteuid() == 0) ssh.emplace(scratch / "ssh");
            std::vector<double> ours, copied, scp, beside;
            for (int i = 0; i < rounds; ++i) {
                ::sync();
                download_result got;
                ours.push_back(alice.thread.run(fetch(alice.self, bob.self.id(), code, got)));
                fs::remove(got.path);
                fs::path const copy = scratch / "copy.bin";
                if (auto const rate = timed("cp " + file.string() + " " + copy.string() + " && sync " + copy.string(), mib)) copied.push_back(*rate);
                fs::remove(copy);
                if (ssh)
                    if (auto const rate = timed(ssh->fetch(file, copy), mib)) scp.push_back(*rate);
                fs::remove(copy);
                auto const times = alice.thread.run(messages_beside(alice.self, bob.self.id(), code, got));
                beside.insert(beside.end(), times.begin(), times.end());
                fs::remove(got.path);
            }
            row("download, file to file, verified and synced", bench::median(ours), "MiB/s");
            row("cp and sync", bench::median(copied), "MiB/s");
            if (!scp.empty()) row("scp (ChaCha20-Poly1305) and sync", bench::median(scp), "MiB/s");
            row("direct message while the same peer sends a file, median", bench::median(beside), "us");
            row("direct message while the same peer sends a file, 99 %", bench::quantile(beside, 0.99), "us");
        }
    }
    auto const told = group_of_ten(50 * rounds);
    row("group message, until the last of nine has it, median", bench::median(told), "us");
    row("group message, until the last of nine has it, 99 %", bench::quantile(told, 0.99), "us");
    fs::current_path(folder);
    fs::remove_all(scratch);
}
