// Whom the swarm lets begin a handshake, under any order of arrivals, ends of handshakes and closes: verdicts as plain counts have it;
// neither more handshakes than there may be nor more of one host; no host alone keeps others out; nothing is left in the end.
#include "fuzz.hpp"

#include <gigi/link/inbound_limits.hpp>

#include <array>
#include <map>

namespace inbound_limits_fuzz {

using namespace gigi;
using verdict = inbound_limits::verdict;

namespace {

/// Where somebody comes from: few hosts, and many addresses of each.
multiaddr arrival(fuzz::input &in) {
    std::array<std::uint8_t, 4> v4{192, 0, 2};
    std::array<std::uint8_t, 16> v6{};
    auto const how = in.byte();
    switch (how % 5) {
    case 0:
        v4[3] = in.byte();
        return multiaddr::tcp(v4, 1);
    case 1:
        v6[10] = v6[11] = 0xff;
        v6[12] = 192, v6[14] = 2, v6[15] = in.byte();
        return multiaddr::tcp(v6, 1);
    case 2:
        v6[0] = 0x20, v6[7] = how >> 4, v6[8] = v6[15] = in.byte();
        return multiaddr::tcp(v6, 1);
    case 3:
        v6[0] = 0xfe, v6[1] = static_cast<std::uint8_t>(0x70 + (how >> 4) * 6), v6[15] = in.byte(); // some of them link-local
        return multiaddr::tcp(v6, 1, how & 16 ? "eth0" : "");
    default: {
        auto const any = multiaddr::from_bytes(in.part());
        return any ? *any : multiaddr{};
    }
    }
}

/// What of an IP address makes the host: all of IPv4 and of what is link-local, the first half of other IPv6.
bytes part_that_counts(bytes_view ip) {
    static constexpr std::uint8_t mapped[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (ip.size() == 16 && equal(ip.first(12), mapped)) ip = ip.subspan(12);
    if (ip.size() == 16 && !(ip[0] == 0xfe && ip[1] >= 0x80 && ip[1] <= 0xbf)) ip = ip.first(8);
    return {ip.begin(), ip.end()};
}

class world {
  public:
    explicit world(swarm_options const &options)
        : per_host_{options.max_connections_per_address}, most_{options.max_pending_handshakes}, limits_{options} {}

    void step(fuzz::input &in) {
        auto const op = in.byte();
        switch (op % 4) {
        case 0: case 1: arrives(arrival(in)); break;
        case 2:
            if (!handshakes_.empty()) handshake_ends(in.below(handshakes_.size()), op & 4);
            break;
        default:
            if (!connections_.empty()) closes(in.below(connections_.size()));
        }
        check();
    }

    void finish(bool with_connections) {
        while (!handshakes_.empty()) handshake_ends(handshakes_.size() / 2, with_connections), check();
        while (!connections_.empty()) closes(connections_.size() / 2), check();
        FUZZ_CHECK(limits_.hosts() == 0);
    }

  private:
    struct counts {
        std::size_t handshakes = 0, connections = 0;
    };

    void arrives(multiaddr const &from) {
        auto const host = inbound_limits::host_of(from);
        if (auto const ip = from.ip(); !ip.empty()) {
            auto const counting = part_that_counts(ip);
            FUZZ_CHECK(names_.emplace(counting, host).first->second == host);
            FUZZ_CHECK(owners_.emplace(host, counting).first->second == counting);
        } else {
            FUZZ_CHECK(host == from.ip_text());
            if (host.find_first_not_of("0123456789.:abcdef/") == std::string::npos) return; // a DNS name like an address: nobody comes from there
        }
        auto const found = limits_.judge(host);
        FUZZ_CHECK(found == expected(counted(host)));
        if (found != verdict::welcome) return;
        limits_.begin_handshake(host);
        ++hosts_[host].handshakes;
        handshakes_.push_back(host);
    }

    /// As the swarm does it: the connection is there before the handshake is over.
    void handshake_ends(std::size_t i, bool connected) {
        auto const host = std::exchange(handshakes_[i], handshakes_.back());
        handshakes_.pop_back();
        if (connected) {
            limits_.add_connection(host);
            ++hosts_[host].connections;
            connections_.push_back(host);
        }
        limits_.end_handshake(host);
        --hosts_[host].handshakes;
        forget(host);
    }

    void closes(std::size_t i) {
        auto const host = std::exchange(connections_[i], connections_.back());
        connections_.pop_back();
        limits_.remove_connection(host);
        --hosts_[host].connections;
        forget(host);
    }

    void forget(std::string const &host) {
        if (auto const found = hosts_.find(host); found->second.handshakes + found->second.connections == 0) hosts_.erase(found);
    }

    counts counted(std::string const &host) const {
        auto const found = hosts_.find(host);
        return found == hosts_.end() ? counts{} : found->second;
    }

    verdict expected(counts const &here) const {
        if (here.handshakes + here.connections >= per_host_) return verdict::host_has_enough;
        auto const for_newcomers = most_ / 8;
        return handshakes_.size() + (here.handshakes > 0 ? for_newcomers : 0) >= most_ ? verdict::full : verdict::welcome;
    }

    void check() const {
        FUZZ_CHECK(limits_.hosts() == hosts_.size() && handshakes_.size() <= most_);
        std::size_t with_handshakes = 0;
        for (auto const &[host, here] : hosts_) {
            FUZZ_CHECK(here.handshakes + here.connections <= per_host_);
            FUZZ_CHECK(here.handshakes <= std::max<std::size_t>(1, most_ - most_ / 8));
            FUZZ_CHECK(limits_.judge(host) == expected(here));
            with_handshakes += here.handshakes > 0;
        }
        std::string const stranger = "198.51.100.1";
        FUZZ_CHECK(hosts_.contains(stranger) || limits_.judge(stranger) == expected({}));
        if (with_handshakes == 1 && most_ >= 8 && per_host_ > 0 && !hosts_.contains(stranger)) FUZZ_CHECK(limits_.judge(stranger) == verdict::welcome);
    }

    std::size_t per_host_, most_;
    inbound_limits limits_;
    std::map<std::string, counts> hosts_;
    std::vector<std::string> handshakes_, connections_; // their hosts
    std::map<bytes, std::string> names_;
    std::map<std::string, bytes> owners_;
};

} // namespace

FUZZ_TARGET(inbound_limits) {
    fuzz::input in{data};
    swarm_options options;
    options.max_connections_per_address = in.below(20);
    options.max_pending_handshakes = in.below(40);
    world w{options};
    bool const with_connections = in.flag();
    for (std::size_t steps = 0; !in.empty() && steps < 1000; ++steps) w.step(in);
    w.finish(with_connections);
}

FUZZ_SEEDS {
    fuzz::inputs all;
    for (std::size_t const most : {1u, 7u, 16u, 39u}) {
        fuzz::script s;
        s.byte(10).byte(most).byte(most & 1);
        for (std::size_t i = 0; i < 60; ++i) {
            s.byte(0).byte(i % 4 | (i * 7 & 0xf0)).byte(i / 15);
            if (i % 3 == 2) s.byte(2 | (i & 4)).byte(i * 5);
            if (i % 5 == 4) s.byte(3).byte(i * 3);
        }
        for (auto const *text : {"/ip4/127.0.0.1/tcp/1", "/ip6zone/eth0/ip6/fe80::2/tcp/1", "/ip6/::1/tcp/1/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N",
                                 "/dns4/example.com/tcp/1", "/ip6/fec0::2/udp/1"})
            s.byte(1).byte(4).part(multiaddr::parse(text).value().bytes());
        all.push_back(s);
    }
    return all;
}

} // namespace inbound_limits_fuzz
