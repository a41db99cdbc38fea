// gigi/gossip/impl/rpc.ipp: what rpc.hpp declares.
#pragma once

#include "../rpc.hpp"

#include "../../codec/protobuf.hpp"
#include "../../core/config.hpp"
#include "../../core/error.hpp"

#include <utility>

namespace gigi::inline v1 {

GIGI_INLINE bool rpc::has_control() const noexcept {
    return !ihave.empty() || !iwant.empty() || !graft.empty() || !prune.empty() || !idontwant.empty();
}

namespace detail {

inline std::size_t ids_size(std::vector<message_id> const &ids) noexcept {
    std::size_t n = 0;
    for (auto const &id : ids) n += field_size(id.size());
    return n;
}

inline std::size_t prune_size(rpc::prune_entry const &p) noexcept {
    std::size_t n = field_size(p.topic.size()) + (p.backoff ? 1 + varint_size(*p.backoff) : 0);
    for (auto const &x : p.peers) n += field_size(field_size(x.peer.size()) + (x.signed_record.empty() ? 0 : field_size(x.signed_record.size())));
    return n;
}

GIGI_INLINE void put_signed_fields(protobuf_writer &out, gossip_message const &m) {
    if (!m.from.empty()) out.data(1, m.from);
    if (m.has_data) out.data(2, m.data);
    if (!m.seqno.empty()) out.data(3, m.seqno);
    out.text(4, m.topic);
}

inline void put_ids(protobuf_writer &out, std::uint32_t field, std::vector<message_id> const &ids) {
    for (auto const &id : ids) out.data(field, id);
}

GIGI_INLINE result<gossip_message> parse_message(bytes_view data) {
    gossip_message m;
    m.has_data = false;
    protobuf_reader in{data};
    while (in.next()) switch (in.field()) {
        case 1: in.read(m.from); break;
        case 2:
            in.read(m.data);
            m.has_data = true;
            break;
        case 3: in.read(m.seqno); break;
        case 4: in.read(m.topic); break;
        case 5: in.read(m.signature); break;
        case 6: in.read(m.key); break;
        }
    if (in.error()) return in.error();
    return m;
}

inline std::error_code parse_subscription(bytes_view data, rpc::subscription &s) {
    protobuf_reader in{data};
    while (in.next()) switch (in.field()) {
        case 1: in.read(s.subscribe); break;
        case 2: in.read(s.topic); break;
        }
    return in.error();
}

/// Parses one RPC; counts what is counted over several of its entries.
class rpc_parser {
  public:
    explicit rpc_parser(rpc_limits const &limits) noexcept : limits_{limits} {}

    std::error_code parse(bytes_view data) {
        protobuf_reader in{data};
        while (in.next()) switch (in.field()) {
            case 1:
                if (in.more(out.subscriptions, limits_.subscriptions)) {
                    rpc::subscription s;
                    check(in, parse_subscription(in.data(), s));
                    out.subscriptions.push_back(std::move(s));
                }
                break;
            case 2:
                if (in.more(out.messages, limits_.messages)) {
                    auto m = parse_message(in.data());
                    check(in, m.error());
                    if (m) out.messages.push_back(std::make_shared<gossip_message const>(std::move(*m)));
                }
                break;
            case 3: check(in, parse_control(in.data())); break;
            }
        return in.error();
    }

    rpc out;

  private:
    static void check(protobuf_reader &in, std::error_code failed) {
        if (failed) in.fail(failed);
    }

    std::error_code parse_control(bytes_view data) {
        protobuf_reader in{data};
        while (in.next()) switch (in.field()) {
            case 1:
                if (in.more(out.ihave, limits_.control)) {
                    rpc::ihave_entry entry;
                    check(in, parse_ids(in.data(), 2, entry.ids, &entry.topic));
                    out.ihave.push_back(std::move(entry));
                }
                break;
            case 2:
                if (++iwants_ > limits_.control) in.fail(make_error_code(errc::limit_exceeded));
                check(in, parse_ids(in.data(), 1, out.iwant, nullptr));
                break;
            case 3:
                if (in.more(out.graft, limits_.control)) {
                    std::string topic;
                    check(in, parse_topic(in.data(), topic));
                    out.graft.push_back(std::move(topic));
                }
                break;
            case 4:
                if (in.more(out.prune, limits_.control)) {
                    rpc::prune_entry entry;
                    check(in, parse_prune(in.data(), entry));
                    out.prune.push_back(std::move(entry));
                }
                break;
            case 5:
                if (++idontwants_ > limits_.control) in.fail(make_error_code(errc::limit_exceeded));
                check(in, parse_ids(in.data(), 1, out.idontwant, nullptr));
                break;
            }
        return in.error();
    }

    std::error_code parse_ids(bytes_view data, std::uint32_t field, std::vector<message_id> &ids, std::string *topic) {
        protobuf_reader in{data};
        while (in.next()) {
            if (in.field() == field) {
                if (++ids_ > limits_.ids)
                    in.fail(make_error_code(errc::limit_exceeded));
                else
                    ids.push_back(to_bytes(in.data()));
            } else if (topic && in.field() == 1) {
                in.read(*topic);
            }
        }
        return in.error();
    }

    static std::error_code parse_topic(bytes_view data, std::string &topic) {
        protobuf_reader in{data};
        while (in.next())
            if (in.field() == 1) in.read(topic);
        return in.error();
    }

    std::error_code parse_prune(bytes_view data, rpc::prune_entry &entry) const {
        protobuf_reader in{data};
        while (in.next()) switch (in.field()) {
            case 1: in.read(entry.topic); break;
            case 2:
                if (in.more(entry.peers, limits_.prune_peers)) {
                    rpc::exchanged_peer peer;
                    protobuf_reader nested{in.data()};
                    while (nested.next()) switch (nested.field()) {
                        case 1: nested.read(peer.peer); break;
                        case 2: nested.read(peer.signed_record); break;
                        }
                    check(in, nested.error());
                    entry.peers.push_back(std::move(peer));
                }
                break;
            case 3: entry.backoff = in.varint(); break;
            }
        return in.error();
    }

    rpc_limits limits_;
    std::size_t ids_ = 0, iwants_ = 0, idontwants_ = 0;
};

} // namespace detail

GIGI_INLINE std::size_t encoded_size(gossip_message const &m) noexcept {
    using detail::field_size;
    auto const optional = [](bytes const &b) { return b.empty() ? 0 : field_size(b.size()); };
    return optional(m.from) + (m.has_data ? field_size(m.data.size()) : 0) + optional(m.seqno) + field_size(m.topic.size()) +
           optional(m.signature) + optional(m.key);
}

GIGI_INLINE std::size_t encoded_size(rpc const &r) noexcept {
    using detail::field_size;
    std::size_t n = 0, control = 0;
    for (auto const &s : r.subscriptions) n += field_size(2 + field_size(s.topic.size()));
    for (auto const &m : r.messages) n += field_size(encoded_size(*m));
    for (auto const &h : r.ihave) control += field_size(field_size(h.topic.size()) + detail::ids_size(h.ids));
    if (!r.iwant.empty()) control += field_size(detail::ids_size(r.iwant));
    for (auto const &topic : r.graft) control += field_size(field_size(topic.size()));
    for (auto const &p : r.prune) control += field_size(detail::prune_size(p));
    if (!r.idontwant.empty()) control += field_size(detail::ids_size(r.idontwant));
    return n + (control > 0 ? field_size(control) : 0);
}

GIGI_INLINE void encode(gossip_message const &m, protobuf_writer &out) {
    detail::put_signed_fields(out, m);
    if (!m.signature.empty()) out.data(5, m.signature);
    if (!m.key.empty()) out.data(6, m.key);
}

GIGI_INLINE void encode(rpc const &r, bytes &out) {
    out.reserve(out.size() + encoded_size(r));
    protobuf_writer writer{out};
    for (auto const &s : r.subscriptions)
        writer.message(1, [&](protobuf_writer &w) { w.boolean(1, s.subscribe).text(2, s.topic); });
    for (auto const &m : r.messages) writer.message(2, [&](protobuf_writer &w) { encode(*m, w); });
    if (!r.has_control()) return;
    writer.message(3, [&](protobuf_writer &control) {
        for (auto const &h : r.ihave)
            control.message(1, [&](protobuf_writer &w) {
                w.text(1, h.topic);
                detail::put_ids(w, 2, h.ids);
            });
        if (!r.iwant.empty()) control.message(2, [&](protobuf_writer &w) { detail::put_ids(w, 1, r.iwant); });
        for (auto const &topic : r.graft) control.message(3, [&](protobuf_writer &w) { w.text(1, topic); });
        for (auto const &p : r.prune)
            control.message(4, [&](protobuf_writer &w) {
                w.text(1, p.topic);
                for (auto const &x : p.peers)
                    w.message(2, [&](protobuf_writer &peer) {
                        peer.data(1, x.peer);
                        if (!x.signed_record.empty()) peer.data(2, x.signed_record);
                    });
                if (p.backoff) w.varint(3, *p.backoff);
            });
        if (!r.idontwant.empty()) control.message(5, [&](protobuf_writer &w) { detail::put_ids(w, 1, r.idontwant); });
    });
}

GIGI_INLINE result<rpc> parse_rpc(bytes_view data, rpc_limits const &limits) {
    detail::rpc_parser parser{limits};
    if (auto const failed = parser.parse(data)) return failed;
    return std::move(parser.out);
}

namespace detail {

/// Deals an RPC's elements out to as many RPCs as a size limit makes necessary.
class rpc_splitter {
  public:
    explicit rpc_splitter(std::size_t max_size) : max_size_{max_size} {}

    std::vector<rpc> split(rpc whole) {
        for (auto &s : whole.subscriptions) {
            make_room(field_size(2 + field_size(s.topic.size())));
            part_.subscriptions.push_back(std::move(s));
        }
        for (auto &topic : whole.graft) {
            make_room(field_size(field_size(topic.size())));
            part_.graft.push_back(std::move(topic));
        }
        for (auto &p : whole.prune) {
            make_room(field_size(prune_size(p)));
            part_.prune.push_back(std::move(p));
        }
        for (auto &id : whole.idontwant) {
            make_room(field_size(id.size()));
            part_.idontwant.push_back(std::move(id));
        }
        for (auto &id : whole.iwant) {
            make_room(field_size(id.size()));
            part_.iwant.push_back(std::move(id));
        }
        for (auto &h : whole.ihave) {
            std::size_t const opening = header + field_size(h.topic.size());
            make_room(opening);
            part_.ihave.push_back({h.topic, {}});
            for (auto &id : h.ids) {
                if (make_room(field_size(id.size()))) {
                    size_ += opening;
                    part_.ihave.push_back({h.topic, {}});
                }
                part_.ihave.back().ids.push_back(std::move(id));
            }
        }
        for (auto &m : whole.messages) {
            make_room(field_size(encoded_size(*m)));
            part_.messages.push_back(std::move(m));
        }
        if (!part_.empty()) parts_.push_back(std::move(part_));
        return std::move(parts_);
    }

  private:
    static constexpr std::size_t header = 6;         // a field's number and any length up to 2^35
    static constexpr std::size_t base = 3 * header;  // of the control message and its two lists of ids

    /// Counts an element in. @return whether a new part had to be begun for it
    bool make_room(std::size_t size) {
        bool const full = size_ + size > max_size_ && !part_.empty();
        if (full) {
            parts_.push_back(std::exchange(part_, {}));
            size_ = base;
        }
        size_ += size;
        return full;
    }

    std::size_t max_size_;
    std::size_t size_ = base;
    rpc part_;
    std::vector<rpc> parts_;
};

} // namespace detail

GIGI_INLINE std::vector<rpc> split(rpc whole, std::size_t max_size) {
    if (encoded_size(whole) > max_size) return detail::rpc_splitter{max_size}.split(std::move(whole));
    std::vector<rpc> one;
    if (!whole.empty()) one.push_back(std::move(whole));
    return one;
}

} // namespace gigi::inline v1
