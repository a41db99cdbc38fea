// gigi/protocol/identify.hpp: who a peer is and what it speaks; and telling it when that changes of us.
//
// Layer: protocol. Spec: libp2p identify 1.0.0 and push (identify/README.md). A message is at most 8 KiB; several are merged.
#pragma once

#include "../codec/codec.hpp"
#include "../codec/framed.hpp"
#include "../codec/protobuf.hpp"
#include "../core/clock.hpp"
#include "../core/log.hpp"
#include "../core/task_group.hpp"
#include "../link/swarm.hpp"
#include "../peer/identity.hpp"
#include "../peer/multiaddr.hpp"
#include "../peer/peer_record.hpp"
#include "../peer/public_key.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

/// What a node says of itself. Strings are as the peer sent them: of any content, capped in length.
struct identify_message {
    static constexpr std::size_t max_size = 8192;       ///< bytes of one message
    static constexpr std::size_t max_addresses = 32;    ///< further ones are passed over
    static constexpr std::size_t max_protocols = 256;   ///< further ones are passed over

    bytes public_key;                       ///< libp2p's encoding
    std::vector<multiaddr> listen_addresses;///< those that gigi understands
    std::vector<std::string> protocols;
    std::optional<multiaddr> observed;      ///< where the sender sees us
    std::string protocol_version;
    std::string agent;
    bytes signed_record;                    ///< an envelope with a peer record; may be empty

    void encode(bytes &out) const {
        protobuf_writer message{out};
        message.text(5, protocol_version).text(6, agent).data(1, public_key);
        for (auto const &address : listen_addresses) message.data(2, address.bytes());
        if (observed) message.data(4, observed->bytes());
        for (auto const &protocol : protocols) message.text(3, protocol);
        if (!signed_record.empty()) message.data(8, signed_record);
    }

    static result<identify_message> decode(bytes_view data) {
        identify_message m;
        if (auto const failed = m.merge(data)) return failed;
        return m;
    }

    /// Adds what a further message says: single fields replace, lists grow.
    std::error_code merge(bytes_view data) {
        protobuf_reader in{data};
        while (in.next()) switch (in.field()) {
            case 1: in.read(public_key); break;
            case 2:
                if (auto address = multiaddr::from_bytes(in.data()); address && listen_addresses.size() < max_addresses)
                    listen_addresses.push_back(std::move(*address));
                break;
            case 3:
                if (auto const protocol = in.text(); !protocol.empty() && protocol.size() <= 1024 && protocols.size() < max_protocols)
                    protocols.emplace_back(protocol);
                break;
            case 4:
                if (auto address = multiaddr::from_bytes(in.data())) observed = std::move(*address);
                break;
            case 5: protocol_version = in.text().substr(0, 256); break;
            case 6: agent = in.text().substr(0, 256); break;
            case 8: in.read(signed_record); break;
            }
        return in.error();
    }
};

/// Identifies every peer that connects, answers their questions, and pushes changes.
class identify_service {
  public:
    static constexpr std::string_view protocol = "/ipfs/id/1.0.0";
    static constexpr std::string_view push_protocol = "/ipfs/id/push/1.0.0";
    static constexpr std::size_t max_messages = 10; ///< merged from one stream

    /// @param addresses what this node listens on, to be told to others
    /// @param identified called for every message that a peer sent, at connect and later
    /// @par Lifetime `on` must outlive the service; call `stop()` before destroying it.
    identify_service(swarm &on, std::string agent, std::function<std::vector<multiaddr>()> addresses,
                     std::function<void(peer_id const &, identify_message const &)> identified)
        : swarm_{on}, agent_{std::move(agent)}, addresses_{std::move(addresses)}, identified_{std::move(identified)},
          clock_{on.get_executor()}, tasks_{on.get_executor()} {
        swarm_.handle(std::string{protocol}, [this](stream incoming) { return answer(std::move(incoming)); });
        swarm_.handle(std::string{push_protocol}, [this](stream incoming) { return take_push(std::move(incoming)); });
    }

    /// Asks a peer who it is; the answer goes to `identified`.
    /// @throws error: `errc::unsupported_protocol`, `errc::protocol_violation`, `errc::timed_out`, …
    [[nodiscard]] awaitable<void> ask(peer_id peer) {
        lazy_stream opened = co_await swarm_.open_stream_optimistic(peer, std::string{protocol});
        opened.expires_at(clock_.now() + patience);
        framed<lazy_stream, message_codec> channel{std::move(opened)};
        co_await channel.flush();
        identify_message message = co_await read_all(channel);
        channel.close_write();
        if (auto const failed = check(peer, message)) throw error{failed, "identify"};
        identified_(peer, message);
    }

    /// Tells every connected peer, soon, what has changed of this node.
    void push_soon() {
        if (pushing_) return;
        pushing_ = true;
        tasks_.spawn(push_all());
    }

    [[nodiscard]] awaitable<void> stop() {
        swarm_.unhandle(protocol);
        swarm_.unhandle(push_protocol);
        tasks_.cancel();
        co_await tasks_.join();
    }

    /// What this node says of itself to a peer that it sees at `observed`.
    identify_message self(std::optional<multiaddr> observed) const {
        identify_message m;
        auto const &key = swarm_.self().public_key();
        m.public_key = key.encode();
        m.listen_addresses = addresses_();
        if (m.listen_addresses.size() > identify_message::max_addresses) m.listen_addresses.resize(identify_message::max_addresses);
        m.protocols = swarm_.protocols();
        m.observed = std::move(observed);
        m.protocol_version = "ipfs/0.1.0";
        m.agent = agent_;
        m.signed_record = seal_peer_record(swarm_.self(), m.listen_addresses, clock_.unix_milliseconds());
        return m;
    }

  private:
    static constexpr duration patience = std::chrono::seconds{10};

    template <class Channel> static awaitable<identify_message> read_all(Channel &channel) {
        identify_message merged = co_await channel.template read<identify_message>();
        for (std::size_t n = 1; n < max_messages; ++n) {
            std::optional<identify_message> more = co_await channel.template try_read<identify_message>();
            if (!more) co_return merged;
            bytes again;
            more->encode(again);
            if (auto const failed = merged.merge(again)) throw error{failed};
        }
        throw error{errc::limit_exceeded, "identify messages"};
    }

    /// The key must be the one that the handshake authenticated; a record must be signed by it (T7).
    static std::error_code check(peer_id const &peer, identify_message &m) {
        if (!m.public_key.empty()) {
            auto const key = public_key::decode(m.public_key);
            if (!key || peer_id::from_public_key(*key) != peer) return errc::peer_mismatch;
        }
        if (!m.signed_record.empty()) {
            auto const record = open_peer_record(m.signed_record);
            if (!record || record->peer != peer)
                m.signed_record.clear(); // another implementation's freedom; it is merely not believed
        }
        return {};
    }

    awaitable<void> answer(stream incoming) {
        std::optional<multiaddr> observed;
        if (auto const *const c = swarm_.find(incoming.peer())) observed = c->info.remote;
        incoming.expires_at(clock_.now() + patience);
        framed<stream, message_codec> channel{std::move(incoming)};
        identify_message const message = self(std::move(observed));
        co_await channel.write(message);
        channel.close_write();
        co_await wait_for_end(channel);
    }

    awaitable<void> take_push(stream incoming) {
        peer_id const peer = incoming.peer();
        incoming.expires_at(clock_.now() + patience);
        framed<stream, message_codec> channel{std::move(incoming)};
        identify_message message = co_await read_all(channel);
        channel.close_write();
        if (auto const failed = check(peer, message)) throw error{failed, "identify push"};
        identified_(peer, message);
    }

    template <class Channel> static awaitable<void> wait_for_end(Channel &channel) {
        std::array<std::uint8_t, 1> extra{};
        mutable_bytes const room{extra};
        co_await channel.read_some(room);
    }

    awaitable<void> push_all() {
        co_await sleep_for(std::chrono::seconds{1}); // several changes make one push
        pushing_ = false;
        for (auto const &peer : swarm_.connected_peers()) {
            try {
                co_await push(peer);
            } catch (std::system_error const &e) {
                if (e.code() == condition::cancelled) throw;
                log(log_level::debug, "identify", "push: ", e.what());
            }
        }
    }

    awaitable<void> push(peer_id peer) {
        std::optional<multiaddr> observed;
        auto const *const c = swarm_.find(peer);
        if (!c) co_return;
        observed = c->info.remote;
        std::vector<std::string> protocols;
        protocols.emplace_back(push_protocol);
        stream opened = co_await swarm_.open_stream(peer, std::move(protocols));
        opened.expires_at(clock_.now() + patience);
        framed<stream, message_codec> channel{std::move(opened)};
        identify_message const message = self(std::move(observed));
        co_await channel.write(message);
        channel.close_write();
        co_await wait_for_end(channel);
    }

    swarm &swarm_;
    std::string agent_;
    std::function<std::vector<multiaddr>()> addresses_;
    std::function<void(peer_id const &, identify_message const &)> identified_;
    context_clock clock_;
    bool pushing_ = false;
    task_group tasks_;
};

} // namespace gigi::inline v1
