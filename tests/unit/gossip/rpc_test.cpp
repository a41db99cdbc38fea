#include <gigi/gossip/rpc.hpp>

#include <gigi/codec/protobuf.hpp>

#include "support/vectors.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <random>

namespace rpc_test {

using namespace gigi;

namespace {

bytes hex(std::string_view text) { return from_hex(text).value(); }

bytes encoded(rpc const &r) {
    bytes out;
    encode(r, out);
    return out;
}

gossip_message golden_message() {
    gossip_message m;
    m.from = hex(test::vector("peerIdMultihash"));
    m.data = to_bytes("payload");
    m.seqno = hex("0000000000000102");
    m.topic = "news";
    m.signature = bytes(64, 7);
    m.key = hex(test::vector("publicKeyProtobuf"));
    return m;
}

rpc everything() {
    rpc r;
    r.subscriptions = {{true, "a"}, {false, "b"}};
    r.messages.push_back(std::make_shared<gossip_message const>(golden_message()));
    r.ihave = {{"a", {hex("01"), hex("0202")}}, {"b", {}}};
    r.iwant = {hex("03"), hex("")};
    r.graft = {"a", "b"};
    r.prune = {{"a", 60, {}}, {"b", std::nullopt, {{hex("0a"), hex("0b")}, {hex("0c"), {}}}}, {"c", ~std::uint64_t{0}, {}}};
    r.idontwant = {hex("04")};
    return r;
}

void check_equal(rpc const &a, rpc const &b) {
    CHECK((a.subscriptions == b.subscriptions));
    REQUIRE(a.messages.size() == b.messages.size());
    for (std::size_t i = 0; i < a.messages.size(); ++i) CHECK((*a.messages[i] == *b.messages[i]));
    CHECK((a.ihave == b.ihave));
    CHECK((a.iwant == b.iwant));
    CHECK((a.graft == b.graft));
    CHECK((a.prune == b.prune));
    CHECK((a.idontwant == b.idontwant));
}

} // namespace

TEST_CASE("rpc: the golden RPCs of js-libp2p, byte for byte") {
    rpc hello;
    hello.subscriptions = {{true, "news"}};
    CHECK(to_hex(encoded(hello)) == test::vector("gossipRpc.subscribe"));

    rpc control;
    control.ihave = {{"news", {hex("0102")}}};
    control.iwant = {hex("03")};
    control.graft = {"news"};
    control.prune = {{"news", 60, {}}};
    control.idontwant = {hex("04")};
    CHECK(to_hex(encoded(control)) == test::vector("gossipRpc.control"));

    auto const parsed = parse_rpc(hex(test::vector("gossipRpc.control")));
    REQUIRE(parsed);
    check_equal(*parsed, control);
}

TEST_CASE("rpc: the golden message") {
    bytes const body = hex(test::vector("gossip.message"));
    bytes frame;
    protobuf_writer{frame}.data(2, body);
    auto const parsed = parse_rpc(frame);
    REQUIRE(parsed);
    REQUIRE(parsed->messages.size() == 1);
    auto const &m = *parsed->messages[0];
    CHECK(as_text(m.data) == "payload");
    CHECK(m.topic == "news");
    CHECK(to_hex(m.seqno) == test::vector("gossip.seqno"));
    CHECK(to_hex(encoded(*parsed)) == to_hex(frame));
    CHECK(encoded_size(m) == body.size());
}

TEST_CASE("rpc: everything there and back, and its size is known before") {
    rpc const r = everything();
    bytes const wire = encoded(r);
    CHECK(wire.size() == encoded_size(r));
    auto const parsed = parse_rpc(wire);
    REQUIRE(parsed);
    check_equal(*parsed, r);
    CHECK(encoded(rpc{}).empty());
    CHECK(parse_rpc({}).value().empty());
}

TEST_CASE("rpc: absent and empty data are not the same") {
    auto const absent = parse_rpc(hex("1203" "220161"));
    auto const empty = parse_rpc(hex("1205" "1200" "220161"));
    REQUIRE(absent);
    REQUIRE(empty);
    CHECK(!absent->messages[0]->has_data);
    CHECK(empty->messages[0]->has_data);
    CHECK(to_hex(encoded(*absent)) == "1203" "220161");
    CHECK(to_hex(encoded(*empty)) == "1205" "1200" "220161");
}

TEST_CASE("rpc: entries of one kind are taken together, unknown fields are skipped") {
    auto const r = parse_rpc(hex("1a05" "1203" "0a0101"      // two control messages, each with an IWANT
                                 "1a05" "1203" "0a0102"
                                 "1a04" "3a02" "ffff"        // unknown control
                                 "f00101"));                 // unknown field
    REQUIRE(r);
    CHECK(r->iwant.size() == 2);
}

TEST_CASE("rpc: damage is an error") {
    struct row {
        char const *what, *message;
    };
    for (auto const &[what, message] : std::initializer_list<row>{
             {"subscription cut off", "0a03" "0801"},
             {"subscription that is a number", "0801"},
             {"damage inside a subscription", "0a02" "1205"},
             {"damage inside a message", "1202" "0a05"},
             {"damage inside control", "1a02" "0a05"},
             {"damage inside IHAVE", "1a04" "0a02" "1205"},
             {"damage inside a PRUNE's peer", "1a06" "2204" "1202" "0a05"},
             {"PRUNE's backoff as text", "1a05" "2203" "1a0141"},
             {"T1: a length of 2^64 - 1", "12ffffffffffffffffff01"},
             {"T2: a message of 2 GiB", "128080808008"},
         }) {
        CAPTURE(what);
        CHECK(parse_rpc(hex(message)).error() == errc::protocol_violation);
    }
}

TEST_CASE("T2, T12: every repeated field has a cap") {
    rpc_limits const small{.subscriptions = 2, .messages = 2, .control = 2, .ids = 3, .prune_peers = 2};
    struct row {
        char const *what;
        std::function<void(rpc &)> grow;
        std::size_t most;
    };
    row const rows[] = {
        {"subscriptions", [](rpc &r) { r.subscriptions.push_back({true, "t"}); }, 2},
        {"messages", [](rpc &r) { r.messages.push_back(std::make_shared<gossip_message>()); }, 2},
        {"IHAVE", [](rpc &r) { r.ihave.push_back({"t", {}}); }, 2},
        {"ids of IWANT", [](rpc &r) { r.iwant.push_back({}); }, 3},
        {"ids of IDONTWANT", [](rpc &r) { r.idontwant.push_back({}); }, 3},
        {"ids of IHAVE", [](rpc &r) { r.ihave.resize(1), r.ihave[0].ids.push_back({}); }, 3},
        {"GRAFT", [](rpc &r) { r.graft.push_back("t"); }, 2},
        {"PRUNE", [](rpc &r) { r.prune.push_back({"t", 1, {}}); }, 2},
        {"peers of PRUNE", [](rpc &r) { r.prune.resize(1), r.prune[0].peers.push_back({}); }, 2},
    };
    for (auto const &[what, grow, most] : rows) {
        CAPTURE(what);
        rpc r;
        for (std::size_t i = 0; i < most; ++i) grow(r);
        CHECK(parse_rpc(encoded(r), small));
        grow(r);
        CHECK(parse_rpc(encoded(r), small).error() == errc::limit_exceeded);
    }
    // Empty IWANT entries have no ids to count.
    CHECK(parse_rpc(hex("1a06" "1200" "1200" "1200"), small).error() == errc::limit_exceeded);
    CHECK(parse_rpc(hex("1a06" "2a00" "2a00" "2a00"), small).error() == errc::limit_exceeded);
}

TEST_CASE("T12: an honest peer's largest RPC is taken") {
    rpc r; // what ten topics of 5000 new messages each make
    for (int topic = 0; topic < 10; ++topic) {
        r.ihave.push_back({"topic " + std::to_string(topic), {}});
        for (int i = 0; i < 5000; ++i) r.ihave.back().ids.push_back(bytes(46, static_cast<std::uint8_t>(i)));
    }
    for (int i = 0; i < 512; ++i) r.subscriptions.push_back({true, std::string(256, 't')});
    CHECK(encoded_size(r) < std::size_t{4} << 20);
    CHECK(parse_rpc(encoded(r)));
}

TEST_CASE("rpc: what is too large for one RPC is sent as several") {
    rpc whole = everything();
    for (int i = 0; i < 300; ++i) {
        whole.ihave[0].ids.push_back(bytes(46, static_cast<std::uint8_t>(i)));
        whole.iwant.push_back(bytes(46, 1));
        whole.idontwant.push_back(bytes(46, 2));
        whole.subscriptions.push_back({true, "topic " + std::to_string(i)});
        whole.messages.push_back(whole.messages[0]);
    }
    for (std::size_t const max : {std::size_t{400}, std::size_t{1000}, std::size_t{4000}, std::size_t{1} << 20}) {
        CAPTURE(max);
        rpc joined;
        auto const parts = split(whole, max);
        CHECK((max < 1 << 20) == (parts.size() > 1));
        for (auto const &part : parts) {
            CHECK(encoded_size(part) <= max);
            CHECK(!part.empty());
            auto const add = [](auto &to, auto const &from) { to.insert(to.end(), from.begin(), from.end()); };
            add(joined.subscriptions, part.subscriptions);
            add(joined.messages, part.messages);
            add(joined.graft, part.graft);
            add(joined.prune, part.prune);
            add(joined.iwant, part.iwant);
            add(joined.idontwant, part.idontwant);
            for (auto const &h : part.ihave) {
                if (!joined.ihave.empty() && joined.ihave.back().topic == h.topic)
                    add(joined.ihave.back().ids, h.ids);
                else
                    joined.ihave.push_back(h);
            }
        }
        check_equal(joined, whole);
    }
    CHECK(split(rpc{}, 100).empty());
}

TEST_CASE("T1, T2: random damage never escapes") {
    std::mt19937 random{20240611};
    bytes const good = encoded(everything());
    for (int i = 0; i < 20'000; ++i) {
        bytes damaged = good;
        for (unsigned flips = 1 + random() % 4; flips-- > 0;) damaged[random() % damaged.size()] = static_cast<std::uint8_t>(random());
        damaged.resize(random() % (damaged.size() + 1));
        damaged.shrink_to_fit();
        auto const parsed = parse_rpc(damaged);
        if (parsed) {
            CHECK(encoded(*parsed).size() == encoded_size(*parsed));
        } else {
            CHECK((parsed.error() == errc::protocol_violation || parsed.error() == errc::limit_exceeded));
        }
    }
}

} // namespace rpc_test
