// gigi/node.hpp: a node: everything that an app includes.
//
// A node listens, finds peers, knows them by nickname, exchanges messages, images, bytes and files with them, talks in groups,
// and tells what happens as events. Everything is a coroutine on one strand.
#pragma once

#include "core/asio.hpp"
#include "core/clock.hpp"
#include "core/condition.hpp"
#include "core/error.hpp"
#include "core/offload.hpp"
#include "crypto/random.hpp"
#include "link/swarm.hpp"
#include "link/upgrade.hpp"
#include "mux/yamux.hpp"
#include "node/event.hpp"
#include "node/event_hub.hpp"
#include "node/node_core.hpp"
#include "node/node_stats.hpp"
#include "node/options.hpp"
#include "node/types.hpp"
#include "protocol/request_response.hpp"
#include "security/noise.hpp"
#include "transport/tcp.hpp"
#include "version.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

/// What a node is made of: TCP, Noise, yamux, a thread pool, the system's randomness. Another stack names others:
/// `gigi/testing/memory_stack.hpp` has one for simulations. Time comes with the executor's context (core/clock.hpp).
struct default_stack {
    using transport = tcp_transport;
    template <class Raw> using secure = noise<Raw>;          ///< a SecureChannel over a raw connection
    template <class Channel> using muxer = yamux<Channel>;   ///< a Muxer over a secure channel
    using offload = thread_pool_offload;                     ///< where hashing and disk work run
    static transport make_transport(any_io_executor const &executor) { return transport{executor}; }
    static std::unique_ptr<random_source> make_random() { return std::make_unique<system_random>(); }
};

/// A peer-to-peer node. Distinct objects: safe. Shared objects: unsafe.
///
/// Use it on its strand: `co_spawn` the coroutines that use it on `get_executor()`, or run a single-threaded `io_context`.
/// The natural order is: construct, `co_await start()`, use, `co_await stop()`, destroy; it may be started again after a stop.
/// Destroying a node that runs is a bug in the program and aborts it with a message.
///
/// Functions that return an `awaitable` do nothing until they are awaited, and their arguments must live until then:
/// `co_await node.send("bob", "hello")` is always right. They throw `gigi::error` with an `errc`; all of them throw `errc::stopped`
/// on a node that does not run, and `errc::cancelled` where the awaiting coroutine is cancelled.
///
/// A `peer_ref` is a peer id, or a text: a peer id, a nickname, or `name~abcd` with the end of the id. A text that names nobody
/// throws `errc::unknown_peer`; one that names several, `errc::ambiguous_nickname`, whose message lists them. What is sent to a
/// known peer that is not connected dials it first.
template <class Stack> class basic_node {
  public:
    /// Cheap: opens nothing.
    /// @param executor of the context that runs the node; the node makes its own strand on it
    explicit basic_node(any_io_executor executor, node_options options = {}, Stack stack = {})
        : options_{std::move(options)}, stack_{std::move(stack)}, random_{stack_.make_random()}, executor_{asio::make_strand(executor)}, events_{executor_, event_limits{options_.max_queued_events, options_.max_queued_event_bytes}},
          own_events_{events_.subscribe(true)}, idle_{executor_} {}
    basic_node(basic_node const &) = delete;
    basic_node &operator=(basic_node const &) = delete;
    ~basic_node() {
        if (!core_ || idle_.orphaned()) return;
        std::fputs("gigi: a node was destroyed while it was running: co_await node.stop() first\n", stderr);
        std::abort();
    }

    any_io_executor const &get_executor() const noexcept { return executor_; }

    /// Loads or makes the identity, listens, announces the node, and begins to connect to who is found.
    /// @throws error: `errc::address_in_use`, `errc::invalid_address`, `errc::invalid_name` (the nickname), `errc::bad_identity_file`,
    ///   `errc::bad_share_list`; the node is as before then
    [[nodiscard]] awaitable<void> start() {
        if (core_ || stopping_) throw error{errc::invalid_argument, "the node is running already"};
        if (!options_.nickname.empty() && !valid_nickname(options_.nickname)) throw error{errc::invalid_name, options_.nickname};
        identity self = make_identity();
        std::string nickname = options_.nickname;
        if (nickname.empty()) nickname = "peer-" + self.id().short_string();
        offload_ = std::make_unique<typename Stack::offload>(executor_, options_.file_threads);
        events_.set_open(true);
        auto const make_connector = [this](any_io_executor const &executor, identity const &id) -> std::unique_ptr<connector> {
            return std::make_unique<stack_connector<Stack>>(stack_.make_transport(executor), id, node_core::connection_limits(options_));
        };
        core_ = std::make_unique<node_core>(executor_, options_, std::move(self), std::move(nickname), make_connector, offload_->get_executor(), *random_, events_);
        for (auto const &install : handlers_) install.second(core_->network());
        std::exception_ptr failure;
        try {
            core_->start();
        } catch (...) {
            failure = std::current_exception();
        }
        if (!failure) co_return;
        co_await asio::this_coro::reset_cancellation_state();
        co_await stop();
        std::rethrow_exception(failure);
    }

    /// Says goodbye to every peer, ends everything that runs, and saves what is kept on disk. When it returns nothing of the
    /// node runs any more, and readers of events find the end. Does nothing on a node that does not run.
    /// Takes at most a few seconds, whatever the peers do. Not to be called from a handler of the node, which it waits for.
    /// @par Cancellation Not possible half-way: it goes on to its end.
    [[nodiscard]] awaitable<void> stop() {
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        if (stopping_) { // another call is at it
            while (stopping_) co_await idle_.wait();
            co_return;
        }
        if (!core_) co_return;
        stopping_ = true;
        co_await core_->stop();
        while (operations_ > 0) co_await idle_.wait(); // calls of other coroutines that this has interrupted
        core_.reset();
        offload_->join();
        offload_.reset();
        events_.set_open(false);
        stopping_ = false;
        idle_.notify_all();
        co_await asio::this_coro::reset_cancellation_state();
    }

    // Looking

    /// This node's id. Before the first `start()` of a node with an identity file: nobody's.
    peer_id const &id() const noexcept { return core_ ? core_->self().id() : id_; }
    std::string const &nickname() const noexcept { return core_ ? core_->nickname() : options_.nickname; }
    /// Where others reach this node, each with its id at the end: what to give to `dial`.
    std::vector<multiaddr> addresses() const { return core_ ? core_->addresses() : std::vector<multiaddr>{}; }
    /// Who is connected, and who is discovered but not connected.
    std::vector<peer_info> peers() const { return core_ ? core_->peers() : std::vector<peer_info>{}; }
    /// The groups that this node is in, with the connected peers that are in them too.
    std::vector<group_info> groups() const { return core_ ? core_->group_list() : std::vector<group_info>{}; }
    std::vector<shared_info> shared_files() const { return core_ ? core_->files().shared() : std::vector<shared_info>{}; }
    /// What the node holds now, and what it has done and refused. Cheap enough for once a second.
    node_stats stats() const {
        node_stats s;
        if (core_) s = core_->stats();
        auto const waiting = events_.waiting();
        s.events_queued = waiting.events;
        s.event_bytes_queued = waiting.bytes;
        s.events_dropped = events_.dropped();
        return s;
    }
    /// The peer that a text means. @throws error: `errc::unknown_peer`, `errc::ambiguous_nickname`
    peer_id resolve(peer_ref const &who) const { return running().who().resolve(who); }
    /// The nickname that a peer gave itself; empty where it is not known.
    std::string nickname_of(peer_id const &peer) const { return core_ ? core_->who().nickname_of(peer) : std::string{}; }

    // Events

    /// Waits for the next thing that happened, from the first `start()` on.
    /// @throws error with `errc::stopped` when the node has stopped and every event has been read
    [[nodiscard]] awaitable<event> next_event() { return own_events_.next(); }
    /// A further, independent reader, from now on.
    [[nodiscard]] event_reader subscribe() { return events_.subscribe(); }

    // Peers

    /// Connects to an address, or to a known peer by id or nickname. One that is connected already is fine.
    /// @return who answered
    /// @throws error: `errc::refused`, `errc::unreachable`, `errc::timed_out`, `errc::peer_mismatch`, `errc::no_addresses`,
    ///   `errc::invalid_address`, `errc::self_dial`, `errc::limit_exceeded`
    [[nodiscard]] awaitable<peer_id> dial(std::string_view address_or_peer) {
        operation const running_now{*this};
        peer_id peer;
        if (address_or_peer.starts_with('/')) {
            auto const address = multiaddr::parse(address_or_peer);
            if (!address) throw error{errc::invalid_address, std::string{address_or_peer}};
            peer = co_await core_->network().dial(*address);
        } else {
            peer = core_->who().resolve(address_or_peer);
            co_await core_->network().connect(peer);
        }
        core_->network().protect(peer, "dialled");
        co_return peer;
    }
    [[nodiscard]] awaitable<peer_id> dial(peer_id peer) {
        operation const running_now{*this};
        co_await core_->network().connect(peer);
        core_->network().protect(peer, "dialled");
        co_return peer;
    }
    /// Ends the connection to a peer in good order, and does not dial it again by itself.
    [[nodiscard]] awaitable<void> disconnect(peer_ref who) {
        operation const running_now{*this};
        peer_id const peer = core_->who().resolve(who);
        core_->around().mute(peer);
        core_->network().unprotect(peer, "dialled");
        co_await core_->network().disconnect(peer);
    }
    /// Gives this node another nickname; connected peers are told.
    /// @throws error with `errc::invalid_name`
    [[nodiscard]] awaitable<void> set_nickname(std::string_view nickname) {
        operation const running_now{*this};
        if (!valid_nickname(nickname)) throw error{errc::invalid_name, std::string{nickname}};
        core_->rename(std::string{nickname});
        co_return;
    }

    // Messages

    /// Sends a text. @return the receipt of the peer's node
    /// @throws error: `errc::message_too_large` (see `node_options::max_message_size`); `errc::timed_out` where no receipt came; `errc::unsupported_protocol`
    ///   where the peer is not a gigi node; and as `dial`
    [[nodiscard]] awaitable<receipt> send(peer_ref who, std::string_view text) {
        operation const running_now{*this};
        peer_id const peer = core_->who().resolve(who);
        receipt taken = co_await core_->messages().send_text(peer, text);
        co_return taken;
    }
    /// Sends an image, at most `node_options::max_image_size` bytes; it arrives in the peer's output folder.
    /// @throws as `send`; `errc::file_not_found`, `errc::io_error`
    [[nodiscard]] awaitable<receipt> send_image(peer_ref who, std::filesystem::path const &file) {
        operation const running_now{*this};
        peer_id const peer = core_->who().resolve(who);
        receipt taken = co_await core_->messages().send_image(peer, file);
        co_return taken;
    }
    /// Tells a peer of a file that it can download from this node: the peer's `file_offered`. @throws as `send`; `errc::unknown_code`
    [[nodiscard]] awaitable<receipt> offer_file(peer_ref who, std::string_view code) {
        operation const running_now{*this};
        peer_id const peer = core_->who().resolve(who);
        file_info const offered = core_->files().find(code);
        receipt taken = co_await core_->messages().send_file_offer(peer, offered);
        co_return taken;
    }
    /// Sends an app's bytes, at most `node_options::max_image_size`. @throws as `send`
    [[nodiscard]] awaitable<receipt> send_bytes(peer_ref who, bytes_view data) {
        operation const running_now{*this};
        peer_id const peer = core_->who().resolve(who);
        receipt taken = co_await core_->messages().send_bytes(peer, data);
        co_return taken;
    }
    /// Sends an app's bytes to every connected gigi node. @return how many have taken them
    [[nodiscard]] awaitable<std::size_t> broadcast(bytes_view data) {
        operation const running_now{*this};
        std::size_t const taken = co_await core_->broadcast(data);
        co_return taken;
    }

    // Groups

    /// Joins a group; a group exists as long as somebody is in it. Joining again is fine.
    /// @throws error: `errc::invalid_name`, `errc::limit_exceeded`
    [[nodiscard]] awaitable<void> join(std::string_view group) {
        operation const running_now{*this};
        core_->groups().join(std::string{group});
        co_return;
    }
    /// @throws error with `errc::not_joined`
    [[nodiscard]] awaitable<void> leave(std::string_view group) {
        operation const running_now{*this};
        core_->groups().leave(std::string{group});
        co_return;
    }
    /// Says something in a group. Never waits: the mesh carries it on.
    /// @return the message's id @throws error: `errc::not_joined`, `errc::message_too_large`
    std::string publish(std::string_view group, std::string_view text) { return running().groups().publish(std::string{group}, text); }
    /// Shares an image and shows it to a group; the others' nodes fetch it by themselves where it is not too large.
    /// @return its share code @throws as `share` and `publish`
    [[nodiscard]] awaitable<std::string> publish_image(std::string_view group, std::filesystem::path const &file) {
        operation const running_now{*this};
        std::string const name{group};
        std::string code = co_await core_->groups().publish_image(name, file);
        co_return code;
    }

    // Files

    /// Hashes a file and offers it under the code that is returned, until `unshare`.
    /// @throws error: `errc::file_not_found`, `errc::io_error`, `errc::file_changed` (while it was read), `errc::limit_exceeded`
    [[nodiscard]] awaitable<std::string> share(std::filesystem::path const &file) {
        operation const running_now{*this};
        shared_info const shared = co_await core_->files().share(file);
        co_return shared.code;
    }
    /// @throws error with `errc::unknown_code`
    [[nodiscard]] awaitable<void> unshare(std::string_view code) {
        operation const running_now{*this};
        std::string const typed{code};
        co_await core_->files().unshare(typed);
    }
    /// What a peer shares. @throws as `send`
    [[nodiscard]] awaitable<std::vector<file_info>> list_files(peer_ref who) {
        operation const running_now{*this};
        peer_id const peer = core_->who().resolve(who);
        std::vector<file_info> all = co_await core_->files().list(peer);
        co_return all;
    }
    /// Downloads a file into the output folder and waits for its end; events tell how it goes. What was interrupted goes on
    /// where it stood.
    /// @throws error: `errc::unknown_code`, `errc::file_changed` (at the peer), `errc::hash_mismatch`, `errc::disk_full`, `errc::io_error`; and as `send`
    /// @par Cancellation Ends the download; what has come stays for the next time.
    [[nodiscard]] awaitable<download_result> download(peer_ref who, std::string_view code) {
        operation const running_now{*this};
        std::vector<peer_id> const sources{core_->who().resolve(who)};
        std::string const typed{code};
        download_result done = co_await core_->files().download(sources, typed);
        co_return done;
    }
    /// Likewise, from every connected gigi node that has the file.
    [[nodiscard]] awaitable<download_result> download(std::string_view code) {
        operation const running_now{*this};
        std::vector<peer_id> const sources = core_->peers_with("/gigi/file/1.0.0");
        std::string const typed{code};
        download_result done = co_await core_->files().download(sources, typed);
        co_return done;
    }
    /// Begins a download in the background. @return its id; it ends as `download_finished` or `download_failed` with this id
    /// @throws error: `errc::unknown_code` (not a code at all), `errc::unknown_peer`, `errc::ambiguous_nickname`
    std::uint64_t start_download(peer_ref const &who, std::string_view code) {
        auto &core = running();
        return core.files().start_download({core.who().resolve(who)}, std::string{code});
    }
    /// Ends a download: `download_failed` with `errc::cancelled` follows. Nothing happens where there is none of this id.
    void cancel_download(std::uint64_t id) { running().files().cancel_download(id); }

    // An app's own protocols

    /// Serves a typed protocol (see `Protocol`): `handler(peer_id const &, request const &)` returns the response, or an awaitable of it.
    /// May be called before `start()`. @par Lifetime The handler is kept until the node is destroyed or serves the protocol otherwise.
    template <Protocol P, class Handler>
        requires RequestHandler<Handler, P>
    void serve(Handler handler) {
        install(std::string{P::id}, [handler = std::move(handler), limit = options_.request_timeout](swarm &on) { serve_requests<P>(on, handler, limit); });
    }
    /// Asks a peer. @throws error: what its handler threw; `errc::timed_out`, `errc::unsupported_protocol`, `errc::message_too_large`; and as `dial`
    template <Protocol P> [[nodiscard]] awaitable<typename P::response> request(peer_ref who, typename P::request const &question) {
        operation const running_now{*this};
        peer_id const peer = core_->who().resolve(who);
        typename P::response answer = co_await send_request<P>(core_->network(), peer, question, options_.request_timeout);
        co_return answer;
    }
    /// Serves raw streams of a protocol: `handler(stream)` is a coroutine that owns the stream. May be called before `start()`.
    void handle(std::string protocol, stream_handler handler) {
        install(protocol, [protocol, handler = std::move(handler)](swarm &on) { on.handle(protocol, handler); });
    }
    /// Opens a raw stream. @throws error: `errc::unsupported_protocol`; and as `dial`
    [[nodiscard]] awaitable<stream> open_stream(peer_ref who, std::string protocol) {
        operation const running_now{*this};
        peer_id const peer = core_->who().resolve(who);
        std::vector<std::string> protocols;
        protocols.push_back(std::move(protocol));
        stream opened = co_await core_->network().open_stream(peer, std::move(protocols));
        co_return opened;
    }

  private:
    /// A call that uses the running node: `stop()` waits for its end.
    class operation {
      public:
        explicit operation(basic_node &node) : node_{node} {
            node_.running();
            ++node_.operations_;
        }
        operation(operation const &) = delete;
        ~operation() {
            if (--node_.operations_ == 0) node_.idle_.notify_all();
        }

      private:
        basic_node &node_;
    };

    node_core &running() const {
        if (!core_ || stopping_) throw error{make_error_code(errc::stopped)};
        return *core_;
    }

    identity make_identity() {
        if (!options_.identity_file.empty()) {
            identity loaded = identity::load_or_create(options_.identity_file);
            id_ = loaded.id();
            return loaded;
        }
        if (!seed_) { // the same identity at every start of this object
            ed25519_seed fresh{};
            random_->fill(fresh);
            seed_ = fresh;
        }
        identity own = identity::from_seed(*seed_);
        id_ = own.id();
        return own;
    }

    void install(std::string protocol, std::function<void(swarm &)> how) {
        if (core_) how(core_->network());
        handlers_.insert_or_assign(std::move(protocol), std::move(how));
    }

    node_options options_;
    Stack stack_;
    std::unique_ptr<random_source> random_;
    any_io_executor executor_;
    event_hub events_;
    event_reader own_events_;
    async_condition idle_;
    std::map<std::string, std::function<void(swarm &)>> handlers_;
    std::optional<ed25519_seed> seed_;
    peer_id id_;
    std::unique_ptr<typename Stack::offload> offload_;
    std::unique_ptr<node_core> core_;
    std::size_t operations_ = 0;
    bool stopping_ = false;
};

using node = basic_node<default_stack>;

} // namespace gigi::inline v1
