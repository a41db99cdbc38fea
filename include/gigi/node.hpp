// gigi/node.hpp: a node: everything that an app includes.
//
// A node listens, finds peers, knows them by nickname, exchanges messages, images, bytes and files with them, talks in groups,
// and tells what happens as events. Everything is a coroutine on one strand.
#pragma once

#include "core/asio.hpp"
#include "core/clock.hpp"
#include "core/condition.hpp"
#include "core/error.hpp"
#include "core/lifeline.hpp"
#include "core/log.hpp"
#include "core/task_group.hpp"
#include "core/timeout.hpp"
#include "link/swarm.hpp"
#include "node/event.hpp"
#include "node/event_hub.hpp"
#include "node/node_stats.hpp"
#include "node/options.hpp"
#include "node/stack.hpp"
#include "node/types.hpp"
#include "peer/identity.hpp"
#include "protocol/request_response.hpp"
#include "version.hpp"

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

class node_core;

/// A peer-to-peer node, whatever it is made of: what `node` and every `basic_node` can do. Distinct objects: safe. Shared objects: unsafe.
///
/// Use it on its strand: `co_spawn` the coroutines that use it on `get_executor()`, or run a single-threaded `io_context`.
/// The natural order is: construct, `co_await start()`, use, `co_await stop()`, destroy; it may be started again after a stop.
/// Destroying a node that runs is a bug in the program and aborts it with a message.
///
/// Functions that return an `awaitable` do nothing until they are awaited, and their arguments must live until then:
/// `co_await node.send("bob", "hello")` is always right. They throw `gigi::error` with an `errc`; all of them throw `errc::stopped`
/// on a node that does not run, and what is under way when it stops ends with that or another code of `condition::closed`. Where the
/// awaiting coroutine is cancelled they end at once, with a code of `condition::cancelled` (test for that: it may be Asio's own).
///
/// A `peer_ref` is a peer id, or a text: a peer id, a nickname, `name~abcd` with the end of the id, or `~abcd`. A text that names nobody
/// throws `errc::unknown_peer`; one that names several, `errc::ambiguous_nickname`, whose message lists them. What is sent to a
/// known peer that is not connected dials it first.
class node_base {
  public:
    node_base(node_base const &) = delete;
    node_base &operator=(node_base const &) = delete;
    ~node_base();

    any_io_executor const &get_executor() const noexcept { return executor_; }

    /// Loads or makes the identity, listens, announces the node, and begins to connect to who is found.
    /// @throws error: `errc::address_in_use`, `errc::invalid_address`, `errc::invalid_name` (the nickname), `errc::bad_identity_file`,
    ///   `errc::bad_share_list`; the node is as before then
    [[nodiscard]] awaitable<void> start();

    /// Says goodbye to every peer, ends everything that runs, and saves what is kept on disk. When it returns nothing of the
    /// node runs any more, and readers of events find the end. Does nothing on a node that does not run.
    /// Takes at most a few seconds, whatever the peers do. Not to be called from a handler of the node, which it waits for.
    /// @par Cancellation Not possible half-way: it goes on to its end.
    [[nodiscard]] awaitable<void> stop();

    // Looking

    /// This node's id. Before the first `start()` of a node with an identity file: nobody's.
    peer_id const &id() const noexcept;
    std::string const &nickname() const noexcept;
    /// Where others reach this node, each with its id at the end: what to give to `dial`.
    std::vector<multiaddr> addresses() const;
    /// Who is connected, and who is discovered but not connected.
    std::vector<peer_info> peers() const;
    /// The groups that this node is in, with the connected peers that are in them too.
    std::vector<group_info> groups() const;
    std::vector<shared_info> shared_files() const;
    /// What the node holds now, and what it has done and refused. Cheap enough for once a second.
    node_stats stats() const;
    /// The peer that a text means. @throws error: `errc::unknown_peer`, `errc::ambiguous_nickname`
    peer_id resolve(peer_ref const &who) const;
    /// The nickname that a peer gave itself; empty where it is not known.
    std::string nickname_of(peer_id const &peer) const;

    // Events

    /// Waits for the next thing that happened, from the first `start()` on.
    /// @throws error with `errc::stopped` when the node has stopped and every event has been read
    [[nodiscard]] awaitable<event> next_event();
    /// A further, independent reader, from now on.
    [[nodiscard]] event_reader subscribe();

    // Peers

    /// Connects to an address, or to a known peer by id or nickname, or to one who is discovered under a name that nobody known
    /// has: who says so is authenticated then, the name as any other. One that is connected already is fine.
    /// @return who answered
    /// @throws error: `errc::refused`, `errc::unreachable`, `errc::timed_out`, `errc::peer_mismatch`, `errc::no_addresses`,
    ///   `errc::invalid_address`, `errc::self_dial`, `errc::limit_exceeded`
    [[nodiscard]] awaitable<peer_id> dial(std::string_view address_or_peer);
    [[nodiscard]] awaitable<peer_id> dial(peer_id peer);
    /// Ends the connection to a peer in good order, and does not dial it again by itself.
    [[nodiscard]] awaitable<void> disconnect(peer_ref who);
    /// Gives this node another nickname; connected peers are told.
    /// @throws error with `errc::invalid_name`
    [[nodiscard]] awaitable<void> set_nickname(std::string_view nickname);

    // Messages

    /// Sends a text. @return the receipt of the peer's node
    /// @throws error: `errc::message_too_large` (see `node_options::max_message_size`); `errc::timed_out` where no receipt came; `errc::unsupported_protocol`
    ///   where the peer is not a gigi node; and as `dial`
    [[nodiscard]] awaitable<receipt> send(peer_ref who, std::string_view text);
    /// Sends an image, at most `node_options::max_image_size` bytes; it arrives in the peer's output folder.
    /// @throws as `send`; `errc::file_not_found`, `errc::io_error`
    [[nodiscard]] awaitable<receipt> send_image(peer_ref who, std::filesystem::path const &file);
    /// Tells a peer of a file that it can download from this node: the peer's `file_offered`. @throws as `send`; `errc::unknown_code`
    [[nodiscard]] awaitable<receipt> offer_file(peer_ref who, std::string_view code);
    /// Sends an app's bytes, at most `node_options::max_image_size`. @throws as `send`
    [[nodiscard]] awaitable<receipt> send_bytes(peer_ref who, bytes_view data);
    /// Sends an app's bytes to every connected gigi node, to all at once, and holds them once. @return how many have taken them
    /// @throws error with `errc::message_too_large`
    [[nodiscard]] awaitable<std::size_t> broadcast(bytes_view data);

    // Groups

    /// Joins a group; a group exists as long as somebody is in it. Joining again is fine.
    /// @throws error: `errc::invalid_name`, `errc::limit_exceeded`
    [[nodiscard]] awaitable<void> join(std::string_view group);
    /// @throws error with `errc::not_joined`
    [[nodiscard]] awaitable<void> leave(std::string_view group);
    /// Says something in a group. Never waits: the mesh carries it on.
    /// @return the message's id @throws error: `errc::not_joined`, `errc::message_too_large`
    std::string publish(std::string_view group, std::string_view text);
    /// Shares an image and shows it to a group; the others' nodes fetch it by themselves where it is not too large.
    /// @return its share code @throws as `share` and `publish`
    [[nodiscard]] awaitable<std::string> publish_image(std::string_view group, std::filesystem::path const &file);

    // Files

    /// Hashes a file and offers it under the code that is returned, until `unshare`.
    /// @throws error: `errc::file_not_found`, `errc::io_error`, `errc::file_changed` (while it was read), `errc::limit_exceeded`;
    ///   `errc::disk_full` where the share list cannot be saved: the file is not shared then
    [[nodiscard]] awaitable<std::string> share(std::filesystem::path const &file);
    /// @throws error: `errc::unknown_code`; `errc::disk_full`, `errc::io_error` where the share list cannot be saved: the file is not shared
    ///   any more even so, but will be after a restart, unless a later save succeeds
    [[nodiscard]] awaitable<void> unshare(std::string_view code);
    /// What a peer shares. It must come within 20 s, and one more for each 128 files. @throws as `send`
    [[nodiscard]] awaitable<std::vector<file_info>> list_files(peer_ref who);
    /// Downloads a file into the output folder and waits for its end; events tell how it goes. What was interrupted goes on
    /// where it stood.
    /// @throws error: `errc::unknown_code`, `errc::file_changed` (at the peer), `errc::hash_mismatch`, `errc::disk_full`, `errc::io_error`; and as `send`
    /// @par Cancellation Ends the download; what has come stays for the next time.
    [[nodiscard]] awaitable<download_result> download(peer_ref who, std::string_view code);
    /// Likewise, from every connected gigi node that has the file.
    [[nodiscard]] awaitable<download_result> download(std::string_view code);
    /// Begins a download in the background. @return its id; it ends as `download_finished` or `download_failed` with this id
    /// @throws error: `errc::unknown_code` (not a code at all), `errc::unknown_peer`, `errc::ambiguous_nickname`
    std::uint64_t start_download(peer_ref const &who, std::string_view code);
    /// Ends a download: `download_failed` with `errc::cancelled` follows. Nothing happens where there is none of this id.
    void cancel_download(std::uint64_t id);

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
        peer_id const peer = resolve(who);
        typename P::response answer = co_await send_request<P>(network(), peer, question, options_.request_timeout);
        co_return answer;
    }
    /// Serves raw streams of a protocol: `handler(stream)` is a coroutine that owns the stream. May be called before `start()`.
    void handle(std::string protocol, stream_handler handler);
    /// Opens a raw stream. @throws error: `errc::unsupported_protocol`; and as `dial`
    [[nodiscard]] awaitable<stream> open_stream(peer_ref who, std::string protocol);

  protected:
    node_base(any_io_executor const &executor, node_options options, node_parts parts);

  private:
    /// A call that uses the running node: `stop()` waits for its end.
    class operation {
      public:
        explicit operation(node_base &of);
        operation(operation const &) = delete;
        ~operation();

      private:
        lifeline<node_base>::handle node_;
    };

    awaitable<void> end_all();
    node_core &running() const;
    swarm &network() const;
    identity make_identity();
    void install(std::string protocol, std::function<void(swarm &)> how);

    node_options options_;
    node_parts parts_;
    any_io_executor executor_;
    event_hub events_;
    event_reader own_events_;
    async_condition idle_;
    std::map<std::string, std::function<void(swarm &)>> handlers_;
    std::optional<ed25519_seed> seed_;
    peer_id id_;
    std::unique_ptr<node_offload> offload_;
    std::unique_ptr<node_core> core_;
    std::size_t operations_ = 0;
    bool stopping_ = false;
    lifeline<node_base> life_{this};
};

/// A node made of another stack; see `default_stack` for what one names.
template <class Stack> class basic_node final : public node_base {
  public:
    /// Cheap: opens nothing.
    /// @param executor of the context that runs the node; the node makes its own strand on it
    explicit basic_node(any_io_executor executor, node_options options = {}, Stack stack = {})
        : node_base{executor, std::move(options), parts_of(std::move(stack))} {}
};

using node = basic_node<default_stack>;

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/node.ipp"
#endif
