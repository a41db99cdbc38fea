// gigi/discovery/mdns_core.hpp: the rules of multicast DNS as libp2p uses it: when to ask, whom to answer, what to believe.
//
// Layer: discovery, sans-I/O: datagrams and time in, datagrams and events out. Spec: RFC 6762 (§5.2 queries, §6 responses
// and their rate, §7.1 known answers, §7.3 others' questions, §8.3 announcing, §10.1 goodbyes), libp2p specs discovery/mdns.md.
// The node's name is random and long, so that probing for conflicts (§8.1) is left out.
#pragma once

#include "../crypto/random.hpp"
#include "mdns_peers.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

/// Where a datagram came from, or goes to.
struct mdns_endpoint {
    dns_ipv6 host{}; ///< of IPv4 in its mapped form; all zero: the multicast group of the link
    std::uint16_t port = 0;

    friend bool operator==(mdns_endpoint const &, mdns_endpoint const &) = default;
};

/// A datagram to send.
struct mdns_datagram {
    std::uint32_t link = 0;
    mdns_endpoint to; ///< default-constructed: the group
    bytes data;
};

/// A random name for a node on the network: 40 lower-case letters and digits.
inline std::string random_instance_name(random_source &random) {
    constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
    std::string name(40, 'a');
    for (auto &c : name) c = alphabet[random.below(alphabet.size())];
    return name;
}

/// Asks, answers and announces on any number of links.
///
/// Call `receive()` for every datagram and `tick()` at `next_wakeup()`; after each call take `datagrams()` and `events()`.
/// Time may only grow.
class mdns_core {
  public:
    /// @param random for the node's name and for delays; must outlive this
    /// @throws error with `errc::invalid_name` for a bad `options.service`
    mdns_core(peer_id self, mdns_options options, random_source &random)
        : options_{std::move(options)}, self_{std::move(self)}, random_{random},
          records_{options_.service, random_instance_name(random_), options_.ttl, options_.max_datagram_size}, peers_{options_} {}
    mdns_core(mdns_core const &) = delete; // peers_ refers to options_
    mdns_core &operator=(mdns_core const &) = delete;

    mdns_records const &records() const noexcept { return records_; }
    std::size_t peer_count() const noexcept { return peers_.size(); }

    std::vector<mdns_datagram> &datagrams() noexcept { return datagrams_; }
    std::deque<mdns_event> &events() noexcept { return peers_.events(); }

    /// A link is there, or what is announced on it has changed.
    void set_link(time_point now, mdns_link const &config) {
        auto const [place, added] = links_.try_emplace(config.id);
        auto &link = place->second;
        if (!added && link.config == config) return;
        if (config.addresses.empty()) withdraw(link);
        bool const other_network = added || link.config.ipv4 != config.ipv4 || link.config.ipv6 != config.ipv6;
        link.config = config;
        if (other_network) ask(now, link);
        announce(now, link);
    }

    /// A link is gone, with its addresses; what was learned from it alone expires soon.
    void remove_link(time_point now, std::uint32_t id) {
        if (links_.erase(id)) peers_.remove_link(now, id);
    }

    /// Changes the hint that is announced. @param nickname nothing is announced where it is not valid
    void set_nickname(time_point now, std::string nickname) {
        if (!valid_nickname(nickname)) nickname.clear();
        if (nickname == nickname_) return;
        nickname_ = std::move(nickname);
        for (auto &[id, link] : links_) announce(now, link);
    }

    void receive(time_point now, std::uint32_t id, mdns_endpoint const &from, bytes_view datagram) {
        auto const link = links_.find(id);
        if (link == links_.end()) return;
        auto const message = dns_message::parse(datagram);
        if (!message || message->opcode != 0 || message->response_code != 0) return;
        if (!message->is_response)
            answer(now, link->second, from, *message);
        else if (from.port == options_.port) // RFC 6762 §6
            learn(now, link->second, from, *message);
    }

    /// Does what is due.
    void tick(time_point now) {
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

    /// When `tick()` has something to do; `time_point::max()` for never.
    time_point next_wakeup() const noexcept {
        auto next = peers_.next_update();
        for (auto const &[id, link] : links_)
            for (auto const when : {link.next_query, link.announcement.due, link.service_types.due, link.details.due})
                next = std::min(next, when);
        return next;
    }

    /// Says goodbye wherever the node was announced, and forgets every link.
    void stop() {
        for (auto &[id, link] : links_) withdraw(link);
        links_.clear();
    }

  private:
    // RFC 6762 §6: several nodes answer the same question, so each waits a little; and a second between two multicasts.
    static constexpr duration shared_delay_min = std::chrono::milliseconds{20};
    static constexpr duration shared_delay_max = std::chrono::milliseconds{120};
    static constexpr duration multicast_interval = std::chrono::seconds{1};
    static constexpr double max_unicasts = 20; ///< a second, of each link: no amplifier for forged sources

    /// One kind of multicast response: at most one is waiting, at most one goes out a second.
    struct multicast_slot {
        time_point due = time_point::max();
        time_point not_before = time_point::min();

        void request(time_point now, duration delay) noexcept { due = std::min(due, std::max(now + delay, not_before)); }
        bool fire(time_point now) noexcept {
            if (now < due) return false;
            due = time_point::max();
            not_before = now + multicast_interval;
            return true;
        }
        /// Whether it was multicast within this time (RFC 6762 §5.4).
        bool sent_within(time_point now, duration span) const noexcept {
            return not_before != time_point::min() && now < not_before - multicast_interval + span;
        }
    };

    struct link_state {
        mdns_link config;
        time_point next_query{};
        unsigned queries = 0; ///< sent since the start
        multicast_slot announcement, service_types, details;
        mdns_details wanted;    ///< what `details` will hold
        unsigned repeats = 0;   ///< of the announcement
        bool announced = false; ///< others may know us: a goodbye is due
        double unicasts = max_unicasts;
        time_point unicasts_counted{};
    };

    /// What a query asks of this node.
    struct request {
        bool announcement = false;
        bool service_types = false;
        mdns_details details;

        bool any() const noexcept { return announcement || service_types || details.any(); }
    };

    duration jitter(duration from, duration to) {
        return from + duration{static_cast<duration::rep>(random_.below(static_cast<std::uint64_t>((to - from).count()) + 1))};
    }

    /// RFC 6762 §5.2: a second, then two, then the regular interval.
    duration next_query_delay(unsigned sent) {
        if (sent < 2) return std::chrono::seconds{1u << sent};
        return jitter(options_.query_interval * 3 / 4, options_.query_interval * 5 / 4);
    }

    void send(link_state const &link, dns_message const &message, mdns_endpoint const &to = mdns_endpoint()) {
        if (auto data = message.build()) datagrams_.push_back({link.config.id, to, std::move(*data)});
    }

    /// Begins the series of queries (RFC 6762 §5.2), a little later than others whom the same event made begin.
    void ask(time_point now, link_state &link) {
        link.queries = 0;
        link.next_query = now + jitter(shared_delay_min, shared_delay_max);
    }

    /// RFC 6762 §8.3: twice, a second apart.
    void announce(time_point now, link_state &link) {
        if (link.config.addresses.empty()) return;
        link.repeats = 1;
        link.announcement.request(now, jitter(shared_delay_min, shared_delay_max));
    }

    void withdraw(link_state &link) {
        link.announcement.due = link.service_types.due = link.details.due = time_point::max();
        link.repeats = 0;
        if (std::exchange(link.announced, false)) send(link, records_.goodbye(link.config));
    }

    request asked_by(dns_question const &question, dns_message const &query) const {
        request r;
        bool const any = question.type == dns_type::any;
        auto const asks = [&](dns_type type) { return any || question.type == type; };
        if (question.name == records_.service())
            r.announcement = asks(dns_type::ptr) && !is_known(query);
        else if (question.name == records_.meta())
            r.service_types = asks(dns_type::ptr);
        else if (question.name == records_.instance())
            r.details = {asks(dns_type::srv), asks(dns_type::txt), false, false};
        else if (question.name == records_.host())
            r.details = {false, false, asks(dns_type::a), asks(dns_type::aaaa)};
        return r;
    }

    /// Whether the querier has our answer for at least half of its time (RFC 6762 §7.1).
    bool is_known(dns_message const &query) const {
        return std::ranges::any_of(query.answers, [this](dns_record const &record) {
            auto const *const target = std::get_if<dns_name>(&record.data);
            return target && record.name == records_.service() && *target == records_.instance() && record.ttl >= records_.ttl() / 2;
        });
    }

    void answer(time_point now, link_state &link, mdns_endpoint const &from, dns_message const &query) {
        bool const legacy = from.port != options_.port;
        request multicast, unicast;
        for (auto const &question : query.questions) {
            auto const asked = asked_by(question, query);
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

    void answer_all(time_point now, link_state &link, request const &asked) {
        auto const delay = jitter(shared_delay_min, shared_delay_max);
        if (asked.announcement) link.announcement.request(now, delay);
        if (asked.service_types) link.service_types.request(now, delay);
        if (asked.details.any()) {
            link.wanted.add(asked.details);
            link.details.request(now, {}); // only we can answer this: no need to wait
        }
    }

    void answer_alone(time_point now, link_state &link, mdns_endpoint const &to, dns_message const &query, request const &asked,
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

    /// A token bucket. @param take how many answers to account for; 0 only asks
    bool may_unicast(time_point now, link_state &link, double take) {
        auto const elapsed = std::chrono::duration<double>(now - std::exchange(link.unicasts_counted, now)).count();
        link.unicasts = std::min(max_unicasts, link.unicasts + elapsed * max_unicasts);
        if (link.unicasts < 1) return false;
        link.unicasts -= take;
        return true;
    }

    void learn(time_point now, link_state &link, mdns_endpoint const &from, dns_message const &response) {
        for (auto &heard : read_announcements(response, records_.service(), options_.max_addresses)) {
            bool const ours = dns_name::same_labels(heard.instance, records_.instance().labels());
            if (ours && heard.goodbye && link.announced) announce(now, link); // somebody says goodbye in our name
            if (ours || heard.peer == self_) continue;
            std::erase_if(heard.addresses, [&](multiaddr const &address) { return !is_plausible(address, from, link.config); });
            for (auto &address : heard.addresses) add_zone(address, link.config);
            peers_.add(now, {link.config.id, from.host}, std::move(heard));
        }
    }

    /// Whether the address can be one of another node. A loopback address is one of a node on this host; from anywhere else
    /// it would make us dial our own services (T15).
    static bool is_plausible(multiaddr const &address, mdns_endpoint const &from, mdns_link const &link) {
        auto const ip = address.ip();
        bool const multicast = !ip.empty() && (ip.size() == 4 ? ip[0] >> 4 == 0xe : ip[0] == 0xff);
        if (address.is_unspecified() || multicast) return false;
        return !address.is_loopback() || is_own(from, link);
    }

    static bool is_own(mdns_endpoint const &from, mdns_link const &link) {
        auto const is_host = [&from](auto const &own) {
            return equal(bytes_view{from.host}.last(own.size()), own) && (own.size() == 16 || from.host[10] == 0xff);
        };
        return std::ranges::any_of(link.ipv4, is_host) || std::ranges::any_of(link.ipv6, is_host);
    }

    /// A link-local IPv6 address is one on the network where it was heard.
    static void add_zone(multiaddr &address, mdns_link const &link) {
        auto const ip = address.ip();
        bool const link_local = ip.size() == 16 && ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80;
        if (!link_local || link.zone.empty()) return;
        auto const text = address.to_string();
        if (!text.starts_with("/ip6/")) return;
        if (auto zoned = multiaddr::parse("/ip6zone/" + link.zone + text)) address = std::move(*zoned);
    }

    mdns_options options_;
    peer_id self_;
    random_source &random_;
    mdns_records records_;
    mdns_peers peers_;
    std::map<std::uint32_t, link_state> links_;
    std::string nickname_;
    std::vector<mdns_datagram> datagrams_;
};

} // namespace gigi::inline v1
