// gigi/discovery/impl/mdns_records.ipp: what mdns_records.hpp declares.
#pragma once

#include "../mdns_records.hpp"

#include "../../core/config.hpp"
#include "../../peer/nickname.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace gigi::inline v1 {

GIGI_INLINE void mdns_details::add(mdns_details const &other) noexcept {
    service |= other.service, text |= other.text, ipv4 |= other.ipv4, ipv6 |= other.ipv6;
}

GIGI_INLINE mdns_records::mdns_records(std::string_view service, std::string_view instance, std::chrono::seconds ttl, std::size_t max_size)
    : service_{dns_name::from_text(service).value()}, instance_{service_.child(instance).value()},
      host_{dns_name::from_text("p2p.local").value().child(instance).value()},
      meta_{dns_name::from_text("_services._dns-sd._udp.local").value()}, ttl_{ttl}, max_size_{max_size} {}

GIGI_INLINE dns_message mdns_records::query() const {
    dns_message m;
    m.questions.push_back({service_, dns_type::ptr, false});
    return m;
}

GIGI_INLINE dns_message mdns_records::announcement(mdns_link const &link, std::string const &nickname) const {
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

GIGI_INLINE dns_message mdns_records::goodbye(mdns_link const &link) const {
    auto m = response();
    m.answers.push_back(pointer({}));
    m.additionals.push_back(location(link));
    add_ipv4(link, m.additionals);
    add_ipv6(link, m.additionals);
    for (auto &record : m.additionals) record.ttl = {};
    return m;
}

GIGI_INLINE dns_message mdns_records::service_types() const {
    auto m = response();
    m.answers.push_back({meta_, ttl_, false, service_});
    return m;
}

GIGI_INLINE dns_message mdns_records::details(mdns_link const &link, std::string const &nickname, mdns_details const &wanted) const {
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

GIGI_INLINE void mdns_records::make_legacy(dns_message &response, dns_message const &query) {
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

GIGI_INLINE dns_message mdns_records::response() {
    dns_message m;
    m.is_response = m.is_authoritative = true;
    return m;
}

GIGI_INLINE dns_record mdns_records::text(mdns_link const &link, std::string const &nickname) const {
    dns_strings strings;
    for (auto const &address : link.addresses) {
        auto string = "dnsaddr=" + address.to_string();
        if (string.size() <= 255) strings.push_back(std::move(string));
    }
    if (!nickname.empty()) strings.push_back("nickname=" + nickname);
    return {instance_, ttl_, true, std::move(strings)};
}

GIGI_INLINE dns_record mdns_records::location(mdns_link const &link) const {
    dns_service service;
    service.port = first_port(link);
    service.target = host_;
    return {instance_, ttl_, true, std::move(service)};
}

GIGI_INLINE void mdns_records::add_ipv4(mdns_link const &link, std::vector<dns_record> &records) const {
    for (std::size_t i = 0; i < std::min(link.ipv4.size(), max_host_addresses); ++i)
        records.push_back({host_, ttl_, true, link.ipv4[i]});
}

GIGI_INLINE void mdns_records::add_ipv6(mdns_link const &link, std::vector<dns_record> &records) const {
    for (std::size_t i = 0; i < std::min(link.ipv6.size(), max_host_addresses); ++i)
        records.push_back({host_, ttl_, true, link.ipv6[i]});
}

GIGI_INLINE std::uint16_t mdns_records::first_port(mdns_link const &link) {
    for (auto const &address : link.addresses)
        if (auto const port = address.tcp_port()) return *port;
    return 0;
}

GIGI_INLINE std::vector<mdns_announcement> read_announcements(dns_message const &response, dns_name const &service,
                                                              std::size_t max_addresses) {
    std::vector<mdns_announcement> found;
    std::map<std::string, std::size_t> places; // in `found`, by instance: many records may be of many instances
    auto const of = [&](dns_name const &instance) -> mdns_announcement * {
        if (instance.is_root() || !dns_name::same_labels(instance.labels().substr(1 + instance.first_label().size()), service.labels()))
            return nullptr;
        std::string lower{instance.labels()};
        for (auto &c : lower)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        if (auto const known = places.find(lower); known != places.end()) return &found[known->second];
        constexpr std::size_t max_instances = 64; // honest ones send one; Avahi sends those of its host
        if (found.size() >= max_instances) return nullptr;
        places.emplace(lower, found.size());
        found.emplace_back().instance = std::move(lower);
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
