// gigi/node/impl/presence.ipp: what presence.hpp declares.
#pragma once

#include "../presence.hpp"

#include "../../core/config.hpp"
#include "../../core/error.hpp"
#include "../../core/log.hpp"
#include "../../protocol/nickname.hpp"
#include "../../protocol/request_response.hpp"

#include <algorithm>
#include <utility>

namespace gigi::inline v1 {

GIGI_INLINE presence::presence(swarm &on, peer_store &store, people &known, node_options const &options, std::function<std::string()> own_nickname,
                               std::function<std::vector<multiaddr>()> own_addresses, std::function<void(event const &)> emit)
    : swarm_{on}, store_{store}, people_{known}, options_{options}, own_nickname_{std::move(own_nickname)}, emit_{std::move(emit)},
      clock_{on.get_executor()}, redial_{options.max_discovered_peers + options.bootstrap.size()}, due_{on.get_executor()}, tasks_{on.get_executor()},
      identify_{on, "gigi/0.1.0", std::move(own_addresses),
                [this](peer_id const &peer, identify_message const &message) { identified(peer, message); }} {
    people_.look_up(discovered_);
    auto exchange = [this](peer_id const &from, nickname_exchange::request const &theirs) {
        take_nickname(from, theirs.nickname);
        nickname_exchange::response ours;
        ours.nickname = own_nickname_();
        return ours;
    };
    serve_requests<nickname_exchange>(swarm_, std::move(exchange), options_.request_timeout);
    swarm_observer observer;
    observer.connected = [this](connection_info const &info) { connected(info); };
    observer.disconnected = [this](peer_id const &peer, std::error_code why) { disconnected(peer, why); };
    observing_ = swarm_.observe(std::move(observer));
}

GIGI_INLINE void presence::start(std::vector<multiaddr> const &bootstrap) {
    for (auto const &address : bootstrap) {
        auto const peer = address.peer();
        if (!peer || *peer == swarm_.self().id()) continue;
        store_.add_address(*peer, address, address_source::manual, clock_.unix_seconds());
        swarm_.protect(*peer, "bootstrap");
        redial_.want(*peer, redial_policy::bootstrap, clock_.now());
    }
    tasks_.spawn(dial_wanted());
}

GIGI_INLINE discovery_handler presence::handler() {
    discovery_handler h;
    h.on_found = [this](discovered_peer const &found) { discovered(found); };
    h.on_expired = [this](peer_id const &peer) { expired(peer); };
    h.on_error = [this](std::error_code code, std::string_view what) {
        emit_(event{events::background_error{"discovery", code, std::string{what}}});
    };
    h.is_connected = [this](peer_id const &peer) { return swarm_.is_connected(peer); };
    return h;
}

GIGI_INLINE void presence::nickname_changed() {
    for (auto const &peer : swarm_.connected_peers())
        if (people_.speaks(peer, nickname_exchange::id)) tasks_.spawn(exchange_nickname(peer));
}

GIGI_INLINE awaitable<void> presence::stop() {
    swarm_.unhandle(nickname_exchange::id);
    tasks_.cancel();
    co_await tasks_.join();
    co_await identify_.stop();
}

GIGI_INLINE void presence::discovered(discovered_peer const &found) {
    if (found.peer == swarm_.self().id()) return;
    if (discovered_.size() >= options_.max_discovered_peers && !discovered_.contains(found.peer)) {
        ++refused_;
        return;
    }
    for (auto const &address : found.addresses) store_.add_address(found.peer, address, address_source::discovered, clock_.unix_seconds());
    discovered_.insert_or_assign(found.peer, found.nickname);
    swarm_.keep(found.peer); // not protected: anybody on the network can announce as many peers as this node takes
    redial_.want(found.peer, redial_policy::discovered, clock_.now());
    due_.wake();
    emit_(event{events::peer_discovered{found.peer, found.nickname, found.addresses}});
}

GIGI_INLINE void presence::expired(peer_id const &peer) {
    if (!discovered_.erase(peer)) return;
    if (!people_.is_named(peer)) swarm_.let_go(peer);
    redial_.unwant(peer, redial_policy::discovered);
    emit_(event{events::peer_expired{peer, people_.nickname_of(peer)}});
}

GIGI_INLINE void presence::connected(connection_info const &info) {
    redial_.connected(info.peer);
    people_.connected(info);
    if (discovered_.contains(info.peer)) swarm_.keep(info.peer);
    emit_(event{events::peer_connected{info.peer, info.remote, info.dir == direction::inbound}});
    tasks_.spawn(identify(info.peer));
    if (info.dir == direction::outbound)
        tasks_.spawn(exchange_nickname(info.peer));
}

GIGI_INLINE void presence::disconnected(peer_id const &peer, std::error_code why) {
    redial_.disconnected(peer, clock_.now());
    due_.wake();
    std::string nickname = people_.nickname_of(peer);
    people_.disconnected(peer);
    emit_(event{events::peer_disconnected{peer, std::move(nickname), why}});
}

GIGI_INLINE void presence::identified(peer_id const &peer, identify_message const &message) {
    auto const *const c = swarm_.find(peer);
    bool const here = c && c->info.remote.is_loopback();
    for (auto const &address : message.listen_addresses)
        if (here || !leads_here(address)) store_.add_address(peer, address, address_source::identified, clock_.unix_seconds());
    people_.identified(peer, message.agent, message.protocols);
}

GIGI_INLINE bool presence::leads_here(multiaddr const &address) {
    auto const ip = address.ip();
    bool const link_local = ip.size() == 16 && ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80;
    return address.is_loopback() || address.is_unspecified() || (link_local && address.zone().empty());
}

GIGI_INLINE void presence::take_nickname(peer_id const &peer, std::string const &nickname) {
    if (people_.named(peer, nickname)) swarm_.keep(peer);
}

GIGI_INLINE awaitable<void> presence::identify(peer_id peer) {
    try {
        co_await identify_.ask(peer);
        // Whoever dialled asks for the nickname; where that does not come, we do.
        if (people_.speaks(peer, nickname_exchange::id) && !people_.is_named(peer)) {
            co_await sleep_for(std::chrono::seconds{2});
            if (swarm_.is_connected(peer) && !people_.is_named(peer)) co_await exchange_nickname(peer);
        }
    } catch (std::system_error const &e) {
        log(log_level::info, "identify", peer.to_string(), ": ", e.what());
    }
}

GIGI_INLINE awaitable<void> presence::exchange_nickname(peer_id peer) {
    try {
        nickname_exchange::request ours;
        ours.nickname = own_nickname_();
        auto const theirs = co_await send_request<nickname_exchange>(swarm_, peer, ours, options_.request_timeout);
        take_nickname(peer, theirs.nickname);
    } catch (std::system_error const &e) {
        log(log_level::debug, "nickname", peer.to_string(), ": ", e.what());
    }
}

GIGI_INLINE awaitable<void> presence::dial_wanted() {
    for (;;) {
        auto const connections = swarm_.connection_count() + for_discovered_.busy; // those that there will be
        auto const room = options_.auto_dial_limit > connections ? options_.auto_dial_limit - connections : 0;
        auto const later = clock_.now() + std::chrono::seconds{5};
        auto const first = dial_due(for_bootstrap_, for_bootstrap_.free()).value_or(later);
        auto const second = dial_due(for_discovered_, std::min(for_discovered_.free(), room)).value_or(later);
        auto const wake = std::min(std::min(first, second), later);
        co_await due_.wait_until(std::max(wake, clock_.now() + std::chrono::milliseconds{10}));
    }
}

GIGI_INLINE std::optional<time_point> presence::dial_due(dialler &by, std::size_t limit) {
    for (auto const &peer : redial_.due(by.kind, clock_.now(), limit)) {
        if (swarm_.is_connected(peer)) {
            redial_.connected(peer);
            continue;
        }
        ++by.busy;
        tasks_.spawn(dial(peer, by));
    }
    return limit > 0 ? redial_.next(by.kind) : std::nullopt;
}

GIGI_INLINE awaitable<void> presence::dial(peer_id peer, dialler &by) {
    struct counted {
        std::size_t &n;
        ~counted() { --n; }
    } const count{by.busy};
    std::error_code failed;
    try {
        co_await swarm_.connect(peer);
    } catch (std::system_error const &e) {
        failed = e.code();
        log(log_level::info, "dial", peer.to_string(), ": ", e.what());
    }
    if (failed == condition::cancelled) co_return;
    if (failed) redial_.failed(peer, clock_.now());
    due_.wake();
}

} // namespace gigi::inline v1
