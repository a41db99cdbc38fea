// gigi/protocol/impl/identify.ipp: what identify.hpp declares.
#pragma once

#include "../identify.hpp"

#include "../../codec/codec.hpp"
#include "../../codec/framed.hpp"
#include "../../codec/protobuf.hpp"
#include "../../core/config.hpp"
#include "../../core/log.hpp"
#include "../../peer/identity.hpp"
#include "../../peer/peer_record.hpp"
#include "../../peer/public_key.hpp"

#include <utility>

namespace gigi::inline v1 {

template <class Channel> awaitable<identify_message> identify_service::read_all(Channel &channel) {
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

template <class Channel> awaitable<void> identify_service::wait_for_end(Channel &channel) {
    std::array<std::uint8_t, 1> extra{};
    mutable_bytes const room{extra};
    co_await channel.read_some(room);
}

GIGI_INLINE void identify_message::encode(bytes &out) const {
    protobuf_writer message{out};
    message.text(5, protocol_version).text(6, agent).data(1, public_key);
    for (auto const &address : listen_addresses) message.data(2, address.bytes());
    if (observed) message.data(4, observed->bytes());
    for (auto const &protocol : protocols) message.text(3, protocol);
    if (!signed_record.empty()) message.data(8, signed_record);
}

GIGI_INLINE result<identify_message> identify_message::decode(bytes_view data) {
    identify_message m;
    if (auto const failed = m.merge(data)) return failed;
    return m;
}

GIGI_INLINE std::error_code identify_message::merge(bytes_view data) {
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

GIGI_INLINE identify_service::identify_service(swarm &on, std::string agent, std::function<std::vector<multiaddr>()> addresses,
                                               std::function<void(peer_id const &, identify_message const &)> identified)
    : swarm_{on}, agent_{std::move(agent)}, addresses_{std::move(addresses)}, identified_{std::move(identified)},
      clock_{on.get_executor()}, tasks_{on.get_executor()} {
    swarm_.handle(std::string{protocol}, [this](stream incoming) { return answer(std::move(incoming)); });
    swarm_.handle(std::string{push_protocol}, [this](stream incoming) { return take_push(std::move(incoming)); });
}

GIGI_INLINE awaitable<void> identify_service::ask(peer_id peer) {
    lazy_stream opened = co_await swarm_.open_stream_optimistic(peer, std::string{protocol});
    opened.expires_at(clock_.now() + patience);
    framed<lazy_stream, message_codec> channel{std::move(opened)};
    co_await channel.flush();
    identify_message message = co_await read_all(channel);
    channel.close_write();
    if (auto const failed = check(peer, message)) throw error{failed, "identify"};
    identified_(peer, message);
}

GIGI_INLINE void identify_service::push_soon() {
    if (pushing_) return;
    pushing_ = true;
    tasks_.spawn(push_all());
}

GIGI_INLINE awaitable<void> identify_service::stop() {
    swarm_.unhandle(protocol);
    swarm_.unhandle(push_protocol);
    tasks_.cancel();
    co_await tasks_.join();
}

GIGI_INLINE identify_message identify_service::self(std::optional<multiaddr> observed) const {
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

GIGI_INLINE std::error_code identify_service::check(peer_id const &peer, identify_message &m) {
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

GIGI_INLINE awaitable<void> identify_service::answer(stream incoming) {
    std::optional<multiaddr> observed;
    if (auto const *const c = swarm_.find(incoming.peer())) observed = c->info.remote;
    incoming.expires_at(clock_.now() + patience);
    framed<stream, message_codec> channel{std::move(incoming)};
    identify_message const message = self(std::move(observed));
    co_await channel.write(message);
    channel.close_write();
    co_await wait_for_end(channel);
}

GIGI_INLINE awaitable<void> identify_service::take_push(stream incoming) {
    peer_id const peer = incoming.peer();
    incoming.expires_at(clock_.now() + patience);
    framed<stream, message_codec> channel{std::move(incoming)};
    identify_message message = co_await read_all(channel);
    channel.close_write();
    if (auto const failed = check(peer, message)) throw error{failed, "identify push"};
    identified_(peer, message);
}

GIGI_INLINE awaitable<void> identify_service::push_all() {
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

GIGI_INLINE awaitable<void> identify_service::push(peer_id peer) {
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

} // namespace gigi::inline v1
