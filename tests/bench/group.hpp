// A group of nodes in which one speaks.
#pragma once

#include "person.hpp"

#include <asio/use_future.hpp>

#include <list>

namespace bench {

struct group_result {
    std::vector<double> times; ///< from the publishing of each message to the last of the others having its event, in microseconds
    double cpu = 0;            ///< of all nodes, in microseconds a delivery
};

/// Nodes that all know each other, as multicast DNS would have it, in one group.
class group {
  public:
    explicit group(std::size_t members) {
        for (std::size_t i = 0; i < members; ++i) all_.emplace_back("p" + std::to_string(i));
        for (auto i = all_.begin(); i != all_.end(); ++i)
            for (auto j = std::next(i); j != all_.end(); ++j) i->dial(*j);
        for (auto &p : all_) p.thread.run(join(p.self));
        for (auto &p : all_) p.thread.run(until_members(p.self, members - 1));
        std::this_thread::sleep_for(std::chrono::seconds{2}); // the mesh forms
    }

    /// The first one says something 50 times a second.
    group_result speak(int count) {
        auto &first = all_.front();
        std::vector<clock::time_point> sent;
        std::list<std::vector<clock::time_point>> received;
        std::list<gigi::event_reader> readers;
        std::vector<std::future<void>> ends;
        for (auto &p : all_) {
            if (&p == &first) continue;
            auto &reader = readers.emplace_back(p.self.subscribe());
            ends.push_back(asio::co_spawn(p.thread.io, hear(reader, count, received.emplace_back()), asio::use_future));
        }
        group_result result;
        double const before = cpu_time();
        first.thread.run(publish(first.self, count, sent));
        for (auto &end : ends) end.get();
        result.cpu = (cpu_time() - before) * 1e6 / static_cast<double>(static_cast<std::size_t>(count) * received.size());
        for (std::size_t i = 0; i < sent.size(); ++i) {
            auto last = sent[i];
            for (auto const &one : received) last = std::max(last, one[i]);
            result.times.push_back(std::chrono::duration<double>{last - sent[i]}.count() * 1e6);
        }
        return result;
    }

  private:
    static gigi::awaitable<void> join(gigi::node &n) { co_await n.join("bench"); }
    static gigi::awaitable<void> until_members(gigi::node &n, std::size_t wanted) {
        gigi::timer pause{co_await asio::this_coro::executor};
        while (n.groups().empty() || n.groups().front().members.size() < wanted) co_await pause.wait_for(std::chrono::milliseconds{50});
    }
    static gigi::awaitable<void> hear(gigi::event_reader &events, int count, std::vector<clock::time_point> &when) {
        while (static_cast<int>(when.size()) < count) {
            gigi::event const e = co_await events.next();
            if (std::holds_alternative<gigi::event::group_message>(e)) when.push_back(clock::now());
        }
    }
    static gigi::awaitable<void> publish(gigi::node &n, int count, std::vector<clock::time_point> &when) {
        gigi::timer pause{co_await asio::this_coro::executor};
        for (int i = 0; i < count; ++i) {
            when.push_back(clock::now());
            n.publish("bench", "message " + std::to_string(i));
            co_await pause.wait_for(std::chrono::milliseconds{20});
        }
    }

    std::list<person> all_;
};

} // namespace bench
