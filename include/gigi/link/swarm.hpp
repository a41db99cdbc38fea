// gigi/link/swarm.hpp: all connections of a node: listens, dials, keeps one connection a peer, hands out streams.
//
// Layer: link. Non-template: the stack below stands behind `connector`. Rules:
// - one connection a peer: see `newer_connection_wins`; the other is retired (its streams have a short time to end);
// - a connection is idle while it has no stream, those in the background aside; a protected peer's never is;
// - one that has been idle for `idle_timeout` is closed, unless its peer is kept;
// - at `max_connections` the connection that has been so for longest makes room, where there is one: of those whose peer is not
//   kept, if there are any;
// - a peer's IP addresses are dialled before its DNS names, of which one dial tries `max_names_per_dial`;
// - what a peer had sent before it closed its connection in order is still handled, for `closing_grace` at most.
#pragma once

#include "../core/asio.hpp"
#include "../core/clock.hpp"
#include "../core/task_group.hpp"
#include "connection.hpp"
#include "inbound_limits.hpp"
#include "lazy_stream.hpp"
#include "protocol_handlers.hpp"
#include "receive_budget.hpp"
#include "swarm_options.hpp"
#include "upgrade.hpp"

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

/// What a swarm tells; called on its strand, must not throw, may call the swarm.
struct swarm_observer {
    std::function<void(connection_info const &)> connected;                      ///< a peer's first connection is there
    std::function<void(peer_id const &, std::error_code why)> disconnected;      ///< its last one is gone, and what came over it is handled
};

/// Keeps something registered for as long as it lives.
using subscription_token = std::shared_ptr<void>;

class swarm {
  public:
    static constexpr std::size_t max_names_per_dial = 2; ///< DNS names of a peer that one dial tries

    /// @param addresses_of known addresses of a peer, for dials by id alone
    /// @par Lifetime `self` must outlive the swarm.
    swarm(any_io_executor executor, identity const &self, swarm_options const &options,
          std::function<std::vector<multiaddr>(peer_id const &)> addresses_of);

    /// Adds a transport with its stack, before anything listens or dials.
    void add(std::unique_ptr<connector> c) { connectors_.push_back(std::move(c)); }

    /// Starts the background work.
    void start();

    /// Listens on one address. @return the address with its real port
    /// @throws std::system_error: `errc::address_in_use`, `errc::invalid_address`
    multiaddr listen(multiaddr const &address);

    /// Takes no more connections on one of `listen_addresses()`; those that there are stay.
    void stop_listening(multiaddr const &address);

    /// What is listened on, with real ports; hosts may be unspecified ("0.0.0.0").
    std::vector<multiaddr> listen_addresses() const;

    /// Serves a protocol; replaces its handler if there is one.
    void handle(std::string protocol, stream_handler handler) { handlers_.handle(std::move(protocol), std::move(handler)); }
    void unhandle(std::string_view protocol) { handlers_.unhandle(protocol); }
    std::vector<std::string> protocols() const { return handlers_.names(); }

    /// Makes sure that there is a connection to a peer; its known addresses are dialled if need be.
    /// @throws error: `errc::no_addresses`, `errc::unreachable`, `errc::timed_out`, `errc::peer_mismatch`, `errc::limit_exceeded`
    [[nodiscard]] awaitable<void> connect(peer_id peer);

    /// Dials an address; the peer is known only afterwards where the address does not say. A peer that is connected
    /// already is not dialled again; where a dial of it is under way the address is tried next, and whichever address answers
    /// will do.
    [[nodiscard]] awaitable<peer_id> dial(multiaddr address);

    /// Closes the connections to a peer in good order.
    [[nodiscard]] awaitable<void> disconnect(peer_id peer);

    /// Opens a stream and waits until the peer has agreed to one of the protocols, in order of preference.
    /// @throws error: `errc::unsupported_protocol`, and as `connect`
    [[nodiscard]] awaitable<stream> open_stream(peer_id peer, std::vector<std::string> protocols);

    /// Opens a stream at once; whether the peer speaks the protocol shows at the first read.
    [[nodiscard]] awaitable<lazy_stream> open_stream_optimistic(peer_id peer, std::string protocol);

    bool is_connected(peer_id const &peer) const { return active_.contains(peer); }
    /// The connection to a peer, or null.
    connection const *find(peer_id const &peer) const;
    std::vector<peer_id> connected_peers() const;
    std::size_t connection_count() const noexcept { return all_.size(); }

    /// Keeps a peer's connection from being closed as idle, for each `tag` until `unprotect` with it.
    void protect(peer_id const &peer, std::string tag) { protected_[peer].insert(std::move(tag)); }
    void unprotect(peer_id const &peer, std::string const &tag);

    /// Keeps a connected peer's connection from being closed however long it is idle; it still makes room at `max_connections`.
    /// Ends when the peer goes, or with `let_go`.
    void keep(peer_id const &peer);
    void let_go(peer_id const &peer) { kept_.erase(peer); }

    /// Registers callbacks until the token is destroyed.
    [[nodiscard]] subscription_token observe(swarm_observer observer);

    any_io_executor const &get_executor() const noexcept { return executor_; }
    identity const &self() const noexcept { return self_; }
    swarm_stats stats() const;
    /// What large messages take while they arrive and are handled.
    receive_budget &receiving() noexcept { return receiving_; }

    /// Takes no new connections, says goodbye to every peer, cancels and joins every task. From then on what needs a connection
    /// throws `errc::stopped`, until `start()`.
    /// @par Cancellation Not all has ended then: it must be called again before the swarm is destroyed.
    [[nodiscard]] awaitable<void> stop();

  private:
    struct pending_dial;

    /// A fresh stream to a peer; where its connection has just ended it is dialled anew.
    awaitable<stream> open_on_connection(peer_id peer);

    /// The connection to a peer, dialled where there is none; callers that come while a dial is under way share it, and it takes
    /// their addresses, too.
    awaitable<std::shared_ptr<connection>> connection_to(peer_id peer, std::vector<multiaddr> addresses = no_addresses());
    static std::vector<multiaddr> no_addresses() { return {}; }

    std::shared_ptr<pending_dial> begin_dial(std::optional<peer_id> const &peer, std::vector<multiaddr> addresses);

    /// Leaves the addresses that one dial tries. DNS names come after IP addresses, and few of them: a name may take as long as
    /// its server likes, and the peer itself says which names it has (T15).
    void leave_out_some(std::vector<multiaddr> &addresses);

    awaitable<void> dial_peer(std::optional<peer_id> peer, std::vector<multiaddr> addresses, std::shared_ptr<pending_dial> pending);
    awaitable<void> accept_connections(std::shared_ptr<acceptor> from);
    awaitable<void> accept_one(std::unique_ptr<pending_connection> incoming, std::string host);

    /// Takes an authenticated connection in, or says why not (and drops it).
    result<std::shared_ptr<connection>> admit(established made, direction dir);

    /// Runs a connection until it ends, then forgets it.
    awaitable<void> supervise(std::shared_ptr<connection> c);

    /// The peer has gone in order: what it had sent is handled, accepted already or not. Nothing can be answered any more.
    awaitable<void> finish_handlers(std::shared_ptr<connection> c);

    /// A connection is no longer the one that a peer's streams use; where there is no other, the peer is gone.
    void leave(std::shared_ptr<connection> const &c, std::error_code why);

    /// Tells that a peer is gone, once: after the last of what it had sent, and before it comes again.
    void tell_departure(connection &c);
    awaitable<void> accept_streams(std::shared_ptr<connection> c);

    /// Ends a connection that another one has replaced: not at once, since the peer may be opening streams on it until it knows
    /// of the other one, and then as soon as its streams have ended.
    awaitable<void> retire(std::shared_ptr<connection> c);
    awaitable<void> close(std::shared_ptr<connection> c);
    bool is_idle(connection const &c, time_point before) const;
    void close_idle(std::shared_ptr<connection> const &c);
    /// Closes the connection that has been idle longest, where there is one. Some at a time say goodbye first: peers that do not
    /// answer it must not add up to more than `max_connections` and an eighth.
    bool make_room();
    awaitable<void> sweep();

    /// Closes the connection that holds most of what nobody reads, where all together hold too much: not to read is the only way
    /// to make a peer wait, and those who make many wait hold the most.
    awaitable<void> watch_buffers();
    static void add(mux_counts &to, mux_counts const &more) noexcept;
    template <class F> void notify(F const &call);

    any_io_executor executor_;
    identity const &self_;
    swarm_options options_;
    std::function<std::vector<multiaddr>(peer_id const &)> addresses_of_;
    context_clock clock_;
    swarm_stats stats_;
    receive_budget receiving_;
    protocol_handlers handlers_;
    inbound_limits inbound_;
    std::vector<std::unique_ptr<connector>> connectors_;
    std::vector<std::shared_ptr<acceptor>> acceptors_;
    std::list<std::shared_ptr<connection>> all_;             // with those that are being retired
    std::map<peer_id, std::shared_ptr<connection>> active_;  // the one that new streams use
    std::map<peer_id, std::shared_ptr<pending_dial>> dials_;
    std::size_t dials_of_unknown_ = 0; // of addresses that name no peer
    std::map<peer_id, std::set<std::string>> protected_;
    std::set<peer_id> kept_;
    std::vector<std::weak_ptr<swarm_observer const>> observers_;
    bool stopping_ = false;
    task_group tasks_;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/swarm.ipp"
#endif
