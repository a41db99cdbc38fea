// gigi/transport/impl/memory.ipp: what memory.hpp declares.
#pragma once

#include "../memory.hpp"

#include "../../core/config.hpp"
#include "../../core/error.hpp"

namespace gigi::inline v1 {

template <class F> void memory_network::for_links(F const &f) {
    for (auto const &weak : links_)
        if (auto const link = weak.lock()) f(*link);
}

namespace detail {

GIGI_INLINE void memory_pipe::deliver(context_clock const &clock) {
    while (!under_way.empty() && under_way.front().due <= clock.now()) {
        bytes data = std::move(under_way.front().data);
        under_way.pop_front();
        bool const end = data.empty();
        bool const broken_here = fault && !fault->from.empty() && data.size() > fault->left;
        if (broken_here) data.resize(static_cast<std::size_t>(fault->left));
        if (fault) fault->left -= data.size();
        if (end) ended = true;
        if (!data.empty()) arrive(std::move(data));
        if (!broken_here) continue;
        fault->from.clear(); // it has happened
        if (fault->what == memory_fault::reset) return link.fail(make_error_code(errc::reset));
        link.silence(true, clock);
        break;
    }
    arrived.notify_all();
}

GIGI_INLINE void memory_pipe::arrive(bytes data) {
    if (taken == ready.size()) {
        ready = std::move(data);
        taken = 0;
        return;
    }
    if (taken > ready.size() / 2) ready.erase(ready.begin(), ready.begin() + static_cast<std::ptrdiff_t>(std::exchange(taken, 0)));
    append(ready, data);
}

GIGI_INLINE void memory_pipe::schedule(context_clock const &clock) {
    if (under_way.empty() || silent) return;
    delivery.set(under_way.front().due, [this, clock] {
        deliver(clock);
        schedule(clock);
    });
}

GIGI_INLINE void memory_pipe::fail(std::error_code why) {
    if (broken) return;
    broken = why;
    delivery.cancel();
    under_way.clear();
    arrived.notify_all();
    room.notify_all();
}

GIGI_INLINE void memory_link::fail(std::error_code why) {
    there.fail(why);
    back.fail(why);
}

GIGI_INLINE void memory_link::silence(bool silent, context_clock const &clock) {
    for (auto *const pipe : {&there, &back}) {
        pipe->silent = silent;
        pipe->delivery.cancel();
        pipe->schedule(clock); // what is late arrives at once
    }
}

} // namespace detail

GIGI_INLINE memory_connection &memory_connection::operator=(memory_connection &&other) noexcept {
    if (this != &other) {
        close();
        network_ = other.network_;
        link_ = std::move(other.link_);
        dialled_ = other.dialled_;
    }
    return *this;
}

GIGI_INLINE void memory_connection::reset() {
    if (link_) link_->fail(make_error_code(errc::reset));
}

GIGI_INLINE memory_listener::~memory_listener() {
    if (queue_) close();
}

GIGI_INLINE memory_network::memory_network(any_io_executor executor, random_source &random, memory_network_options const &options)
    : executor_{std::move(executor)}, random_{random}, options_{options}, clock_{executor_}, joined_{executor_} {}

GIGI_INLINE void memory_network::separate(std::string const &a, std::string const &b) {
    separated_.insert(std::minmax(a, b));
    for_links([&](detail::memory_link &link) {
        if (joins(link, a, b)) link.fail(make_error_code(errc::reset));
    });
}

GIGI_INLINE void memory_network::silence(std::string const &a, std::string const &b) {
    silent_.insert(std::minmax(a, b));
    for_links([&](detail::memory_link &link) {
        if (joins(link, a, b)) link.silence(true, clock_);
    });
}

GIGI_INLINE void memory_network::join(std::string const &a, std::string const &b) {
    separated_.erase(std::minmax(a, b));
    silent_.erase(std::minmax(a, b));
    for_links([&](detail::memory_link &link) {
        if (joins(link, a, b)) link.silence(false, clock_);
    });
    joined_.notify_all();
}

GIGI_INLINE void memory_network::cut(std::string const &host) {
    for_links([&](detail::memory_link &link) {
        if (link.dialler.ip_text() == host || link.listener.ip_text() == host) link.fail(make_error_code(errc::reset));
    });
}

GIGI_INLINE void memory_network::fail_after(std::string const &from, std::string const &to, std::uint64_t count, memory_fault what) {
    fault_ = std::make_shared<detail::pending_fault>(detail::pending_fault{from, to, count, what});
    for_links([this](detail::memory_link &link) { arm(link); });
}

GIGI_INLINE void memory_network::arm(detail::memory_link &link) {
    if (!fault_pending()) return;
    auto const a = link.dialler.ip_text(), b = link.listener.ip_text();
    link.there.fault = a == fault_->from && b == fault_->to ? fault_ : nullptr;
    link.back.fault = b == fault_->from && a == fault_->to ? fault_ : nullptr;
}

GIGI_INLINE std::size_t memory_network::connections() const {
    return static_cast<std::size_t>(std::ranges::count_if(links_, [](auto const &weak) { return !weak.expired(); }));
}

GIGI_INLINE bool memory_network::joins(detail::memory_link const &link, std::string const &a, std::string const &b) {
    return std::minmax(link.dialler.ip_text(), link.listener.ip_text()) == std::minmax(a, b);
}

GIGI_INLINE multiaddr memory_network::unused_address(std::string const &host) {
    if (next_port_ < first_port) next_port_ = first_port;
    std::string const family = host.find(':') == std::string::npos ? "/ip4/" : "/ip6/";
    return multiaddr::parse(family + host + "/tcp/" + std::to_string(next_port_++)).value();
}

GIGI_INLINE duration memory_network::delay() {
    auto const extra = options_.jitter.count() > 0 ? duration{static_cast<duration::rep>(random_.below(static_cast<std::uint64_t>(options_.jitter.count())))} : duration{};
    return options_.latency + extra;
}

GIGI_INLINE void memory_network::send(detail::memory_pipe &pipe, bytes_view data) {
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

GIGI_INLINE void memory_network::end(detail::memory_pipe &pipe) {
    if (pipe.closed || pipe.broken) return;
    pipe.closed = true;
    auto due = clock_.now() + options_.latency;
    if (!pipe.under_way.empty()) due = std::max(due, pipe.under_way.back().due);
    bool const idle = pipe.under_way.empty();
    pipe.under_way.push_back({due, {}});
    if (idle) pipe.schedule(clock_);
    pipe.room.notify_all(); // whoever waits for room waits in vain
}

GIGI_INLINE awaitable<std::size_t> memory_connection::read_some(mutable_bytes buffer) {
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

GIGI_INLINE awaitable<void> memory_connection::write(bytes_view data) {
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

GIGI_INLINE awaitable<void> memory_connection::write(std::span<bytes_view const> pieces) {
    for (auto const &piece : pieces) co_await write(piece);
}

GIGI_INLINE awaitable<void> memory_connection::wait_readable() {
    auto const link = link_;
    auto &pipe = in();
    while (pipe.taken == pipe.ready.size() && !pipe.broken && !pipe.ended) co_await pipe.arrived.wait();
}

GIGI_INLINE void memory_connection::close_write() { network_->end(out()); }

GIGI_INLINE void memory_connection::close() {
    if (!link_) return;
    network_->end(out());
    in().fail(make_error_code(errc::closed));
}

GIGI_INLINE memory_listener::memory_listener(memory_network &network, multiaddr address)
    : network_{&network}, address_{std::move(address)},
      queue_{std::make_shared<memory_network::backlog>(network.executor_, 128)} {
    network_->listeners_[address_] = queue_;
}

GIGI_INLINE awaitable<memory_connection> memory_listener::accept() {
    auto const queue = queue_;
    auto link = co_await queue->receive();
    co_return memory_connection{*network_, std::move(link), false};
}

GIGI_INLINE void memory_listener::close() {
    network_->listeners_.erase(address_);
    queue_->close();
    std::shared_ptr<detail::memory_link> unaccepted;
    while (queue_->try_receive(unaccepted)) unaccepted->fail(make_error_code(errc::reset));
}

GIGI_INLINE awaitable<memory_connection> memory_transport::dial(multiaddr address) {
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
    network_->arm(*link);
    if (!queue->try_send(link)) throw error{errc::refused, target.to_string()};
    co_return memory_connection{*network_, std::move(link), true};
}

GIGI_INLINE memory_listener memory_transport::listen(multiaddr const &address) {
    auto const port = address.tcp_port();
    if (!port || address.ip_text() != host_) throw error{errc::invalid_address, address.to_string()};
    auto const real = *port ? address : network_->unused_address(host_);
    if (network_->listeners_.contains(real)) throw error{errc::address_in_use, real.to_string()};
    return memory_listener{*network_, real};
}

} // namespace gigi::inline v1
