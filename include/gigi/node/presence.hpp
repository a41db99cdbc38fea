// gigi/node/presence.hpp: makes peers that are found into peers that are connected, identified and known by nickname.
//
// Layer: node. Discovery and the bootstrap list say who is wanted (redial.hpp says when); every connection is identified and
// exchanges nicknames.
#pragma once

#include "../core/clock.hpp"
#include "../core/error.hpp"
#include "../core/log.hpp"
#include "../core/task_group.hpp"
#include "../discovery/discovery.hpp"
#include "../link/swarm.hpp"
#include "../peer/peer_store.hpp"
#include "../protocol/identify.hpp"
#include "../protocol/nickname.hpp"
#include "../protocol/request_response.hpp"
#include "event.hpp"
#include "options.hpp"
#include "people.hpp"
#include "redial.hpp"

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

class presence {
  public:
    /// @par Lifetime Everything referred to must outlive this; call `stop()` before destroying it.
    presence(swarm &on, peer_store &store, people &known, node_options const &options, std::function<std::string()> own_nickname,
             std::function<std::vector<multiaddr>()> own_addresses, std::function<void(event const &)> emit)
        : swarm_{on}, store_{store}, people_{known}, options_{options}, own_nickname_{std::move(own_nickname)}, emit_{std::move(emit)},
          clock_{on.get_executor()}, redial_{options.max_discovered_peers + options.bootstrap.size()}, due_{on.get_executor()}, tasks_{on.get_executor()},
          identify_{on, "gigi/0.1.0", std::move(own_addresses),
                    [this](peer_id const &peer, identify_message const &message) { identified(peer, message); }} {
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

    /// Begins to dial who is wanted.
    void start(std::vector<multiaddr> const &bootstrap) {
        for (auto const &address : bootstrap) {
            auto const peer = address.peer();
            if (!peer || *peer == swarm_.self().id()) continue;
            store_.add_address(*peer, address, address_source::manual, clock_.unix_seconds());
            swarm_.protect(*peer, "bootstrap");
            redial_.want(*peer, reason_bootstrap, clock_.now());
        }
        tasks_.spawn(dial_wanted());
    }

    /// What discovery is to call.
    discovery_handler handler() {
        discovery_handler h;
        h.on_found = [this](discovered_peer const &found) { discovered(found); };
        h.on_expired = [this](peer_id const &peer) { expired(peer); };
        h.on_error = [this](std::error_code code, std::string_view what) {
            emit_(event{events::background_error{"discovery", code, std::string{what}}});
        };
        return h;
    }

    /// The user wants this peer to stay away.
    void mute(peer_id const &peer) { redial_.mute(peer); }

    /// Tells every connected peer that has nicknames this node's.
    void nickname_changed() {
        for (auto const &peer : swarm_.connected_peers())
            if (people_.speaks(peer, nickname_exchange::id)) tasks_.spawn(exchange_nickname(peer));
    }
    /// Tells every connected peer, soon, that this node's addresses or protocols changed.
    void addresses_changed() { identify_.push_soon(); }

    /// Peers that discovery shows now, with the nickname that each announces.
    std::map<peer_id, std::string> const &discovered_now() const noexcept { return discovered_; }

    std::uint64_t refused() const noexcept { return refused_; } ///< discovered peers that there was no room for

    /// Dials and asks nobody any more. Connections that end are told until this is destroyed.
    [[nodiscard]] awaitable<void> stop() {
        swarm_.unhandle(nickname_exchange::id);
        tasks_.cancel();
        co_await tasks_.join();
        co_await identify_.stop();
    }

  private:
    static constexpr unsigned reason_discovered = 1;
    static constexpr unsigned reason_bootstrap = 2;
    static constexpr std::size_t dials_at_once = 8;

    void discovered(discovered_peer const &found) {
        if (found.peer == swarm_.self().id()) return;
        if (discovered_.size() >= options_.max_discovered_peers && !discovered_.contains(found.peer)) {
            ++refused_;
            return;
        }
        for (auto const &address : found.addresses) store_.add_address(found.peer, address, address_source::discovered, clock_.unix_seconds());
        discovered_.insert_or_assign(found.peer, found.nickname);
        swarm_.protect(found.peer, "discovered");
        redial_.want(found.peer, reason_discovered, clock_.now());
        due_.wake();
        emit_(event{events::peer_discovered{found.peer, found.nickname, found.addresses}});
    }

    void expired(peer_id const &peer) {
        if (!discovered_.erase(peer)) return;
        swarm_.unprotect(peer, "discovered");
        redial_.unwant(peer, reason_discovered);
        emit_(event{events::peer_expired{peer, people_.nickname_of(peer)}});
    }

    void connected(connection_info const &info) {
        redial_.connected(info.peer);
        people_.connected(info);
        emit_(event{events::peer_connected{info.peer, info.remote, info.dir == direction::inbound}});
        tasks_.spawn(identify(info.peer));
        if (info.dir == direction::outbound)
            tasks_.spawn(exchange_nickname(info.peer));
    }

    void disconnected(peer_id const &peer, std::error_code why) {
        redial_.disconnected(peer, clock_.now());
        due_.wake();
        std::string nickname = people_.nickname_of(peer);
        people_.disconnected(peer);
        emit_(event{events::peer_disconnected{peer, std::move(nickname), why}});
    }

    void identified(peer_id const &peer, identify_message const &message) {
        for (auto const &address : message.listen_addresses) store_.add_address(peer, address, address_source::identified, clock_.unix_seconds());
        people_.identified(peer, message.agent, message.protocols);
    }

    /// Who tells a nickname is somebody, and stays on the list of who is here although nothing is said for long.
    void take_nickname(peer_id const &peer, std::string const &nickname) {
        if (people_.named(peer, nickname)) swarm_.keep(peer);
    }

    awaitable<void> identify(peer_id peer) {
        try {
            co_await identify_.ask(peer);
            // Whoever dialled asks for the nickname; where that does not come, we do.
            if (people_.speaks(peer, nickname_exchange::id) && !people_.is_named(peer)) {
                co_await sleep_for(std::chrono::seconds{2});
                if (swarm_.is_connected(peer) && !people_.is_named(peer)) co_await exchange_nickname(peer);
            }
        } catch (std::system_error const &e) {
            if (e.code() == condition::cancelled) throw;
            log(log_level::info, "identify", peer.to_string(), ": ", e.what());
        }
    }

    awaitable<void> exchange_nickname(peer_id peer) {
        try {
            nickname_exchange::request ours;
            ours.nickname = own_nickname_();
            auto const theirs = co_await send_request<nickname_exchange>(swarm_, peer, ours, options_.request_timeout);
            take_nickname(peer, theirs.nickname);
        } catch (std::system_error const &e) {
            if (e.code() == condition::cancelled) throw;
            log(log_level::debug, "nickname", peer.to_string(), ": ", e.what());
        }
    }

    awaitable<void> dial_wanted() {
        for (;;) {
            auto const connections = swarm_.connection_count();
            std::size_t const room = options_.auto_dial_limit > connections ? options_.auto_dial_limit - connections : 0;
            std::size_t const free = dialling_ < dials_at_once ? dials_at_once - dialling_ : 0;
            for (auto const &peer : redial_.due(clock_.now(), std::min(room, free))) {
                if (swarm_.is_connected(peer)) {
                    redial_.connected(peer);
                    continue;
                }
                ++dialling_;
                tasks_.spawn(dial(peer));
            }
            auto const later = clock_.now() + std::chrono::seconds{5};
            auto const next = room && free ? redial_.next().value_or(later) : later;
            co_await due_.wait_until(std::min(std::max(next, clock_.now() + std::chrono::milliseconds{10}), later));
        }
    }

    awaitable<void> dial(peer_id peer) {
        struct counted {
            std::size_t &n;
            ~counted() { --n; }
        } const count{dialling_};
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

    swarm &swarm_;
    peer_store &store_;
    people &people_;
    node_options const &options_;
    std::function<std::string()> own_nickname_;
    std::function<void(event const &)> emit_;
    context_clock clock_;
    redial_policy redial_;
    std::map<peer_id, std::string> discovered_;
    std::size_t dialling_ = 0;
    std::uint64_t refused_ = 0;
    timer due_;
    subscription_token observing_;
    task_group tasks_;
    identify_service identify_;
};

} // namespace gigi::inline v1
