// A gigi node for the tests with other libp2p implementations: the same commands and answers as peer.mjs, on the layers below
// gigi::node: swarm, identify, ping, gossip.
#include <gigi/core/json.hpp>
#include <gigi/core/task_group.hpp>
#include <gigi/crypto/hash.hpp>
#include <gigi/crypto/random.hpp>
#include <gigi/gossip/gossip.hpp>
#include <gigi/link/swarm.hpp>
#include <gigi/link/upgrade.hpp>
#include <gigi/mux/yamux.hpp>
#include <gigi/peer/peer_record.hpp>
#include <gigi/protocol/identify.hpp>
#include <gigi/protocol/ping.hpp>
#include <gigi/security/noise.hpp>
#include <gigi/transport/tcp.hpp>

#include <iostream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

using namespace gigi;

namespace {

struct stack {
    using transport = tcp_transport;
    template <class Raw> using secure = noise<Raw>;
    template <class Channel> using muxer = yamux<Channel>;
};

void say(json_object const &what) { std::cout << what.text() << std::endl; }

std::string hash_of(bytes_view data) { return to_hex(sha256(data)); }

/// Reads to the end of a stream.
awaitable<bytes> read_all(stream &from) {
    bytes all;
    bytes buffer(64 << 10);
    for (;;) {
        mutable_bytes const room{buffer};
        std::size_t const n = co_await from.read_some(room);
        if (n == 0) break;
        append(all, bytes_view{buffer}.first(n));
    }
    co_return all;
}

awaitable<void> write_and_close(stream &to, bytes_view data) {
    co_await to.write(data);
    to.close_write();
}

class peer {
  public:
    explicit peer(asio::io_context &io)
        : executor_{io.get_executor()}, self_{identity::generate()}, swarm_{executor_, self_, limits(), [](peer_id const &) { return std::vector<multiaddr>(); }},
          identify_{swarm_, "gigi-test", [this] { return swarm_.listen_addresses(); },
                    [](peer_id const &from, identify_message const &m) {
                        json_object o;
                        o.add("event", "identified").add("peer", from.to_string()).add("agent", m.agent).add("protocols", m.protocols);
                        auto const record = open_peer_record(m.signed_record);
                        o.add("signed", record && record->peer == from);
                        say(o);
                    }},
          gossip_{swarm_, gossip_options{}, callbacks(), random_}, tasks_{executor_} {
        swarm_.add(std::make_unique<stack_connector<stack>>(tcp_transport{executor_}, self_));
        ping::serve(swarm_);
        swarm_.handle("/echo/1.0.0", [](gigi::stream s) { return echo(std::move(s)); });
        swarm_.handle("/sink/1.0.0", [](gigi::stream s) { return sink(std::move(s)); });
        swarm_.handle("/source/1.0.0", [](gigi::stream s) { return source(std::move(s)); });
        swarm_.handle("/reset/1.0.0", [](gigi::stream s) { return reset(std::move(s)); });
        swarm_observer o;
        o.connected = [this](connection_info const &info) {
            json_object line;
            line.add("event", "connected").add("peer", info.peer.to_string());
            say(line);
            tasks_.spawn(ask(info.peer));
        };
        o.disconnected = [](peer_id const &who, std::error_code why) {
            json_object line;
            line.add("event", "disconnected").add("peer", who.to_string()).add("why", why.message());
            say(line);
        };
        observing_ = swarm_.observe(std::move(o));
    }

    void start() {
        swarm_.start();
        gossip_.start();
        auto const address = swarm_.listen(multiaddr::parse("/ip4/127.0.0.1/tcp/0").value()).with_peer(self_.id());
        json_object line;
        line.add("event", "listening").add("peer", self_.id().to_string()).add("addresses", std::vector{address.to_string()});
        say(line);
    }

    void command(std::string line) { tasks_.spawn(run(std::move(line))); }

    awaitable<void> stop() {
        co_await gossip_.stop();
        co_await identify_.stop();
        co_await swarm_.stop();
        tasks_.cancel();
        co_await tasks_.join();
    }

  private:
    static swarm_options limits() {
        swarm_options o;
        o.max_streams_per_protocol = 256;
        return o;
    }

    gossip_callbacks callbacks() {
        gossip_callbacks c;
        c.on_message = [](received_message const &m) {
            json_object line;
            line.add("event", "message").add("topic", m.topic).add("from", m.author.to_string()).add("text", as_text(m.data)).add("signed", true);
            say(line);
        };
        return c;
    }

    awaitable<void> ask(peer_id who) {
        try {
            co_await identify_.ask(who);
        } catch (std::system_error const &e) {
            json_object line;
            line.add("event", "unidentified").add("peer", who.to_string()).add("why", e.what());
            say(line);
        }
    }

    static awaitable<void> echo(gigi::stream s) {
        bytes buffer(64 << 10);
        for (;;) {
            mutable_bytes const room{buffer};
            std::size_t const n = co_await s.read_some(room);
            if (n == 0) break;
            bytes_view const back = bytes_view{buffer}.first(n);
            co_await s.write(back);
        }
        s.close_write();
    }
    static awaitable<void> sink(gigi::stream s) {
        bytes const got = co_await read_all(s);
        std::string const answer = "{\"size\":" + std::to_string(got.size()) + ",\"sha256\":\"" + hash_of(got) + "\"}";
        bytes_view const out = as_bytes(answer);
        co_await write_and_close(s, out);
    }
    static awaitable<void> source(gigi::stream s) {
        bytes const asked = co_await read_all(s);
        bytes data(std::stoul(to_text(asked)));
        seeded_random{data.size()}.fill(data);
        json_object line;
        line.add("event", "sourced").add("sha256", hash_of(data));
        say(line);
        bytes_view const out{data};
        co_await write_and_close(s, out);
    }
    static awaitable<void> reset(gigi::stream s) {
        bytes buffer(16);
        mutable_bytes const room{buffer};
        co_await s.read_some(room);
        s.reset();
    }

    awaitable<gigi::stream> open(peer_id who, std::string protocol) {
        std::vector<std::string> protocols;
        protocols.push_back(std::move(protocol));
        gigi::stream s = co_await swarm_.open_stream(who, std::move(protocols));
        s.expires_after(executor_, std::chrono::seconds{120});
        co_return s;
    }

    awaitable<bool> echo_to(peer_id who, std::size_t size) {
        bytes data(size);
        random_bytes(data);
        gigi::stream s = co_await open(who, "/echo/1.0.0");
        task_group writing{executor_};
        writing.spawn(write_and_close(s, data));
        bytes const back = co_await read_all(s);
        co_await writing.join();
        co_return back == data;
    }
    awaitable<void> count_echo(peer_id who, int &same) {
        bool const one = co_await echo_to(who, 1000);
        same += one;
    }

    /// Carries out a command. @return members of the answer
    awaitable<void> carry_out(std::string name, std::vector<std::string> words, json_object &answer) {
        auto const word = [&words](std::size_t i) { return i < words.size() ? words[i] : std::string{}; };
        if (name == "dial") {
            peer_id const who = co_await swarm_.dial(multiaddr::parse(word(0)).value());
            answer.add("peer", who.to_string());
        } else if (name == "ping") {
            peer_id const who = peer_id::parse(word(0)).value();
            duration const time = co_await ping::measure(swarm_, who, std::chrono::seconds{10});
            answer.add("ms", static_cast<double>(time.count()) / 1e6);
        } else if (name == "echo") {
            peer_id const who = peer_id::parse(word(0)).value();
            bool const same = co_await echo_to(who, std::stoul(word(1)));
            answer.add("same", same);
        } else if (name == "many") {
            peer_id const who = peer_id::parse(word(0)).value();
            int same = 0;
            task_group all{executor_};
            for (int i = std::stoi(word(1)); i > 0; --i) all.spawn(count_echo(who, same));
            co_await all.join();
            answer.add("same", same);
        } else if (name == "sink") {
            bytes data(std::stoul(word(1)));
            random_bytes(data);
            gigi::stream s = co_await open(peer_id::parse(word(0)).value(), "/sink/1.0.0");
            bytes_view const out{data};
            co_await write_and_close(s, out);
            bytes const back = co_await read_all(s);
            answer.add("same", to_text(back).find(hash_of(data)) != std::string::npos);
        } else if (name == "source") {
            gigi::stream s = co_await open(peer_id::parse(word(0)).value(), "/source/1.0.0");
            bytes_view const out = as_bytes(words[1]);
            co_await write_and_close(s, out);
            bytes const got = co_await read_all(s);
            answer.add("size", got.size()).add("sha256", hash_of(got));
        } else if (name == "reset") {
            gigi::stream s = co_await open(peer_id::parse(word(0)).value(), "/reset/1.0.0");
            bytes const one(1);
            co_await s.write(one);
            std::error_code code;
            try {
                co_await read_all(s);
            } catch (std::system_error const &e) {
                code = e.code();
            }
            answer.add("reset", code == errc::reset);
        } else if (name == "unknown") {
            std::error_code code;
            try {
                gigi::stream s = co_await open(peer_id::parse(word(0)).value(), "/nobody/serves/this/1.0.0");
            } catch (std::system_error const &e) {
                code = e.code();
            }
            answer.add("refused", code == errc::unsupported_protocol);
        } else if (name == "subscribe") {
            gossip_.subscribe(word(0));
        } else if (name == "unsubscribe") {
            gossip_.unsubscribe(word(0));
        } else if (name == "publish") {
            std::string text;
            for (std::size_t i = 1; i < words.size(); ++i) text += (i > 1 ? " " : "") + words[i];
            gossip_.publish(word(0), as_bytes(text));
        } else if (name == "subscribers" || name == "mesh") {
            std::vector<std::string> all;
            for (auto const &who : name == "mesh" ? gossip_.mesh_peers(word(0)) : gossip_.peers(word(0))) all.push_back(who.to_string());
            answer.add("peers", all);
        } else if (name == "peers") {
            std::vector<std::string> all;
            for (auto const &who : swarm_.connected_peers()) all.push_back(who.to_string());
            answer.add("peers", all).add("connections", swarm_.connection_count());
        } else if (name == "hangup") {
            co_await swarm_.disconnect(peer_id::parse(word(0)).value());
        } else {
            throw error{errc::invalid_argument, name};
        }
    }

    awaitable<void> run(std::string line) {
        std::istringstream in{line};
        std::string name, w;
        std::vector<std::string> words;
        in >> name;
        while (in >> w) words.push_back(w);
        json_object answer;
        answer.add("command", name);
        json_object found;
        std::string failure;
        try {
            co_await carry_out(name, std::move(words), found);
        } catch (std::exception const &e) {
            failure = e.what();
        }
        if (failure.empty()) {
            found.add("command", name).add("ok", true);
            say(found);
        } else {
            answer.add("ok", false).add("error", failure);
            say(answer);
        }
    }

    any_io_executor executor_;
    identity self_;
    system_random random_;
    swarm swarm_;
    identify_service identify_;
    gossip gossip_;
    subscription_token observing_;
    task_group tasks_;
};

} // namespace

int main() {
    asio::io_context io{1};
    peer self{io};
    auto const work = asio::require(io.get_executor(), asio::execution::outstanding_work.tracked);
    self.start();
    std::thread reader{[&] {
        std::string line;
        while (std::getline(std::cin, line) && line != "stop")
            if (!line.empty()) asio::post(io, [&self, line] { self.command(line); });
        asio::post(io, [&] {
            asio::co_spawn(io, self.stop(), [&io](std::exception_ptr) { io.stop(); });
        });
    }};
    io.run();
    reader.join();
}
