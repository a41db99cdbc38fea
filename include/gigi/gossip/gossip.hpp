// gigi/gossip/gossip.hpp: publish and subscribe over the swarm.
//
// Layer: gossip. The coroutine shell of mesh.hpp: one stream to each peer, which only we write, and one from it, which only it
// writes. Both are in the background: they keep no connection from being idle; that a peer is in a topic of ours does.
// Spec: libp2p pubsub "Stream management"; /meshsub/1.2.0, 1.1.0 and 1.0.0, and /floodsub/1.0.0 to older peers.
#pragma once

#include "../codec/codec.hpp"
#include "../codec/framed.hpp"
#include "../core/asio.hpp"
#include "../core/clock.hpp"
#include "../core/condition.hpp"
#include "../core/error.hpp"
#include "../core/log.hpp"
#include "../core/task_group.hpp"
#include "../crypto/random.hpp"
#include "../link/swarm.hpp"
#include "mesh.hpp"
#include "message.hpp"
#include "options.hpp"
#include "peer_link.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

/// A message from a topic. The views are valid during the callback only.
struct received_message {
    peer_id author;    ///< who signed it
    peer_id forwarder; ///< who passed it on to us
    std::string_view topic;
    bytes_view data;
    std::uint64_t seqno = 0;
    message_id id;
};

/// What gossip tells. Called on its strand; must not throw; may call gossip, except for `validate`.
struct gossip_callbacks {
    std::function<void(received_message const &)> on_message;
    std::function<void(std::string const &topic, peer_id const &)> on_peer_joined; ///< of topics that are subscribed
    std::function<void(std::string const &topic, peer_id const &)> on_peer_left;
    /// Judges a message whose signature is good, before it is delivered and forwarded. Must be quick; must not call gossip.
    std::function<validity(peer_id const &author, peer_id const &forwarder, gossip_message const &)> validate;
};

/// What the shell has done and refused; the router's own counts are in `router`.
struct gossip_stats {
    mesh_stats router;
    std::uint64_t streams_opened = 0;
    std::uint64_t streams_failed = 0;      ///< could not be opened, or broke
    std::uint64_t rpcs_sent = 0;
    std::uint64_t rpcs_received = 0;
    std::uint64_t rpcs_malformed = 0;      ///< each ended its stream
    std::uint64_t peers_slowed = 0;        ///< a peer was made to wait, over `max_verifications`
    std::uint64_t messages_dropped = 0;    ///< for peers that read too slowly
    std::uint64_t control_overflows = 0;   ///< streams that were given up since the peer did not take control

    template <class F> void for_each_member(F &&f) const {
        router.for_each_member(f);
        f("streams_opened", streams_opened), f("streams_failed", streams_failed), f("rpcs_sent", rpcs_sent), f("rpcs_received", rpcs_received),
            f("rpcs_malformed", rpcs_malformed), f("peers_slowed", peers_slowed), f("messages_dropped", messages_dropped),
            f("control_overflows", control_overflows);
    }
};

/// Gossip of one node. Everything on the swarm's strand.
class gossip {
  public:
    static constexpr std::array<std::string_view, 4> protocols{"/meshsub/1.2.0", "/meshsub/1.1.0", "/meshsub/1.0.0", "/floodsub/1.0.0"};

    /// @par Lifetime `on` and `random` must outlive it; `co_await stop()` before it is destroyed.
    gossip(swarm &on, gossip_options const &options, gossip_callbacks callbacks, random_source &random)
        : swarm_{on}, options_{options}, callbacks_{std::move(callbacks)}, clock_{on.get_executor()},
          mesh_{on.self().id(), options, hooks(), random}, idle_{on.get_executor()}, tasks_{on.get_executor()} {
        if (!is_valid(options)) throw error{errc::invalid_argument, "gossip_options"};
    }
    gossip(gossip const &) = delete;
    gossip &operator=(gossip const &) = delete;

    /// Serves the protocols, greets the peers that are connected and those that come, and starts the heartbeat.
    void start() {
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

    /// Closes every stream of gossip, cancels and joins every task. Topics stay subscribed, for another `start()`.
    [[nodiscard]] awaitable<void> stop() {
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
        while (readers_ > 0) co_await idle_.wait(); // they are tasks of the swarm's connections; `forget` has ended their streams
    }

    /// Joins a topic. Does nothing where it is joined already.
    /// @throws error: `errc::invalid_name` (empty, or over `max_topic_size`), `errc::limit_exceeded`
    void subscribe(std::string const &topic) {
        mesh_.join(clock_.now(), topic);
        flush();
    }
    /// Leaves a topic. Does nothing where it is not joined. Peers of it are not reported as left.
    void unsubscribe(std::string const &topic) {
        for (auto const &peer : mesh_.peers(topic)) swarm_.unprotect(peer, protection(topic));
        mesh_.leave(clock_.now(), topic);
        flush();
    }

    /// Signs a message and sends it to the topic; never waits. Where no peer is in the topic, the message stays in the cache
    /// for some heartbeats and is announced to peers that come. It is not delivered to this node itself.
    /// @return the message's id @throws error: `errc::invalid_name`, `errc::message_too_large`
    message_id publish(std::string const &topic, bytes_view data) {
        if (topic.empty() || topic.size() > options_.max_topic_size) throw error{errc::invalid_name, "topic"};
        if (data.size() > options_.max_message_size) throw error{errc::message_too_large, "gossip message"};
        auto message = std::make_shared<gossip_message const>(
            sign_message(swarm_.self(), topic, to_bytes(data), numbers_.next(clock_.wall_now())));
        mesh_.publish(clock_.now(), message);
        flush();
        return default_message_id(*message);
    }

    std::vector<std::string> topics() const { return mesh_.joined_topics(); }
    /// Connected peers that are in a topic.
    std::vector<peer_id> peers(std::string_view topic) const { return mesh_.peers(topic); }
    /// Those of them whom messages go to directly.
    std::vector<peer_id> mesh_peers(std::string_view topic) const { return mesh_.mesh_peers(topic); }
    gossip_stats stats() const {
        auto now = stats_;
        now.router = mesh_.stats();
        for (auto const &[peer, link] : links_) now.messages_dropped += link->queue.messages_dropped();
        return now;
    }

  private:
    using link_ptr = std::shared_ptr<peer_link>;

    mesh_hooks hooks() {
        mesh_hooks h;
        h.verify = verify_message;
        h.validate = callbacks_.validate;
        return h;
    }

    // ---- peers

    void greet(connection_info const &info) {
        auto &link = links_[info.peer];
        if (link) return;
        link = std::make_shared<peer_link>(swarm_.get_executor(), info.peer, info.dir == direction::outbound, options_);
        tasks_.spawn(write(link));
    }

    void forget(peer_id const &peer) {
        auto const found = links_.find(peer);
        if (found == links_.end()) return;
        auto const link = std::move(found->second);
        links_.erase(found);
        stats_.messages_dropped += link->queue.messages_dropped();
        link->end();
        mesh_.remove_peer(peer);
        flush();
    }

    /// Hands out what the router has decided.
    void flush() {
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
            if (m.joined)
                swarm_.protect(m.peer, protection(m.topic));
            else
                swarm_.unprotect(m.peer, protection(m.topic));
            if (auto const &tell = m.joined ? callbacks_.on_peer_joined : callbacks_.on_peer_left) tell(m.topic, m.peer);
        }
    }

    /// What keeps a peer of a topic connected, however little is said there.
    static std::string protection(std::string const &topic) { return "topic " + topic; }

    awaitable<void> beat() {
        timer pause{swarm_.get_executor()};
        auto next = clock_.now();
        for (;;) {
            next = std::max<time_point>(next + options_.heartbeat_interval, clock_.now()); // none is made up for (T31)
            co_await pause.wait_until(next);
            mesh_.heartbeat(clock_.now());
            flush();
        }
    }

    // ---- our stream to a peer

    /// Keeps a stream to a peer open, and sends what is queued, for as long as the peer is connected.
    awaitable<void> write(link_ptr link) {
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

    awaitable<void> send_all(link_ptr link, std::shared_ptr<outbound_stream> out) {
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

    /// Notices that a peer has given up our stream before the next message is lost in it.
    awaitable<void> watch(link_ptr link, std::shared_ptr<outbound_stream> out) {
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

    // ---- a peer's stream to us

    awaitable<void> read(stream incoming) {
        auto const found = links_.find(incoming.peer());
        if (!running_ || found == links_.end()) co_return;
        auto const link = found->second;
        incoming.set_background();
        auto const version = gossip_version_of(incoming.protocol());
        auto const in = std::make_shared<inbound_stream>(std::move(incoming));
        if (link->in) link->in->reset(); // the newest is the one that the peer means
        link->in = in;
        link->wake.notify_all();
        mesh_.add_peer(link->peer, version, link->dialled);
        flush();
        struct counted {
            gossip &owner;
            explicit counted(gossip &g) : owner{g} { ++owner.readers_; }
            ~counted() {
                if (--owner.readers_ == 0) owner.idle_.notify_all();
            }
        } const count{*this};
        std::exception_ptr failure;
        try {
            while (!link->ended && link->in == in) {
                std::optional<std::size_t> const size = co_await in->next_size(options_.max_rpc_size);
                if (!size) throw error{make_error_code(errc::end_of_stream)};
                receive_budget::share room;
                if (*size > small_rpc) {
                    room = co_await swarm_.receiving().take(link->peer, *size, options_.receive_timeout);
                    in->stream().expires_at(clock_.now() + options_.receive_timeout);
                }
                bytes const frame = co_await in->read_bytes(options_.max_rpc_size);
                if (*size > small_rpc) in->stream().expires_never();
                co_await take(link, frame);
            }
        } catch (...) {
            failure = std::current_exception();
        }
        if (link->in == in) link->in.reset();
        if (failure) std::rethrow_exception(failure);
    }

    /// Takes one RPC. Between its messages others get their turn.
    awaitable<void> take(link_ptr link, bytes_view frame) {
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
                co_await asio::post(swarm_.get_executor(), use_awaitable);
            }
        }
        if (!link->ended) mesh_.receive_control(clock_.now(), link->peer, *parsed);
        flush();
    }

    static constexpr duration max_backoff = std::chrono::minutes{1}; // before a stream is opened again
    static constexpr std::size_t small_rpc = std::size_t{64} << 10; // is taken without further ado
    static constexpr std::size_t write_piece = std::size_t{64} << 10;
    static constexpr std::size_t keep = 4096; // of a frame's memory
    static constexpr std::size_t turn = 16;   // signatures checked in one go: about a millisecond

    swarm &swarm_;
    gossip_options options_;
    gossip_callbacks callbacks_;
    context_clock clock_;
    mesh mesh_;
    sequence_numbers numbers_;
    std::map<peer_id, link_ptr> links_; // to connected peers
    subscription_token observation_;
    gossip_stats stats_;
    bool running_ = false;
    std::size_t readers_ = 0;
    async_condition idle_; // no readers
    task_group tasks_;
};

} // namespace gigi::inline v1
