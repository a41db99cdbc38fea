// gigi/gossip/impl/message.ipp: what message.hpp declares.
#pragma once

#include "../message.hpp"

#include "../../codec/protobuf.hpp"
#include "../../core/config.hpp"
#include "../../peer/public_key.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace gigi::inline v1 {

GIGI_INLINE bytes signed_bytes(gossip_message const &m) {
    bytes out = to_bytes(gossip_signature_prefix);
    protobuf_writer writer{out};
    detail::put_signed_fields(writer, m);
    return out;
}

GIGI_INLINE gossip_message sign_message(identity const &author, std::string topic, bytes data, std::uint64_t seqno) {
    gossip_message m;
    m.from = to_bytes(author.id().data());
    m.data = std::move(data);
    append_be(m.seqno, seqno);
    m.topic = std::move(topic);
    m.key = author.public_key().encode();
    auto const signature = author.sign(signed_bytes(m));
    m.signature = to_bytes(bytes_view{signature});
    return m;
}

GIGI_INLINE result<peer_id> verify_message(gossip_message const &m) {
    if (m.seqno.size() != gossip_seqno_size || m.signature.empty()) return errc::protocol_violation;
    auto const author = peer_id::from_bytes(m.from);
    if (!author) return errc::protocol_violation;
    std::optional<public_key> key;
    if (m.key.empty()) {
        key = author->key();
        if (!key) return errc::protocol_violation; // the id is a hash, and the key not there
    } else if (auto decoded = public_key::decode(m.key)) {
        key = std::move(*decoded);
    } else {
        return errc::unsupported_key;
    }
    if (!author->matches(*key)) return errc::peer_mismatch;
    if (!key->verify(signed_bytes(m), m.signature)) return errc::bad_signature;
    return *author;
}

GIGI_INLINE message_id default_message_id(gossip_message const &m) {
    message_id id = m.from;
    append(id, m.seqno);
    return id;
}

GIGI_INLINE std::uint64_t sequence_numbers::next(wall_time now) noexcept {
    auto const since_epoch = now.time_since_epoch().count();
    last_ = std::max(last_ + 1, since_epoch < 0 ? std::uint64_t{0} : static_cast<std::uint64_t>(since_epoch));
    return last_;
}

} // namespace gigi::inline v1
