// A node with a thread of its own, on loopback, and what people do with it.
#pragma once

#include "bench.hpp"

#include <gigi/node.hpp>

#include <filesystem>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace bench {

/// Options of a node that is found by address only, by as many as there are.
inline gigi::node_options on_loopback(std::string nickname) {
    gigi::node_options o;
    o.mdns = false;
    o.listen.assign(1, "/ip4/127.0.0.1/tcp/0");
    o.nickname = std::move(nickname);
    o.max_connections = o.max_connections_per_address = 100'000; // all of them come from one address here
    return o;
}

class person {
  public:
    explicit person(std::string nickname, std::filesystem::path output = "downloads") : self{thread.io.get_executor(), options(std::move(nickname), std::move(output))} {
        thread.run(start());
    }
    ~person() { thread.run(stop()); }

    worker thread;
    gigi::node self;

    std::string address() const { return self.addresses().front().to_string(); }
    void dial(person const &other) { thread.run(dial_address(other.address())); }
    void part(person const &from) { thread.run(disconnect(from.self.id())); }

    /// From the dial to the event that says who it is, in microseconds; `count` times.
    std::vector<double> meet(person const &other, int count) {
        std::vector<double> times;
        for (int i = 0; i < count; ++i) {
            times.push_back(thread.run(dial_and_know(other.address(), other.self.id())));
            part(other);
        }
        return times;
    }
    /// How long each of so many acknowledged messages of 64 bytes takes, one after the other, in microseconds.
    std::vector<double> send(person const &to, int count) { return thread.run(messages(to.self.id(), count)); }

    std::string share(std::filesystem::path const &file) { return thread.run(share_file(file)); }
    /// Downloads from everyone who has it. @return the path; `rate` in MiB/s
    gigi::download_result fetch(std::string const &code, double &rate) { return thread.run(download(code, rate)); }

    // The same as coroutines, for what happens at the same time

    gigi::awaitable<gigi::download_result> download(std::string code, double &rate) {
        auto const begin = clock::now();
        gigi::download_result result = co_await self.download(code);
        rate = static_cast<double>(result.size) / (1 << 20) / since(begin);
        co_return result;
    }
    /// Messages of 64 bytes, a few milliseconds apart, while `going`.
    gigi::awaitable<std::vector<double>> messages_while(gigi::peer_id to, std::atomic<bool> const &going) {
        std::string const text(64, 'm');
        std::vector<double> times;
        gigi::timer pause{co_await asio::this_coro::executor};
        while (going) {
            auto const begin = clock::now();
            co_await self.send(to, text);
            times.push_back(since(begin) * 1e6);
            co_await pause.wait_for(std::chrono::milliseconds{5});
        }
        co_return times;
    }

  private:
    static gigi::node_options options(std::string nickname, std::filesystem::path output) {
        auto o = on_loopback(std::move(nickname));
        o.output_directory = std::move(output);
        return o;
    }
    gigi::awaitable<void> start() { co_await self.start(); }
    gigi::awaitable<void> stop() { co_await self.stop(); }
    gigi::awaitable<void> dial_address(std::string to) { co_await self.dial(to); }
    gigi::awaitable<void> disconnect(gigi::peer_id from) { co_await self.disconnect(from); }
    gigi::awaitable<double> dial_and_know(std::string to, gigi::peer_id peer) {
        auto events = self.subscribe();
        auto const begin = clock::now();
        co_await self.dial(to);
        for (;;) {
            gigi::event const e = co_await events.next();
            auto const *const here = std::get_if<gigi::event::peer_identified>(&e);
            if (here && here->peer == peer) co_return since(begin) * 1e6;
        }
    }
    gigi::awaitable<std::vector<double>> messages(gigi::peer_id to, int count) {
        std::string const text(64, 'm');
        std::vector<double> times;
        for (int i = 0; i < count; ++i) {
            auto const begin = clock::now();
            co_await self.send(to, text);
            times.push_back(since(begin) * 1e6);
        }
        co_return times;
    }
    gigi::awaitable<std::string> share_file(std::filesystem::path file) { return self.share(file); }
};

} // namespace bench
