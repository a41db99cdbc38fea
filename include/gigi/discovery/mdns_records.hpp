// gigi/discovery/mdns_records.hpp: libp2p's use of DNS-SD: this node as DNS records, and other nodes out of them.
//
// Layer: discovery, sans-I/O. Spec: libp2p specs discovery/mdns.md, RFC 6763 (DNS-SD), RFC 6762 §6.7 (legacy queries).
// The announcement has the one form that Go, Rust and JavaScript nodes all take: in Answer exactly one PTR; in Additional
// one TXT record with all addresses, SRV, A and AAAA.
#pragma once

#include "../peer/multiaddr.hpp"
#include "../peer/peer_id.hpp"
#include "dns_message.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gigi::inline v1 {

/// What is announced on one link (an interface in one IP version).
struct mdns_link {
    std::uint32_t id = 0;             ///< the caller's name for the link
    std::vector<multiaddr> addresses; ///< each ends in `/p2p/<own id>`; empty: announce nothing here
    std::vector<dns_ipv4> ipv4;       ///< of the interface
    std::vector<dns_ipv6> ipv6;       ///< of the interface
    std::string zone;                 ///< the interface's name: where link-local addresses that are heard here are

    friend bool operator==(mdns_link const &, mdns_link const &) = default;
};

/// Which of the single records of a node were asked for.
struct mdns_details {
    bool service = false; ///< SRV
    bool text = false;    ///< TXT
    bool ipv4 = false;    ///< A
    bool ipv6 = false;    ///< AAAA

    bool any() const noexcept { return service || text || ipv4 || ipv6; }
    void add(mdns_details const &other) noexcept;
};

/// This node's names, and the messages that describe it.
class mdns_records {
  public:
    /// @param service e.g. `_p2p._udp.local`
    /// @param instance the node's random name: 32–63 lower-case letters and digits
    /// @throws error with `errc::invalid_name`
    mdns_records(std::string_view service, std::string_view instance, std::chrono::seconds ttl, std::size_t max_size);

    dns_name const &service() const noexcept { return service_; }
    dns_name const &instance() const noexcept { return instance_; }
    dns_name const &host() const noexcept { return host_; }
    dns_name const &meta() const noexcept { return meta_; }
    std::chrono::seconds ttl() const noexcept { return ttl_; }

    /// `<service> PTR ?`
    dns_message query() const;

    /// The answer to `<service> PTR ?`, with as many of the addresses as fit into one datagram.
    dns_message announcement(mdns_link const &link, std::string const &nickname) const;

    /// Says that the node is gone. It has no TXT record: JavaScript nodes take any as an announcement.
    dns_message goodbye(mdns_link const &link) const;

    /// The answer to `_services._dns-sd._udp.local PTR ?` (RFC 6763 §9).
    dns_message service_types() const;

    /// Single records of the node, as DNS-SD tools ask for them.
    dns_message details(mdns_link const &link, std::string const &nickname, mdns_details const &wanted) const;

    /// Makes a response fit for a resolver that knows nothing of multicast DNS (RFC 6762 §6.7).
    static void make_legacy(dns_message &response, dns_message const &query);

  private:
    static constexpr std::size_t max_host_addresses = 4; ///< of each IP version; nobody needs more to know the host

    static dns_message response();

    dns_record pointer(std::chrono::seconds ttl) const { return {service_, ttl, false, instance_}; }

    dns_record text(mdns_link const &link, std::string const &nickname) const;
    dns_record location(mdns_link const &link) const;
    void add_ipv4(mdns_link const &link, std::vector<dns_record> &records) const;
    void add_ipv6(mdns_link const &link, std::vector<dns_record> &records) const;

    /// The port of the first address that has one. libp2p nodes look at the addresses; tools show this.
    static std::uint16_t first_port(mdns_link const &link);

    dns_name service_, instance_, host_, meta_;
    std::chrono::seconds ttl_;
    std::size_t max_size_;
};

/// What a response says about one instance of the service.
struct mdns_announcement {
    std::string instance;         ///< its name: the labels, in lower case
    std::optional<peer_id> peer;  ///< absent where only a goodbye, or nothing that is valid, was said
    std::vector<multiaddr> addresses;
    std::string nickname;
    std::chrono::seconds ttl{};
    bool goodbye = false;         ///< the pointer to the instance had a TTL of 0
    bool flush = false;           ///< `addresses` replace what was announced before
};

/// What a response says about instances of `service`, wherever its records are. Never throws; what is invalid is left out.
/// @param max_addresses how many addresses of one instance are taken
std::vector<mdns_announcement> read_announcements(dns_message const &response, dns_name const &service,
                                                  std::size_t max_addresses);

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/mdns_records.ipp"
#endif
