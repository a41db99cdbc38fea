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

#include <array>
#include <utility>

namespace gigi::inline v1 {

template <class Channel> awaitable<identify_message> identify_service::read_all(Channel &channel) {
    identify_message merged;
    for (std::size_t n = 0;; ++n) {
        std::optional<std::size_t> const size = co_await channel.next_size(identify_message::max_size);
        if (!size && n == 0) throw error{make_error_code(errc::end_of_stream)};
        if (!size) co_return merged;
        if (n == max_messages) throw error{errc::limit_exceeded, "identify messages"};
        bytes const part = co_await channel.read_bytes(identify_message::max_size); // as it came: what it does not say, it leaves as it was
        if (auto const failed = merged.merge(part)) throw error{failed};
    }
}

template <class Channel> awaitable<void> identify_service::wait_for_end(Channel &channel) {
    std::array<std::uint8_t, 1> extra{};
    mutable_bytes const room{extra};
    co_await channel.read_some(room);
}

GIGI_INLINE void identify_message::encode(bytes &out) const {
    protobuf_writer message{out};
    if (!protocol_version.empty()) message.text(5, protocol_version);
    if (!agent.empty()) message.text(6, agent);
    if (!public_key.empty()) message.data(1, public_key);
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
    std::size_t protocol_bytes = 0;
    for (auto const &protocol : protocols) protocol_bytes += protocol.size();
    protobuf_reader in{data};
    while (in.next()) switch (in.field()) {
        case 1: in.read(public_key); break;
        case 2:
            if (auto address = multiaddr::from_bytes(in.data()); address && listen_addresses.size() < max_addresses)
                listen_addresses.push_back(std::move(*address));
            break;
        case 3:
            if (auto const protocol = in.text(); !protocol.empty() && protocol.size() <= 1024 && protocols.size() < max_protocols &&
                                                 protocol.size() <= max_protocol_bytes - protocol_bytes) {
                protocol_bytes += protocol.size();
                protocols.emplace_back(protocol);
            }
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
    identify_message const message = co_await read_all(channel);
    channel.close_write();
    if (auto const failed = check(peer, message)) throw error{failed, "identify"};
    identified_(peer, message);
}

GIGI_INLINE void identify_service::push_soon() {
    if (std::exchange(due_, true)) return;
    tasks_.spawn(push_all());
}

GIGI_INLINE awaitable<void> identify_service::stop() {
    swarm_.unhandle(protocol);
    swarm_.unhandle(push_protocol);
    life_.end();
    tasks_.cancel();
    co_await tasks_.join();
}

GIGI_INLINE identify_message identify_service::self(std::optional<multiaddr> observed) {
    identify_message m;
    auto const &key = swarm_.self().public_key();
    m.public_key = key.encode();
    m.listen_addresses = addresses_();
    if (m.listen_addresses.size() > identify_message::max_addresses) m.listen_addresses.resize(identify_message::max_addresses);
    m.protocols = swarm_.protocols();
    m.observed = std::move(observed);
    m.protocol_version = "ipfs/0.1.0";
    m.agent = agent_;
    if (record_.empty() || m.listen_addresses != recorded_) { // a signature costs more than all the rest
        record_ = seal_peer_record(swarm_.self(), m.listen_addresses, clock_.unix_milliseconds());
        recorded_ = m.listen_addresses;
    }
    m.signed_record = record_;
    return m;
}

GIGI_INLINE std::error_code identify_service::check(peer_id const &peer, identify_message const &m) {
    if (m.public_key.empty()) return {};
    auto const key = public_key::decode(m.public_key);
    if (!key || peer_id::from_public_key(*key) != peer) return errc::peer_mismatch;
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
    auto const here = life_.get();
    identify_message const message = co_await read_all(channel);
    if (!*here) co_return; // stopped, and gone maybe
    channel.close_write();
    if (auto const failed = check(peer, message)) throw error{failed, "identify push"};
    identified_(peer, message);
}

GIGI_INLINE awaitable<void> identify_service::push_all() {
    co_await sleep_for(std::chrono::seconds{1}); // several changes make one push
    due_ = false;
    for (auto const &peer : swarm_.connected_peers()) {
        auto const [under_way, fresh] = pushes_.try_emplace(peer, false);
        if (fresh)
            tasks_.spawn(push_to(peer)); // each by itself: a peer that does not answer keeps nobody waiting
        else
            under_way->second = true;
    }
}

GIGI_INLINE awaitable<void> identify_service::push_to(peer_id peer) {
    do {
        pushes_[peer] = false;
        try {
            co_await push(peer);
        } catch (std::exception const &e) {
            log(log_level::debug, "identify", "push: ", e.what());
        }
    } while (pushes_[peer] && !tasks_.cancelled());
    pushes_.erase(peer);
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
