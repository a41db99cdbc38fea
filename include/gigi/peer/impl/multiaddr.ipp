// gigi/peer/impl/multiaddr.ipp: what multiaddr.hpp declares.
#pragma once

#include "../multiaddr.hpp"

#include "../../core/config.hpp"
#include "../../core/impl/windows.hpp"
#include "../../core/varint.hpp"
#include "../multibase.hpp"

#include <array>
#include <charconv>

#ifndef _WIN32
#include <arpa/inet.h>
#endif

namespace gigi::inline v1 {

namespace detail {

struct address_protocol {
    std::uint32_t code;
    std::string_view name;
    address_value value;
};

inline constexpr address_protocol address_protocols[] = {
    {0x04, "ip4", address_value::ip4},       {0x06, "tcp", address_value::port},     {0x0111, "udp", address_value::port},
    {0x29, "ip6", address_value::ip6},       {0x2a, "ip6zone", address_value::text}, {0x35, "dns", address_value::text},
    {0x36, "dns4", address_value::text},     {0x37, "dns6", address_value::text},    {0x38, "dnsaddr", address_value::text},
    {0x01a5, "p2p", address_value::peer},    {0x01cc, "quic", address_value::none},  {0x01cd, "quic-v1", address_value::none},
    {0x0122, "p2p-circuit", address_value::none}, {0x01dd, "ws", address_value::none}, {0x01de, "wss", address_value::none},
    {0x01c0, "tls", address_value::none},    {0x01c1, "sni", address_value::text},   {0x01c6, "noise", address_value::none},
    {0x01d1, "webtransport", address_value::none}, {0x01d2, "certhash", address_value::multibase},
    {0x0118, "webrtc-direct", address_value::none}, {0x0119, "webrtc", address_value::none}, {0x01e0, "http", address_value::none},
    {0x01bb, "https", address_value::none},  {0x01e1, "http-path", address_value::path},
};

inline address_protocol const *find_address_protocol(std::string_view name) noexcept {
    if (name == "ipfs") name = "p2p"; // its old name
    for (auto const &p : address_protocols)
        if (p.name == name) return &p;
    return nullptr;
}

inline address_protocol const *find_address_protocol(std::uint64_t code) noexcept {
    for (auto const &p : address_protocols)
        if (p.code == code) return &p;
    return nullptr;
}

} // namespace detail

struct multiaddr::part {
    detail::address_protocol const *protocol;
    bytes_view value;
};

template <class F> void multiaddr::for_each(F &&f) const {
    bytes_view rest = bytes_;
    while (!rest.empty()) {
        auto const p = take_part(rest);
        f(*p->protocol, p->value);
    }
}

GIGI_INLINE result<multiaddr> multiaddr::parse(std::string_view text) {
    multiaddr address;
    if (!text.starts_with('/') || text.size() > max_text_size) return errc::invalid_address;
    text.remove_prefix(1);
    if (text.ends_with('/')) text.remove_suffix(1);
    std::size_t parts = 0;
    while (!text.empty()) {
        auto const *const protocol = detail::find_address_protocol(take_word(text));
        if (!protocol || ++parts > max_parts) return errc::invalid_address;
        append_varint(address.bytes_, protocol->code);
        if (protocol->value == detail::address_value::none) continue;
        if (text.empty() || !address.append_value(protocol->value, take_word(text))) return errc::invalid_address;
    }
    if (parts == 0 || address.bytes_.size() > max_size) return errc::invalid_address;
    return address;
}

GIGI_INLINE result<multiaddr> multiaddr::from_bytes(bytes_view data) {
    if (data.empty() || data.size() > max_size) return errc::invalid_address;
    bytes_view rest = data;
    std::size_t parts = 0;
    while (!rest.empty()) {
        auto const p = take_part(rest);
        if (!p || ++parts > max_parts) return errc::invalid_address;
    }
    multiaddr address;
    address.bytes_.assign(data.begin(), data.end());
    return address;
}

GIGI_INLINE multiaddr multiaddr::tcp(std::span<std::uint8_t const> ip, std::uint16_t port, std::string_view zone) {
    multiaddr address;
    if (!zone.empty()) {
        append_varint(address.bytes_, 0x2a);
        append_varint(address.bytes_, zone.size());
        append(address.bytes_, zone);
    }
    append_varint(address.bytes_, ip.size() == 4 ? 0x04 : 0x29);
    append(address.bytes_, ip);
    append_varint(address.bytes_, 0x06);
    append_be(address.bytes_, port);
    return address;
}

GIGI_INLINE std::string multiaddr::to_string() const {
    std::string out;
    for_each([&](detail::address_protocol const &protocol, bytes_view value) {
        out += '/';
        out += protocol.name;
        if (protocol.value == detail::address_value::none) return;
        out += '/';
        out += text_of(protocol.value, value);
    });
    return out;
}

GIGI_INLINE std::optional<std::string> multiaddr::value(std::string_view name) const {
    std::optional<std::string> found;
    for_each([&](detail::address_protocol const &protocol, bytes_view value) {
        if (!found && protocol.name == name) found = text_of(protocol.value, value);
    });
    return found;
}

GIGI_INLINE bytes_view multiaddr::ip() const {
    bytes_view found;
    for_each([&](detail::address_protocol const &protocol, bytes_view value) {
        if (found.empty() && (protocol.code == 0x04 || protocol.code == 0x29)) found = value;
    });
    return found;
}

GIGI_INLINE std::string multiaddr::ip_text() const {
    for (auto const *name : {"ip4", "ip6", "dns", "dns4", "dns6"})
        if (auto found = value(name)) return *found;
    return {};
}

GIGI_INLINE bytes_view multiaddr::ip_unmapped() const {
    auto const address = ip();
    bool const mapped = address.size() == 16 && load_be<std::uint64_t>(address.data()) == 0 && load_be<std::uint32_t>(address.data() + 8) == 0xffff;
    return mapped ? address.last(4) : address;
}

GIGI_INLINE bool multiaddr::is_unspecified() const {
    auto const address = ip_unmapped();
    return !address.empty() && std::ranges::all_of(address, [](std::uint8_t b) { return b == 0; });
}

GIGI_INLINE bool multiaddr::is_loopback() const {
    auto const address = ip_unmapped();
    if (address.size() == 4) return address[0] == 127;
    return address.size() == 16 && std::ranges::all_of(address.first(15), [](std::uint8_t b) { return b == 0; }) && address[15] == 1;
}

GIGI_INLINE std::optional<std::uint16_t> multiaddr::tcp_port() const {
    std::optional<std::uint16_t> found;
    for_each([&](detail::address_protocol const &protocol, bytes_view value) {
        if (!found && protocol.code == 0x06) found = load_be<std::uint16_t>(value.data());
    });
    return found;
}

GIGI_INLINE bool multiaddr::is_tcp() const {
    std::string shape;
    for_each([&](detail::address_protocol const &protocol, bytes_view) { (shape += '/') += protocol.name; });
    for (std::string_view const host : {"/ip4", "/ip6", "/ip6zone/ip6", "/dns", "/dns4", "/dns6"})
        for (std::string_view const end : {"/tcp", "/tcp/p2p"})
            if (shape.size() == host.size() + end.size() && shape.starts_with(host) && shape.ends_with(end)) return true;
    return false;
}

GIGI_INLINE std::optional<peer_id> multiaddr::peer() const {
    std::optional<peer_id> last;
    for_each([&](detail::address_protocol const &protocol, bytes_view value) {
        last.reset();
        if (protocol.value == detail::address_value::peer)
            if (auto id = peer_id::from_bytes(value)) last = *id;
    });
    return last;
}

GIGI_INLINE multiaddr multiaddr::with_peer(peer_id const &id) const {
    multiaddr out = without_peer();
    append_varint(out.bytes_, 0x01a5);
    append_varint(out.bytes_, id.data().size());
    append(out.bytes_, id.data());
    return out;
}

GIGI_INLINE multiaddr multiaddr::without_peer() const {
    multiaddr out;
    bytes_view rest = bytes_;
    while (!rest.empty()) {
        auto const before = rest;
        auto const taken = take_part(rest);
        if (rest.empty() && taken->protocol->value == detail::address_value::peer) break;
        append(out.bytes_, before.first(before.size() - rest.size()));
    }
    return out;
}

GIGI_INLINE std::optional<multiaddr::part> multiaddr::take_part(bytes_view &rest) {
    auto const code = read_varint(rest);
    if (code.state != varint_result::status::complete) return std::nullopt;
    auto const *const protocol = detail::find_address_protocol(code.value);
    if (!protocol) return std::nullopt;
    rest = rest.subspan(code.size);
    std::size_t size = 0;
    switch (protocol->value) {
    case detail::address_value::none: break;
    case detail::address_value::ip4: size = 4; break;
    case detail::address_value::ip6: size = 16; break;
    case detail::address_value::port: size = 2; break;
    default: {
        auto const length = read_varint(rest);
        if (length.state != varint_result::status::complete) return std::nullopt;
        rest = rest.subspan(length.size);
        if (length.value == 0 || length.value > rest.size()) return std::nullopt;
        size = static_cast<std::size_t>(length.value);
    }
    }
    if (size > rest.size()) return std::nullopt;
    auto const value = rest.first(size);
    rest = rest.subspan(size);
    if (protocol->value == detail::address_value::peer && !peer_id::from_bytes(value)) return std::nullopt;
    if (protocol->value == detail::address_value::text && !is_plain_text(as_text(value))) return std::nullopt;
    return part{protocol, value};
}

GIGI_INLINE std::string_view multiaddr::take_word(std::string_view &text) {
    auto const end = std::min(text.find('/'), text.size());
    auto const word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return word;
}

GIGI_INLINE bool multiaddr::is_plain_text(std::string_view text) {
    return !text.empty() && text.size() <= 255 && std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f && c != '/'; });
}

GIGI_INLINE bool multiaddr::append_value(detail::address_value kind, std::string_view text) {
    switch (kind) {
    case detail::address_value::none: return true;
    case detail::address_value::ip4:
    case detail::address_value::ip6: {
        std::array<std::uint8_t, 16> raw{};
        bool const four = kind == detail::address_value::ip4;
        if (text.size() > 45 || text.find('\0') != std::string_view::npos || ::inet_pton(four ? AF_INET : AF_INET6, std::string{text}.c_str(), raw.data()) != 1) return false;
        append(bytes_, bytes_view{raw}.first(four ? 4 : 16));
        return true;
    }
    case detail::address_value::port: {
        unsigned port = 0;
        auto const [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
        if (failed != std::errc{} || end != text.data() + text.size() || port > 65535) return false;
        append_be(bytes_, static_cast<std::uint16_t>(port));
        return true;
    }
    case detail::address_value::peer: {
        auto const id = peer_id::parse(text);
        if (!id) return false;
        append_varint(bytes_, id->data().size());
        append(bytes_, id->data());
        return true;
    }
    case detail::address_value::text:
        if (!is_plain_text(text)) return false;
        append_varint(bytes_, text.size());
        append(bytes_, text);
        return true;
    case detail::address_value::path: {
        auto const decoded = from_percent(text);
        if (!decoded || decoded->empty()) return false;
        append_varint(bytes_, decoded->size());
        append(bytes_, *decoded);
        return true;
    }
    case detail::address_value::multibase: {
        auto const decoded = from_base64url(text.starts_with('u') ? text.substr(1) : std::string_view{});
        if (!decoded || decoded->empty()) return false;
        append_varint(bytes_, decoded->size());
        append(bytes_, *decoded);
        return true;
    }
    }
    return false;
}

GIGI_INLINE std::string multiaddr::text_of(detail::address_value kind, bytes_view value) {
    switch (kind) {
    case detail::address_value::none: return {};
    case detail::address_value::ip4:
    case detail::address_value::ip6: {
        char out[INET6_ADDRSTRLEN] = {};
        ::inet_ntop(value.size() == 4 ? AF_INET : AF_INET6, value.data(), out, sizeof out);
        return out;
    }
    case detail::address_value::port: return std::to_string(load_be<std::uint16_t>(value.data()));
    case detail::address_value::peer: return to_base58(value);
    case detail::address_value::text: return std::string{as_text(value)};
    case detail::address_value::path: return to_percent(value);
    case detail::address_value::multibase: return 'u' + to_base64url(value); // multibase, as everybody writes certificate hashes
    }
    return {};
}

GIGI_INLINE std::string multiaddr::to_percent(bytes_view value) {
    std::string out;
    for (std::uint8_t const byte : value) {
        bool const plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' ||
                           byte == '_' || byte == '~';
        if (plain) out += static_cast<char>(byte);
        else (out += '%') += to_hex(bytes_view{&byte, 1});
    }
    return out;
}

GIGI_INLINE std::optional<gigi::bytes> multiaddr::from_percent(std::string_view text) {
    gigi::bytes out;
    while (!text.empty()) {
        if (text[0] != '%') {
            if (!is_plain_text(text.substr(0, 1))) return std::nullopt;
            out.push_back(static_cast<std::uint8_t>(text[0]));
            text.remove_prefix(1);
            continue;
        }
        auto const byte = from_hex(text.substr(1, 2));
        if (!byte || byte->size() != 1) return std::nullopt;
        out.push_back(byte->front());
        text.remove_prefix(3);
    }
    return out;
}

} // namespace gigi::inline v1
