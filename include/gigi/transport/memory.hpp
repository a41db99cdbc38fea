// gigi/transport/memory.hpp: a network inside one process, for tests and simulations.
//
// Layer: transport. Addresses are those of TCP (/ip4/10.0.0.1/tcp/4001), so that nothing above can tell. The network has latency,
// takes writes apart, loses connections and separates hosts, all from one seed and on the context's clock.
#pragma once

#include "../core/asio.hpp"
#include "../core/bytes.hpp"
#include "../core/channel.hpp"
#include "../core/clock.hpp"
#include "../core/condition.hpp"
#include "../core/error.hpp"
#include "../crypto/random.hpp"
#include "transport.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

/// How a memory network behaves.
struct memory_network_options {
    duration latency = std::chrono::milliseconds{1};  ///< one way
    duration jitter{};                                ///< added to it, up to so much; the order of a connection's bytes stays
    std::size_t largest_piece = std::size_t{64} << 10; ///< bytes that arrive together at most
    bool split = false;                               ///< pieces of random sizes, down to single bytes
    std::size_t window = std::size_t{256} << 10;      ///< bytes under way in one direction; then writers wait
    std::uint64_t bandwidth = 0;                      ///< of each direction of a connection, in bytes a second; 0: no limit
};

class memory_network;

namespace detail {

/// One direction of a connection.
struct memory_pipe {
    explicit memory_pipe(any_io_executor const &executor) : arrived{executor}, room{executor}, delivery{executor} {}

    struct piece {
        time_point due;
        bytes data; ///< empty: the end
    };
    std::deque<piece> under_way;
    bytes ready;
    std::size_t taken = 0; ///< of `ready`
    std::size_t held = 0;  ///< bytes written and not yet read
    bool closed = false;   ///< the writer has ended
    bool ended = false;    ///< … and the reader has seen it
    bool silent = false;   ///< nothing arrives for now
    time_point free_at{};  ///< when the line has sent what was written
    std::error_code broken;
    async_condition arrived;
    async_condition room;
    alarm_timer delivery;

    void deliver(time_point now) {
        while (!under_way.empty() && under_way.front().due <= now) {
            auto &p = under_way.front();
            if (p.data.empty()) {
                ended = true;
            } else {
                if (taken == ready.size()) {
                    ready = std::move(p.data);
                    taken = 0;
                } else {
                    if (taken > ready.size() / 2) ready.erase(ready.begin(), ready.begin() + static_cast<std::ptrdiff_t>(std::exchange(taken, 0)));
                    append(ready, p.data);
                }
            }
            under_way.pop_front();
        }
        arrived.notify_all();
    }
    void schedule(context_clock const &clock) {
        if (under_way.empty() || silent) return;
        delivery.set(under_way.front().due, [this, clock] {
            deliver(clock.now());
            schedule(clock);
        });
    }
    void fail(std::error_code why) {
        if (broken) return;
        broken = why;
        delivery.cancel();
        under_way.clear();
        arrived.notify_all();
        room.notify_all();
    }
};

struct memory_link {
    memory_link(any_io_executor const &executor, multiaddr a, multiaddr b) : there{executor}, back{executor}, dialler{std::move(a)}, listener{std::move(b)} {}
    memory_pipe there; ///< from the dialler to the listener
    memory_pipe back;
    multiaddr dialler;
    multiaddr listener;
    void fail(std::error_code why) {
        there.fail(why);
        back.fail(why);
    }
    void silence(bool silent, context_clock const &clock) {
        for (auto *const pipe : {&there, &back}) {
            pipe->silent = silent;
            pipe->delivery.cancel();
            pipe->schedule(clock); // what is late arrives at once
        }
    }
};

} // namespace detail

/// A connection of a memory network. Models RawConnection.
class memory_connection {
  public:
    memory_connection(memory_network &network, std::shared_ptr<detail::memory_link> link, bool dialled) : network_{&network}, link_{std::move(link)}, dialled_{dialled} {}
    memory_connection(memory_connection &&) noexcept = default;
    memory_connection &operator=(memory_connection &&other) noexcept {
        if (this != &other) {
            close();
            network_ = other.network_;
            link_ = std::move(other.link_);
            dialled_ = other.dialled_;
        }
        return *this;
    }
    ~memory_connection() { close(); }

    [[nodiscard]] awaitable<std::size_t> read_some(mutable_bytes buffer);
    [[nodiscard]] awaitable<void> write(bytes_view data);
    [[nodiscard]] awaitable<void> write(std::span<bytes_view const> pieces);
    [[nodiscard]] awaitable<void> wait_readable();
    void close_write();
    void reset() {
        if (link_) link_->fail(make_error_code(errc::reset));
    }
    /// As a process that exits: what was written still arrives, and then the end.
    void close();
    multiaddr const &local_address() const noexcept { return dialled_ ? link_->dialler : link_->listener; }
    multiaddr const &remote_address() const noexcept { return dialled_ ? link_->listener : link_->dialler; }

  private:
    detail::memory_pipe &in() const noexcept { return dialled_ ? link_->back : link_->there; }
    detail::memory_pipe &out() const noexcept { return dialled_ ? link_->there : link_->back; }

    memory_network *network_;
    std::shared_ptr<detail::memory_link> link_;
    bool dialled_;
};

/// Takes connections to one address of a memory network. Models Listener.
class memory_listener {
  public:
    using connection_type = memory_connection;
    memory_listener(memory_network &network, multiaddr address);
    memory_listener(memory_listener &&) noexcept = default;
    memory_listener &operator=(memory_listener &&) noexcept = default;
    ~memory_listener() {
        if (queue_) close();
    }

    [[nodiscard]] awaitable<memory_connection> accept();
    multiaddr const &local_address() const noexcept { return address_; }
    void close();

  private:
    memory_network *network_;
    multiaddr address_;
    std::shared_ptr<channel<std::shared_ptr<detail::memory_link>>> queue_;
};

/// The wires between the hosts of a test. A host is an IP address.
/// @par Lifetime Must outlive its transports, listeners and connections.
class memory_network {
  public:
    memory_network(any_io_executor executor, random_source &random, memory_network_options const &options = {})
        : executor_{std::move(executor)}, random_{random}, options_{options}, clock_{executor_}, joined_{executor_} {}

    /// Breaks every connection between two hosts, and lets no new ones through until `join`: both sides are told at once.
    void separate(std::string const &a, std::string const &b) {
        separated_.insert(std::minmax(a, b));
        for_links([&](detail::memory_link &link) {
            if (joins(link, a, b)) link.fail(make_error_code(errc::reset));
        });
    }
    /// As a cable that is pulled: nobody is told. What is written waits, dials hang, and all goes on after `join`.
    void silence(std::string const &a, std::string const &b) {
        silent_.insert(std::minmax(a, b));
        for_links([&](detail::memory_link &link) {
            if (joins(link, a, b)) link.silence(true, clock_);
        });
    }
    void join(std::string const &a, std::string const &b) {
        separated_.erase(std::minmax(a, b));
        silent_.erase(std::minmax(a, b));
        for_links([&](detail::memory_link &link) {
            if (joins(link, a, b)) link.silence(false, clock_);
        });
        joined_.notify_all();
    }
    /// Cuts every connection of a host, as pulling its plug would.
    void cut(std::string const &host) {
        for_links([&](detail::memory_link &link) {
            if (link.dialler.ip_text() == host || link.listener.ip_text() == host) link.fail(make_error_code(errc::reset));
        });
    }

    memory_network_options &options() noexcept { return options_; }
    any_io_executor const &get_executor() const noexcept { return executor_; }

  private:
    friend memory_connection;
    friend memory_listener;
    friend class memory_transport;
    using backlog = channel<std::shared_ptr<detail::memory_link>>;

    bool reachable(std::string const &a, std::string const &b) const { return !separated_.contains(std::minmax(a, b)); }
    bool silent(std::string const &a, std::string const &b) const { return silent_.contains(std::minmax(a, b)); }
    static bool joins(detail::memory_link const &link, std::string const &a, std::string const &b) {
        return std::minmax(link.dialler.ip_text(), link.listener.ip_text()) == std::minmax(a, b);
    }
    template <class F> void for_links(F const &f) {
        for (auto const &weak : links_)
            if (auto const link = weak.lock()) f(*link);
    }
    /// An address of a host at a port of its own.
    multiaddr unused_address(std::string const &host) {
        if (next_port_ < first_port) next_port_ = first_port;
        std::string const family = host.find(':') == std::string::npos ? "/ip4/" : "/ip6/";
        return multiaddr::parse(family + host + "/tcp/" + std::to_string(next_port_++)).value();
    }

    duration delay() {
        auto const extra = options_.jitter.count() > 0 ? duration{static_cast<duration::rep>(random_.below(static_cast<std::uint64_t>(options_.jitter.count())))} : duration{};
        return options_.latency + extra;
    }

    void send(detail::memory_pipe &pipe, bytes_view data) {
        auto due = clock_.now() + delay();
        if (!pipe.under_way.empty()) due = std::max(due, pipe.under_way.back().due);
        bool const idle = pipe.under_way.empty();
        pipe.free_at = std::max(pipe.free_at, clock_.now());
        while (!data.empty()) {
            std::size_t n = std::min(data.size(), options_.largest_piece);
            if (options_.split) n = 1 + random_.below(random_.below(8) == 0 ? n : std::min<std::size_t>(n, 16));
            if (options_.bandwidth > 0) {
                pipe.free_at += duration{static_cast<duration::rep>(n * 1'000'000'000 / options_.bandwidth)};
                due = std::max(due, pipe.free_at + options_.latency);
            }
            pipe.under_way.push_back({due, to_bytes(data.first(n))});
            data = data.subspan(n);
            if (options_.split) due += std::chrono::microseconds{1};
        }
        if (idle) pipe.schedule(clock_);
    }
    void end(detail::memory_pipe &pipe) {
        if (pipe.closed || pipe.broken) return;
        pipe.closed = true;
        auto due = clock_.now() + options_.latency;
        if (!pipe.under_way.empty()) due = std::max(due, pipe.under_way.back().due);
        bool const idle = pipe.under_way.empty();
        pipe.under_way.push_back({due, {}});
        if (idle) pipe.schedule(clock_);
        pipe.room.notify_all(); // whoever waits for room waits in vain
    }

    static constexpr std::uint16_t first_port = 20'000;

    any_io_executor executor_;
    random_source &random_;
    memory_network_options options_;
    context_clock clock_;
    std::map<multiaddr, std::weak_ptr<backlog>> listeners_;
    std::vector<std::weak_ptr<detail::memory_link>> links_;
    std::set<std::pair<std::string, std::string>> separated_;
    std::set<std::pair<std::string, std::string>> silent_;
    async_condition joined_;
    std::uint16_t next_port_ = first_port;
};

inline awaitable<std::size_t> memory_connection::read_some(mutable_bytes buffer) {
    auto const link = link_; // alive while we wait
    auto &pipe = in();
    while (pipe.taken == pipe.ready.size()) {
        if (pipe.broken) throw error{pipe.broken};
        if (pipe.ended) co_return 0;
        co_await pipe.arrived.wait();
    }
    std::size_t const n = std::min(buffer.size(), pipe.ready.size() - pipe.taken);
    std::copy_n(pipe.ready.begin() + static_cast<std::ptrdiff_t>(pipe.taken), n, buffer.begin());
    pipe.taken += n;
    pipe.held -= n;
    pipe.room.notify_all();
    co_return n;
}

inline awaitable<void> memory_connection::write(bytes_view data) {
    auto const link = link_;
    auto &pipe = out();
    while (!data.empty()) {
        while (!pipe.broken && !pipe.closed && pipe.held >= network_->options_.window) co_await pipe.room.wait();
        if (pipe.broken) throw error{pipe.broken};
        if (pipe.closed) throw error{make_error_code(errc::closed)};
        auto const part = data.first(std::min(data.size(), network_->options_.window - pipe.held));
        pipe.held += part.size();
        network_->send(pipe, part);
        data = data.subspan(part.size());
    }
}

inline awaitable<void> memory_connection::write(std::span<bytes_view const> pieces) {
    for (auto const &piece : pieces) co_await write(piece);
}

inline awaitable<void> memory_connection::wait_readable() {
    auto const link = link_;
    auto &pipe = in();
    while (pipe.taken == pipe.ready.size() && !pipe.broken && !pipe.ended) co_await pipe.arrived.wait();
}

inline void memory_connection::close_write() { network_->end(out()); }

inline void memory_connection::close() {
    if (!link_) return;
    network_->end(out());
    in().fail(make_error_code(errc::closed));
}

inline memory_listener::memory_listener(memory_network &network, multiaddr address)
    : network_{&network}, address_{std::move(address)},
      queue_{std::make_shared<memory_network::backlog>(network.executor_, 128)} {
    network_->listeners_[address_] = queue_;
}

inline awaitable<memory_connection> memory_listener::accept() {
    auto const queue = queue_;
    auto link = co_await queue->receive();
    co_return memory_connection{*network_, std::move(link), false};
}

inline void memory_listener::close() {
    network_->listeners_.erase(address_);
    queue_->close();
    std::shared_ptr<detail::memory_link> unaccepted;
    while (queue_->try_receive(unaccepted)) unaccepted->fail(make_error_code(errc::reset));
}

/// The transport of one host of a memory network. Models Transport.
class memory_transport {
  public:
    using connection_type = memory_connection;
    using listener_type = memory_listener;

    /// @param host its IP address, e.g. "10.0.0.1"
    memory_transport(memory_network &network, std::string host) : network_{&network}, host_{std::move(host)} {}

    bool can_dial(multiaddr const &address) const { return address.is_tcp(); }

    [[nodiscard]] awaitable<memory_connection> dial(multiaddr address) {
        co_await sleep_for(network_->delay() * 2);
        auto const target = address.without_peer();
        while (network_->silent(host_, target.ip_text())) co_await network_->joined_.wait();
        if (!network_->reachable(host_, target.ip_text())) throw error{errc::unreachable, target.to_string()};
        auto const found = network_->listeners_.find(target);
        auto const queue = found == network_->listeners_.end() ? nullptr : found->second.lock();
        if (!queue) throw error{errc::refused, target.to_string()};
        auto own = network_->unused_address(host_);
        auto link = std::make_shared<detail::memory_link>(network_->executor_, std::move(own), target);
        std::erase_if(network_->links_, [](auto const &weak) { return weak.expired(); });
        network_->links_.push_back(link);
        if (!queue->try_send(link)) throw error{errc::refused, target.to_string()};
        co_return memory_connection{*network_, std::move(link), true};
    }

    /// @param address of this host; port 0 takes any free one
    [[nodiscard]] memory_listener listen(multiaddr const &address) {
        auto const port = address.tcp_port();
        if (!port || address.ip_text() != host_) throw error{errc::invalid_address, address.to_string()};
        auto const real = *port ? address : network_->unused_address(host_);
        if (network_->listeners_.contains(real)) throw error{errc::address_in_use, real.to_string()};
        return memory_listener{*network_, real};
    }

  private:
    memory_network *network_;
    std::string host_;
};
static_assert(Transport<memory_transport>);

} // namespace gigi::inline v1
