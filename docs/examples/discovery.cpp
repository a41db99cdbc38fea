// docs/examples/discovery.cpp: docs/discovery.md's program for multicast DNS alone: two hosts and their packets, without a socket.
#include "expect.hpp"

// [include]
#include <gigi/discovery/mdns_core.hpp>
#include <gigi/peer/identity.hpp>
// [include]

#include <string>
#include <variant>
#include <vector>

using namespace std::chrono_literals;

// [host]
struct host {
    host(gigi::random_source &random, gigi::dns_ipv4 ip, std::string nickname)
        : self{gigi::identity::generate(random)}, core{self.id(), gigi::mdns_options(), random} {
        std::ranges::copy(ip, from.host.begin() + 12);
        from.host[10] = from.host[11] = 0xff; // ::ffff:192.0.2.7
        from.port = 5353;
        core.set_nickname(now, std::move(nickname));
        gigi::mdns_link wire;
        wire.ipv4.push_back(ip);
        wire.addresses.push_back(gigi::multiaddr::tcp(ip, 4001).with_peer(self.id()));
        core.set_link(now, wire);
    }

    gigi::identity self;
    gigi::time_point now{1h};
    gigi::mdns_endpoint from;
    gigi::mdns_core core;
};
// [host]

int main() {
    // [exchange]
    gigi::seeded_random random{1};
    host alice{random, {192, 0, 2, 7}, "alice"}, bob{random, {192, 0, 2, 8}, "bob"};
    std::vector<gigi::discovered_peer> seen; // by bob

    auto const carry = [&](host &sender, host &receiver) {
        for (auto const &datagram : std::exchange(sender.core.datagrams(), {}))
            receiver.core.receive(receiver.now, 0, sender.from, datagram.data);
    };
    for (int step = 0; step < 30; ++step) { // three seconds
        for (auto *const h : {&alice, &bob}) {
            h->now += 100ms;
            h->core.tick(h->now);
        }
        carry(alice, bob);
        carry(bob, alice);
        for (auto const &event : std::exchange(bob.core.events(), {}))
            if (auto const *const found = std::get_if<gigi::mdns_found>(&event)) seen.push_back(found->peer);
    }
    expect(seen.size() == 1 && seen[0].peer == alice.self.id() && seen[0].nickname == "alice", "bob has found alice");
    expect(seen[0].addresses[0].to_string() == "/ip4/192.0.2.7/tcp/4001/p2p/" + alice.self.id().to_string(), "and where she is");
    // [exchange]

    // [message]
    gigi::dns_message question;
    question.questions.push_back({gigi::dns_name::from_text("_p2p._udp.local").value(), gigi::dns_type::ptr, false});
    gigi::bytes packet = question.build().value();
    expect(gigi::dns_message::parse(packet)->questions.size() == 1, "there and back");

    packet[12] = 0xc0; // a name that points at itself
    packet[13] = 12;
    expect(gigi::dns_message::parse(packet).error() == gigi::errc::protocol_violation, "is not followed");
    // [message]
    return 0;
}
