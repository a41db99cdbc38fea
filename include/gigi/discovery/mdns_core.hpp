// gigi/discovery/mdns_core.hpp: the rules of multicast DNS as libp2p uses it: when to ask, whom to answer, what to believe.
//
// Layer: discovery, sans-I/O: datagrams and time in, datagrams and events out. Spec: RFC 6762 (§5.2 queries, §6 responses
// and their rate, §7.1 known answers, §7.3 others' questions, §8.3 announcing, §10.1 goodbyes), libp2p specs discovery/mdns.md.
// The node's name is random and long, so that probing for conflicts (§8.1) is left out.
#pragma once

#include "../crypto/random.hpp"
#include "mdns_peers.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
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
std::string random_instance_name(random_source &random);

/// Asks, answers and announces on any number of links.
///
/// Call `receive()` for every datagram and `tick()` at `next_wakeup()`; after each call take `datagrams()` and `events()`.
/// Time may only grow.
class mdns_core {
  public:
    /// @param random for the node's name and for delays; must outlive this
    /// @param is_connected whether the node is connected to a peer, which is then not forgotten for a stranger; null: to none
    /// @throws error with `errc::invalid_name` for a bad `options.service`
    mdns_core(peer_id self, mdns_options options, random_source &random, std::function<bool(peer_id const &)> is_connected = nullptr);
    mdns_core(mdns_core const &) = delete; // peers_ refers to options_
    mdns_core &operator=(mdns_core const &) = delete;

    mdns_records const &records() const noexcept { return records_; }
    std::size_t peer_count() const noexcept { return peers_.size(); }

    std::vector<mdns_datagram> &datagrams() noexcept { return datagrams_; }
    std::deque<mdns_event> &events() noexcept { return peers_.events(); }

    /// A link is there, or what is announced on it has changed.
    void set_link(time_point now, mdns_link const &config);

    /// A link is gone, with its addresses; what was learned from it alone expires soon.
    void remove_link(time_point now, std::uint32_t id);

    /// Changes the hint that is announced. @param nickname nothing is announced where it is not valid
    void set_nickname(time_point now, std::string nickname);
    void receive(time_point now, std::uint32_t id, mdns_endpoint const &from, bytes_view datagram);

    /// Does what is due.
    void tick(time_point now);

    /// When `tick()` has something to do; `time_point::max()` for never.
    time_point next_wakeup() const noexcept;

    /// Says goodbye wherever the node was announced, and forgets every link.
    void stop();

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
        bool fire(time_point now) noexcept;
        /// Whether it was multicast within this time (RFC 6762 §5.4).
        bool sent_within(time_point now, duration span) const noexcept;
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

    duration jitter(duration from, duration to);

    /// RFC 6762 §5.2: a second, then two, then the regular interval.
    duration next_query_delay(unsigned sent);
    void send(link_state const &link, dns_message const &message, mdns_endpoint const &to = mdns_endpoint());

    /// Begins the series of queries (RFC 6762 §5.2), a little later than others whom the same event made begin.
    void ask(time_point now, link_state &link);

    /// RFC 6762 §8.3: twice, a second apart.
    void announce(time_point now, link_state &link);
    void withdraw(link_state &link);
    request asked_by(dns_question const &question) const;

    /// Whether the querier has our answer for at least half of its time (RFC 6762 §7.1).
    bool is_known(dns_message const &query) const;
    void answer(time_point now, link_state &link, mdns_endpoint const &from, dns_message const &query);
    void answer_all(time_point now, link_state &link, request const &asked);
    void answer_alone(time_point now, link_state &link, mdns_endpoint const &to, dns_message const &query, request const &asked,
                      bool legacy);

    /// A token bucket. @param take how many answers to account for; 0 only asks
    bool may_unicast(time_point now, link_state &link, double take);
    void learn(time_point now, link_state &link, mdns_endpoint const &from, dns_message const &response);

    /// Whether the address can be one of another node. A loopback address is one of a node on this host; from anywhere else
    /// it would make us dial our own services. A DNS name is none: whoever is on the link has an IP address, and a name may
    /// stand for anything (T15).
    static bool is_plausible(multiaddr const &address, mdns_endpoint const &from, mdns_link const &link);
    static bool is_own(mdns_endpoint const &from, mdns_link const &link);

    /// A link-local IPv6 address is one on the network where it was heard.
    static void add_zone(multiaddr &address, mdns_link const &link);

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

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/mdns_core.ipp"
#endif
