// gigi/link/impl/inbound_limits.ipp: what inbound_limits.hpp declares.
#pragma once

#include "../inbound_limits.hpp"

#include "../../core/config.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace gigi::inline v1 {

GIGI_INLINE std::string inbound_limits::host_of(multiaddr const &remote) {
    auto const ip = remote.ip_unmapped();
    if (ip.size() == 4) return multiaddr::tcp(ip, 0).ip_text();
    bool const link_local = ip.size() == 16 && ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80;
    if (ip.size() != 16 || link_local) return remote.ip_text();
    std::array<std::uint8_t, 16> network{};
    std::ranges::copy(ip.first(8), network.begin());
    return multiaddr::tcp(network, 0).ip_text() + "/64";
}

GIGI_INLINE inbound_limits::verdict inbound_limits::judge(std::string const &host) const {
    auto const found = hosts_.find(host);
    counts const here = found == hosts_.end() ? counts{} : found->second;
    if (here.handshakes + here.connections >= max_per_host_) return verdict::host_has_enough;
    return is_full() || is_crowding(here) ? verdict::full : verdict::welcome;
}

GIGI_INLINE void inbound_limits::begin_handshake(std::string const &host) {
    ++hosts_[host].handshakes;
    ++handshakes_;
}

GIGI_INLINE void inbound_limits::end_handshake(std::string const &host) {
    auto const found = hosts_.find(host);
    --found->second.handshakes;
    --handshakes_;
    forget_if_gone(found);
}

GIGI_INLINE void inbound_limits::remove_connection(std::string const &host) {
    auto const found = hosts_.find(host);
    --found->second.connections;
    forget_if_gone(found);
}

GIGI_INLINE void inbound_limits::forget_if_gone(std::map<std::string, counts>::iterator host) {
    if (host->second == counts{}) hosts_.erase(host);
}

} // namespace gigi::inline v1
