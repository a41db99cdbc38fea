// The gossip router under a script of calls, of what peers say and of time: members of a mesh are in its topic, what is remembered is
// within its caps, nothing is sent to who is not there, and no message goes back to whom it came from or who wrote it.
#include "fuzz.hpp"

#include <gigi/gossip/mesh.hpp>

#include "support/mesh_network.hpp"

#include <map>
#include <set>

namespace gossip_mesh_fuzz {

using namespace gigi;

namespace {

constexpr gossip_options small() {
    gossip_options o;
    o.degree = 3, o.degree_low = 2, o.degree_high = 4, o.degree_score = 2, o.degree_out = 1, o.degree_lazy = 2;
    o.max_cached_messages = 12, o.max_cached_bytes = 16'000, o.max_seen = 20;
    o.max_ihave_length = 8, o.max_ihave_messages = 2, o.max_iwant_length = 12, o.max_idontwant_ids = 6;
    o.max_joined = 3, o.max_peer_topics = 4, o.max_subscription_changes = 16, o.max_grafts = 6, o.max_invalid = 3, o.max_backoffs = 5;
    o.max_message_size = 4096, o.max_rpc_size = 16'384, o.max_topic_size = 8, o.max_id_size = 64;
    return o;
}
static_assert(is_valid(small()));

std::string const topics[] = {"a", "b", "c", "d", "e", "", "too-long!"};
constexpr std::size_t peers = 8;
peer_id const self = test::numbered_peer(999);

class world {
  public:
    explicit world(std::uint8_t mode) : options_{small()}, random_{mode}, router_{self, options(mode), hooks(mode), random_} {}

    void step(fuzz::input &in) {
        auto const op = in.byte();
        auto const peer = test::numbered_peer(op >> 5);
        switch (op % 32 % 14) {
        case 0: router_.add_peer(peer, static_cast<gossip_version>(in.byte() % 4), in.flag()); break;
        case 1: router_.remove_peer(peer); break;
        case 2: router_.restart_peer(peer); break;
        case 3: join(topics[in.below(std::size(topics))]); break;
        case 4: router_.leave(now_, topics[in.below(std::size(topics))]); break;
        case 5: publish(in); break;
        case 6: case 7: says(peer, script_rpc(in)); break;
        case 8: says_raw(peer, in.long_part()); break;
        case 9: case 10: message(peer, in); break;
        case 11: now_ += std::chrono::milliseconds{in.number<std::uint16_t>()}; break;
        case 12: scores_[peer] = static_cast<std::int8_t>(in.byte()); break;
        default:
            router_.heartbeat(now_);
            now_ += std::chrono::seconds{1};
        }
        check();
    }

    void finish() {
        for (std::uint32_t n = 0; n < peers; ++n) router_.remove_peer(test::numbered_peer(n));
        for (auto const &topic : router_.joined_topics()) FUZZ_CHECK(router_.leave(now_, topic));
        check();
        for (int i = 0; i < 10; ++i) {
            now_ += std::chrono::hours{2}; // past every backoff and cache
            router_.heartbeat(now_);
        }
        auto const s = router_.stats();
        FUZZ_CHECK(s.peers == 0 && s.topics == 0 && s.cached_messages == 0 && s.cached_bytes == 0 && s.seen == 0); // nothing leaks
    }

  private:
    static gossip_options options(std::uint8_t mode) {
        auto o = small();
        o.flood_publish = mode & 1;
        return o;
    }
    mesh_hooks hooks(std::uint8_t mode) {
        mesh_hooks h;
        h.verify = [](gossip_message const &m) { return test::verify_unsigned(m); };
        if (mode & 2) h.id = [](gossip_message const &m) { return m.seqno; };
        h.validate = [](peer_id const &, peer_id const &, gossip_message const &m) {
            return m.data.empty() ? validity::accept : m.data[0] == 'r' ? validity::reject : m.data[0] == 'i' ? validity::ignore : validity::accept;
        };
        h.score = [this](peer_id const &p) {
            auto const found = scores_.find(p);
            return found == scores_.end() ? 0.0 : found->second;
        };
        return h;
    }

    void join(std::string const &topic) {
        bool const before = router_.is_joined(topic);
        try {
            FUZZ_CHECK(router_.join(now_, topic) != before && router_.is_joined(topic));
        } catch (error const &e) {
            FUZZ_CHECK(!before && (e.code() == errc::invalid_name || e.code() == errc::limit_exceeded));
        }
    }
    void publish(fuzz::input &in) {
        auto m = test::unsigned_message(self, in.byte(), topics[in.below(std::size(topics))], in.byte() * std::size_t{8});
        router_.publish(now_, std::make_shared<gossip_message const>(std::move(m)));
    }
    message_id some_id(fuzz::input &in) {
        auto const n = in.byte();
        if (n >= 240) return to_bytes(in.part());
        auto const m = test::unsigned_message(n & 0x40 ? self : test::numbered_peer(n & 7), n >> 3 & 7, "");
        message_id id = m.from;
        append(id, m.seqno);
        return n & 0x80 ? from_spec_id(id, id_style::js).value_or(id) : id;
    }
    rpc script_rpc(fuzz::input &in) {
        rpc r;
        for (auto n = in.byte() % 16; n > 0; --n) {
            auto const what = in.byte();
            auto const &topic = topics[(what >> 4) % std::size(topics)];
            switch (what % 8) {
            case 0: case 1: r.subscriptions.push_back({what % 8 == 0, topic}); break;
            case 2: r.graft.push_back(topic); break;
            case 3: r.prune.push_back({topic, in.flag() ? std::optional{in.number<std::uint64_t>()} : std::nullopt, {}}); break;
            case 4:
                r.ihave.push_back({topic, {}});
                for (auto k = in.byte() % 16; k > 0; --k) r.ihave.back().ids.push_back(some_id(in));
                break;
            case 5: r.iwant.push_back(some_id(in)); break;
            default: r.idontwant.push_back(some_id(in));
            }
        }
        return r;
    }
    void says(peer_id const &peer, rpc const &r) { router_.receive(now_, peer, r); }
    void says_raw(peer_id const &peer, bytes_view data) {
        if (auto const r = parse_rpc(data)) says(peer, *r);
    }
    void message(peer_id const &from, fuzz::input &in) {
        auto const n = in.byte();
        auto m = test::unsigned_message(n & 0x40 ? self : test::numbered_peer(n & 7), n >> 3 & 7, topics[in.below(std::size(topics))], 0, !(n & 0x80));
        auto const size = in.byte();
        m.data = bytes(size * std::size_t{size > 250 ? 20u : 4u}, size % 8 == 1 ? 'r' : size % 8 == 2 ? 'i' : 'd');
        auto const author = m.from;
        auto const known = router_.knows(from);
        flush();
        last_ = {};
        auto const outcome = router_.receive_message(now_, from, std::make_shared<gossip_message const>(m));
        FUZZ_CHECK(known || outcome == message_outcome::unheard);
        auto const out = router_.take_output();
        FUZZ_CHECK(out.deliveries.size() == (outcome == message_outcome::delivered ? 1u : 0u));
        for (auto const &send : out.sends) {
            check_send(send);
            for (auto const &forwarded : send.what.messages)
                FUZZ_CHECK(outcome == message_outcome::delivered && *forwarded == m && send.to != from && !equal(send.to.data(), author));
        }
        for (auto const &d : out.deliveries) {
            FUZZ_CHECK(router_.is_joined(d.message->topic) && d.author != self && equal(d.author.data(), author) && d.forwarder == from);
            FUZZ_CHECK(!(n & 0x80) && m.data.size() <= options_.max_message_size);
        }
        if (outcome == message_outcome::delivered) {
            FUZZ_CHECK(router_.receive_message(now_, from, std::make_shared<gossip_message const>(m)) == message_outcome::duplicate);
            FUZZ_CHECK(router_.take_output().empty());
        }
    }

    void check_send(mesh_output::send const &send) {
        FUZZ_CHECK(router_.knows(send.to) && !send.what.empty());
        bytes out;
        encode(send.what, out);
        FUZZ_CHECK(out.size() == encoded_size(send.what) && parse_rpc(out).has_value());
        for (auto const &h : send.what.ihave) FUZZ_CHECK(!h.ids.empty() && h.ids.size() <= options_.max_ihave_length);
        for (auto const &p : send.what.prune)
            FUZZ_CHECK(!p.backoff || *p.backoff <= 3600);
    }
    void flush() {
        auto const out = router_.take_output();
        for (auto const &send : out.sends) check_send(send);
        for (auto const &m : out.memberships) last_[m.topic + '/' + m.peer.to_string()] = m.joined;
    }
    void check() {
        flush();
        auto const s = router_.stats();
        FUZZ_CHECK(s.peers <= peers && s.cached_messages <= options_.max_cached_messages && s.cached_bytes <= options_.max_cached_bytes);
        FUZZ_CHECK(s.seen <= options_.max_seen && router_.joined_topics().size() <= options_.max_joined && s.topics <= std::size(topics) + peers * options_.max_peer_topics);
        for (auto const &topic : topics) {
            auto const members = router_.peers(topic), in_mesh = router_.mesh_peers(topic), fanout = router_.fanout_peers(topic);
            for (auto const *part : {&in_mesh, &fanout})
                for (auto const &p : *part) FUZZ_CHECK(router_.knows(p) && std::ranges::find(members, p) != members.end());
            FUZZ_CHECK(in_mesh.empty() || router_.is_joined(topic));
            FUZZ_CHECK(fanout.empty() || !router_.is_joined(topic));
            FUZZ_CHECK(fanout.size() <= options_.degree);
            for (auto const &p : members) FUZZ_CHECK(router_.knows(p));
        }
    }

    gossip_options options_;
    seeded_random random_;
    std::map<peer_id, double> scores_;
    mesh router_;
    time_point now_{std::chrono::seconds{1000}};
    std::map<std::string, bool> last_;
};

} // namespace

FUZZ_TARGET(gossip_mesh) {
    fuzz::input in{data};
    world w{in.byte()};
    for (std::size_t steps = 0; !in.empty() && steps < 500; ++steps) w.step(in);
    w.finish();
}

FUZZ_SEEDS {
    fuzz::inputs all;
    for (std::size_t const mode : {0u, 1u, 2u}) {
        fuzz::script s;
        s.byte(mode).byte(3).byte(0);
        for (std::size_t n = 0; n < peers; ++n) s.byte(n << 5).byte(n % 4).byte(1);
        for (std::size_t n = 0; n < peers; ++n) s.byte(n << 5 | 6).byte(2).byte(0).byte(2);                  // subscribes and grafts
        s.byte(9).byte(1).byte(0).byte(20).byte(13).byte(13);                                                // a message, heartbeats
        s.byte(1 << 5 | 6).byte(2).byte(5).byte(1).byte(6).byte(0x81);                                       // IWANT, IDONTWANT
        s.byte(2 << 5 | 6).byte(2).byte(4).byte(2).byte(10).byte(0x8a).byte(3).byte(1).number(std::uint64_t{60}); // IHAVE, PRUNE
        s.byte(5).byte(1).byte(0).byte(100).byte(5).byte(2).byte(1).byte(10).byte(12).byte(0xf0).byte(13).byte(4).byte(0).byte(13);
        all.push_back(s);
    }
    return all;
}

} // namespace gossip_mesh_fuzz
