// gigi/gossip/impl/id_style.ipp: what id_style.hpp declares.
#pragma once

#include "../id_style.hpp"

#include "../../core/bytes.hpp"
#include "../../core/config.hpp"
#include "../../core/varint.hpp"
#include "../../crypto/hash.hpp"

namespace gigi::inline v1 {

GIGI_INLINE id_style style_of(message_id const &id) noexcept {
    if (id.size() < 4 + detail::seqno_size) return id_style::unknown;
    std::size_t const author = id.size() - detail::seqno_size;
    if ((id[0] == 0x00 || id[0] == 0x12) && id[1] == author - 2) return id_style::spec;
    if (id[0] == 0x08 && id[1] < 4 && id[2] == 0x12) {
        auto const length = read_varint(bytes_view{id}.subspan(3)); // of the key, the rest of the encoding
        if (length.state == varint_result::status::complete && 3 + length.size + length.value == author) return id_style::js;
    }
    return id_style::unknown;
}

GIGI_INLINE message_id to_spec_id(message_id const &id) {
    if (style_of(id) != id_style::js) return id;
    bytes_view const all{id};
    bytes_view const key = all.first(id.size() - detail::seqno_size);
    message_id out;
    out.reserve(id.size() + 2);
    if (key.size() <= detail::largest_inline_key) {
        out.push_back(0x00);
        out.push_back(static_cast<std::uint8_t>(key.size()));
        append(out, key);
    } else {
        auto const digest = sha256(key);
        out.push_back(0x12);
        out.push_back(static_cast<std::uint8_t>(digest.size()));
        append(out, digest);
    }
    append(out, all.last(detail::seqno_size));
    return out;
}

GIGI_INLINE std::optional<message_id> from_spec_id(message_id const &id, id_style style) {
    if (style == id_style::spec) return id;
    if (style == id_style::js && style_of(id) == id_style::spec && id[0] == 0x00) return message_id{id.begin() + 2, id.end()};
    return std::nullopt;
}

} // namespace gigi::inline v1
