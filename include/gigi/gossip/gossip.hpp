// gigi/gossip/gossip.hpp: publish and subscribe over the swarm.
//
// Layer: gossip. The coroutine shell of mesh.hpp: one stream to each peer, which only we write, and one from it, which only it
// writes. Both are in the background: they keep no connection from being idle; that a peer is in a topic of ours does.
// Spec: libp2p pubsub "Stream management"; /meshsub/1.2.0, 1.1.0 and 1.0.0, and /floodsub/1.0.0 to older peers.
#pragma once

#include "../core/asio.hpp"
#include "../core/clock.hpp"
#include "../core/condition.hpp"
#include "../core/task_group.hpp"
#include "../crypto/random.hpp"
#include "../link/receive_budget.hpp"
#include "../link/swarm.hpp"
#include "mesh.hpp"
#include "message.hpp"
#include "options.hpp"

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gigi::inline v1 {

struct inbound_stream;
struct outbound_stream;
struct peer_link;

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
    std::uint64_t gossip_dropped = 0;      ///< likewise, of control: RPCs whose IHAVE and IDONTWANT were left out, over half of `max_queued_control`
    std::uint64_t control_overflows = 0;   ///< streams that were given up since the peer did not take control

    template <class F> void for_each_member(F &&f) const {
        router.for_each_member(f);
        f("streams_opened", streams_opened), f("streams_failed", streams_failed), f("rpcs_sent", rpcs_sent), f("rpcs_received", rpcs_received),
            f("rpcs_malformed", rpcs_malformed), f("peers_slowed", peers_slowed), f("messages_dropped", messages_dropped),
            f("gossip_dropped", gossip_dropped), f("control_overflows", control_overflows);
    }
};

/// Gossip of one node. Everything on the swarm's strand.
class gossip {
  public:
    static constexpr std::array<std::string_view, 4> protocols{"/meshsub/1.2.0", "/meshsub/1.1.0", "/meshsub/1.0.0", "/floodsub/1.0.0"};

    /// @par Lifetime `on` and `random` must outlive it; `co_await stop()` before it is destroyed.
    gossip(swarm &on, gossip_options const &options, gossip_callbacks callbacks, random_source &random);
    gossip(gossip const &) = delete;
    gossip &operator=(gossip const &) = delete;

    /// Serves the protocols, greets the peers that are connected and those that come, and starts the heartbeat.
    void start();

    /// Closes every stream of gossip, cancels and joins every task. Topics stay subscribed, for another `start()`.
    /// @par Cancellation Has no effect once it has begun: it goes on to its end, which comes soon, whatever the peers do.
    [[nodiscard]] awaitable<void> stop();

    /// Joins a topic. Does nothing where it is joined already.
    /// @throws error: `errc::invalid_name` (empty, or over `max_topic_size`), `errc::limit_exceeded`
    void subscribe(std::string const &topic);
    /// Leaves a topic. Does nothing where it is not joined. Peers of it are not reported as left.
    void unsubscribe(std::string const &topic);

    /// Signs a message and sends it to the topic; never waits. Where no peer is in the topic, the message stays in the cache
    /// for some heartbeats and is announced to peers that come. It is not delivered to this node itself.
    /// @return the message's id @throws error: `errc::invalid_name`, `errc::message_too_large`
    message_id publish(std::string const &topic, bytes_view data);

    std::vector<std::string> topics() const { return mesh_.joined_topics(); }
    /// Connected peers that are in a topic.
    std::vector<peer_id> peers(std::string_view topic) const { return mesh_.peers(topic); }
    /// Those of them whom messages go to directly.
    std::vector<peer_id> mesh_peers(std::string_view topic) const { return mesh_.mesh_peers(topic); }
    gossip_stats stats() const;

  private:
    using link_ptr = std::shared_ptr<peer_link>;

    mesh_hooks hooks();

    // ---- peers

    void greet(connection_info const &info);
    void forget(peer_id const &peer);

    /// Hands out what the router has decided.
    void flush();

    /// What keeps a peer of a topic connected, however little is said there.
    static std::string protection(std::string const &topic) { return "topic " + topic; }

    /// Adds what was dropped for a peer.
    static void count_drops(gossip_stats &to, peer_link const &link);

    awaitable<void> beat();

    // ---- our stream to a peer

    /// Keeps a stream to a peer open, and sends what is queued, for as long as the peer is connected.
    awaitable<void> write(link_ptr link);
    awaitable<void> send_all(link_ptr link, std::shared_ptr<outbound_stream> out);

    /// Notices that a peer has given up our stream before the next message is lost in it.
    awaitable<void> watch(link_ptr link, std::shared_ptr<outbound_stream> out);

    // ---- a peer's stream to us

    awaitable<void> read(stream incoming);

    /// Waits for room for a large RPC, unless its stream is given up.
    awaitable<receive_budget::share> make_room(peer_id peer, std::shared_ptr<inbound_stream> in, std::size_t size);
    awaitable<void> take_room(peer_id peer, std::size_t size, receive_budget::share &room);

    /// Takes one RPC. Between its messages others get their turn.
    awaitable<void> take(link_ptr link, bytes_view frame);

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

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/gossip.ipp"
#endif
