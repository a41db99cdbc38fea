// How what link_bench and node_bench measure grows: with the size of messages, the number of streams, of connections held, of
// members of a group, with the size of a file and the number of its sources.
//
//   growth_bench [--pin] [--rounds N] [--file-mib N] [--folder DIR] size|streams|connections|members|file|sources …
//
// Build Release. Prints points of curves for tests/bench/run.
#include "crowd.hpp"
#include "crowd_node.hpp"
#include "gigi_line.hpp"
#include "group.hpp"
#include "scratch.hpp"
#include "tcp_line.hpp"
#include "tls_line.hpp"

#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <set>

namespace fs = std::filesystem;
using bench::person;

namespace {

struct settings {
    int rounds = 3;
    std::size_t file_mib = 1024; // the largest file
    fs::path folder = fs::temp_directory_path();
};

/// Curves of one chart: takes values of several rounds, and tells their medians in the end.
class chart {
  public:
    chart(char const *name, char const *unit) : name_{name}, unit_{unit} {}
    chart(chart const &) = delete;
    ~chart() {
        for (auto const &[where, values] : values_) bench::point(name_, where.first, where.second, bench::median(values), unit_);
    }
    void add(char const *curve, std::size_t x, double value) { values_[{curve, x}].push_back(value); }

  private:
    char const *name_, *unit_;
    std::map<std::pair<std::string, std::size_t>, std::vector<double>> values_;
};

void by_size(settings const &chosen) {
    chart latency{"round trip by size of the message", "us"}, cpu{"processor time of a round trip by size of the message", "us"};
    auto const measure = [&](char const *name, bench::Line auto &line, std::size_t size) {
        auto const result = bench::round_trips(line, size, size <= 4096 ? 4000 : size <= 65'536 ? 1000 : 100);
        latency.add(name, size, result.time);
        cpu.add(name, size, result.cpu);
    };
    bench::gigi_line ours;
    for (int round = 0; round < chosen.rounds; ++round) {
        for (std::size_t size = 64; size <= 1 << 20; size *= size == 64 ? 16 : 4) {
            bench::tcp_line tcp;
            bench::tls_line tls;
            measure("TCP", tcp, size);
            measure("TLS 1.3", tls, size);
            measure("gigi", ours, size);
        }
    }
}

void by_streams(settings const &chosen) {
    chart rate{"bulk by number of streams", "MiB/s"};
    bench::gigi_line ours;
    for (int round = 0; round < chosen.rounds; ++round) {
        for (std::size_t streams = 1; streams <= 32; streams *= 2) {
            bench::tcp_line tcp;
            bench::tls_line tls;
            std::size_t const mib = 512 / streams;
            rate.add("TCP", streams, bench::bulk(tcp, streams, mib).rate);
            rate.add("TLS 1.3", streams, bench::bulk(tls, streams, mib).rate);
            rate.add("gigi", streams, bench::bulk(ours, streams, mib).rate);
        }
    }
}

/// @param others made before there were threads
void by_connections(settings const &chosen, bench::crowd<bench::crowd_node> &others) {
    chart dial{"dial to identified by connections held", "us"}, message{"direct message by connections held", "us"},
        cpu{"processor time of a direct message by connections held", "us"};
    person hub{"hub"}, other{"other"};
    for (std::size_t const held : {0, 100, 250, 500, 1000}) {
        others.grow_to(held, hub.address());
        std::this_thread::sleep_for(std::chrono::seconds{3}); // who has just come is still being identified
        for (int round = 0; round < chosen.rounds; ++round) {
            dial.add("gigi", held, bench::median(hub.meet(other, 40)));
            hub.dial(other);
            constexpr int count = 2000;
            double const before = bench::cpu_time();
            message.add("gigi", held, bench::median(hub.send(other, count)));
            cpu.add("gigi", held, (bench::cpu_time() - before) * 1e6 / count);
            hub.part(other);
        }
    }
}

void by_members(settings const &chosen) {
    chart latency{"group message by members", "us"}, cpu{"processor time of a group message by members", "us"};
    for (std::size_t const members : {3, 5, 10, 20, 30}) {
        bench::group all{members};
        for (int round = 0; round < chosen.rounds; ++round) {
            auto const result = all.speak(50);
            latency.add("median", members, bench::median(result.times));
            latency.add("99 %", members, bench::quantile(result.times, 0.99));
            cpu.add("a delivery", members, result.cpu);
        }
    }
}

void by_file(settings const &chosen, bench::scratch const &scratch) {
    chart rate{"download by size of the file", "MiB/s"};
    person alice{"alice", scratch / "out"}, bob{"bob"};
    alice.dial(bob);
    for (std::size_t const mib : {1, 16, 64, 256, 1024}) {
        if (mib > chosen.file_mib) break;
        fs::path const file = scratch / "file.bin", copy = scratch / "copy.bin";
        bench::make_file(file, mib, mib);
        auto const code = bob.share(file);
        for (int round = 0; round < chosen.rounds; ++round) {
            ::sync();
            double here = 0;
            fs::remove(alice.fetch(code, here).path);
            rate.add("gigi", mib, here);
            rate.add("cp and sync", mib, bench::copy("cp " + file.string() + " " + copy.string(), file, copy, mib).rate);
        }
    }
}

void by_sources(settings const &chosen, bench::scratch const &scratch) {
    chart rate{"download by number of sources", "MiB/s"};
    std::size_t const mib = std::min<std::size_t>(chosen.file_mib, 512);
    fs::path const file = scratch / "file.bin";
    bench::make_file(file, mib);
    person alice{"alice", scratch / "out"};
    std::list<person> sources;
    std::string code;
    for (std::size_t const wanted : {1, 2, 4}) {
        while (sources.size() < wanted) {
            auto &one = sources.emplace_back("source" + std::to_string(sources.size()));
            code = one.share(file);
            alice.dial(one);
        }
        for (int round = 0; round < chosen.rounds; ++round) {
            ::sync();
            double here = 0;
            fs::remove(alice.fetch(code, here).path);
            rate.add("gigi", wanted, here);
        }
    }
}

} // namespace

int main(int argc, char **argv) {
    settings chosen;
    std::set<std::string> wanted;
    bool pinned = false;
    for (int i = 1; i < argc; ++i) {
        if (!std::strcmp(argv[i], "--pin"))
            pinned = true;
        else if (!std::strcmp(argv[i], "--rounds") && i + 1 < argc)
            chosen.rounds = std::atoi(argv[++i]);
        else if (!std::strcmp(argv[i], "--file-mib") && i + 1 < argc)
            chosen.file_mib = std::strtoul(argv[++i], nullptr, 10);
        else if (!std::strcmp(argv[i], "--folder") && i + 1 < argc)
            chosen.folder = argv[++i];
        else
            wanted.insert(argv[i]);
    }
    bench::allow_files();
    std::optional<bench::crowd<bench::crowd_node>> others;
    if (wanted.contains("connections")) others.emplace();
    if (pinned) bench::pin();
    bench::scratch const scratch{chosen.folder};
    if (wanted.contains("size")) by_size(chosen);
    if (wanted.contains("streams")) by_streams(chosen);
    if (others) by_connections(chosen, *others);
    if (wanted.contains("members")) by_members(chosen);
    if (wanted.contains("file")) by_file(chosen, scratch);
    if (wanted.contains("sources")) by_sources(chosen, scratch);
}
