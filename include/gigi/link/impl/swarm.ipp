// gigi/link/impl/swarm.ipp: what swarm.hpp declares.
#pragma once

#include "../swarm.hpp"

#include "../../core/config.hpp"
#include "../../core/error.hpp"
#include "../../core/log.hpp"
#include "../../core/timeout.hpp"
#include "../dial_race.hpp"
#include "../multistream.hpp"

#include <algorithm>
#include <optional>
#include <span>

namespace gigi::inline v1 {

struct swarm::pending_dial {
    pending_dial(any_io_executor const &executor, std::span<std::unique_ptr<connector> const> connectors, std::optional<peer_id> const &expected,
                 duration stagger)
        : race{executor, connectors, expected, stagger}, finished{executor} {}
    dial_race race;
    async_condition finished;
    std::shared_ptr<connection> made;
    std::exception_ptr failure;
    bool done = false;
};

template <class F> void swarm::notify(F const &call) {
    std::erase_if(observers_, [](auto const &weak) { return weak.expired(); });
    auto const now = observers_; // a callback may add or remove observers
    for (auto const &weak : now)
        if (auto const observer = weak.lock()) call(*observer);
}

GIGI_INLINE swarm::swarm(any_io_executor executor, identity const &self, swarm_options const &options,
                         std::function<std::vector<multiaddr>(peer_id const &)> addresses_of)
    : executor_{std::move(executor)}, self_{self}, options_{options}, addresses_of_{std::move(addresses_of)},
      clock_{executor_}, receiving_{executor_, options_.max_receiving}, handlers_{executor_, options_, stats_}, inbound_{options_}, tasks_{executor_} {}

GIGI_INLINE void swarm::start() {
    stopping_ = false;
    tasks_.reset();
    tasks_.spawn(sweep());
    tasks_.spawn(watch_buffers());
}

GIGI_INLINE multiaddr swarm::listen(multiaddr const &address) {
    for (auto const &c : connectors_) {
        if (!c->can_dial(address)) continue;
        std::shared_ptr<acceptor> opened = c->listen(address);
        acceptors_.push_back(opened);
        tasks_.spawn(accept_connections(opened));
        return opened->local_address();
    }
    throw error{errc::invalid_address, address.to_string()};
}

GIGI_INLINE void swarm::stop_listening(multiaddr const &address) {
    std::erase_if(acceptors_, [&address](std::shared_ptr<acceptor> const &a) {
        if (a->local_address() != address) return false;
        a->close(); // which ends its task
        return true;
    });
}

GIGI_INLINE std::vector<multiaddr> swarm::listen_addresses() const {
    std::vector<multiaddr> all;
    for (auto const &a : acceptors_) all.push_back(a->local_address());
    return all;
}

GIGI_INLINE awaitable<void> swarm::connect(peer_id peer) { co_await connection_to(std::move(peer)); }

GIGI_INLINE awaitable<peer_id> swarm::dial(multiaddr address) {
    if (auto const expected = address.peer()) {
        std::vector<multiaddr> const only{address};
        auto const connected = co_await connection_to(*expected, only);
        co_return connected->info.peer;
    }
    if (stopping_) throw error{make_error_code(errc::stopped)};
    std::vector<multiaddr> only{address};
    auto const pending = begin_dial(std::nullopt, std::move(only));
    while (!pending->done) co_await pending->finished.wait();
    if (pending->failure) std::rethrow_exception(pending->failure);
    co_return pending->made->info.peer;
}

GIGI_INLINE awaitable<void> swarm::disconnect(peer_id peer) {
    task_group goodbyes{executor_};
    for (auto const &c : all_)
        if (c->info.peer == peer) goodbyes.spawn(close(c));
    co_await goodbyes.join();
}

GIGI_INLINE awaitable<stream> swarm::open_stream(peer_id peer, std::vector<std::string> protocols) {
    stream opened = co_await open_on_connection(peer);
    opened.expires_at(clock_.now() + options_.handshake_timeout);
    std::span<std::string const> const offer{protocols};
    std::string chosen = co_await negotiate_as_dialer(opened, offer);
    opened.set_protocol(std::move(chosen));
    opened.expires_never();
    co_return opened;
}

GIGI_INLINE awaitable<lazy_stream> swarm::open_stream_optimistic(peer_id peer, std::string protocol) {
    stream opened = co_await open_on_connection(peer);
    co_return lazy_stream{std::move(opened), std::move(protocol)};
}

GIGI_INLINE connection const *swarm::find(peer_id const &peer) const {
    auto const found = active_.find(peer);
    return found == active_.end() ? nullptr : found->second.get();
}

GIGI_INLINE std::vector<peer_id> swarm::connected_peers() const {
    std::vector<peer_id> all;
    for (auto const &[peer, c] : active_) all.push_back(peer);
    return all;
}

GIGI_INLINE void swarm::unprotect(peer_id const &peer, std::string const &tag) {
    auto const found = protected_.find(peer);
    if (found == protected_.end()) return;
    found->second.erase(tag);
    if (found->second.empty()) protected_.erase(found);
}

GIGI_INLINE void swarm::keep(peer_id const &peer) {
    if (active_.contains(peer)) kept_.insert(peer);
}

GIGI_INLINE subscription_token swarm::observe(swarm_observer observer) {
    auto held = std::make_shared<swarm_observer const>(std::move(observer));
    observers_.push_back(held);
    return std::const_pointer_cast<swarm_observer>(held);
}

GIGI_INLINE swarm_stats swarm::stats() const {
    swarm_stats now = stats_;
    for (auto const &c : all_) {
        add(now.mux, c->mux->counts());
        now.mux.bytes_buffered += c->mux->counts().bytes_buffered;
        now.streams += c->mux->stream_count();
    }
    now.requests_delayed = receiving_.delayed();
    now.requests_refused = receiving_.refused();
    now.bytes_receiving = receiving_.held();
    return now;
}

GIGI_INLINE awaitable<void> swarm::stop() {
    stopping_ = true;
    for (auto const &a : acceptors_) a->close();
    task_group goodbyes{executor_};
    for (auto const &c : all_) goodbyes.spawn(close(c));
    co_await goodbyes.join();
    tasks_.cancel();
    co_await tasks_.join();
    acceptors_.clear();
}

GIGI_INLINE awaitable<stream> swarm::open_on_connection(peer_id peer) {
    for (bool again = true;; again = false) {
        auto const c = co_await connection_to(peer);
        try {
            co_return stream{c->mux->open_stream(), peer};
        } catch (std::system_error const &e) {
            if (e.code() == errc::limit_exceeded) ++stats_.streams_denied;
            if (!again || e.code() != condition::closed) throw;
        }
        leave(c, make_error_code(errc::closed)); // it has ended; `supervise` just has not seen it yet
    }
}

GIGI_INLINE awaitable<std::shared_ptr<connection>> swarm::connection_to(peer_id peer, std::vector<multiaddr> addresses) {
    if (peer == self_.id()) throw error{errc::self_dial, peer.to_string()};
    for (bool again = true;; again = false) {
        if (stopping_) throw error{make_error_code(errc::stopped)};
        if (auto const found = active_.find(peer); found != active_.end()) co_return found->second;
        auto const under_way = dials_.find(peer);
        bool const joins = under_way != dials_.end();
        auto const pending = joins ? under_way->second : begin_dial(peer, addresses);
        if (joins)
            for (auto const &address : addresses) pending->race.add(address);
        while (!pending->done) co_await pending->finished.wait();
        if (!pending->failure) co_return pending->made;
        // An address that came late may not have had the time that a dial has: then it gets one of its own.
        auto const was_tried = [&pending](multiaddr const &address) { return pending->race.has_failed(address); };
        if (!again || !joins || std::ranges::all_of(addresses, was_tried)) std::rethrow_exception(pending->failure);
    }
}

GIGI_INLINE std::shared_ptr<swarm::pending_dial> swarm::begin_dial(std::optional<peer_id> const &peer, std::vector<multiaddr> addresses) {
    if (peer && addresses.empty()) addresses = addresses_of_(*peer);
    if (peer && addresses.empty()) throw error{errc::no_addresses, peer->to_string()};
    if (dials_.size() + dials_of_unknown_ >= options_.max_pending_dials) {
        ++stats_.dials_refused;
        throw error{errc::limit_exceeded, "too many dials at once"};
    }
    leave_out_some(addresses);
    auto const pending = std::make_shared<pending_dial>(executor_, connectors_, peer, options_.dial_stagger);
    if (peer)
        dials_.emplace(*peer, pending);
    else
        ++dials_of_unknown_;
    tasks_.spawn(dial_peer(peer, std::move(addresses), pending));
    return pending;
}

GIGI_INLINE void swarm::leave_out_some(std::vector<multiaddr> &addresses) {
    std::size_t const all = addresses.size();
    auto const names = std::ranges::stable_partition(addresses, [](multiaddr const &address) { return !address.ip().empty(); });
    if (names.size() > max_names_per_dial) addresses.resize(all - names.size() + max_names_per_dial);
    if (addresses.size() > options_.max_addresses_per_dial) addresses.resize(options_.max_addresses_per_dial);
    stats_.addresses_left_out += all - addresses.size();
}

GIGI_INLINE awaitable<void> swarm::dial_peer(std::optional<peer_id> peer, std::vector<multiaddr> addresses, std::shared_ptr<pending_dial> pending) {
    std::string const whom = peer ? peer->to_string() : addresses.empty() ? std::string{} : addresses.front().to_string();
    try {
        established made = co_await with_timeout(pending->race.run(std::move(addresses)), options_.dial_timeout);
        auto added = admit(std::move(made), direction::outbound);
        if (!added) throw error{added.error(), whom};
        pending->made = std::move(added).value();
    } catch (...) {
        pending->failure = std::current_exception();
    }
    if (pending->failure && stopping_) pending->failure = std::make_exception_ptr(error{make_error_code(errc::stopped)});
    if (pending->failure) {
        auto const found = peer ? active_.find(*peer) : active_.end();
        if (found != active_.end()) { // the peer may have dialled us meanwhile
            pending->made = found->second;
            pending->failure = nullptr;
        } else {
            ++stats_.dials_failed;
        }
    }
    if (peer)
        dials_.erase(*peer);
    else
        --dials_of_unknown_;
    pending->done = true;
    pending->finished.notify_all();
}

GIGI_INLINE awaitable<void> swarm::accept_connections(std::shared_ptr<acceptor> from) {
    for (;;) {
        std::unique_ptr<pending_connection> incoming;
        std::error_code code;
        try {
            incoming = co_await from->accept();
        } catch (std::system_error const &e) {
            code = e.code();
        }
        if (code == condition::closed || code == condition::cancelled) co_return;
        if (code) { // out of descriptors, most likely: wait rather than spin
            log(log_level::warning, "swarm", "accept: ", code.message());
            co_await sleep_for(std::chrono::milliseconds{100});
            continue;
        }
        auto const host = inbound_limits::host_of(incoming->remote_address());
        if (auto const verdict = inbound_.judge(host); verdict != inbound_limits::verdict::welcome) {
            ++stats_.handshakes_refused;
            if (verdict == inbound_limits::verdict::host_has_enough) ++stats_.handshakes_refused_per_address;
            continue;
        }
        tasks_.spawn(accept_one(std::move(incoming), host));
    }
}

GIGI_INLINE awaitable<void> swarm::accept_one(std::unique_ptr<pending_connection> incoming, std::string host) {
    inbound_.begin_handshake(host);
    try {
        established made = co_await with_timeout(incoming->upgrade(), options_.handshake_timeout);
        auto const added = admit(std::move(made), direction::inbound);
        if (!added) log(log_level::debug, "swarm", "inbound refused: ", added.error().message());
    } catch (std::exception const &e) {
        ++stats_.handshakes_failed;
        log(log_level::debug, "swarm", "inbound handshake: ", e.what());
    }
    inbound_.end_handshake(host);
}

GIGI_INLINE result<std::shared_ptr<connection>> swarm::admit(established made, direction dir) {
    if (stopping_) return errc::stopped;
    if (made.peer == self_.id()) return errc::self_dial;
    auto const found = active_.find(made.peer);
    if (found == active_.end() && all_.size() >= options_.max_connections && !make_room()) {
        ++stats_.connections_refused;
        return errc::limit_exceeded;
    }
    auto added = std::make_shared<connection>(executor_, std::move(made), dir, clock_.now());
    auto const &info = added->info;
    bool first = false;
    std::shared_ptr<connection> loser;
    if (found == active_.end()) {
        for (auto const &c : all_)
            if (c->info.peer == info.peer) tell_departure(*c);
        active_.emplace(info.peer, added);
        first = true;
    } else if (newer_connection_wins(found->second->info, info, self_.id())) {
        loser = std::exchange(found->second, added);
    } else {
        loser = added;
    }
    ++stats_.connections_opened;
    all_.push_back(added);
    if (dir == direction::inbound) inbound_.add_connection(inbound_limits::host_of(info.remote));
    tasks_.spawn(supervise(added));
    if (loser) {
        for (auto const &c : all_)
            if (c->retired && !c->closing && c->info.peer == info.peer) { // two are all that a peer gets
                ++stats_.connections_replaced;
                c->closing = make_error_code(errc::closed);
                c->mux->abort(c->closing);
            }
        loser->retired = true;
        tasks_.spawn(retire(loser));
    }
    if (first) notify([&info](swarm_observer const &o) { if (o.connected) o.connected(info); });
    return active_.contains(info.peer) ? active_.find(info.peer)->second : added;
}

GIGI_INLINE awaitable<void> swarm::supervise(std::shared_ptr<connection> c) {
    std::error_code why = make_error_code(errc::closed);
    c->tasks.spawn(accept_streams(c));
    try {
        co_await c->mux->run();
    } catch (std::system_error const &e) {
        why = e.code();
    }
    co_await asio::this_coro::reset_cancellation_state();
    c->over = true;
    if (c->closing) why = c->closing;
    leave(c, why);
    bool const in_order = !c->closing && (why == errc::closed || why == errc::end_of_stream);
    if (in_order) co_await finish_handlers(c);
    co_await asio::this_coro::reset_cancellation_state();
    c->tasks.cancel();
    try {
        co_await c->tasks.join();
    } catch (...) { // `stop()` came while it waited: the tasks have ended all the same
    }
    all_.remove(c);
    add(stats_.mux, c->mux->counts());
    if (c->info.dir == direction::inbound) inbound_.remove_connection(inbound_limits::host_of(c->info.remote));
    ++stats_.connections_closed;
    tell_departure(*c);
}

GIGI_INLINE awaitable<void> swarm::finish_handlers(std::shared_ptr<connection> c) {
    try {
        co_await with_timeout(c->tasks.join(), options_.closing_grace);
    } catch (std::system_error const &) { // too late: cancelled by now
    }
}

GIGI_INLINE void swarm::leave(std::shared_ptr<connection> const &c, std::error_code why) {
    auto const found = active_.find(c->info.peer);
    if (found == active_.end() || found->second != c) return;
    active_.erase(found);
    // A retired connection that still lives takes over rather than leave the peer without one.
    for (auto const &other : all_)
        if (other != c && other->info.peer == c->info.peer && !other->closing && !other->over) {
            other->retired = false;
            active_.emplace(other->info.peer, other);
            return;
        }
    c->departed = why;
}

GIGI_INLINE void swarm::tell_departure(connection &c) {
    auto const why = std::exchange(c.departed, {});
    if (!why) return;
    kept_.erase(c.info.peer);
    log(log_level::info, "swarm", "disconnected ", c.info.peer.to_string(), ": ", why.message());
    notify([&](swarm_observer const &o) { if (o.disconnected) o.disconnected(c.info.peer, why); });
}

GIGI_INLINE awaitable<void> swarm::accept_streams(std::shared_ptr<connection> c) {
    for (;;) {
        std::shared_ptr<stream_core> core;
        try {
            core = co_await c->mux->accept_stream();
        } catch (std::system_error const &) {
            co_return; // `run()` says why
        }
        stream incoming{std::move(core), c->info.peer};
        if (c->tasks.size() > options_.max_streams_per_peer) {
            ++stats_.streams_refused;
            continue; // destroying it resets it
        }
        c->tasks.spawn(handlers_.serve(c, std::move(incoming)));
    }
}

GIGI_INLINE awaitable<void> swarm::retire(std::shared_ptr<connection> c) {
    timer pause{executor_};
    auto const end = clock_.now() + options_.retire_timeout;
    co_await pause.wait_for(options_.retire_timeout / 4);
    while (c->retired && c->mux->foreground_count() > 0 && clock_.now() < end)
        co_await pause.wait_for(std::chrono::milliseconds{50});
    if (c->retired) co_await close(c);
}

GIGI_INLINE awaitable<void> swarm::close(std::shared_ptr<connection> c) {
    if (!c->closing) c->closing = make_error_code(errc::closed);
    try {
        co_await c->mux->close();
    } catch (std::system_error const &) { // it was gone already
    }
}

GIGI_INLINE bool swarm::is_idle(connection const &c, time_point before) const {
    return !c.closing && !c.over && c.mux->foreground_count() == 0 && c.mux->quiet_since() < before && !protected_.contains(c.info.peer);
}

GIGI_INLINE void swarm::close_idle(std::shared_ptr<connection> const &c) {
    ++stats_.connections_idle;
    c->closing = make_error_code(errc::idle);
    tasks_.spawn(close(c));
}

GIGI_INLINE bool swarm::make_room() {
    std::shared_ptr<connection> quietest;
    std::size_t leaving = 0;
    for (auto const &c : all_) {
        if (c->closing) ++leaving;
        if (!is_idle(*c, clock_.now())) continue;
        auto const rank = [this](connection const &one) { return std::pair{kept_.contains(one.info.peer), one.mux->quiet_since()}; };
        if (!quietest || rank(*c) < rank(*quietest)) quietest = c;
    }
    if (!quietest) return false;
    close_idle(quietest);
    if (leaving >= std::max<std::size_t>(options_.max_connections / 8, 1)) quietest->mux->abort(quietest->closing);
    return true;
}

GIGI_INLINE awaitable<void> swarm::sweep() {
    timer pause{executor_};
    for (;;) {
        co_await pause.wait_for(std::max<duration>(options_.idle_timeout / 4, std::chrono::milliseconds{100}));
        for (auto const &c : all_)
            if (!kept_.contains(c->info.peer) && is_idle(*c, clock_.now() - options_.idle_timeout)) close_idle(c);
    }
}

GIGI_INLINE awaitable<void> swarm::watch_buffers() {
    timer pause{executor_};
    for (;;) {
        co_await pause.wait_for(std::chrono::seconds{1});
        std::size_t held = 0, most = 0;
        connection *worst = nullptr;
        for (auto const &c : all_) {
            std::size_t const here = c->mux->counts().bytes_buffered; // of one that is over, what its last handlers hold
            held += here;
            if (here > most && c->closing != errc::limit_exceeded) {
                most = here;
                worst = c.get();
            }
        }
        if (held <= options_.max_buffered) continue;
        if (!worst) continue; // those who held it are ending
        ++stats_.connections_overrun;
        worst->closing = make_error_code(errc::limit_exceeded);
        worst->mux->abort(worst->closing);
        if (worst->over) worst->tasks.cancel();
    }
}

GIGI_INLINE void swarm::add(mux_counts &to, mux_counts const &more) noexcept {
    to.bytes_sent += more.bytes_sent;
    to.bytes_received += more.bytes_received;
    to.streams_refused += more.streams_refused;
    to.streams_overrun += more.streams_overrun;
    to.streams_timed_out += more.streams_timed_out;
    to.windows_capped += more.windows_capped;
}

} // namespace gigi::inline v1
