// gigi/link/inbound_limits.hpp: who may begin a handshake with us, by what their host has already.
//
// Layer: link. Counts only: whoever asks `judge` says what came of it.
#pragma once

#include "../peer/multiaddr.hpp"
#include "swarm_options.hpp"

#include <cstddef>
#include <map>
#include <string>

namespace gigi::inline v1 {

/// Inbound handshakes and connections, counted by host.
class inbound_limits {
  public:
    enum class verdict { welcome, host_has_enough, full };

    /// What a remote address counts for: an IPv4 address (mapped into IPv6 or not); of IPv6 the network of 64 bits, in which a
    /// host may take any address it likes. On its link everybody shares one network: a link-local address counts for itself.
    static std::string host_of(multiaddr const &remote);

    /// Of the options `max_connections_per_address` and `max_pending_handshakes` matter.
    explicit inbound_limits(swarm_options const &options) noexcept
        : max_per_host_{options.max_connections_per_address}, max_handshakes_{options.max_pending_handshakes} {}

    verdict judge(std::string const &host) const;

    /// How many hosts have any.
    std::size_t hosts() const noexcept { return hosts_.size(); }

    void begin_handshake(std::string const &host);
    void end_handshake(std::string const &host);
    void add_connection(std::string const &host) { ++hosts_[host].connections; }
    void remove_connection(std::string const &host);

  private:
    struct counts {
        std::size_t handshakes = 0, connections = 0;
        bool operator==(counts const &) const = default;
    };

    bool is_full() const noexcept { return handshakes_ >= max_handshakes_; }
    /// The last eighth of the places is for hosts that have no handshake under way: no one host can keep the others out (T29).
    bool is_crowding(counts const &of_host) const noexcept { return handshakes_ >= max_handshakes_ - max_handshakes_ / 8 && of_host.handshakes > 0; }
    void forget_if_gone(std::map<std::string, counts>::iterator host);

    std::size_t max_per_host_;
    std::size_t max_handshakes_;
    std::size_t handshakes_ = 0;
    std::map<std::string, counts> hosts_; // those that have any
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/inbound_limits.ipp"
#endif
