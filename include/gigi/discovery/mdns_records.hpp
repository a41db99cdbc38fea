// gigi/discovery/mdns_records.hpp: libp2p's use of DNS-SD: this node as DNS records, and other nodes out of them.
//
// Layer: discovery, sans-I/O. Spec: libp2p specs discovery/mdns.md, RFC 6763 (DNS-SD), RFC 6762 §6.7 (legacy queries).
// The announcement has the one form that Go, Rust and JavaScript nodes all take: in Answer exactly one PTR; in Additional
// one TXT record with all addresses, SRV, A and AAAA.
#pragma once

#include "../peer/multiaddr.hpp"
#include "../peer/nickname.hpp"
#include "../peer/peer_id.hpp"
#include "dns_message.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
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
    void add(mdns_details const &other) noexcept {
        service |= other.service, text |= other.text, ipv4 |= other.ipv4, ipv6 |= other.ipv6;
    }
};

/// This node's names, and the messages that describe it.
class mdns_records {
  public:
    /// @param service e.g. `_p2p._udp.local`
    /// @param instance the node's random name: 32–63 lower-case letters and digits
    /// @throws error with `errc::invalid_name`
    mdns_records(std::string_view service, std::string_view instance, std::chrono::seconds ttl, std::size_t max_size)
        : service_{dns_name::from_text(service).value()}, instance_{service_.child(instance).value()},
          host_{dns_name::from_text("p2p.local").value().child(instance).value()},
          meta_{dns_name::from_text("_services._dns-sd._udp.local").value()}, ttl_{ttl}, max_size_{max_size} {}

    dns_name const &service() const noexcept { return service_; }
    dns_name const &instance() const noexcept { return instance_; }
    dns_name const &host() const noexcept { return host_; }
    dns_name const &meta() const noexcept { return meta_; }
    std::chrono::seconds ttl() const noexcept { return ttl_; }

    /// `<service> PTR ?`
    dns_message query() const {
        dns_message m;
        m.questions.push_back({service_, dns_type::ptr, false});
        return m;
    }

    /// The answer to `<service> PTR ?`, with as many of the addresses as fit into one datagram.
    dns_message announcement(mdns_link const &link, std::string const &nickname) const {
        auto m = response();
        m.answers.push_back(pointer(ttl_));
        m.additionals.push_back(text(link, nickname));
        m.additionals.push_back(location(link));
        add_ipv4(link, m.additionals);
        add_ipv6(link, m.additionals);
        auto &strings = std::get<dns_strings>(m.additionals.front().data);
        std::size_t const kept = nickname.empty() ? 1 : 2;
        for (auto built = m.build(); (!built || built->size() > max_size_) && strings.size() > kept; built = m.build())
            strings.erase(strings.end() - static_cast<std::ptrdiff_t>(kept)); // the last address is worth the least
        return m;
    }

    /// Says that the node is gone. It has no TXT record: JavaScript nodes take any as an announcement.
    dns_message goodbye(mdns_link const &link) const {
        auto m = response();
        m.answers.push_back(pointer({}));
        m.additionals.push_back(location(link));
        add_ipv4(link, m.additionals);
        add_ipv6(link, m.additionals);
        for (auto &record : m.additionals) record.ttl = {};
        return m;
    }

    /// The answer to `_services._dns-sd._udp.local PTR ?` (RFC 6763 §9).
    dns_message service_types() const {
        auto m = response();
        m.answers.push_back({meta_, ttl_, false, service_});
        return m;
    }

    /// Single records of the node, as DNS-SD tools ask for them.
    dns_message details(mdns_link const &link, std::string const &nickname, mdns_details const &wanted) const {
        auto m = response();
        auto full = announcement(link, nickname);
        for (auto &record : full.additionals) {
            auto const type = record.type();
            bool const asked = (type == dns_type::txt && wanted.text) || (type == dns_type::srv && wanted.service) ||
                               (type == dns_type::a && wanted.ipv4) || (type == dns_type::aaaa && wanted.ipv6);
            bool const follows = wanted.service && (type == dns_type::a || type == dns_type::aaaa);
            if (asked)
                m.answers.push_back(std::move(record));
            else if (follows)
                m.additionals.push_back(std::move(record));
        }
        return m;
    }

    /// Makes a response fit for a resolver that knows nothing of multicast DNS (RFC 6762 §6.7).
    static void make_legacy(dns_message &response, dns_message const &query) {
        constexpr std::chrono::seconds max_ttl{10};
        response.id = query.id;
        response.questions = query.questions;
        for (auto &question : response.questions) question.unicast_response = false;
        for (auto *const section : {&response.answers, &response.additionals})
            for (auto &record : *section) {
                record.cache_flush = false;
                record.ttl = std::min(record.ttl, max_ttl);
            }
    }

  private:
    static constexpr std::size_t max_host_addresses = 4; ///< of each IP version; nobody needs more to know the host

    static dns_message response() {
        dns_message m;
        m.is_response = m.is_authoritative = true;
        return m;
    }

    dns_record pointer(std::chrono::seconds ttl) const { return {service_, ttl, false, instance_}; }

    dns_record text(mdns_link const &link, std::string const &nickname) const {
        dns_strings strings;
        for (auto const &address : link.addresses) {
            auto string = "dnsaddr=" + address.to_string();
            if (string.size() <= 255) strings.push_back(std::move(string));
        }
        if (!nickname.empty()) strings.push_back("nickname=" + nickname);
        return {instance_, ttl_, true, std::move(strings)};
    }

    dns_record location(mdns_link const &link) const {
        dns_service service;
        service.port = first_port(link);
        service.target = host_;
        return {instance_, ttl_, true, std::move(service)};
    }

    void add_ipv4(mdns_link const &link, std::vector<dns_record> &records) const {
        for (std::size_t i = 0; i < std::min(link.ipv4.size(), max_host_addresses); ++i)
            records.push_back({host_, ttl_, true, link.ipv4[i]});
    }
    void add_ipv6(mdns_link const &link, std::vector<dns_record> &records) const {
        for (std::size_t i = 0; i < std::min(link.ipv6.size(), max_host_addresses); ++i)
            records.push_back({host_, ttl_, true, link.ipv6[i]});
    }

    /// The port of the first address that has one. libp2p nodes look at the addresses; tools show this.
    static std::uint16_t first_port(mdns_link const &link) {
        for (auto const &address : link.addresses)
            if (auto const port = address.tcp_port()) return *port;
        return 0;
    }

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
inline std::vector<mdns_announcement> read_announcements(dns_message const &response, dns_name const &service,
                                                         std::size_t max_addresses) {
    std::vector<mdns_announcement> found;
    auto const of = [&](dns_name const &instance) -> mdns_announcement * {
        if (instance.is_root() || !dns_name::same_labels(instance.labels().substr(1 + instance.first_label().size()), service.labels()))
            return nullptr;
        for (auto &known : found)
            if (dns_name::same_labels(known.instance, instance.labels())) return &known;
        constexpr std::size_t max_instances = 64; // honest ones send one; Avahi sends those of its host
        if (found.size() >= max_instances) return nullptr;
        found.emplace_back();
        std::ranges::transform(instance.labels(), std::back_inserter(found.back().instance),
                               [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
        return &found.back();
    };
    auto const read_string = [max_addresses](mdns_announcement &announcement, std::string_view string) {
        constexpr std::string_view address_key = "dnsaddr=", nickname_key = "nickname=";
        if (string.starts_with(nickname_key)) {
            string.remove_prefix(nickname_key.size());
            if (valid_nickname(string)) announcement.nickname = string; // T23
        }
        if (!string.starts_with(address_key) || announcement.addresses.size() >= max_addresses) return;
        auto address = multiaddr::parse(string.substr(address_key.size()));
        if (!address) return;
        auto const peer = address->peer();
        if (!peer || (announcement.peer && *announcement.peer != *peer)) return; // one instance is one peer (T20)
        announcement.peer = *peer;
        if (std::ranges::find(announcement.addresses, *address) == announcement.addresses.end())
            announcement.addresses.push_back(std::move(*address));
    };
    for (auto const *const section : {&response.answers, &response.additionals})
        for (auto const &record : *section) {
            if (auto const *const instance = std::get_if<dns_name>(&record.data)) {
                if (record.ttl.count() == 0 && record.name == service)
                    if (auto *const announcement = of(*instance)) announcement->goodbye = true;
            } else if (auto const *const strings = std::get_if<dns_strings>(&record.data)) {
                if (record.ttl.count() == 0) continue; // its addresses are gone when their time is up
                auto *const announcement = of(record.name);
                if (!announcement) continue;
                announcement->ttl = std::max(announcement->ttl, record.ttl);
                announcement->flush |= record.cache_flush;
                for (auto const &string : *strings) read_string(*announcement, string);
            }
        }
    return found;
}

} // namespace gigi::inline v1
