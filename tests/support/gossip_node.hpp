// tests/support/gossip_node.hpp: nodes with gossip only, and scripted peers, over the whole stack and a network in memory.
#pragma once

#include <gigi/codec/framed.hpp>
#include <gigi/gossip/gossip.hpp>
#include <gigi/gossip/rpc.hpp>
#include <gigi/mux/yamux.hpp>
#include <gigi/security/noise.hpp>
#include <gigi/testing/simulation.hpp>
#include <gigi/transport/memory.hpp>

#include <exception>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace gigi::test {

struct memory_stack {
    using transport = memory_transport;
    template <class Raw> using secure = noise<Raw>;
    template <class Channel> using muxer = yamux<Channel>;
};

/// A host with a swarm.
struct host {
    host(any_io_executor const &executor, memory_network &network, int number, swarm_options const &links = {})
        : ip{"10.0." + std::to_string(number / 250) + "." + std::to_string(number % 250 + 1)}, self{identity::from_seed(seed(number))},
          net{executor, self, links, [this](peer_id const &peer) { return known[peer]; }} {
        net.add(std::make_unique<stack_connector<memory_stack>>(memory_transport{network, ip}, self));
        net.start();
        net.listen(address());
    }
    static ed25519_seed seed(int number) {
        ed25519_seed s{};
        s[0] = static_cast<std::uint8_t>(number);
        s[1] = static_cast<std::uint8_t>(number >> 8);
        return s;
    }
    multiaddr address() const { return multiaddr::parse("/ip4/" + ip + "/tcp/4001").value(); }
    peer_id const &id() const { return self.id(); }
    awaitable<void> connect(host &other) {
        known[other.id()] = {other.address()};
        co_await net.connect(other.id());
    }

    std::string ip;
    identity self;
    std::map<peer_id, std::vector<multiaddr>> known;
    swarm net;
};

/// A node with gossip.
struct gossip_node : host {
    struct message {
        peer_id author, forwarder;
        std::string topic, text;
        std::uint64_t seqno = 0;
        message_id id;
    };

    gossip_node(any_io_executor const &executor, memory_network &network, int number, gossip_options const &options = {}, swarm_options const &links = {})
        : host{executor, network, number, links}, random{static_cast<std::uint64_t>(number) + 1}, chat{net, options, callbacks(), random} {}

    gossip_callbacks callbacks() {
        gossip_callbacks c;
        c.on_message = [this](received_message const &m) {
            got.push_back({m.author, m.forwarder, std::string{m.topic}, to_text(m.data), m.seqno, m.id});
            if (on_message) on_message(got.back());
        };
        c.on_peer_joined = [this](std::string const &, peer_id const &peer) { joined.push_back(peer); };
        c.on_peer_left = [this](std::string const &, peer_id const &peer) { left.push_back(peer); };
        c.validate = [this](peer_id const &, peer_id const &, gossip_message const &) { return verdict; };
        return c;
    }
    message_id publish(std::string const &topic, std::string_view text) { return chat.publish(topic, as_bytes(text)); }
    std::vector<std::string> texts() const {
        std::vector<std::string> all;
        for (auto const &m : got) all.push_back(m.text);
        return all;
    }
    awaitable<void> stop() {
        co_await chat.stop();
        co_await net.stop();
    }

    seeded_random random;
    std::vector<message> got;
    std::vector<peer_id> joined, left;
    std::function<void(message const &)> on_message;
    validity verdict = validity::accept;
    gossip chat;
};

/// A peer whose gossip a test speaks by hand.
struct scripted_peer : host {
    scripted_peer(any_io_executor const &executor, memory_network &network, int number, std::string speaks = "/meshsub/1.2.0")
        : host{executor, network, number}, protocol{std::move(speaks)} {
        if (!protocol.empty())
            net.handle(protocol, [this](stream incoming) { return listen(std::move(incoming)); });
    }
    awaitable<void> listen(stream incoming) {
        ++streams;
        auto const in = std::make_shared<framed<stream, bytes_codec>>(std::move(incoming));
        last = in;
        while (reading) {
            bytes const frame = co_await in->read_bytes(std::size_t{4} << 20);
            auto const parsed = parse_rpc(frame);
            heard.push_back(parsed.value());
        }
        timer forever{net.get_executor()};
        co_await forever.wait_for(std::chrono::hours{24}); // holds the stream, and does not read it
    }
    awaitable<void> open(host &to) {
        std::vector<std::string> offer{protocol};
        stream opened = co_await net.open_stream(to.id(), std::move(offer));
        out = std::make_unique<stream>(std::move(opened));
    }
    awaitable<void> say(rpc const &what) {
        bytes frame;
        append_frame_of(frame, [&what](bytes &to) { encode(what, to); });
        co_await out->write(frame);
    }
    awaitable<void> say_bytes(bytes_view body) {
        bytes frame;
        append_frame(frame, body);
        co_await out->write(frame);
    }
    std::size_t messages_heard() const {
        std::size_t n = 0;
        for (auto const &r : heard) n += r.messages.size();
        return n;
    }
    gossip_message sign(std::string topic, std::string_view text, std::uint64_t seqno) const {
        return sign_message(self, std::move(topic), to_bytes(text), seqno);
    }

    std::string protocol;
    bool reading = true;
    int streams = 0;
    std::vector<rpc> heard;
    std::weak_ptr<framed<stream, bytes_codec>> last;
    std::unique_ptr<stream> out;
};

/// A simulated network of such hosts.
struct gossip_world {
    explicit gossip_world(std::uint64_t seed = 1, memory_network_options const &options = {})
        : sim{seed}, network{sim.get_executor(), sim.random(), options} {}
    ~gossip_world() {
        if (std::uncaught_exceptions() == 0) return; // a failed test shall say why, not abort
        try {
            stop();
        } catch (...) {
        }
    }

    gossip_node &add(gossip_options const &options = {}, swarm_options const &links = {}) {
        auto &n = *nodes.emplace_back(std::make_unique<gossip_node>(sim.get_executor(), network, next_++, options, links));
        n.chat.start();
        return n;
    }
    scripted_peer &add_scripted(std::string protocol = "/meshsub/1.2.0") {
        return *scripted.emplace_back(std::make_unique<scripted_peer>(sim.get_executor(), network, next_++, std::move(protocol)));
    }
    void connect(host &a, host &b) {
        sim.run(a.connect(b));
        sim.run_for(std::chrono::milliseconds{10}); // until `b` knows it too
    }
    void run_for(duration span) { sim.run_for(span); }
    void stop() { sim.run(stop_all()); }
    awaitable<void> stop_all() {
        for (auto &s : scripted) {
            s->out.reset();
            co_await s->net.stop();
        }
        for (auto &n : nodes) co_await n->stop();
    }

    testing::simulation sim;
    memory_network network;
    std::vector<std::unique_ptr<gossip_node>> nodes;
    std::vector<std::unique_ptr<scripted_peer>> scripted;

  private:
    int next_ = 0;
};

inline rpc rpc_of(gossip_message m) {
    rpc r;
    r.messages.push_back(std::make_shared<gossip_message const>(std::move(m)));
    return r;
}
inline rpc subscription_to(std::string topic, bool on = true) {
    rpc r;
    r.subscriptions.push_back({on, std::move(topic)});
    return r;
}
/// Shows that the peer names messages as the specification does.
inline rpc word_of(host const &peer) {
    rpc r;
    r.idontwant.push_back(to_bytes(peer.id().data()));
    append_be(r.idontwant.back(), std::uint64_t{0});
    return r;
}

} // namespace gigi::test
