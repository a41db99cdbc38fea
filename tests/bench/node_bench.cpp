// What whole nodes cost: from a dial to a known nickname, an acknowledged message, one while a file is fetched from the same
// peer, a group message to nine others, and a download beside cp and scp, side by side in one run.
//
//   node_bench [--pin] [--rounds N] [--file-mib N] [--folder DIR]
//
// Build Release. Every node has a thread of its own in this process. scp is measured where ssh and sshd are installed: over
// loopback, with a key and a daemon of its own.
#include "group.hpp"
#include "person.hpp"
#include "scratch.hpp"
#include "ssh_daemon.hpp"

#include <asio/use_future.hpp>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <optional>

namespace fs = std::filesystem;
using bench::person;

namespace {

/// Messages both ways while one downloads from the other.
struct beside {
    std::vector<double> to_sender, to_receiver; // microseconds

    void measure(person &receiver, person &sender, std::string const &code) {
        std::atomic<bool> going = true;
        auto up = asio::co_spawn(receiver.thread.io, receiver.messages_while(sender.self.id(), going), asio::use_future);
        auto down = asio::co_spawn(sender.thread.io, sender.messages_while(receiver.self.id(), going), asio::use_future);
        double rate = 0;
        fs::remove(receiver.fetch(code, rate).path);
        going = false;
        auto const first = up.get(), second = down.get();
        to_sender.insert(to_sender.end(), first.begin(), first.end());
        to_receiver.insert(to_receiver.end(), second.begin(), second.end());
    }
};

/// A way to copy a file, and its figures, of all rounds.
struct way {
    std::vector<double> rate, cpu;
    void add(bench::flow const &one) {
        rate.push_back(one.rate);
        cpu.push_back(one.cpu);
    }
};

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
    auto const row = [&where](char const *what, double value, char const *unit) { bench::row(where, what, value, unit); };
    bench::scratch const scratch{folder};
    {
        person alice{"alice", scratch / "out"}, bob{"bob"};
        row("dial to identified and known by nickname", bench::median(alice.meet(bob, 40 * rounds)), "us");
        alice.dial(bob);
        int const count = 2000 * rounds;
        double const before = bench::cpu_time();
        row("direct message of 64 B, acknowledged", bench::median(alice.send(bob, count)), "us");
        row("processor time of a direct message of 64 B, acknowledged", (bench::cpu_time() - before) * 1e6 / count, "us");

        if (mib > 0) {
            fs::path const file = scratch / "file.bin", copy = scratch / "copy.bin";
            bench::make_file(file, mib);
            auto const code = bob.share(file);
            std::optional<bench::ssh_daemon> ssh;
            if (bench::ssh_daemon::available()) ssh.emplace(scratch / "ssh");
            way ours, cp, scp;
            beside messages;
            for (int i = 0; i < rounds; ++i) {
                ::sync();
                bench::flow here;
                double const start = bench::cpu_time();
                auto const got = alice.fetch(code, here.rate);
                here.cpu = (bench::cpu_time() - start) * 1e6 / static_cast<double>(mib);
                ours.add(here);
                fs::remove(got.path);
                cp.add(bench::copy("cp " + file.string() + " " + copy.string(), file, copy, mib));
                if (ssh) {
                    double const daemon = ssh->cpu_time();
                    auto there = bench::copy(ssh->fetch(file, copy), file, copy, mib);
                    there.cpu += (ssh->cpu_time() - daemon) * 1e6 / static_cast<double>(mib);
                    scp.add(there);
                }
                messages.measure(alice, bob, code);
            }
            row("download, file to file, verified and synced", bench::median(ours.rate), "MiB/s");
            row("processor time of a MiB downloaded", bench::median(ours.cpu), "us");
            row("cp and sync", bench::median(cp.rate), "MiB/s");
            row("processor time of a MiB, cp and sync", bench::median(cp.cpu), "us");
            if (ssh) {
                row("scp (ChaCha20-Poly1305) and sync", bench::median(scp.rate), "MiB/s");
                row("processor time of a MiB, scp and sync", bench::median(scp.cpu), "us");
            } else {
                std::puts("scp and sshd are not installed here: their rows are left out");
            }
            row("message to a peer that sends us a file, median", bench::median(messages.to_sender), "us");
            row("message to a peer that sends us a file, 99 %", bench::quantile(messages.to_sender, 0.99), "us");
            row("message to a peer that we send a file, median", bench::median(messages.to_receiver), "us");
            row("message to a peer that we send a file, 99 %", bench::quantile(messages.to_receiver, 0.99), "us");
        }
    }
    auto const told = bench::group{10}.speak(200 * rounds);
    row("group message, until the last of nine has it, median", bench::median(told.times), "us");
    row("group message, until the last of nine has it, 99 %", bench::quantile(told.times, 0.99), "us");
    row("processor time of a group message, all ten nodes, a delivery", told.cpu, "us");
}
