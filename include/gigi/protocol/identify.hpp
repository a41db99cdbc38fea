// gigi/protocol/identify.hpp: who a peer is and what it speaks; and telling it when that changes of us.
//
// Layer: protocol. Spec: libp2p identify 1.0.0 and push (identify/README.md). A message is at most 8 KiB; several are merged.
#pragma once

#include "../core/clock.hpp"
#include "../core/lifeline.hpp"
#include "../core/task_group.hpp"
#include "../link/swarm.hpp"
#include "../peer/multiaddr.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gigi::inline v1 {

/// What a node says of itself. All is as the peer sent it: strings of any content, capped in length.
struct identify_message {
    static constexpr std::size_t max_size = 8192;       ///< bytes of one message
    static constexpr std::size_t max_addresses = 32;    ///< further ones are passed over
    static constexpr std::size_t max_protocols = 256;   ///< further ones are passed over
    static constexpr std::size_t max_protocol_bytes = 16'384; ///< of all protocols together; what does not fit is passed over

    bytes public_key;                       ///< libp2p's encoding
    std::vector<multiaddr> listen_addresses;///< those that gigi understands
    std::vector<std::string> protocols;
    std::optional<multiaddr> observed;      ///< where the sender sees us
    std::string protocol_version;
    std::string agent;
    bytes signed_record;                    ///< as it came, not verified: see `open_peer_record`; may be empty

    void encode(bytes &out) const;
    static result<identify_message> decode(bytes_view data);

    /// Adds what a further message says: single fields replace, lists grow.
    std::error_code merge(bytes_view data);
};

/// Identifies every peer that connects, answers their questions, and pushes changes.
class identify_service {
  public:
    static constexpr std::string_view protocol = "/ipfs/id/1.0.0";
    static constexpr std::string_view push_protocol = "/ipfs/id/push/1.0.0";
    static constexpr std::size_t max_messages = 10; ///< merged from one stream

    /// @param addresses what this node listens on, to be told to others
    /// @param identified called for every message that a peer sent, at connect and later; a push may say a part only, and leave the
    ///   rest empty
    /// @par Lifetime `on` must outlive the service; call `stop()` before destroying it.
    identify_service(swarm &on, std::string agent, std::function<std::vector<multiaddr>()> addresses,
                     std::function<void(peer_id const &, identify_message const &)> identified);

    /// Asks a peer who it is; the answer goes to `identified`.
    /// @throws error: `errc::unsupported_protocol`, `errc::protocol_violation`, `errc::timed_out`, …
    [[nodiscard]] awaitable<void> ask(peer_id peer);

    /// Tells every connected peer, in a second, what has changed of this node.
    void push_soon();
    [[nodiscard]] awaitable<void> stop();

    /// What this node says of itself to a peer that it sees at `observed`.
    identify_message self(std::optional<multiaddr> observed);

  private:
    static constexpr duration patience = std::chrono::seconds{10};

    template <class Channel> static awaitable<identify_message> read_all(Channel &channel);

    /// The key must be the one that the handshake authenticated (T7).
    static std::error_code check(peer_id const &peer, identify_message const &m);
    awaitable<void> answer(stream incoming);
    awaitable<void> take_push(stream incoming);
    template <class Channel> static awaitable<void> wait_for_end(Channel &channel);
    awaitable<void> push_all();
    awaitable<void> push_to(peer_id peer);
    awaitable<void> push(peer_id peer);

    swarm &swarm_;
    std::string agent_;
    std::function<std::vector<multiaddr>()> addresses_;
    std::function<void(peer_id const &, identify_message const &)> identified_;
    context_clock clock_;
    std::vector<multiaddr> recorded_; // what `record_` says
    bytes record_;
    bool due_ = false;                // `push_all` waits
    std::map<peer_id, bool> pushes_;  // under way; whether there is more to tell by now
    task_group tasks_;
    lifeline<identify_service> life_{this}; // until `stop()`
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/identify.ipp"
#endif
