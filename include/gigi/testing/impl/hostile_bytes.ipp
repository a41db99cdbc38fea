// gigi/testing/impl/hostile_bytes.ipp: what hostile_bytes.hpp declares.
#pragma once

#include "../hostile_bytes.hpp"

#include "../../core/config.hpp"

namespace gigi::inline v1 {

namespace testing {

GIGI_INLINE bytes varint_bytes(std::uint64_t value, std::size_t at_least) {
    bytes out;
    while (value >= 0x80 || out.size() + 1 < at_least) {
        out.push_back(static_cast<std::uint8_t>(value | 0x80));
        value >>= 7;
    }
    out.push_back(static_cast<std::uint8_t>(value));
    return out;
}

GIGI_INLINE bytes frame_bytes(std::uint64_t claimed, bytes_view body) {
    bytes out = varint_bytes(claimed);
    append(out, body);
    return out;
}

GIGI_INLINE bytes multistream_bytes(std::string_view text) {
    bytes out = varint_bytes(text.size() + 1);
    append(out, text);
    out.push_back('\n');
    return out;
}

GIGI_INLINE bytes multistream_offer(std::string_view protocol) {
    bytes out = multistream_bytes("/multistream/1.0.0");
    append(out, multistream_bytes(protocol));
    return out;
}

GIGI_INLINE bytes yamux_bytes(std::uint8_t type, std::uint16_t flags, std::uint32_t stream, std::uint32_t length, bytes_view payload,
                              std::uint8_t version) {
    bytes out{version, type};
    append_be(out, flags);
    append_be(out, stream);
    append_be(out, length);
    append(out, payload);
    return out;
}

GIGI_INLINE dns_bytes::dns_bytes(std::uint16_t flags, std::uint16_t questions, std::uint16_t answers, std::uint16_t authorities,
                                 std::uint16_t additionals) {
    for (std::uint16_t const n : {std::uint16_t{0}, flags, questions, answers, authorities, additionals}) append_be(out_, n);
}

GIGI_INLINE dns_bytes &dns_bytes::label(std::string_view text) {
    out_.push_back(static_cast<std::uint8_t>(text.size()));
    append(out_, text);
    return *this;
}

GIGI_INLINE dns_bytes &dns_bytes::name(std::string_view text) {
    while (!text.empty()) {
        auto const dot = text.find('.');
        label(text.substr(0, dot));
        text.remove_prefix(dot == text.npos ? text.size() : dot + 1);
    }
    return end();
}

GIGI_INLINE dns_bytes &dns_bytes::end() {
    out_.push_back(0);
    return *this;
}

GIGI_INLINE dns_bytes &dns_bytes::pointer(std::size_t to) {
    append_be(out_, static_cast<std::uint16_t>(0xc000u | (to & 0x3fff)));
    return *this;
}

GIGI_INLINE dns_bytes &dns_bytes::record(std::uint16_t type, std::uint32_t ttl, std::size_t claimed, bytes_view data) {
    append_be(out_, type);
    append_be(out_, std::uint16_t{0x8001}); // class IN, of this owner alone
    append_be(out_, ttl);
    append_be(out_, static_cast<std::uint16_t>(claimed));
    append(out_, data);
    return *this;
}

GIGI_INLINE dns_bytes &dns_bytes::question(std::uint16_t type) {
    append_be(out_, type);
    append_be(out_, std::uint16_t{1});
    return *this;
}

} // namespace testing

} // namespace gigi::inline v1
