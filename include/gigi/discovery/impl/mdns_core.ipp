// gigi/discovery/impl/mdns_core.ipp: what mdns_core.hpp declares.
#pragma once

#include "../mdns_core.hpp"

#include "../../core/config.hpp"
#include "../../peer/nickname.hpp"

#include <string_view>
#include <utility>

namespace gigi::inline v1 {

GIGI_INLINE std::string random_instance_name(random_source &random) {
    constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
    std::string name(40, 'a');
    for (auto &c : name) c = alphabet[random.below(alphabet.size())];
    return name;
}

GIGI_INLINE mdns_core::mdns_core(peer_id self, mdns_options options, random_source &random, std::function<bool(peer_id const &)> is_connected)
    : options_{std::move(options)}, self_{std::move(self)}, random_{random},
      records_{options_.service, random_instance_name(random_), options_.ttl, options_.max_datagram_size},
      peers_{options_, random_, std::move(is_connected)} {}

GIGI_INLINE void mdns_core::set_link(time_point now, mdns_link const &config) {
    auto const [place, added] = links_.try_emplace(config.id);
    auto &link = place->second;
    if (!added && link.config == config) return;
    if (config.addresses.empty()) withdraw(link);
    bool const other_network = added || link.config.ipv4 != config.ipv4 || link.config.ipv6 != config.ipv6;
    link.config = config;
    if (other_network) ask(now, link);
    announce(now, link);
}

GIGI_INLINE void mdns_core::remove_link(time_point now, std::uint32_t id) {
    if (links_.erase(id)) peers_.remove_link(now, id);
}

GIGI_INLINE void mdns_core::set_nickname(time_point now, std::string nickname) {
    if (!valid_nickname(nickname)) nickname.clear();
    if (nickname == nickname_) return;
    nickname_ = std::move(nickname);
    for (auto &[id, link] : links_) announce(now, link);
}

GIGI_INLINE void mdns_core::receive(time_point now, std::uint32_t id, mdns_endpoint const &from, bytes_view datagram) {
    auto const link = links_.find(id);
    if (link == links_.end()) return;
    auto const message = dns_message::parse(datagram);
    if (!message || message->opcode != 0 || message->response_code != 0) return;
    if (!message->is_response)
        answer(now, link->second, from, *message);
    else if (from.port == options_.port) // RFC 6762 §6
        learn(now, link->second, from, *message);
}

GIGI_INLINE void mdns_core::tick(time_point now) {
    for (auto &[id, link] : links_) {
        if (now >= link.next_query) {
            send(link, records_.query());
            link.next_query = now + next_query_delay(link.queries++);
        }
        if (link.announcement.fire(now)) {
            link.announced = true;
            send(link, records_.announcement(link.config, nickname_));
            if (link.repeats > 0) {
                --link.repeats;
                link.announcement.request(now, multicast_interval);
            }
        }
        if (link.service_types.fire(now)) send(link, records_.service_types());
        if (link.details.fire(now))
            send(link, records_.details(link.config, nickname_, std::exchange(link.wanted, mdns_details{})));
    }
    peers_.update(now);
}

GIGI_INLINE time_point mdns_core::next_wakeup() const noexcept {
    auto next = peers_.next_update();
    for (auto const &[id, link] : links_)
        for (auto const when : {link.next_query, link.announcement.due, link.service_types.due, link.details.due})
            next = std::min(next, when);
    return next;
}

GIGI_INLINE void mdns_core::stop() {
    for (auto &[id, link] : links_) withdraw(link);
    links_.clear();
}

GIGI_INLINE bool mdns_core::multicast_slot::fire(time_point now) noexcept {
    if (now < due) return false;
    due = time_point::max();
    not_before = now + multicast_interval;
    return true;
}

GIGI_INLINE bool mdns_core::multicast_slot::sent_within(time_point now, duration span) const noexcept {
    return not_before != time_point::min() && now < not_before - multicast_interval + span;
}

GIGI_INLINE duration mdns_core::jitter(duration from, duration to) {
    return from + duration{static_cast<duration::rep>(random_.below(static_cast<std::uint64_t>((to - from).count()) + 1))};
}

GIGI_INLINE duration mdns_core::next_query_delay(unsigned sent) {
    if (sent < 2) return std::chrono::seconds{1u << sent};
    return jitter(options_.query_interval * 3 / 4, options_.query_interval * 5 / 4);
}

GIGI_INLINE void mdns_core::send(link_state const &link, dns_message const &message, mdns_endpoint const &to) {
    if (auto data = message.build()) datagrams_.push_back({link.config.id, to, std::move(*data)});
}

GIGI_INLINE void mdns_core::ask(time_point now, link_state &link) {
    link.queries = 0;
    link.next_query = now + jitter(shared_delay_min, shared_delay_max);
}

GIGI_INLINE void mdns_core::announce(time_point now, link_state &link) {
    if (link.config.addresses.empty()) return;
    link.repeats = 1;
    link.announcement.request(now, jitter(shared_delay_min, shared_delay_max));
}

GIGI_INLINE void mdns_core::withdraw(link_state &link) {
    link.announcement.due = link.service_types.due = link.details.due = time_point::max();
    link.repeats = 0;
    if (std::exchange(link.announced, false)) send(link, records_.goodbye(link.config));
}

GIGI_INLINE mdns_core::request mdns_core::asked_by(dns_question const &question) const {
    request r;
    bool const any = question.type == dns_type::any;
    auto const asks = [&](dns_type type) { return any || question.type == type; };
    if (question.name == records_.service())
        r.announcement = asks(dns_type::ptr);
    else if (question.name == records_.meta())
        r.service_types = asks(dns_type::ptr);
    else if (question.name == records_.instance())
        r.details = {asks(dns_type::srv), asks(dns_type::txt), false, false};
    else if (question.name == records_.host())
        r.details = {false, false, asks(dns_type::a), asks(dns_type::aaaa)};
    return r;
}

GIGI_INLINE bool mdns_core::is_known(dns_message const &query) const {
    return std::ranges::any_of(query.answers, [this](dns_record const &record) {
        auto const *const target = std::get_if<dns_name>(&record.data);
        return target && record.name == records_.service() && *target == records_.instance() && record.ttl >= records_.ttl() / 2;
    });
}

GIGI_INLINE void mdns_core::answer(time_point now, link_state &link, mdns_endpoint const &from, dns_message const &query) {
    bool const legacy = from.port != options_.port;
    bool const known = is_known(query);
    request multicast, unicast;
    for (auto const &question : query.questions) {
        auto asked = asked_by(question);
        asked.announcement &= !known;
        auto &to = legacy || question.unicast_response ? unicast : multicast;
        to.announcement |= asked.announcement;
        to.service_types |= asked.service_types;
        to.details.add(asked.details);
        bool const counts_as_ours = !legacy && !question.unicast_response && asked.announcement && query.answers.empty();
        if (counts_as_ours && link.queries > 2) // RFC 6762 §7.3: everybody hears the answers
            link.next_query = std::max(link.next_query, now + jitter(options_.query_interval * 3 / 4, options_.query_interval));
    }
    if (link.config.addresses.empty()) return;
    if (unicast.any()) {
        // RFC 6762 §5.4: where nobody has heard us lately, the others may as well hear it too
        bool const lately = link.announcement.sent_within(now, options_.ttl / 4);
        if (legacy || (lately && may_unicast(now, link, 0)))
            answer_alone(now, link, from, query, unicast, legacy);
        else
            answer_all(now, link, unicast);
    }
    answer_all(now, link, multicast);
}

GIGI_INLINE void mdns_core::answer_all(time_point now, link_state &link, request const &asked) {
    auto const delay = jitter(shared_delay_min, shared_delay_max);
    if (asked.announcement) link.announcement.request(now, delay);
    if (asked.service_types) link.service_types.request(now, delay);
    if (asked.details.any()) {
        link.wanted.add(asked.details);
        link.details.request(now, {}); // only we can answer this: no need to wait
    }
}

GIGI_INLINE void mdns_core::answer_alone(time_point now, link_state &link, mdns_endpoint const &to, dns_message const &query, request const &asked,
                                         bool legacy) {
    auto const reply = [&](dns_message message) {
        if (message.answers.empty() || !may_unicast(now, link, 1)) return;
        if (legacy) mdns_records::make_legacy(message, query);
        send(link, message, to);
    };
    if (asked.announcement) reply(records_.announcement(link.config, nickname_));
    if (asked.service_types) reply(records_.service_types());
    if (asked.details.any()) reply(records_.details(link.config, nickname_, asked.details));
}

GIGI_INLINE bool mdns_core::may_unicast(time_point now, link_state &link, double take) {
    auto const elapsed = std::chrono::duration<double>(now - std::exchange(link.unicasts_counted, now)).count();
    link.unicasts = std::min(max_unicasts, link.unicasts + elapsed * max_unicasts);
    if (link.unicasts < 1) return false;
    link.unicasts -= take;
    return true;
}

GIGI_INLINE void mdns_core::learn(time_point now, link_state &link, mdns_endpoint const &from, dns_message const &response) {
    for (auto &heard : read_announcements(response, records_.service(), options_.max_addresses)) {
        bool const ours = dns_name::same_labels(heard.instance, records_.instance().labels());
        if (ours && heard.goodbye && link.announced) announce(now, link); // somebody says goodbye in our name
        if (ours || heard.peer == self_) continue;
        std::erase_if(heard.addresses, [&](multiaddr const &address) { return !is_plausible(address, from, link.config); });
        for (auto &address : heard.addresses) add_zone(address, link.config);
        peers_.add(now, {link.config.id, from.host}, std::move(heard));
    }
}

GIGI_INLINE bool mdns_core::is_plausible(multiaddr const &address, mdns_endpoint const &from, mdns_link const &link) {
    auto const ip = address.ip_unmapped();
    if (ip.empty()) return false;
    bool const multicast = ip.size() == 4 ? ip[0] >> 4 == 0xe : ip[0] == 0xff;
    if (address.is_unspecified() || multicast) return false;
    return !address.is_loopback() || is_own(from, link);
}

GIGI_INLINE bool mdns_core::is_own(mdns_endpoint const &from, mdns_link const &link) {
    auto const is_host = [&from](auto const &own) {
        return equal(bytes_view{from.host}.last(own.size()), own) && (own.size() == 16 || from.host[10] == 0xff);
    };
    return std::ranges::any_of(link.ipv4, is_host) || std::ranges::any_of(link.ipv6, is_host);
}

GIGI_INLINE void mdns_core::add_zone(multiaddr &address, mdns_link const &link) {
    auto const ip = address.ip();
    bool const link_local = ip.size() == 16 && ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80;
    if (!link_local || link.zone.empty()) return;
    auto const text = address.to_string();
    if (!text.starts_with("/ip6/")) return;
    if (auto zoned = multiaddr::parse("/ip6zone/" + link.zone + text)) address = std::move(*zoned);
}

} // namespace gigi::inline v1
