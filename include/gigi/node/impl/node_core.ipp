// gigi/node/impl/node_core.ipp: what node_core.hpp declares.
#pragma once

#include "../node_core.hpp"

#include "../../core/config.hpp"
#include "../../core/error.hpp"
#include "../../core/log.hpp"
#include "../../core/offload.hpp"
#include "../../protocol/ping.hpp"

#include <algorithm>
#include <utility>

namespace gigi::inline v1 {

GIGI_INLINE node_core::node_core(any_io_executor executor, node_options const &options, identity self, std::string nickname, connector_factory const &make_connector,
                                 any_io_executor disk, random_source &random, event_hub &events)
    : executor_{std::move(executor)}, options_{options}, self_{std::move(self)}, nickname_{std::move(nickname)}, disk_{std::move(disk)},
      events_{events}, clock_{executor_}, store_{store_limits(options)}, store_file_{options.peer_store_file},
      swarm_{executor_, self_, swarm_limits(options), [this](peer_id const &peer) { return store_.addresses(peer); }},
      people_{store_, clock_, emitter()},
      presence_{swarm_, store_, people_, options_, [this] { return nickname_; }, [this] { return reachable_addresses(); }, emitter()},
      messenger_{swarm_, options_, messenger::surroundings{emitter(), namer(), disk_}},
      files_{swarm_, options_, emitter(), namer(), disk_},
      groups_{swarm_, options_, files_, disk_, random, emitter(), namer()}, tasks_{executor_} {
    swarm_.add(make_connector(executor_, self_));
    ping::serve(swarm_);
}

GIGI_INLINE mux_limits node_core::connection_limits(node_options const &from) {
    mux_limits limits;
    limits.max_outbound_streams = from.max_outbound_streams;
    limits.max_stream_window = from.max_stream_window;
    limits.max_buffered = from.max_connection_buffer;
    return limits;
}

GIGI_INLINE void node_core::start() {
    load_store();
    files_.start();
    listen();
    swarm_.start();
    groups_.start();
    std::vector<multiaddr> bootstrap;
    for (auto const &text : options_.bootstrap) {
        auto address = multiaddr::parse(text);
        if (!address || !address->peer()) throw error{errc::invalid_address, text + " (a bootstrap address ends in /p2p/<id>)"};
        bootstrap.push_back(std::move(*address));
    }
    announce();
    presence_.start(bootstrap);
    if (options_.mdns) {
        mdns_options how;
        how.interface_name = options_.interface_name;
        how.max_peers = options_.max_discovered_peers;
        mdns_ = std::make_unique<mdns>(executor_, self_.id(), std::move(how));
        mdns_->update(swarm_.listen_addresses(), nickname_);
        mdns_->start(presence_.handler());
    }
    tasks_.spawn(watch_addresses());
    if (store_file_.used()) tasks_.spawn(keep_store());
}

GIGI_INLINE awaitable<void> node_core::stop() {
    tasks_.cancel();
    co_await tasks_.join();
    if (mdns_) co_await mdns_->stop();
    co_await groups_.stop();
    co_await files_.stop();
    messenger_.stop();
    co_await presence_.stop();
    co_await swarm_.stop();
    save_store();
}

GIGI_INLINE void node_core::rename(std::string nickname) {
    std::string const previous = std::exchange(nickname_, std::move(nickname));
    if (previous == nickname_) return;
    if (mdns_) mdns_->update(swarm_.listen_addresses(), nickname_);
    presence_.nickname_changed();
    events_.emit(event{events::nickname_changed{self_.id(), nickname_, previous}});
}

GIGI_INLINE std::vector<multiaddr> node_core::addresses() const {
    std::vector<multiaddr> all;
    for (auto const &address : reachable_addresses()) all.push_back(address.with_peer(self_.id()));
    return all;
}

GIGI_INLINE std::vector<peer_info> node_core::peers() const {
    std::vector<peer_info> all;
    for (auto const &peer : swarm_.connected_peers()) all.push_back(info_of(peer));
    for (auto const &[peer, hint] : presence_.discovered_now()) {
        if (swarm_.is_connected(peer)) continue;
        auto info = info_of(peer);
        if (info.nickname.empty()) info.nickname = hint;
        all.push_back(std::move(info));
    }
    return all;
}

GIGI_INLINE peer_info node_core::info_of(peer_id const &peer) const {
    peer_info info;
    info.peer = peer;
    info.nickname = people_.nickname_of(peer);
    if (auto const *const c = swarm_.find(peer)) {
        info.connected = true;
        info.inbound = c->info.dir == direction::inbound;
        info.addresses.push_back(c->info.remote);
        info.agent = people_.agent_of(peer);
        info.round_trip = c->mux->round_trip();
        auto const counts = c->mux->counts();
        info.bytes_sent = counts.bytes_sent;
        info.bytes_received = counts.bytes_received;
    } else {
        info.addresses = store_.addresses(peer);
    }
    return info;
}

GIGI_INLINE std::vector<group_info> node_core::group_list() const {
    std::vector<group_info> all;
    for (auto const &name : groups_.joined()) {
        group_info info;
        info.group = name;
        for (auto const &peer : groups_.members(name)) info.members.push_back(info_of(peer));
        all.push_back(std::move(info));
    }
    return all;
}

GIGI_INLINE std::vector<peer_id> node_core::peers_with(std::string_view protocol) const {
    std::vector<peer_id> all, untold;
    for (auto const &peer : swarm_.connected_peers())
        if (people_.may_speak(peer, protocol)) (people_.speaks(peer, protocol) ? all : untold).push_back(peer);
    all.insert(all.end(), untold.begin(), untold.end());
    return all;
}

GIGI_INLINE awaitable<std::size_t> node_core::broadcast(bytes_view data) {
    std::vector<peer_id> everyone = peers_with(bytes_protocol::id);
    std::size_t const taken = co_await messenger_.send_bytes_to_all(std::move(everyone), data);
    co_return taken;
}

GIGI_INLINE node_stats node_core::stats() const {
    node_stats s;
    s.connections = swarm_.connection_count();
    s.peers_known = store_.size();
    s.peers_discovered = presence_.discovered_now().size();
    s.groups = groups_.joined().size();
    s.downloads = files_.downloads();
    s.uploads = files_.uploads();
    s.files_shared = files_.shared_count();
    s.links = swarm_.stats();
    s.peers = store_.stats();
    s.gossip = groups_.stats();
    s.files = files_.stats();
    s.messages_refused = messenger_.refused() + groups_.messages_refused();
    s.groups_refused = groups_.refused();
    s.replays_refused = groups_.replays_refused();
    s.authors_forgotten = groups_.authors_forgotten();
    s.images_not_fetched = groups_.images_not_fetched();
    s.discoveries_refused = presence_.refused();
    s.store_saves = store_saves_;
    return s;
}

GIGI_INLINE std::function<void(event const &)> node_core::emitter() {
    return [this](event const &e) { events_.emit(e); };
}

GIGI_INLINE std::function<std::string(peer_id const &)> node_core::namer() {
    return [this](peer_id const &peer) { return peer == self_.id() ? nickname_ : people_.nickname_of(peer); };
}

GIGI_INLINE peer_store_limits node_core::store_limits(node_options const &from) {
    return {from.max_peers, from.max_addresses_per_peer, from.max_pinned_nicknames};
}

GIGI_INLINE swarm_options node_core::swarm_limits(node_options const &from) {
    swarm_options o;
    o.max_connections = from.max_connections;
    o.max_connections_per_address = from.max_connections_per_address;
    o.max_pending_handshakes = from.max_pending_handshakes;
    o.max_pending_dials = from.max_pending_dials;
    o.max_addresses_per_dial = from.max_addresses_per_dial;
    o.max_buffered = from.max_buffered;
    o.max_receiving = from.max_receiving;
    o.max_streams_per_peer = from.max_streams_per_peer;
    o.max_streams_per_protocol = from.max_requests_per_peer;
    o.handshake_timeout = from.handshake_timeout;
    o.dial_timeout = from.dial_timeout;
    o.dial_stagger = from.dial_stagger;
    o.idle_timeout = from.idle_timeout;
    return o;
}

GIGI_INLINE void node_core::listen() {
    auto const interfaces = used_interfaces();
    std::size_t opened = 0;
    std::exception_ptr failure;
    for (auto const &text : options_.listen) {
        auto const wanted = multiaddr::parse(text);
        if (!wanted) throw error{errc::invalid_address, text};
        bool const of_interface = !options_.interface_name.empty() && wanted->is_unspecified(); // what fails is tried again
        auto const exact = options_.interface_name.empty() ? std::vector{*wanted} : expand_to_listen(*wanted, interfaces);
        for (auto const &address : exact) {
            try {
                open(text, address);
                ++opened;
            } catch (std::system_error const &e) {
                // A host without IPv6 has no /ip6/::. That is an error only where nothing can be listened on; anything else, above
                // all a port that is taken, always is. An interface's new IPv6 address cannot be listened on for a second.
                bool const needed = !of_interface && (address.ip().size() == 4 || (address.tcp_port() != 0 && !address.is_unspecified()));
                if (needed || !lacks_family(e.code())) throw;
                if (of_interface) ++opened; // in a moment
                failure = std::current_exception();
            }
        }
    }
    if (opened == 0 && failure) std::rethrow_exception(failure);
    if (opened == 0 && !options_.listen.empty()) throw error{errc::invalid_address, "interface " + options_.interface_name + " is not there, or has no address to listen on"};
}

GIGI_INLINE bool node_core::lacks_family(std::error_code const &why) {
    auto const code = detail::portable(why);
    return code == std::errc::address_family_not_supported || code == std::errc::protocol_not_supported || // no such sockets
           code == std::errc::address_not_available ||                                                     // no such addresses
           code == errc::invalid_address;                                                                  // a transport that has none
}

GIGI_INLINE void node_core::open(std::string const &wanted, multiaddr const &address) {
    auto const bound = swarm_.listen(address);
    listeners_.push_back({wanted, bound});
    if (auto const port = bound.tcp_port()) ports_.try_emplace(wanted, *port);
}

GIGI_INLINE bool node_core::follow_interface() {
    auto interfaces = network_interfaces();
    if (options_.interface_name.empty() || !interfaces) return false; // it cannot say, for once: nothing is known to be gone
    std::erase_if(*interfaces, [this](auto const &i) { return i.name != options_.interface_name; });
    bool changed = false;
    for (auto const &text : options_.listen) {
        auto const wanted = multiaddr::parse(text);
        if (!wanted || !wanted->is_unspecified()) continue;
        auto const there = expand_to_listen(*wanted, *interfaces);
        auto const is_same = [&text](listener const &l, multiaddr const &a) {
            return l.wanted == text && equal(l.bound.ip(), a.ip()) && l.bound.zone() == a.zone();
        };
        std::erase_if(listeners_, [&](listener const &l) {
            if (l.wanted != text || std::ranges::any_of(there, [&](auto const &a) { return is_same(l, a); })) return false;
            swarm_.stop_listening(l.bound);
            return changed = true;
        });
        for (auto const &address : there)
            if (std::ranges::none_of(listeners_, [&](auto const &l) { return is_same(l, address); })) changed |= open_again(text, address);
    }
    return changed;
}

GIGI_INLINE bool node_core::open_again(std::string const &wanted, multiaddr const &address) {
    std::vector<multiaddr> places{address}; // where any port will do, another one is better than none
    auto const port = ports_.find(wanted);
    if (port != ports_.end() && address.tcp_port() == 0) places.insert(places.begin(), multiaddr::tcp(address.ip(), port->second, address.zone()));
    for (auto const &place : places) {
        try {
            open(wanted, place);
            return true;
        } catch (std::system_error const &e) {
            log(log_level::info, "node", "cannot listen yet: ", e.what()); // a new IPv6 address takes a second: next time
        }
    }
    return false;
}

GIGI_INLINE std::vector<network_interface> node_core::used_interfaces() const {
    auto all = network_interfaces();
    std::vector<network_interface> used;
    if (all)
        for (auto &i : *all)
            if (options_.interface_name.empty() || i.name == options_.interface_name) used.push_back(std::move(i));
    return used;
}

GIGI_INLINE std::vector<multiaddr> node_core::reachable_addresses() const {
    std::vector<multiaddr> all;
    auto const interfaces = used_interfaces();
    for (auto const &address : swarm_.listen_addresses())
        for (auto &reachable : expand(address, interfaces)) all.push_back(std::move(reachable));
    // What others can use comes first.
    std::ranges::stable_sort(all, {}, [](multiaddr const &a) { return a.is_loopback(); });
    return all;
}

GIGI_INLINE void node_core::announce() {
    announced_ = addresses();
    events_.emit(event{events::listening{self_.id(), announced_}});
}

GIGI_INLINE awaitable<void> node_core::watch_addresses() {
    timer pause{executor_};
    for (;;) {
        co_await pause.wait_for(std::chrono::seconds{5});
        if (follow_interface() && mdns_) mdns_->update(swarm_.listen_addresses(), nickname_);
        if (addresses() == announced_) continue;
        announce();
        presence_.addresses_changed();
    }
}

GIGI_INLINE void node_core::load_store() {
    if (!store_file_.used()) return;
    report(store_file_.load(store_));
    store_.expire(clock_.unix_seconds());
}

GIGI_INLINE void node_core::save_store() {
    if (!store_file_.used()) return;
    store_.expire(clock_.unix_seconds());
    auto const failed = store_file_.save(store_);
    ++store_saves_;
    report(failed);
}

GIGI_INLINE awaitable<void> node_core::keep_store() {
    timer pause{executor_};
    auto saved = store_.changes();
    auto refresh = clock_.now() + store_refresh;
    for (;;) {
        co_await pause.wait_for(store_interval);
        if (store_.changes() == saved && clock_.now() < refresh) continue;
        store_.expire(clock_.unix_seconds());
        saved = store_.changes();
        refresh = clock_.now() + store_refresh;
        auto const work = [this, store = store_] { return store_file_.save(store); };
        std::optional<store_file::trouble> const failed = co_await run_on(disk_, work);
        ++store_saves_;
        report(failed);
    }
}

GIGI_INLINE void node_core::report(std::optional<store_file::trouble> const &trouble) {
    if (trouble) report("peer store", trouble->code, trouble->message);
}

GIGI_INLINE void node_core::report(std::string where, std::error_code code, std::string message) {
    events_.emit(event{events::background_error{std::move(where), code, std::move(message)}});
}

} // namespace gigi::inline v1
