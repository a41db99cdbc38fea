#include <gigi/gossip/mesh.hpp>
#include <gigi/gossip/mesh_state.hpp>
#include <gigi/gossip/message.hpp>

#include "support/mesh_network.hpp"

#include <doctest/doctest.h>

namespace mesh_test {

using namespace gigi;
using test::numbered_peer;
using test::unsigned_message;

namespace {

std::string const topic = "lobby";
peer_id const self = numbered_peer(999);

message_ptr shared(gossip_message m) { return std::make_shared<gossip_message const>(std::move(m)); }

message_id id_of(gossip_message const &m) {
    message_id id = m.from;
    append(id, m.seqno);
    return id;
}

/// One mesh, and everything that it says since the last look.
struct one_mesh {
    explicit one_mesh(gossip_options const &o = {}, std::uint64_t seed = 1) : options{o}, random{seed}, router{self, o, hooks(), random} {}

    mesh_hooks hooks() {
        mesh_hooks h;
        h.verify = [this](gossip_message const &m) {
            ++verifications;
            return test::verify_unsigned(m);
        };
        h.validate = [this](peer_id const &, peer_id const &, gossip_message const &) { return verdict; };
        h.score = [this](peer_id const &p) { return scores.contains(p) ? scores[p] : 0.0; };
        return h;
    }

    peer_id add(std::uint32_t n, gossip_version version = gossip_version::v1_2, bool dialled = true) {
        auto const peer = numbered_peer(n);
        router.add_peer(peer, version, dialled);
        says(peer, idontwant({id_of(unsigned_message(peer, 0, topic))})); // as gigi does: it names messages as the specification does
        return peer;
    }
    /// A peer that is in the topic.
    peer_id add_member(std::uint32_t n, gossip_version version = gossip_version::v1_2, bool dialled = true) {
        auto const peer = add(n, version, dialled);
        says(peer, subscription(topic));
        return peer;
    }
    void add_members(std::uint32_t count, gossip_version version = gossip_version::v1_2, bool dialled = true) {
        for (std::uint32_t i = 0; i < count; ++i) add_member(i, version, dialled);
    }
    void says(peer_id const &peer, rpc const &r) { router.receive(now, peer, r); }
    message_outcome sends(peer_id const &peer, gossip_message m) { return router.receive_message(now, peer, shared(std::move(m))); }
    message_id publish(std::uint64_t seqno = 1, std::size_t size = 100) {
        auto const m = unsigned_message(self, seqno, topic, size);
        router.publish(now, shared(m));
        return id_of(m);
    }
    void beat(int times = 1) {
        while (times-- > 0) router.heartbeat(now += options.heartbeat_interval);
    }

    static rpc subscription(std::string name, bool on = true) {
        rpc r;
        r.subscriptions.push_back({on, std::move(name)});
        return r;
    }
    static rpc graft(std::string name = topic) {
        rpc r;
        r.graft.push_back(std::move(name));
        return r;
    }
    static rpc prune(std::optional<std::uint64_t> seconds, std::string name = topic) {
        rpc r;
        r.prune.push_back({std::move(name), seconds, {}});
        return r;
    }
    static rpc ihave(std::vector<message_id> ids, std::string name = topic) {
        rpc r;
        r.ihave.push_back({std::move(name), std::move(ids)});
        return r;
    }
    static rpc iwant(std::vector<message_id> ids) {
        rpc r;
        r.iwant = std::move(ids);
        return r;
    }
    static rpc idontwant(std::vector<message_id> ids) {
        rpc r;
        r.idontwant = std::move(ids);
        return r;
    }

    /// What was said to each peer, and what was delivered, since the last call.
    std::map<peer_id, rpc> take() {
        auto out = router.take_output();
        delivered.insert(delivered.end(), out.deliveries.begin(), out.deliveries.end());
        memberships.insert(memberships.end(), out.memberships.begin(), out.memberships.end());
        std::map<peer_id, rpc> all;
        for (auto &s : out.sends) CHECK(all.emplace(s.to, std::move(s.what)).second); // one RPC a peer
        return all;
    }
    bool in_mesh(peer_id const &peer) const {
        auto const all = router.mesh_peers(topic);
        return std::ranges::find(all, peer) != all.end();
    }

    gossip_options options;
    seeded_random random;
    int verifications = 0;
    validity verdict = validity::accept;
    std::map<peer_id, double> scores;
    mesh router;
    time_point now{std::chrono::hours{1}};
    std::vector<mesh_output::delivery> delivered;
    std::vector<mesh_output::membership> memberships;
};

std::size_t count_messages(std::map<peer_id, rpc> const &all) {
    std::size_t n = 0;
    for (auto const &[peer, r] : all) n += r.messages.size();
    return n;
}
template <class T> std::size_t count_with(std::map<peer_id, rpc> const &all, std::vector<T> rpc::*what) {
    return static_cast<std::size_t>(std::ranges::count_if(all, [&](auto const &entry) { return !(entry.second.*what).empty(); }));
}

} // namespace

// ---------------------------------------------------------------- peers and topics

TEST_CASE("mesh: peers are told our topics when they come, and every change") {
    one_mesh m;
    m.router.join(m.now, "a");
    m.router.join(m.now, "b");
    auto const peer = m.add(1);
    auto said = m.take();
    CHECK(said[peer].subscriptions == std::vector<rpc::subscription>{{true, "a"}, {true, "b"}});
    m.router.leave(m.now, "a");
    CHECK(m.take()[peer].subscriptions == std::vector<rpc::subscription>{{false, "a"}});
    CHECK(!m.router.leave(m.now, "a"));
    m.router.join(m.now, "c");
    CHECK(!m.router.join(m.now, "c"));
    CHECK(m.take()[peer].subscriptions == std::vector<rpc::subscription>{{true, "c"}});
    CHECK(m.router.joined_topics() == std::vector<std::string>{"b", "c"});
}

TEST_CASE("mesh: joining and leaving of others is reported for our topics only") {
    one_mesh m;
    auto const early = m.add_member(1);
    m.take();
    CHECK(m.memberships.empty());
    m.router.join(m.now, topic);
    m.take();
    REQUIRE(m.memberships.size() == 1);
    CHECK(m.memberships[0].joined);
    CHECK(m.memberships[0].peer == early);
    auto const late = m.add_member(2);
    m.says(late, one_mesh::subscription(topic)); // again: nothing new
    m.says(late, one_mesh::subscription("another"));
    m.take();
    CHECK(m.memberships.size() == 2);
    m.says(late, one_mesh::subscription(topic, false));
    m.router.remove_peer(early);
    m.take();
    REQUIRE(m.memberships.size() == 4);
    CHECK(!m.memberships[2].joined);
    CHECK(m.memberships[3].peer == early);
    CHECK(m.router.peers(topic).empty());
    CHECK(m.router.mesh_peers(topic).empty());
}

TEST_CASE("mesh: of several words on one topic in one RPC the last counts") {
    one_mesh m;
    m.router.join(m.now, topic);
    auto const peer = m.add(1);
    rpc r;
    r.subscriptions = {{true, topic}, {false, topic}, {true, topic}, {false, topic}};
    m.says(peer, r);
    m.take();
    CHECK(m.memberships.empty());
    r.subscriptions.push_back({true, topic});
    m.says(peer, r);
    CHECK(m.router.peers(topic).size() == 1);
}

TEST_CASE("T11: subscription floods are bounded, and topics without peers are freed") {
    one_mesh m;
    auto const peer = m.add(1), honest = m.add(2);
    for (int i = 0; i < 5000; ++i) m.says(peer, one_mesh::subscription("flood " + std::to_string(i)));
    CHECK(m.router.stats().topics == m.options.max_peer_topics);
    CHECK(m.router.stats().subscriptions_refused > 0);
    m.says(honest, one_mesh::subscription(topic));
    CHECK(m.router.peers(topic).size() == 1);
    m.router.remove_peer(peer);
    CHECK(m.router.stats().topics == 1);
    m.says(honest, one_mesh::subscription(topic, false));
    CHECK(m.router.stats().topics == 0);

    m.says(honest, one_mesh::subscription(std::string(257, 'x')));
    m.says(honest, one_mesh::subscription(""));
    CHECK(m.router.stats().topics == 0);
    m.says(honest, one_mesh::subscription(std::string(256, 'x')));
    CHECK(m.router.stats().topics == 1);
}

TEST_CASE("T11: a topic flapped on and off costs a bounded number of events a heartbeat, and the peer is heard again after it") {
    one_mesh m;
    m.router.join(m.now, topic);
    auto const peer = m.add(1);
    for (int i = 0; i < 10'000; ++i) m.says(peer, one_mesh::subscription(topic, i % 2 == 0));
    m.take();
    CHECK(m.memberships.size() == m.options.max_subscription_changes);
    m.beat();
    m.says(peer, one_mesh::subscription(topic));
    CHECK(m.router.peers(topic).size() == 1);
}

TEST_CASE("mesh: own topics are checked and bounded") {
    gossip_options o;
    o.max_joined = 3;
    one_mesh m{o};
    auto const code_of = [&](std::string const &name) -> std::error_code {
        try {
            m.router.join(m.now, name);
        } catch (std::system_error const &e) {
            return e.code();
        }
        return {};
    };
    CHECK(code_of("") == errc::invalid_name);
    CHECK(code_of(std::string(257, 'x')) == errc::invalid_name);
    for (char const *const name : {"a", "b", "c", "a"}) CHECK(!code_of(name));
    CHECK(code_of("d") == errc::limit_exceeded);
    m.router.leave(m.now, "a");
    CHECK(!code_of("d"));
}

TEST_CASE("mesh: a peer whose stream begins anew is told topics and links again") {
    one_mesh m;
    m.router.join(m.now, topic);
    auto const peer = m.add_member(1);
    m.take();
    m.router.restart_peer(peer);
    auto const said = m.take()[peer];
    CHECK(said.subscriptions.size() == 1);
    CHECK(said.graft == std::vector{topic});
    CHECK(m.in_mesh(peer));
    m.router.join(m.now, "other");
    m.router.join(m.now, "third");
    for (auto const *const left : {"other", "third"}) m.router.leave(m.now, left);
    m.router.join(m.now, "third");
    m.take(); // and lost on the way
    m.router.restart_peer(peer);
    auto subscriptions = m.take()[peer].subscriptions;
    CHECK(subscriptions == std::vector<rpc::subscription>{{true, topic}, {true, "third"}, {false, "other"}});
    m.router.restart_peer(numbered_peer(77)); // unknown
    CHECK(m.take().empty());
}

TEST_CASE("mesh: of the topics that were left, as many as can be joined are told of to a peer whose stream begins anew") {
    gossip_options o;
    o.max_joined = 3;
    one_mesh m{o};
    auto const peer = m.add(1);
    for (int i = 0; i < 10; ++i) {
        m.router.join(m.now, std::to_string(i));
        m.router.leave(m.now, std::to_string(i));
    }
    m.take();
    m.router.restart_peer(peer);
    CHECK(m.take()[peer].subscriptions == std::vector<rpc::subscription>{{false, "7"}, {false, "8"}, {false, "9"}});
}

TEST_CASE("mesh: what unknown peers say is passed over") {
    one_mesh m;
    m.router.join(m.now, topic);
    m.says(numbered_peer(5), one_mesh::subscription(topic));
    m.says(numbered_peer(5), one_mesh::graft());
    CHECK(m.sends(numbered_peer(5), unsigned_message(numbered_peer(5), 1, topic)) == message_outcome::unheard);
    CHECK(m.router.peers(topic).empty());
    CHECK(m.take().empty());
    m.router.remove_peer(numbered_peer(5));
}

// ---------------------------------------------------------------- the mesh

TEST_CASE("mesh: joining grafts up to D peers; leaving prunes them for ten seconds") {
    one_mesh m;
    m.add_members(20);
    m.take();
    m.router.join(m.now, topic);
    auto said = m.take();
    CHECK(m.router.mesh_peers(topic).size() == 6);
    CHECK(count_with(said, &rpc::graft) == 6);
    CHECK(m.router.stats().grafts_sent == 6);
    for (auto const &[peer, r] : said) CHECK(m.in_mesh(peer) == !r.graft.empty());
    m.router.leave(m.now, topic);
    said = m.take();
    CHECK(count_with(said, &rpc::prune) == 6);
    CHECK(m.router.stats().prunes_sent == 6);
    for (auto const &[peer, r] : said)
        for (auto const &p : r.prune) CHECK(p.backoff == 10);
    CHECK(m.router.mesh_peers(topic).empty());
}

TEST_CASE("T14: after leaving and joining again, pruned peers are not grafted before the backoff and its slack have passed") {
    one_mesh m;
    m.add_members(6);
    m.router.join(m.now, topic);
    m.router.leave(m.now, topic);
    m.take();
    m.router.join(m.now, topic);
    CHECK(count_with(m.take(), &rpc::graft) == 0);
    for (int second = 1; second < 12; ++second) {
        m.beat();
        CHECK(count_with(m.take(), &rpc::graft) == 0);
    }
    m.beat();
    CHECK(count_with(m.take(), &rpc::graft) == 6);
}

TEST_CASE("T13, T14: a PRUNE's backoff is kept to, and cut to an hour") {
    struct row {
        std::optional<std::uint64_t> said;
        duration expected;
    };
    for (auto const &[said, expected] :
         {row{std::nullopt, 60s}, row{0, 60s}, row{1, 1s}, row{60, 60s}, row{600, 600s}, row{7200, 1h}, row{1ull << 40, 1h}, row{UINT64_MAX, 1h}}) {
        CAPTURE(said.value_or(0));
        one_mesh m;
        m.router.join(m.now, topic);
        auto const peer = m.add_member(1);
        REQUIRE(m.in_mesh(peer));
        m.says(peer, one_mesh::prune(said));
        CHECK(!m.in_mesh(peer));
        CHECK(m.router.stats().backoffs_cut == std::uint64_t{said.value_or(0) > 3600});
        auto const until = m.now + expected + m.options.backoff_slack;
        // Neither the heartbeat, nor a new connection, nor a new subscription, nor leaving and joining shortens it.
        m.router.remove_peer(peer);
        m.add_member(1);
        m.router.leave(m.now, topic);
        m.router.join(m.now, topic);
        CHECK(!m.in_mesh(peer));
        m.now = until - 2s;
        m.beat();
        CHECK(!m.in_mesh(peer));
        m.beat();
        CHECK(m.in_mesh(peer));
    }
}

TEST_CASE("T14: a GRAFT during a backoff is answered with a PRUNE, and prolongs it") {
    one_mesh m;
    m.router.join(m.now, topic);
    auto const peer = m.add_member(1);
    m.says(peer, one_mesh::prune(60));
    m.take();
    m.now += 30s;
    m.says(peer, one_mesh::graft());
    auto const said = m.take()[peer];
    REQUIRE(said.prune.size() == 1);
    CHECK(said.prune[0].backoff == 60);
    CHECK(!m.in_mesh(peer));
    CHECK(m.router.stats()[misbehaviour::early_graft] == 1);
    m.now += 58s;
    m.says(peer, one_mesh::graft());
    CHECK(!m.in_mesh(peer));
    m.now += 59s + 1ms; // its clock may be a little ahead of ours
    m.says(peer, one_mesh::graft());
    CHECK(m.in_mesh(peer));
    CHECK(m.router.stats()[misbehaviour::early_graft] == 2);
}

TEST_CASE("mesh: GRAFTs that are taken and that are not") {
    struct row {
        char const *what;
        bool joined, dialled;
        std::uint32_t members;
        double score;
        gossip_version speaks;
        bool taken, pruned;
    };
    for (auto const &[what, joined, dialled, members, score, speaks, taken, pruned] : {
             row{"the ordinary one", true, false, 3, 0, gossip_version::v1_1, true, false},
             row{"of an old peer", true, false, 3, 0, gossip_version::v1_0, true, false},
             row{"unknown topic: ignored (v1.1)", false, false, 3, 0, gossip_version::v1_1, false, false},
             row{"full, inbound", true, false, 12, 0, gossip_version::v1_1, false, true},
             row{"full, but we dialled it", true, true, 12, 0, gossip_version::v1_1, true, false},
             row{"bad score", true, false, 3, -1, gossip_version::v1_1, false, true},
             row{"floodsub peers have no mesh", true, false, 3, 0, gossip_version::floodsub, false, false},
         }) {
        CAPTURE(what);
        one_mesh m;
        if (joined) m.router.join(m.now, topic);
        for (std::uint32_t i = 0; i < members; ++i) m.says(m.add(i), one_mesh::graft());
        auto const peer = m.add(50, speaks, dialled);
        m.scores[peer] = score;
        m.take();
        m.says(peer, one_mesh::graft());
        CHECK(m.in_mesh(peer) == taken);
        CHECK((m.take()[peer].prune.size() == 1) == pruned);
        CHECK(m.router.stats().grafts_refused == std::uint64_t{pruned});
        if (taken) {
            auto const all = m.router.peers(topic);
            CHECK(std::ranges::find(all, peer) != all.end()); // a GRAFT says that it is in the topic
        }
    }
}

TEST_CASE("mesh: a member of a full mesh that grafts once more stays") {
    one_mesh m;
    m.router.join(m.now, topic);
    for (std::uint32_t i = 0; i < 12; ++i) m.says(m.add(i, gossip_version::v1_2, false), one_mesh::graft());
    m.publish();
    m.take();
    for (std::uint32_t i = 0; i < 12; ++i) m.says(numbered_peer(i), one_mesh::graft());
    CHECK(m.router.mesh_peers(topic).size() == 12);
    CHECK(m.take().empty());
}

TEST_CASE("T14: a PRUNE that comes after we have left counts when we join again") {
    one_mesh m;
    m.router.join(m.now, topic);
    auto const peer = m.add_member(1);
    m.router.leave(m.now, topic);
    m.says(peer, one_mesh::prune(600)); // crossed ours
    m.beat(60);
    m.router.join(m.now, topic);
    m.beat(500);
    CHECK(!m.in_mesh(peer));
    m.beat(43);
    CHECK(m.in_mesh(peer));
}

TEST_CASE("mesh: a v1.0 peer is pruned without a backoff field") {
    one_mesh m;
    m.router.join(m.now, topic);
    auto const peer = m.add_member(1, gossip_version::v1_0);
    m.take();
    m.router.leave(m.now, topic);
    auto const said = m.take()[peer];
    REQUIRE(said.prune.size() == 1);
    CHECK(!said.prune[0].backoff);
}

TEST_CASE("T12: a GRAFT flood gets one PRUNE an RPC, and costs a bounded amount") {
    one_mesh m;
    m.router.join(m.now, topic);
    auto const peer = m.add_member(1);
    m.says(peer, one_mesh::prune(60));
    m.take();
    rpc flood;
    flood.graft.assign(8000, topic);
    m.says(peer, flood);
    CHECK(m.take()[peer].prune.size() == 1);
    CHECK(m.router.stats()[misbehaviour::early_graft] <= m.options.max_grafts);
    CHECK(m.router.stats().grafts_refused == m.options.max_grafts + 1); // each, and the rest at once
    // GRAFTs for topics that are not ours leave nothing behind.
    rpc unknown;
    for (int i = 0; i < 8000; ++i) unknown.graft.push_back("flood " + std::to_string(i));
    for (int i = 0; i < 8000; ++i) unknown.prune.push_back({"flood " + std::to_string(i), 60, {}});
    m.beat();
    m.says(peer, unknown);
    CHECK(m.router.stats().grafts_refused == m.options.max_grafts + 2);
    CHECK(m.router.stats().prunes_refused == 1);
    CHECK(m.router.stats().topics == 1);
    CHECK(m.take()[peer].empty());
}

TEST_CASE("T12: who grafts and leaves over and over is told of the cached messages once a heartbeat") {
    one_mesh m;
    m.router.join(m.now, topic);
    auto const author = m.add_member(1), peer = m.add_member(2);
    for (std::uint64_t i = 1; i <= 500; ++i) m.sends(author, unsigned_message(author, i, topic));
    for (int round = 0; round < 2; ++round) {
        m.beat();
        m.take();
        std::size_t named = 0, admitted = 0;
        for (int i = 0; i < 200; ++i) {
            m.says(peer, one_mesh::subscription(topic, false));
            m.says(peer, one_mesh::graft());
            admitted += m.in_mesh(peer);
            auto const said = m.take()[peer];
            for (auto const &announcement : said.ihave) named += announcement.ids.size();
        }
        CHECK(admitted == 200);
        CHECK(named == 500);
    }
}

TEST_CASE("mesh: the heartbeat fills a thin mesh, and thins out a thick one") {
    one_mesh m;
    m.router.join(m.now, topic);
    m.add_members(30);
    CHECK(m.router.mesh_peers(topic).size() == 5); // newcomers up to D_low
    for (auto const &peer : m.router.mesh_peers(topic)) {
        m.router.remove_peer(peer);
        break;
    }
    m.take();
    m.beat();
    CHECK(m.router.mesh_peers(topic).size() == 6);
    CHECK(count_with(m.take(), &rpc::graft) == 2);

    for (std::uint32_t i = 0; i < 30; ++i) m.says(numbered_peer(i), one_mesh::graft()); // we dialled all of these
    CHECK(m.router.mesh_peers(topic).size() > 12);
    auto const before = m.router.mesh_peers(topic).size();
    m.take();
    m.beat();
    CHECK(m.router.mesh_peers(topic).size() == 6);
    auto const said = m.take();
    CHECK(count_with(said, &rpc::prune) == before - 6);
    for (auto const &[peer, r] : said)
        for (auto const &p : r.prune) CHECK(p.backoff == 60);
}

TEST_CASE("mesh: a thick mesh keeps its best members and enough that we dialled") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        CAPTURE(seed);
        one_mesh m{{}, seed};
        m.router.join(m.now, topic);
        std::vector<peer_id> best, dialled;
        for (std::uint32_t i = 0; i < 12; ++i) m.says(m.add(i, gossip_version::v1_2, false), one_mesh::graft());
        for (std::uint32_t i = 12; i < 15; ++i) {
            dialled.push_back(m.add(i, gossip_version::v1_2, true));
            m.says(dialled.back(), one_mesh::graft());
        }
        for (std::uint32_t i = 0; i < 4; ++i) {
            best.push_back(numbered_peer(i));
            m.scores[best.back()] = 10;
        }
        REQUIRE(m.router.mesh_peers(topic).size() == 15);
        m.beat();
        CHECK(m.router.mesh_peers(topic).size() == 6);
        for (auto const &peer : best) CHECK(m.in_mesh(peer));
        CHECK(std::ranges::count_if(dialled, [&](auto const &p) { return m.in_mesh(p); }) >= 2);
    }
}

TEST_CASE("mesh: with enough members but too few that we dialled, more are dialled in") {
    one_mesh m;
    m.router.join(m.now, topic);
    for (std::uint32_t i = 0; i < 8; ++i) m.says(m.add(i, gossip_version::v1_2, false), one_mesh::graft());
    for (std::uint32_t i = 20; i < 25; ++i) m.add_member(i, gossip_version::v1_2, true);
    CHECK(m.router.mesh_peers(topic).size() == 8);
    m.beat();
    CHECK(m.router.mesh_peers(topic).size() == 10);
}

TEST_CASE("mesh: peers with a bad score are pruned, and not chosen") {
    one_mesh m;
    m.router.join(m.now, topic);
    m.add_members(8);
    auto const bad = m.router.mesh_peers(topic)[0];
    m.scores[bad] = -1;
    m.take();
    m.beat();
    CHECK(!m.in_mesh(bad));
    CHECK(m.take()[bad].prune.size() == 1);
    m.beat(100);
    CHECK(!m.in_mesh(bad));
    CHECK(m.router.mesh_peers(topic).size() >= 5);
}

// ---------------------------------------------------------------- messages

TEST_CASE("mesh: a new message is delivered, and goes to the mesh but not back") {
    one_mesh m;
    m.router.join(m.now, topic);
    m.add_members(5);
    auto const flooder = m.add_member(10, gossip_version::floodsub);
    auto const outsider = m.add(11);
    auto const from = numbered_peer(0), author = numbered_peer(1);
    m.take();
    auto const message = unsigned_message(author, 1, topic);
    CHECK(m.sends(from, message) == message_outcome::delivered);
    auto said = m.take();
    CHECK(count_messages(said) == 4); // three of the mesh, and the floodsub peer
    CHECK(m.router.stats().forwarded == 4);
    CHECK(!said.contains(from));
    CHECK(!said.contains(author));
    CHECK(!said.contains(outsider));
    CHECK(said[flooder].messages.size() == 1);
    REQUIRE(m.delivered.size() == 1);
    CHECK(m.delivered[0].author == author);
    CHECK(m.delivered[0].forwarder == from);
    CHECK(m.delivered[0].id == id_of(message));
    CHECK((*m.delivered[0].message == message));

    CHECK(m.sends(numbered_peer(2), message) == message_outcome::duplicate);
    CHECK(m.verifications == 1); // duplicates cost no signature check
    CHECK(m.take().empty());
    CHECK(m.delivered.size() == 1);
}

TEST_CASE("mesh: messages that go no further") {
    struct row {
        char const *what;
        std::function<void(one_mesh &, gossip_message &)> change;
        message_outcome expected;
        int verifications;
    };
    row const rows[] = {
        {"another topic", [](auto &, auto &g) { g.topic = "other"; }, message_outcome::not_joined, 0},
        {"T7: bad signature", [](auto &, auto &g) { g.signature = {0}; }, message_outcome::invalid, 1},
        {"T7: no signature", [](auto &, auto &g) { g.signature.clear(); }, message_outcome::invalid, 1},
        {"claims to be ours", [](auto &, auto &g) { g.from = to_bytes(self.data()); }, message_outcome::own, 0},
        {"too large", [](auto &, auto &g) { g.data.resize((1 << 20) + 1); }, message_outcome::too_large, 0},
        {"ignored by the app", [](auto &m, auto &) { m.verdict = validity::ignore; }, message_outcome::ignored, 1},
        {"rejected by the app", [](auto &m, auto &) { m.verdict = validity::reject; }, message_outcome::rejected, 1},
        {"graylisted", [](auto &m, auto &) { m.scores[numbered_peer(0)] = -100; }, message_outcome::unheard, 0},
    };
    for (auto const &[what, change, expected, verifications] : rows) {
        CAPTURE(what);
        one_mesh m;
        m.router.join(m.now, topic);
        m.add_members(5);
        m.take();
        auto message = unsigned_message(numbered_peer(7), 1, topic);
        change(m, message);
        CHECK(m.sends(numbered_peer(0), message) == expected);
        CHECK(m.verifications == verifications);
        CHECK(was_verified(expected) == (verifications > 0));
        CHECK(count_messages(m.take()) == 0);
        CHECK(m.delivered.empty());
        CHECK(m.router.stats()[expected] == 1);
        CHECK(m.router.stats()[misbehaviour::invalid_message] == std::uint64_t{expected == message_outcome::invalid});
        CHECK(m.router.stats()[misbehaviour::rejected_message] == std::uint64_t{expected == message_outcome::rejected});
        CHECK(m.router.stats().cached_messages == 0);
    }
}

TEST_CASE("T7: a forged message does not keep the real one out, nor does it announce it") {
    one_mesh m;
    m.router.join(m.now, topic);
    m.add_members(5);
    m.take();
    auto const real = unsigned_message(numbered_peer(7), 1, topic, 2000);
    auto const forged = unsigned_message(numbered_peer(7), 1, topic, 2000, false);
    REQUIRE(id_of(real) == id_of(forged));
    CHECK(m.sends(numbered_peer(0), forged) == message_outcome::invalid);
    CHECK(m.take().empty()); // no IDONTWANT for it
    CHECK(m.sends(numbered_peer(1), real) == message_outcome::delivered);
    CHECK(m.sends(numbered_peer(2), forged) == message_outcome::duplicate);
}

TEST_CASE("T7, T12: a peer that sends bad signatures costs a bounded number of checks; others are not touched") {
    one_mesh m;
    m.router.join(m.now, topic);
    m.add_members(5);
    auto const bad = numbered_peer(0), good = numbered_peer(1);
    m.take();
    for (std::uint64_t i = 0; i < 1000; ++i) m.sends(bad, unsigned_message(numbered_peer(7), i, topic, 10, false));
    CHECK(m.verifications <= static_cast<int>(m.options.max_invalid) + 1);
    CHECK(m.take()[bad].prune.size() == 1); // such a neighbour is no use
    CHECK(!m.in_mesh(bad));
    CHECK(m.router.stats().rpcs_ignored == 1000 - (m.options.max_invalid + 1));
    CHECK(m.sends(bad, unsigned_message(numbered_peer(7), 2000, topic)) == message_outcome::unheard);
    CHECK(m.sends(good, unsigned_message(numbered_peer(7), 2001, topic)) == message_outcome::delivered);
    m.router.remove_peer(bad); // a new connection does not help it
    m.add_member(0);
    CHECK(m.sends(bad, unsigned_message(numbered_peer(7), 2002, topic)) == message_outcome::unheard);
    m.beat(60);
    CHECK(m.sends(bad, unsigned_message(numbered_peer(7), 2003, topic)) == message_outcome::delivered);
}

TEST_CASE("mesh: a bad signature now and then is forgiven") {
    one_mesh m;
    m.router.join(m.now, topic);
    m.add_members(2);
    for (std::uint64_t i = 0; i < 200; ++i) {
        CHECK(m.sends(numbered_peer(0), unsigned_message(numbered_peer(7), i, topic, 10, false)) == message_outcome::invalid);
        m.beat();
    }
}

TEST_CASE("mesh: a message is known for two minutes") {
    one_mesh m;
    m.router.join(m.now, topic);
    m.add_members(2);
    auto const message = unsigned_message(numbered_peer(7), 1, topic);
    CHECK(m.sends(numbered_peer(0), message) == message_outcome::delivered);
    m.beat(119);
    CHECK(m.sends(numbered_peer(0), message) == message_outcome::duplicate);
    m.beat(1);
    CHECK(m.sends(numbered_peer(0), message) == message_outcome::delivered);
    CHECK(m.router.stats().seen == 1);
}

TEST_CASE("mesh: own messages go to every peer of the topic whose score allows it") {
    one_mesh m;
    m.router.join(m.now, topic);
    m.add_members(20);
    m.add_member(30, gossip_version::floodsub);
    m.scores[numbered_peer(3)] = -49;
    m.scores[numbered_peer(4)] = -51;
    m.take();
    auto const id = m.publish();
    auto const said = m.take();
    CHECK(count_messages(said) == 20);
    CHECK(!said.contains(numbered_peer(4)));
    CHECK(m.sends(numbered_peer(1), unsigned_message(self, 1, topic)) == message_outcome::duplicate); // an echo
    CHECK(m.router.publish(m.now, shared(unsigned_message(self, 1, topic))) == 0);                    // published already
    m.says(numbered_peer(19), one_mesh::iwant({id}));
    CHECK(m.take()[numbered_peer(19)].messages.size() == 1);
    CHECK_THROWS_AS(m.router.publish(m.now, shared(unsigned_message(self, 2, topic, (1 << 20) + 1))), std::system_error);
}

TEST_CASE("mesh: without flood publishing, members publish to the mesh and others to a fanout that ends") {
    gossip_options o;
    o.flood_publish = false;
    one_mesh m{o};
    m.add_members(20);
    auto const flooder = m.add_member(30, gossip_version::floodsub);
    m.take();
    m.publish(1);
    auto said = m.take();
    CHECK(count_messages(said) == 7);
    CHECK(said.contains(flooder));
    auto const fanout = m.router.fanout_peers(topic);
    CHECK(fanout.size() == 6);
    m.publish(2);
    CHECK(m.router.fanout_peers(topic) == fanout); // the same ones
    m.router.remove_peer(fanout[0]);
    m.beat();
    CHECK(m.router.fanout_peers(topic).size() == 6); // filled up again
    m.beat(59);
    CHECK(m.router.fanout_peers(topic).size() == 6);
    m.beat(2);
    CHECK(m.router.fanout_peers(topic).empty());

    m.publish(3);
    auto const members = m.router.fanout_peers(topic);
    m.take();
    m.router.join(m.now, topic); // the fanout becomes the mesh
    CHECK(m.router.mesh_peers(topic) == members);
    CHECK(m.router.fanout_peers(topic).empty());
    CHECK(count_with(m.take(), &rpc::graft) == 6);
    m.publish(4);
    CHECK(count_messages(m.take()) == 7);
}

TEST_CASE("mesh: what is published to nobody reaches the peer that comes soon after") {
    one_mesh m;
    m.router.join(m.now, topic);
    auto const id = m.publish();
    CHECK(m.take().empty());
    m.beat(3);
    auto const peer = m.add_member(1);
    auto const said = m.take()[peer];
    REQUIRE(said.ihave.size() == 1); // along with the GRAFT
    CHECK(said.graft.size() == 1);
    CHECK(said.ihave[0].ids == std::vector<message_id>{{id}});
    m.beat(1);
    m.take();
    auto const late = m.add_member(2);
    CHECK(m.take()[late].ihave.empty()); // its IWANT might come after the next heartbeat
    m.says(peer, one_mesh::iwant({id}));
    CHECK(m.take()[peer].messages.size() == 1);
    m.beat(1);
    m.says(peer, one_mesh::iwant({id})); // forgotten by now
    CHECK(!m.take().contains(peer));
}

// ---------------------------------------------------------------- gossip

TEST_CASE("mesh: IHAVE goes to D_lazy or a quarter of the peers that are not in the mesh, for three heartbeats") {
    for (auto const &[members, expected] : {std::pair<std::uint32_t, std::size_t>{6, 0}, {10, 4}, {20, 6}, {46, 10}}) {
        CAPTURE(members);
        one_mesh m;
        m.add_members(members);
        m.add_member(100, gossip_version::floodsub);
        m.router.join(m.now, topic);
        m.publish();
        m.take();
        for (int beat = 1; beat <= 4; ++beat) {
            CAPTURE(beat);
            m.beat();
            auto const said = m.take();
            CHECK(count_with(said, &rpc::ihave) == (beat <= 3 ? expected : 0));
            for (auto const &[peer, r] : said) CHECK((r.ihave.empty() || !m.in_mesh(peer)));
        }
    }
}

TEST_CASE("mesh: IHAVE leads to IWANT for what is new, in our topics only") {
    one_mesh m;
    m.router.join(m.now, topic);
    auto const peer = m.add_member(1);
    auto const known = unsigned_message(numbered_peer(7), 1, topic);
    m.sends(peer, known);
    m.take();
    rpc r = one_mesh::ihave({id_of(known), bytes(46, 1), bytes(46, 2), bytes(46, 1), bytes(641, 3), {}});
    r.ihave.push_back({"not ours", {bytes(46, 9)}});
    m.says(peer, r);
    auto said = m.take()[peer].iwant;
    std::ranges::sort(said);
    CHECK(said == std::vector<message_id>{bytes(46, 1), bytes(46, 2)});
}

TEST_CASE("T12: IHAVE floods: ten RPCs and 5000 ids of one peer a heartbeat are looked at; others are not touched") {
    one_mesh m;
    m.router.join(m.now, topic);
    auto const peer = m.add_member(1), honest = m.add_member(2);
    m.take();
    std::uint32_t next = 0;
    auto const some = [&](std::size_t count) {
        std::vector<message_id> ids;
        while (count-- > 0) {
            append_be(ids.emplace_back(), next++);
        }
        return ids;
    };
    std::size_t asked = 0;
    for (int i = 0; i < 10; ++i) {
        m.says(peer, one_mesh::ihave(some(10)));
        asked += m.take()[peer].iwant.size();
    }
    CHECK(asked == 100); // T12: an honest peer's ten
    CHECK(m.router.stats().asked_for == 100);
    m.says(peer, one_mesh::ihave(some(10)));
    CHECK(m.take().empty());
    CHECK(m.router.stats().ihaves_refused == 1);
    m.says(honest, one_mesh::ihave(some(5000)));
    CHECK(m.take()[honest].iwant.size() == 5000);
    CHECK(m.router.stats().ids_left_out == 0);
    m.says(honest, one_mesh::ihave(some(5000)));
    CHECK(m.take().empty());
    CHECK(m.router.stats().ids_left_out == 5000);
    m.beat();
    m.take();
    m.says(peer, one_mesh::ihave(some(6000)));
    CHECK(m.take()[peer].iwant.size() == 5000);
    CHECK(m.router.stats().ids_left_out == 6000);
    m.says(honest, one_mesh::ihave(some(10)));
    CHECK(m.take()[honest].iwant.size() == 10);
}

TEST_CASE("T12: promises that are not kept are noticed; kept ones are not, whoever keeps them") {
    one_mesh m;
    m.router.join(m.now, topic);
    auto const liar = m.add_member(1), honest = m.add_member(2), other = m.add_member(3);
    auto const message = unsigned_message(numbered_peer(7), 1, topic);
    m.says(liar, one_mesh::ihave({id_of(unsigned_message(numbered_peer(7), 2, topic))}));
    m.says(honest, one_mesh::ihave({id_of(message)}));
    CHECK(m.sends(honest, unsigned_message(numbered_peer(7), 1, topic, 100, false)) == message_outcome::invalid);
    m.beat(2);
    m.sends(other, message);
    m.beat(2);
    CHECK(m.router.stats()[misbehaviour::broken_promise] == 1);
}

TEST_CASE("T12: IWANT: three times the same to one peer, and a bounded number of look-ups") {
    one_mesh m;
    m.router.join(m.now, topic);
    auto const peer = m.add_member(1), other = m.add_member(2);
    auto const id = m.publish();
    m.take();
    rpc flood = one_mesh::iwant(std::vector<message_id>(10'000, id));
    m.says(peer, flood);
    CHECK(m.take()[peer].messages.size() == 3);
    for (int i = 0; i < 5; ++i) m.says(peer, flood);
    CHECK(m.take().empty());
    CHECK(m.router.stats().iwants_refused >= 1);
    CHECK(m.router.stats().retransmitted == 3);
    CHECK(m.router.stats().retransmissions_refused == m.options.max_iwant_length - 3);
    m.says(other, one_mesh::iwant({id, bytes(46, 9)}));
    CHECK(m.take()[other].messages.size() == 1);
}

TEST_CASE("mesh: peers with a low score get no gossip and are not believed") {
    one_mesh m;
    m.router.join(m.now, topic);
    auto const id = m.publish();
    auto const peer = m.add_member(1);
    m.scores[peer] = -11;
    m.beat();
    m.take();
    m.says(peer, one_mesh::ihave({bytes(46, 1)}));
    m.says(peer, one_mesh::iwant({id}));
    CHECK(m.take().empty());
    m.beat();
    CHECK(m.take().empty());
}

TEST_CASE("limits: mesh: what there is no room for is counted: messages, ids, backoffs") {
    gossip_options o;
    o.max_cached_messages = 3;
    o.max_seen = 4;
    o.max_backoffs = 2;
    o.max_ihave_length = 2;
    one_mesh m{o};
    m.router.join(m.now, topic);
    auto const author = m.add_member(1);
    for (std::uint64_t i = 1; i <= 10; ++i) m.sends(author, unsigned_message(author, i, topic));
    CHECK(m.router.stats().cached_messages == 3);
    CHECK(m.router.stats().messages_forgotten == 7);
    CHECK(m.router.stats().seen == 4);
    CHECK(m.router.stats().ids_forgotten == 6);
    m.take();
    for (std::uint32_t const n : {2u, 3u}) {
        auto const peer = m.add_member(n);
        auto const told = m.take()[peer].ihave;
        REQUIRE(told.size() == 1);
        CHECK(told[0].ids.size() == 2);
        CHECK(m.router.stats().ids_left_out == n - 1); // one of the three to each
    }
    std::vector<message_id> const long_ones(1, bytes(o.max_id_size + 1));
    m.says(author, one_mesh::ihave(long_ones));
    m.says(author, one_mesh::idontwant(long_ones));
    CHECK(m.router.stats().ids_left_out == 4);
    CHECK(m.take().empty());
    CHECK(m.router.stats().backoffs_forgotten == 0);
    m.router.leave(m.now, topic); // prunes all three
    CHECK(m.router.stats().backoffs_forgotten == 1);
    CHECK(m.router.stats().published == 0);

    gossip_options small;
    small.max_cached_bytes = 2000;
    one_mesh other{small};
    for (std::uint64_t i = 1; i <= 10; ++i) other.publish(i, 1000);
    CHECK(other.router.stats().published == 10);
    CHECK(other.router.stats().cached_messages == 1);
    CHECK(other.router.stats().messages_forgotten == 9);
    other.beat(10); // in their time
    CHECK(other.router.stats().cached_messages == 0);
    CHECK(other.router.stats().messages_forgotten == 9);
}

// ---------------------------------------------------------------- IDONTWANT

TEST_CASE("mesh: IDONTWANT is sent for large messages to neighbours that speak 1.2, once it is verified") {
    for (auto const &[size, expected] : {std::pair<std::size_t, bool>{511, false}, {512, true}}) {
        CAPTURE(size);
        one_mesh m;
        m.router.join(m.now, topic);
        auto const from = m.add_member(1), modern = m.add_member(2), older = m.add_member(3, gossip_version::v1_1), author = m.add_member(4);
        m.take();
        auto const message = unsigned_message(author, 1, topic, size);
        m.sends(from, message);
        auto said = m.take();
        CHECK(said[modern].idontwant.size() == std::size_t{expected});
        CHECK(said[older].idontwant.empty());
        CHECK(said[from].idontwant.empty());
        CHECK(said[author].idontwant.empty());
    }
}

TEST_CASE("mesh: IDONTWANT is honoured for three heartbeats, for forwarding, publishing and IWANT") {
    for (int beats = 0; beats <= 3; ++beats) {
        CAPTURE(beats);
        one_mesh m;
        m.router.join(m.now, topic);
        auto const from = m.add_member(1), peer = m.add_member(2);
        auto const message = unsigned_message(numbered_peer(7), 1, topic), own = unsigned_message(self, 1, topic);
        m.says(peer, one_mesh::idontwant({id_of(message), id_of(own)}));
        m.beat(beats);
        m.take();
        m.sends(from, message);
        m.publish(1);
        bool const honoured = beats < 3;
        CHECK(m.take()[peer].messages.size() == (honoured ? 0 : 2));
        m.says(peer, one_mesh::iwant({id_of(message)}));
        CHECK(m.take()[peer].messages.size() == (honoured ? 0 : 1));
    }
}

TEST_CASE("T12: IDONTWANT floods are bounded, and one honest peer's are honoured all the same") {
    one_mesh m;
    m.router.join(m.now, topic);
    auto const from = m.add_member(1), flooder = m.add_member(2), honest = m.add_member(3);
    for (std::uint32_t i = 0; i < 20; ++i) {
        std::vector<message_id> ids;
        for (std::uint32_t k = 0; k < 1000; ++k) ids.push_back(id_of(unsigned_message(flooder, i * 1000 + k, topic)));
        m.says(flooder, one_mesh::idontwant(ids));
    }
    CHECK(m.router.stats().idontwants_refused > 0);
    auto const message = unsigned_message(numbered_peer(7), 1, topic);
    std::vector<message_id> foreign; // ids of another kind match nothing, and take no room
    for (std::uint32_t k = 0; k < 6000; ++k) append_be(foreign.emplace_back(), k);
    m.says(honest, one_mesh::idontwant(foreign));
    m.says(honest, one_mesh::idontwant({id_of(message)}));
    m.take();
    m.sends(from, message);
    auto said = m.take();
    CHECK(said[honest].messages.empty());
    CHECK(said[flooder].messages.size() == 1);
}

// ---------------------------------------------------------------- names of messages

TEST_CASE("mesh: a peer is gossiped to when it has shown how it names messages, and in its own words") {
    system_random random;
    identity const author = identity::generate(random);
    auto const message = sign_message(author, topic, to_bytes("x"), 5);
    message_id const spec = default_message_id(message), js{spec.begin() + 2, spec.end()};
    for (auto const &[peers_word, ours] : {std::pair{spec, spec}, std::pair{js, js}}) {
        one_mesh m;
        m.router.join(m.now, topic);
        auto const from = m.add_member(1);
        m.sends(from, sign_message(author, topic, bytes(600), 4)); // large enough for IDONTWANT
        auto good = message;
        good.signature = {1};
        m.sends(from, good);
        auto const peer = numbered_peer(2);
        m.router.add_peer(peer, gossip_version::v1_2, true);
        m.says(peer, one_mesh::subscription(topic));
        auto said = m.take()[peer];
        CHECK(m.in_mesh(peer));
        CHECK(said.ihave.empty());
        CHECK(said.idontwant.size() == 1); // our word
        CHECK(style_of(said.idontwant[0]) == id_style::spec);

        auto word = peers_word;
        word.back() = 99;
        m.says(peer, one_mesh::ihave({word}));
        said = m.take()[peer];
        CHECK(said.iwant == std::vector<message_id>{word}); // asked for as it was offered
        REQUIRE(said.ihave.size() == 1);                    // what had been kept back
        CHECK(said.ihave[0].ids == std::vector<message_id>{ours});
        m.says(peer, one_mesh::ihave({ours}));
        CHECK(m.take().empty()); // understood: it is here already
        m.says(peer, one_mesh::iwant({ours}));
        CHECK(m.take()[peer].messages.size() == 1);

        auto large = sign_message(author, topic, bytes(600), 6);
        large.signature = {1};
        m.sends(from, large);
        said = m.take()[peer];
        REQUIRE(said.idontwant.size() == 1);
        CHECK(said.idontwant[0].size() == ours.size());

        auto next = sign_message(author, topic, to_bytes("y"), 7);
        next.signature = {1};
        word = peers_word;
        word.back() = 7;
        m.says(peer, one_mesh::idontwant({word}));
        m.sends(from, next);
        CHECK(m.take()[peer].messages.empty());
        m.beat(5);
        CHECK(m.router.stats()[misbehaviour::broken_promise] == 1); // 99 never came
    }
}

TEST_CASE("mesh: with an id function of the app's, all peers use it") {
    seeded_random random{1};
    mesh_hooks hooks;
    hooks.verify = test::verify_unsigned;
    hooks.id = [](gossip_message const &m) { return m.data; };
    mesh router{self, {}, hooks, random};
    time_point const now{std::chrono::hours{1}};
    router.join(now, topic);
    auto m = unsigned_message(self, 1, topic, 0);
    m.data = to_bytes("content");
    router.publish(now, shared(m));
    auto const peer = numbered_peer(1);
    router.add_peer(peer, gossip_version::v1_2, true);
    router.receive(now, peer, one_mesh::subscription(topic));
    auto const out = router.take_output();
    REQUIRE(out.sends.size() == 1);
    CHECK(out.sends[0].what.idontwant.empty());
    REQUIRE(out.sends[0].what.ihave.size() == 1);
    CHECK(out.sends[0].what.ihave[0].ids == std::vector<message_id>{to_bytes("content")});
    m.seqno[7] = 9; // another message with the same content is the same
    CHECK(router.receive_message(now, peer, shared(m)) == message_outcome::duplicate);
}

// ---------------------------------------------------------------- hostile everything

TEST_CASE("T12: random RPCs from a hundred peers leave nothing behind") {
    for (std::uint64_t const seed : {1u, 2u, 3u}) {
        CAPTURE(seed);
        one_mesh m{{}, seed};
        seeded_random random{seed};
        m.router.join(m.now, topic);
        auto const name = [&] { return random.below(3) ? topic : "t" + std::to_string(random.below(50)); };
        auto const some_id = [&] { return bytes(random.below(3), static_cast<std::uint8_t>(random.below(4))); };
        for (int i = 0; i < 4000; ++i) {
            auto const n = static_cast<std::uint32_t>(random.below(100));
            auto const peer = numbered_peer(n);
            switch (random.below(20)) {
            case 0: m.router.add_peer(peer, static_cast<gossip_version>(random.below(4)), random.below(2) == 0); break;
            case 1: m.router.remove_peer(peer); break;
            case 2: m.beat(); break;
            case 3: m.router.join(m.now, "t" + std::to_string(random.below(50))); break;
            case 4: m.router.leave(m.now, "t" + std::to_string(random.below(50))); break;
            case 5: m.publish(static_cast<std::uint64_t>(i), random.below(2000)); break;
            case 6: m.router.restart_peer(peer); break;
            case 7: m.scores[peer] = static_cast<double>(random.below(200)) - 100; break;
            default: {
                rpc r;
                for (auto k = random.below(4); k-- > 0;) r.subscriptions.push_back({random.below(2) == 0, name()});
                for (auto k = random.below(3); k-- > 0;)
                    r.messages.push_back(shared(unsigned_message(numbered_peer(static_cast<std::uint32_t>(random.below(100))), random.below(500), name(),
                                                                 random.below(1000), random.below(10) != 0)));
                for (auto k = random.below(3); k-- > 0;) r.ihave.push_back({name(), {some_id(), some_id()}});
                for (auto k = random.below(3); k-- > 0;) r.iwant.push_back(some_id());
                for (auto k = random.below(3); k-- > 0;) r.graft.push_back(name());
                for (auto k = random.below(3); k-- > 0;) r.prune.push_back({name(), random.next(), {}});
                for (auto k = random.below(3); k-- > 0;) r.idontwant.push_back(some_id());
                m.says(peer, r);
            }
            }
            if (random.below(3) == 0) m.take();
        }
        for (std::uint32_t n = 0; n < 100; ++n) m.router.remove_peer(numbered_peer(n));
        for (auto const &t : m.router.joined_topics()) m.router.leave(m.now, t);
        m.now += 2h;
        m.beat(10);
        auto const stats = m.router.stats();
        CHECK(stats.peers == 0);
        CHECK(stats.topics == 0);
        CHECK(stats.cached_messages == 0);
        CHECK(stats.cached_bytes == 0);
        CHECK(stats.seen == 0);
        m.take();
    }
}

} // namespace mesh_test
