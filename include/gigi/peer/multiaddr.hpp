// gigi/peer/multiaddr.hpp: addresses that say how to reach a peer, as text and as bytes.
//
// Layer: peer. Spec: multiformats/multiaddr, libp2p addressing/README.md. Protocols that gigi cannot dial but whose form is
// known are kept as they are, so that other nodes' address lists can be read.
#pragma once

#include "../core/bytes.hpp"
#include "peer_id.hpp"

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace gigi::inline v1 {

namespace detail {

/// How the value of a protocol looks.
enum class address_value { none, ip4, ip6, port, text, path, peer, multibase };

} // namespace detail

/// An address such as `/ip4/192.0.2.7/tcp/4001/p2p/12D3Koo…`. Always well-formed; the default one is empty.
class multiaddr {
  public:
    static constexpr std::size_t max_size = 1024; ///< of the binary form, in bytes
    static constexpr std::size_t max_parts = 16;
    static constexpr std::size_t max_text_size = 4 * max_size; ///< more than any text: a byte is three characters at most (in a path), and a part has a name

    multiaddr() = default;

    /// @return `errc::invalid_address`
    static result<multiaddr> parse(std::string_view text);

    /// @return `errc::invalid_address`
    static result<multiaddr> from_bytes(bytes_view data);

    /// `/ip4/…/tcp/…` with 4 bytes, or `/ip6/…/tcp/…` with 16; `zone` names the interface of a link-local address.
    static multiaddr tcp(std::span<std::uint8_t const> ip, std::uint16_t port, std::string_view zone = {});

    bytes_view bytes() const noexcept { return bytes_; } ///< the binary form
    bool empty() const noexcept { return bytes_.empty(); }

    std::string to_string() const;

    /// The value of the first part of that name ("ip4", "tcp", "dns", …) as text.
    std::optional<std::string> value(std::string_view name) const;
    bool has(std::string_view name) const { return value(name).has_value(); }

    /// The IP address as 4 or 16 bytes; empty where the address begins otherwise.
    bytes_view ip() const;
    /// The same, where IPv6 has an IPv4 address mapped into it (RFC 4291, 2.5.5.2) that one's 4 bytes.
    bytes_view ip_unmapped() const;
    /// The IP address as text, without port and zone; or the DNS name; or empty.
    std::string ip_text() const;
    std::string zone() const { return value("ip6zone").value_or(std::string{}); }
    /// Whether the IP address is 0.0.0.0 or ::, mapped or not.
    bool is_unspecified() const;
    /// Whether the IP address is one of 127.0.0.0/8, mapped or not, or ::1.
    bool is_loopback() const;

    /// The TCP port; nothing where the address is not TCP.
    std::optional<std::uint16_t> tcp_port() const;

    /// Whether this is plain TCP: an IP address or DNS name and a port, with or without a peer at the end.
    bool is_tcp() const;

    /// The peer that the address ends at, if it says.
    std::optional<peer_id> peer() const;
    /// The same address, ending at `id`.
    multiaddr with_peer(peer_id const &id) const;
    multiaddr without_peer() const;

    friend bool operator==(multiaddr const &, multiaddr const &) = default;
    friend std::strong_ordering operator<=>(multiaddr const &a, multiaddr const &b) noexcept { return as_text(a.bytes_) <=> as_text(b.bytes_); }

  private:
    struct part;

    static std::optional<part> take_part(bytes_view &rest);
    template <class F> void for_each(F &&f) const;
    static std::string_view take_word(std::string_view &text);

    /// Host names, zones and such: printable ASCII without '/'.
    static bool is_plain_text(std::string_view text);
    bool append_value(detail::address_value kind, std::string_view text);
    static std::string text_of(detail::address_value kind, bytes_view value);

    /// Percent-encoding of all but what RFC 3986 calls unreserved.
    static std::string to_percent(bytes_view value);
    static std::optional<gigi::bytes> from_percent(std::string_view text);

    gigi::bytes bytes_;
};

} // namespace gigi::inline v1

template <> struct std::hash<gigi::multiaddr> {
    std::size_t operator()(gigi::multiaddr const &address) const noexcept {
        return std::hash<std::string_view>{}(gigi::as_text(address.bytes()));
    }
};

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/multiaddr.ipp"
#endif
