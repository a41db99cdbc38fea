// gigi/discovery/impl/mdns.ipp: what mdns.hpp declares.
#pragma once

#include "../mdns.hpp"

#include "../../core/config.hpp"
#include "../../core/error.hpp"
#include "../../core/log.hpp"
#include "../../core/uninterrupted.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace gigi::inline v1 {

GIGI_INLINE mdns::mdns(any_io_executor executor, peer_id self, mdns_options options)
    : executor_{std::move(executor)}, self_{std::move(self)}, options_{std::move(options)}, clock_{executor_}, due_{executor_},
      tasks_{executor_} {
    (void)mdns_core{self_, options_, random_}; // checks the options
}

GIGI_INLINE void mdns::start(discovery_handler handler) {
    if (core_) throw error{make_error_code(errc::invalid_argument), "mdns is running already"};
    handler_ = std::move(handler);
    stopping_ = false;
    core_ = std::make_unique<mdns_core>(self_, options_, random_, handler_.is_connected);
    core_->set_nickname(clock_.now(), nickname_);
    tasks_.reset();
    tasks_.spawn(run());
}

GIGI_INLINE void mdns::update(std::vector<multiaddr> addresses, std::string nickname) {
    addresses_ = std::move(addresses);
    nickname_ = std::move(nickname);
    if (!core_) return;
    core_->set_nickname(clock_.now(), nickname_);
    next_scan_ = time_point::min();
    due_.wake();
}

GIGI_INLINE awaitable<void> mdns::stop() {
    auto const end = [this]() -> awaitable<void> {
        if (!core_) co_return;
        stopping_ = true; // the handler itself may be what has called us: it stays
        core_->stop();
        send_all();
        for (auto &[id, link] : links_) link->socket.close();
        tasks_.cancel();
        co_await tasks_.join();
        links_.clear();
        failures_.clear();
        next_scan_ = time_point::min();
        core_.reset();
    };
    co_await uninterrupted(end());
}

GIGI_INLINE awaitable<void> mdns::run() {
    for (;;) {
        auto const now = clock_.now();
        if (now >= next_scan_) {
            next_scan_ = now + options_.scan_interval; // before the scan, whose callbacks may ask for another
            scan(now);
        }
        core_->tick(now);
        dispatch();
        sleeping_until_ = std::min(core_->next_wakeup(), next_scan_);
        co_await due_.wait_until(sleeping_until_);
    }
}

GIGI_INLINE awaitable<void> mdns::receive(link_pointer link) {
    while (!link->failed) {
        std::error_code code;
        std::size_t const size = co_await link->socket.receive(link->buffer, link->from, code);
        if (code == asio::error::operation_aborted || code == asio::error::bad_descriptor) co_return;
        if (code == asio::error::connection_refused) continue; // an answer to somebody who has gone
        if (code) {
            fail(link->id, code, "cannot receive on interface " + version(*link));
            link->failed = true;
            co_return;
        }
        mdns_endpoint const from{mapped(link->from.address()), link->from.port()};
        core_->receive(clock_.now(), link->id, from, bytes_view{link->buffer.data(), size});
        dispatch();
    }
}

GIGI_INLINE void mdns::dispatch() {
    send_all();
    if (dispatching_) return; // a callback called us
    dispatching_ = true;
    while (!stopping_ && !core_->events().empty()) {
        auto const event = std::move(core_->events().front());
        core_->events().pop_front();
        if (auto const *const found = std::get_if<mdns_found>(&event)) {
            if (handler_.on_found) handler_.on_found(found->peer);
        } else if (auto const *const expired = std::get_if<mdns_expired>(&event)) {
            if (handler_.on_expired) handler_.on_expired(expired->peer);
        }
    }
    dispatching_ = false;
    if (core_->next_wakeup() < sleeping_until_) due_.wake();
}

GIGI_INLINE void mdns::send_all() {
    for (auto const &datagram : std::exchange(core_->datagrams(), {})) {
        auto const place = links_.find(datagram.link);
        if (place == links_.end()) continue;
        auto &link = *place->second;
        auto const code = link.socket.send(datagram.data, endpoint(link, datagram.to));
        if (code && datagram.to == mdns_endpoint()) fail(link.id, code, "cannot send on interface " + version(link));
    }
}

GIGI_INLINE void mdns::scan(time_point now) {
    auto const interfaces = network_interfaces();
    if (!interfaces) {
        fail(no_link, interfaces.error(), "cannot list the network interfaces");
        return;
    }
    std::set<std::uint32_t> present;
    for (auto const &candidate : *interfaces) {
        if (!is_usable(candidate) || present.size() >= 2 * options_.max_interfaces) continue;
        auto config = describe(candidate, *interfaces);
        for (bool const ipv6 : {false, true}) {
            if (ipv6 ? !options_.ipv6 || !has_ipv6(candidate) : !options_.ipv4 || config.ipv4.empty()) continue;
            config.id = candidate.index * 2 + (ipv6 ? 1 : 0);
            present.insert(config.id);
            if (open(candidate, ipv6, config.id)) core_->set_link(now, config);
        }
    }
    std::erase_if(links_, [&](auto const &entry) {
        if (present.contains(entry.first)) return false;
        core_->remove_link(now, entry.first);
        entry.second->failed = true;
        entry.second->socket.close();
        return true;
    });
    std::erase_if(failures_, [&](auto const &entry) { return entry.first != no_link && !present.contains(entry.first); });
    if (!present.empty())
        failures_.erase(no_link);
    else
        fail(no_link, make_error_code(errc::unreachable),
             options_.interface_name.empty() ? "no network interface can multicast" : "no network interface " + options_.interface_name);
}

GIGI_INLINE bool mdns::open(network_interface const &on, bool ipv6, std::uint32_t id) {
    auto const known = links_.find(id);
    if (known != links_.end()) {
        if (!known->second->failed && known->second->interface_name == on.name) return true;
        core_->remove_link(clock_.now(), id);
        known->second->failed = true;
        known->second->socket.close();
        links_.erase(known);
    }
    auto const link = std::make_shared<open_link>(executor_);
    link->id = id;
    link->interface_index = on.index;
    link->interface_name = on.name;
    link->ipv6 = ipv6;
    if (auto const code = link->socket.open(on.index, on.is_loopback, ipv6, options_.port)) {
        fail(id, code, "no multicast DNS on interface " + version(*link));
        return false;
    }
    failures_.erase(id);
    links_.emplace(id, link);
    tasks_.spawn(receive(link));
    log(log_level::debug, "mdns", "joined ", version(*link));
    return true;
}

GIGI_INLINE void mdns::fail(std::uint32_t id, std::error_code code, std::string const &what) {
    auto const [known, added] = failures_.try_emplace(id, code);
    if (!added && known->second == code) return;
    known->second = code;
    log(log_level::warning, "mdns", what, ": ", code.message());
    if (handler_.on_error && !stopping_) handler_.on_error(code, what);
}

GIGI_INLINE bool mdns::is_usable(network_interface const &candidate) const {
    if (!options_.interface_name.empty()) return candidate.name == options_.interface_name;
    return candidate.can_multicast && !candidate.is_loopback && !candidate.is_point_to_point;
}

GIGI_INLINE bool mdns::has_ipv6(network_interface const &candidate) {
    return candidate.can_multicast && std::ranges::any_of(candidate.addresses, [](auto const &address) { return address.is_v6(); });
}

GIGI_INLINE mdns_link mdns::describe(network_interface const &on, std::vector<network_interface> const &all) const {
    mdns_link link;
    link.zone = on.name;
    for (auto const &address : on.addresses)
        if (address.is_v4())
            link.ipv4.push_back(address.to_v4().to_bytes());
        else
            link.ipv6.push_back(address.to_v6().to_bytes());
    std::ranges::sort(link.ipv4); // the system's order changes
    std::ranges::sort(link.ipv6);
    for (auto const &listening : addresses_)
        for (auto &address : expand_on(listening, on, all)) {
            address = address.with_peer(self_);
            if (std::ranges::find(link.addresses, address) == link.addresses.end()) link.addresses.push_back(std::move(address));
        }
    return link;
}

GIGI_INLINE dns_ipv6 mdns::mapped(asio::ip::address const &address) {
    if (address.is_v6()) return address.to_v6().to_bytes();
    auto const octets = address.to_v4().to_bytes();
    return {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, octets[0], octets[1], octets[2], octets[3]};
}

GIGI_INLINE asio::ip::udp::endpoint mdns::endpoint(open_link const &link, mdns_endpoint const &to) {
    if (to == mdns_endpoint()) return link.socket.group();
    auto const &host = to.host;
    if (link.ipv6) return {asio::ip::address_v6{host, link.interface_index}, to.port};
    return {asio::ip::address_v4{{host[12], host[13], host[14], host[15]}}, to.port};
}

} // namespace gigi::inline v1
