// gigi/gossip/impl/gossip.ipp: what gossip.hpp declares.
#pragma once

#include "../gossip.hpp"

#include "../../codec/framed.hpp"
#include "../../core/config.hpp"
#include "../../core/error.hpp"
#include "../../core/log.hpp"
#include "../../core/uninterrupted.hpp"
#include "../peer_link.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace gigi::inline v1 {

GIGI_INLINE gossip::gossip(swarm &on, gossip_options const &options, gossip_callbacks callbacks, random_source &random)
    : swarm_{on}, options_{options}, callbacks_{std::move(callbacks)}, clock_{on.get_executor()},
      mesh_{on.self().id(), options, hooks(), random}, idle_{on.get_executor()}, tasks_{on.get_executor()} {
    if (!is_valid(options)) throw error{errc::invalid_argument, "gossip_options"};
}

GIGI_INLINE void gossip::start() {
    if (running_) return;
    running_ = true;
    for (auto const protocol : protocols)
        swarm_.handle(std::string{protocol}, [this](stream incoming) { return read(std::move(incoming)); });
    swarm_observer observer;
    observer.connected = [this](connection_info const &info) { greet(info); };
    observer.disconnected = [this](peer_id const &peer, std::error_code) { forget(peer); };
    observation_ = swarm_.observe(std::move(observer));
    for (auto const &peer : swarm_.connected_peers())
        if (auto const *const c = swarm_.find(peer)) greet(c->info);
    tasks_.spawn(beat());
}

GIGI_INLINE awaitable<void> gossip::stop() {
    auto const end = [this]() -> awaitable<void> {
        running_ = false;
        observation_.reset();
        for (auto const protocol : protocols) swarm_.unhandle(protocol);
        while (!links_.empty()) {
            peer_id const peer = links_.begin()->first;
            forget(peer);
        }
        tasks_.cancel();
        co_await tasks_.join();
        tasks_.reset();
        while (readers_ > 0) co_await idle_.wait(); // they are tasks of the swarm's connections; `forget` has ended what they wait for
    };
    co_await uninterrupted(end());
}

GIGI_INLINE void gossip::subscribe(std::string const &topic) {
    mesh_.join(clock_.now(), topic);
    flush();
}

GIGI_INLINE void gossip::unsubscribe(std::string const &topic) {
    for (auto const &peer : mesh_.peers(topic)) swarm_.unprotect(peer, protection(topic));
    mesh_.leave(clock_.now(), topic);
    flush();
}

GIGI_INLINE message_id gossip::publish(std::string const &topic, bytes_view data) {
    if (topic.empty() || topic.size() > options_.max_topic_size) throw error{errc::invalid_name, "topic"};
    if (data.size() > options_.max_message_size) throw error{errc::message_too_large, "gossip message"};
    auto message = std::make_shared<gossip_message const>(
        sign_message(swarm_.self(), topic, to_bytes(data), numbers_.next(clock_.wall_now())));
    mesh_.publish(clock_.now(), message);
    flush();
    return default_message_id(*message);
}

GIGI_INLINE gossip_stats gossip::stats() const {
    auto now = stats_;
    now.router = mesh_.stats();
    for (auto const &[peer, link] : links_) count_drops(now, *link);
    return now;
}

GIGI_INLINE void gossip::count_drops(gossip_stats &to, peer_link const &link) {
    to.messages_dropped += link.queue.messages_dropped();
    to.gossip_dropped += link.queue.gossip_dropped();
}

GIGI_INLINE mesh_hooks gossip::hooks() {
    mesh_hooks h;
    h.verify = verify_message;
    h.validate = callbacks_.validate;
    return h;
}

GIGI_INLINE void gossip::greet(connection_info const &info) {
    auto &link = links_[info.peer];
    if (link) return;
    link = std::make_shared<peer_link>(swarm_.get_executor(), info.peer, info.dir == direction::outbound, options_);
    tasks_.spawn(write(link));
}

GIGI_INLINE void gossip::forget(peer_id const &peer) {
    auto const found = links_.find(peer);
    if (found == links_.end()) return;
    auto const link = std::move(found->second);
    links_.erase(found);
    count_drops(stats_, *link);
    link->end();
    mesh_.remove_peer(peer);
    flush();
}

GIGI_INLINE void gossip::flush() {
    auto output = mesh_.take_output(); // callbacks may come back here: they get an output of their own
    for (auto &send : output.sends) {
        auto const found = links_.find(send.to);
        if (found == links_.end()) continue;
        auto &link = *found->second;
        link.queue.push(std::move(send.what));
        if (link.queue.overflowed()) {
            ++stats_.control_overflows;
            link.queue.clear();
            link.abandon_stream();
        }
        link.wake.notify_all();
    }
    for (auto const &d : output.deliveries) {
        if (!callbacks_.on_message) break;
        received_message const m{d.author, d.forwarder, d.message->topic, d.message->data, load_be<std::uint64_t>(d.message->seqno.data()), d.id};
        callbacks_.on_message(m);
    }
    for (auto const &m : output.memberships) {
        if (m.joined && !mesh_.is_joined(m.topic)) continue; // a callback has left it meanwhile
        if (m.joined)
            swarm_.protect(m.peer, protection(m.topic));
        else
            swarm_.unprotect(m.peer, protection(m.topic));
        if (auto const &tell = m.joined ? callbacks_.on_peer_joined : callbacks_.on_peer_left) tell(m.topic, m.peer);
    }
}

GIGI_INLINE awaitable<void> gossip::beat() {
    timer pause{swarm_.get_executor()};
    auto next = clock_.now();
    for (;;) {
        next = std::max<time_point>(next + options_.heartbeat_interval, clock_.now()); // none is made up for (T31)
        co_await pause.wait_until(next);
        mesh_.heartbeat(clock_.now());
        flush();
    }
}

GIGI_INLINE awaitable<void> gossip::write(link_ptr link) {
    duration backoff = duration::zero();
    while (!link->ended && swarm_.is_connected(link->peer)) {
        std::error_code failed;
        auto const began = clock_.now();
        try {
            std::vector<std::string> offer{protocols.begin(), protocols.end()};
            stream opened = co_await swarm_.open_stream(link->peer, std::move(offer));
            opened.set_background();
            auto const out = std::make_shared<outbound_stream>(std::move(opened));
            co_await send_all(link, out);
        } catch (std::system_error const &e) {
            failed = e.code();
        }
        link->out.reset();
        if (tasks_.cancelled() || link->ended) co_return;
        ++stats_.streams_failed;
        log(log_level::debug, "gossip", "stream to ", link->peer.to_string(), ": ", failed.message());
        // A peer that does not speak gossip may begin to: then it opens a stream itself.
        while (failed == errc::unsupported_protocol && !link->in && !link->ended) co_await link->wake.wait();
        // One that has lasted is opened again soon: its connection may have been replaced. Not at once: where the connection
        // itself has ended, the swarm must have seen it, or the next stream would dial the peer.
        bool const lasted = clock_.now() - began > options_.reopen_backoff;
        backoff = lasted ? options_.reopen_backoff / 10 : std::clamp(backoff * 2, options_.reopen_backoff, max_backoff);
        if (!link->ended) co_await link->pause.wait_for(backoff);
    }
}

GIGI_INLINE awaitable<void> gossip::send_all(link_ptr link, std::shared_ptr<outbound_stream> out) {
    if (link->ended) co_return;
    ++stats_.streams_opened;
    auto const version = gossip_version_of(out->data.protocol());
    if (link->opened) { // what the last stream carried may be lost
        link->queue.clear_control();
        mesh_.restart_peer(link->peer);
    }
    link->opened = true;
    link->out = out;
    mesh_.add_peer(link->peer, version, link->dialled);
    flush();
    tasks_.spawn(watch(link, out));
    bytes frame;
    while (!link->ended && !out->broken) {
        if (link->queue.empty()) {
            co_await link->wake.wait();
            continue;
        }
        rpc const next = link->queue.next();
        frame.clear();
        append_frame_of(frame, [&next](bytes &to) { encode(next, to); });
        for (bytes_view rest{frame}; !rest.empty();) { // in pieces: a slow link is not a dead one
            bytes_view const piece = rest.first(std::min(rest.size(), write_piece));
            out->data.expires_at(clock_.now() + options_.write_timeout);
            co_await out->data.write(piece);
            rest = rest.subspan(piece.size());
        }
        out->data.expires_never();
        ++stats_.rpcs_sent;
        if (frame.capacity() > keep) bytes{}.swap(frame);
    }
    out->data.reset();
    if (!link->ended) throw error{make_error_code(errc::reset)};
}

GIGI_INLINE awaitable<void> gossip::watch(link_ptr link, std::shared_ptr<outbound_stream> out) {
    try {
        std::array<std::uint8_t, 1> extra{};
        mutable_bytes const room{extra};
        std::size_t const n = co_await out->data.read_some(room);
        if (n == 0) co_return; // it has ended its direction, which it does not use anyway
    } catch (std::system_error const &) {
    }
    out->broken = true;
    link->wake.notify_all();
}

GIGI_INLINE awaitable<void> gossip::read(stream incoming) {
    auto const found = links_.find(incoming.peer());
    if (!running_ || found == links_.end()) co_return;
    auto const link = found->second;
    incoming.set_background();
    auto const version = gossip_version_of(incoming.protocol());
    auto const in = std::make_shared<inbound_stream>(std::move(incoming));
    if (link->in) link->in->end(); // the newest is the one that the peer means
    link->in = in;
    link->wake.notify_all();
    mesh_.add_peer(link->peer, version, link->dialled);
    flush();
    ++readers_;
    std::exception_ptr failure;
    try {
        while (!link->ended && link->in == in) {
            std::optional<std::size_t> const size = co_await in->frames.next_size(options_.max_rpc_size);
            if (!size) throw error{make_error_code(errc::end_of_stream)};
            if (in->ended) break; // in the turn in which the size came: nothing would interrupt what follows
            receive_budget::share room;
            if (*size > small_rpc) {
                room = co_await make_room(link->peer, in, *size);
                if (in->ended) break;
                in->frames.stream().expires_at(clock_.now() + options_.receive_timeout);
            }
            bytes const frame = co_await in->frames.read_bytes(options_.max_rpc_size);
            if (*size > small_rpc) in->frames.stream().expires_never();
            co_await take(link, frame);
        }
    } catch (...) {
        failure = std::current_exception();
    }
    if (link->in == in) link->in.reset();
    if (--readers_ == 0) idle_.notify_all();
    if (failure) std::rethrow_exception(failure);
}

GIGI_INLINE awaitable<receive_budget::share> gossip::make_room(peer_id peer, std::shared_ptr<inbound_stream> in, std::size_t size) {
    receive_budget::share room;
    task_group waiting{swarm_.get_executor()};
    waiting.spawn(take_room(std::move(peer), size, room));
    in->waiting = &waiting;
    std::exception_ptr failure;
    try {
        co_await waiting.join();
    } catch (...) {
        failure = std::current_exception();
    }
    in->waiting = nullptr;
    if (failure) std::rethrow_exception(failure);
    co_return room;
}

GIGI_INLINE awaitable<void> gossip::take_room(peer_id peer, std::size_t size, receive_budget::share &room) {
    room = co_await swarm_.receiving().take(std::move(peer), size, options_.receive_timeout);
}

GIGI_INLINE awaitable<void> gossip::take(link_ptr link, bytes_view frame) {
    auto const parsed = parse_rpc(frame);
    if (!parsed) {
        ++stats_.rpcs_malformed;
        throw error{parsed.error(), "gossip RPC"};
    }
    ++stats_.rpcs_received;
    mesh_.receive_subscriptions(clock_.now(), link->peer, *parsed);
    std::size_t verified = 0;
    for (auto const &message : parsed->messages) {
        if (link->ended) co_return;
        auto const outcome = mesh_.receive_message(clock_.now(), link->peer, message);
        if (!was_verified(outcome)) continue;
        duration const wait = link->budget.take(clock_.now(), options_.max_verifications);
        if (wait > duration::zero()) {
            flush();
            ++stats_.peers_slowed;
            co_await sleep_for(wait);
        } else if (++verified % turn == 0) {
            flush();
            co_await detail::yield_turn(swarm_.get_executor());
        }
    }
    if (!link->ended) mesh_.receive_control(clock_.now(), link->peer, *parsed);
    flush();
}

} // namespace gigi::inline v1
