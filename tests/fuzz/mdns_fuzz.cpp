// Multicast DNS under any datagrams, links and times: what it sends can be parsed and is no flood; of whom it tells is believable,
// bounded, and expires; it never asks to be woken for nothing.
#include "fuzz.hpp"

#include <gigi/discovery/mdns_core.hpp>
#include <gigi/peer/nickname.hpp>

#include <map>
#include <set>

namespace mdns_fuzz {

using namespace gigi;

namespace {

peer_id numbered_peer(std::uint32_t n) {
    bytes multihash{0x12, 0x20};
    multihash.resize(34, 7);
    store_be(&multihash[2], n);
    return peer_id::from_bytes(multihash).value();
}
peer_id const self = numbered_peer(1000);

mdns_options small() {
    mdns_options o;
    o.max_peers = 6, o.max_addresses = 3, o.max_announcements = 2;
    return o;
}

mdns_endpoint from(std::uint8_t last, bool legacy) { return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, last}, static_cast<std::uint16_t>(legacy ? 40000 : 5353)}; }

class world {
  public:
    explicit world(std::uint8_t seed) : random_{seed}, core_{self, small(), random_} { set_link(0, 1); }

    void step(fuzz::input &in) {
        auto const op = in.byte();
        std::uint32_t const link = op >> 7;
        switch (op % 8) {
        case 0: case 1: core_.receive(now_, link, from(in.byte() % 8, op & 0x40), in.long_part()); break;
        case 2: case 3: hear(in, link); break;
        case 4: ask(in, link); break;
        case 5:
            if (op & 0x40) set_link(link, in.byte());
            else if (link == 1) core_.remove_link(now_, 1);
            break;
        case 6: core_.set_nickname(now_, to_text(in.part())); break;
        default: advance(std::chrono::milliseconds{op & 0x40 ? in.number<std::uint16_t>() * 16u : in.byte()});
        }
        look();
    }

    void finish() {
        advance(std::chrono::hours{1} + std::chrono::minutes{20}); // past the longest life of an announcement
        FUZZ_CHECK(core_.peer_count() == 0 && told_.empty());
        core_.stop();
        look();
        FUZZ_CHECK(core_.next_wakeup() == time_point::max());
    }

  private:
    void set_link(std::uint32_t id, std::uint8_t how) {
        mdns_link l;
        l.id = id;
        l.zone = how & 8 ? "eth0" : "";
        l.ipv4 = {{192, 0, 2, static_cast<std::uint8_t>(how % 8)}};
        for (std::size_t n = 0; n < how % 4 * 3u; ++n) l.addresses.push_back(multiaddr::parse("/ip4/192.0.2.1/tcp/" + std::to_string(4000 + n)).value().with_peer(self));
        if (how & 16) l.ipv6 = {{0xfe, 0x80, 1}};
        core_.set_link(now_, l);
        ++changes_;
    }

    /// An announcement.
    void hear(fuzz::input &in, std::uint32_t link) {
        auto const &service = core_.records().service();
        dns_message m;
        m.is_response = true;
        for (auto n = in.byte() % 4; n > 0; --n) {
            auto const who = in.byte();
            auto const instance = who & 0x80 ? core_.records().instance() : service.child("peer" + std::to_string(who % 16)).value();
            std::chrono::seconds const ttl{who & 0x40 ? in.number<std::uint32_t>() : in.byte() % 200};
            m.answers.push_back({service, ttl, false, instance});
            dns_strings strings;
            for (auto k = in.byte() % 8; k > 0; --k) {
                auto const what = in.byte();
                std::string const hosts[] = {"/ip4/192.0.2." + std::to_string(what % 16) + "/tcp/4001", "/ip6/fe80::1/tcp/1", "/ip4/127.0.0.1/tcp/22", "/ip6/ff02::fb/udp/5353",
                                             "/ip4/0.0.0.0/tcp/1", "/ip6/2001:db8::1/tcp/" + std::to_string(what), "/dns4/x/tcp/1", to_text(in.part().first(0))};
                auto const peer = what & 0x20 ? self : numbered_peer(who % 16);
                strings.push_back("dnsaddr=" + hosts[what % 8] + "/p2p/" + peer.to_string());
                if (what & 0x40) strings.push_back("nickname=" + to_text(in.part()));
            }
            m.additionals.push_back({instance, ttl, bool(who & 0x20), std::move(strings)});
        }
        if (auto const built = m.build()) core_.receive(now_, link, from(in.byte() % 8, false), *built);
    }
    /// A question, or many.
    void ask(fuzz::input &in, std::uint32_t link) {
        auto const &r = core_.records();
        dns_name const names[] = {r.service(), r.instance(), r.host(), r.meta()};
        dns_type const types[] = {dns_type::ptr, dns_type::txt, dns_type::srv, dns_type::a, dns_type::aaaa, dns_type::any};
        dns_message m;
        for (auto n = in.byte() % 16; n > 0; --n) {
            auto const what = in.byte();
            m.questions.push_back({names[what % 4], types[(what >> 2) % 6], bool(what & 0x80)});
        }
        if (in.flag()) m.answers.push_back({r.service(), std::chrono::seconds{in.byte()}, false, r.instance()});
        auto const built = m.build().value();
        auto const how = in.byte();
        for (int times = how & 0x40 ? 40 : 1; times > 0; --times) core_.receive(now_, link, from(how % 8, how & 0x80), built);
    }

    void advance(duration span) {
        auto const end = now_ + span;
        for (;;) {
            look();
            auto const next = core_.next_wakeup();
            if (next > end) break;
            now_ = std::max(now_, next);
            core_.tick(now_);
            FUZZ_CHECK(core_.next_wakeup() > now_); // no busy loop
        }
        now_ = end;
    }

    void look() {
        for (auto const &datagram : core_.datagrams()) {
            auto const message = dns_message::parse(datagram.data);
            FUZZ_CHECK(message && (datagram.link == 0 || datagram.link == 1));
            bool const group = datagram.to == mdns_endpoint();
            FUZZ_CHECK(group || message->is_response); // we ask the group only
            if (!message->is_response) ++queries_;
            else ++(group ? answers_ : replies_);
        }
        core_.datagrams().clear();
        auto const seconds = static_cast<std::size_t>((now_ - begin_) / std::chrono::seconds{1});
        // Two links. Queries: no more than three for each change, and one in ten seconds. Answers: three kinds, once a second; a goodbye a change.
        FUZZ_CHECK(queries_ <= 2 * (3 * (changes_ + 1) + seconds / 10 + 2));
        FUZZ_CHECK(answers_ <= 2 * (3 * (seconds + 2) + 1) + 5 * changes_ + 2);
        FUZZ_CHECK(replies_ <= (2 + changes_) * (20 + 20 * (seconds + 1)));

        for (auto const &event : core_.events()) {
            if (auto const *const gone = std::get_if<mdns_expired>(&event)) {
                FUZZ_CHECK(told_.erase(gone->peer) == 1);
                continue;
            }
            auto const &peer = std::get<mdns_found>(event).peer;
            told_.insert(peer.peer);
            FUZZ_CHECK(peer.peer != self && !peer.addresses.empty() && peer.addresses.size() <= small().max_addresses);
            FUZZ_CHECK(peer.nickname.empty() || valid_nickname(peer.nickname));
            for (auto const &address : peer.addresses) FUZZ_CHECK(address.peer() == peer.peer && !address.is_unspecified());
        }
        core_.events().clear();
        FUZZ_CHECK(core_.peer_count() <= small().max_peers && told_.size() <= core_.peer_count());
    }

    seeded_random random_;
    mdns_core core_;
    time_point begin_{std::chrono::hours{1}}, now_ = begin_;
    std::set<peer_id> told_;
    std::size_t changes_ = 0, queries_ = 0, answers_ = 0, replies_ = 0;
};

} // namespace

FUZZ_TARGET(mdns) {
    fuzz::input in{data};
    world w{in.byte()};
    for (std::size_t steps = 0; !in.empty() && steps < 300; ++steps) w.step(in);
    w.finish();
}

FUZZ_SEEDS {
    fuzz::script heard, asked, raw;
    heard.byte(1).byte(7 | 0x40).number(std::uint16_t{100}).byte(2).byte(2).byte(3).byte(120).byte(2).byte(0x40).part("bob").byte(5).byte(0x24).byte(100).byte(1).byte(1).byte(5)
        .byte(7).byte(200).byte(2).byte(1).byte(3).byte(0).byte(0).byte(5).byte(7 | 0x40).number(std::uint16_t{500});
    asked.byte(2).byte(6).part("alice").byte(7 | 0x40).number(std::uint16_t{200}).byte(4).byte(4).byte(0).byte(0x81).byte(6).byte(3).byte(0).byte(1).byte(7).byte(250)
        .byte(4).byte(1).byte(0).byte(0).byte(0xc2).byte(5 | 0x40).byte(0).byte(5 | 0xc0).byte(25);
    dns_message query;
    query.questions = {{dns_name::from_text("_p2p._udp.local").value(), dns_type::ptr, true}};
    raw.byte(3).byte(7 | 0x40).number(std::uint16_t{200}).byte(0).byte(4).long_part(query.build().value());
    return {heard, asked, raw};
}

} // namespace mdns_fuzz
