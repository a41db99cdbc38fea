// What a link costs beside what it stands on and what others build: the same round trips and the same bulk streams over plain
// TCP, over TLS 1.3 with ChaCha20-Poly1305 (Asio and OpenSSL), and over gigi (Noise, yamux), side by side in one run.
//
//   link_bench [--pin] [--rounds N] [--mib N]
//
// Build Release; look at the ratios. Both ends are threads of this process.
#include "gigi_line.hpp"
#include "tcp_line.hpp"
#include "tls_line.hpp"

#include <cstdlib>
#include <cstring>

namespace {

/// A kind of line and its figures, of all rounds.
struct kind {
    explicit kind(char const *name_) : name{name_} {}
    char const *name;
    std::vector<double> trip, trip_cpu, one, one_cpu, eight;

    template <bench::Line L> void measure(L &line, int trips, std::size_t mib) {
        auto const small = bench::round_trips(line, 64, trips);
        trip.push_back(small.time);
        trip_cpu.push_back(small.cpu);
        auto const alone = bench::bulk(line, 1, mib);
        one.push_back(alone.rate);
        one_cpu.push_back(alone.cpu);
        eight.push_back(bench::bulk(line, 8, mib / 8).rate);
    }
};

} // namespace

int main(int argc, char **argv) {
    int rounds = 5;
    std::size_t mib = 1024;
    std::string where = "free";
    for (int i = 1; i < argc; ++i) {
        if (!std::strcmp(argv[i], "--pin")) bench::pin(), where = "pinned";
        if (!std::strcmp(argv[i], "--rounds") && i + 1 < argc) rounds = std::atoi(argv[++i]);
        if (!std::strcmp(argv[i], "--mib") && i + 1 < argc) mib = std::strtoul(argv[++i], nullptr, 10);
    }
    constexpr int trips = 20'000;
    kind tcp{"TCP"}, tls{"TLS 1.3"}, gigi{"gigi stream"};
    std::vector<double> request, request_cpu;
    bench::gigi_line ours;
    for (int round = 0; round < rounds; ++round) { // side by side, so that the machine's moods meet all of them
        {
            bench::tcp_line line;
            tcp.measure(line, trips, mib);
        }
        {
            bench::tls_line line;
            tls.measure(line, trips, mib);
        }
        gigi.measure(ours, trips, mib);
        auto const asked = ours.requests(64, trips);
        request.push_back(asked.time);
        request_cpu.push_back(asked.cpu);
    }
    auto const row = [&where](std::string const &what, std::vector<double> const &all, char const *unit) { bench::row(where, what, bench::median(all), unit); };
    for (auto const *k : {&tcp, &tls, &gigi}) {
        std::string const name{k->name};
        row("64 B round trip, " + name, k->trip, "us");
        row("processor time of a 64 B round trip, " + name, k->trip_cpu, "us");
        row("one bulk stream, " + name, k->one, "MiB/s");
        row("processor time of a MiB in bulk, " + name, k->one_cpu, "us");
        row("eight bulk streams, " + name, k->eight, "MiB/s");
    }
    row("64 B request and response, gigi", request, "us");
    row("processor time of a 64 B request and response, gigi", request_cpu, "us");
}
