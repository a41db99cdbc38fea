#include <gigi/gossip/send_queue.hpp>

#include "support/mesh_network.hpp"

#include <doctest/doctest.h>

namespace send_queue_test {

using namespace gigi;

namespace {

rpc with_message(std::uint64_t seqno, std::size_t size) {
    rpc r;
    r.messages.push_back(std::make_shared<gossip_message const>(test::unsigned_message(test::numbered_peer(1), seqno, "t", size)));
    return r;
}
std::uint64_t seqno_of(message_ptr const &m) { return load_be<std::uint64_t>(m->seqno.data()); }

} // namespace

TEST_CASE("send_queue: control goes before messages") {
    send_queue queue{gossip_options{}};
    CHECK(queue.empty());
    queue.push(with_message(1, 10));
    rpc control;
    control.graft = {"t"};
    control.idontwant = {{1}};
    queue.push(control);
    auto const first = queue.next(), second = queue.next();
    CHECK(first.graft.size() == 1);
    CHECK(first.messages.empty());
    CHECK(second.messages.size() == 1);
    CHECK(queue.empty());
    CHECK(queue.next().empty());
}

TEST_CASE("send_queue: the last word on a topic counts") {
    send_queue queue{gossip_options{}};
    rpc r;
    r.subscriptions = {{true, "a"}, {true, "b"}};
    r.graft = {"a", "b"};
    queue.push(r);
    rpc s;
    s.subscriptions = {{false, "a"}};
    s.prune = {{"a", 10, {}}};
    queue.push(s);
    rpc t;
    t.graft = {"a"};
    queue.push(t);
    auto const out = queue.next();
    CHECK(out.subscriptions == std::vector<rpc::subscription>{{true, "b"}, {false, "a"}});
    CHECK(out.graft == std::vector<std::string>{"b", "a"});
    CHECK(out.prune.empty());
}

TEST_CASE("T5: bounded in messages and bytes; the oldest are dropped") {
    gossip_options few;
    few.max_queued_messages = 5;
    send_queue queue{few};
    for (std::uint64_t i = 0; i < 20; ++i) queue.push(with_message(i, 10));
    CHECK(queue.message_count() == 5);
    CHECK(queue.messages_dropped() == 15);
    auto const out = queue.next();
    REQUIRE(out.messages.size() == 5);
    CHECK(seqno_of(out.messages[0]) == 15);
    CHECK(seqno_of(out.messages[4]) == 19);
    CHECK(queue.byte_size() == 0);

    gossip_options small;
    small.max_queued_bytes = 10'000;
    send_queue other{small};
    for (std::uint64_t i = 0; i < 20; ++i) {
        other.push(with_message(i, 3000));
        CHECK(other.byte_size() <= 10'000);
    }
    CHECK(other.message_count() == 3);
    CHECK(other.messages_dropped() == 17);
}

TEST_CASE("send_queue: messages leave in frames of some size, one at least") {
    send_queue queue{gossip_options{}};
    queue.push(with_message(1, 1 << 20));
    for (std::uint64_t i = 2; i < 12; ++i) queue.push(with_message(i, 20'000));
    CHECK(queue.next().messages.size() == 1);
    CHECK(queue.next().messages.size() == 3);
    CHECK(queue.message_count() == 7);
}

TEST_CASE("send_queue: control too large for one RPC leaves as several, still before messages") {
    gossip_options o;
    o.max_rpc_size = 10'000;
    send_queue queue{o};
    queue.push(with_message(1, 10));
    rpc r;
    for (int i = 0; i < 1000; ++i) r.iwant.push_back(bytes(46, 1));
    queue.push(r);
    std::size_t ids = 0;
    while (ids < 1000) {
        auto const part = queue.next();
        REQUIRE(!part.iwant.empty());
        CHECK(encoded_size(part) <= 10'000);
        ids += part.iwant.size();
    }
    CHECK(queue.next().messages.size() == 1);
}

TEST_CASE("T12: where control piles up, gossip goes first; then the stream is to be given up") {
    gossip_options o;
    o.max_queued_control = 10'000;
    send_queue queue{o};
    rpc gossip;
    gossip.ihave.push_back({"t", std::vector<message_id>(60, bytes(46, 1))});
    for (int i = 0; i < 100; ++i) queue.push(gossip);
    CHECK(!queue.overflowed());
    CHECK(queue.gossip_dropped() > 90);
    rpc r;
    r.iwant = std::vector<message_id>(60, bytes(46, 1));
    for (int i = 0; i < 3; ++i) queue.push(r);
    CHECK(queue.overflowed());
    queue.push(with_message(1, 10));
    queue.clear_control();
    CHECK(!queue.overflowed());
    CHECK(queue.message_count() == 1);
    queue.clear();
    CHECK(queue.empty());
    CHECK(queue.byte_size() == 0);
}

} // namespace send_queue_test
