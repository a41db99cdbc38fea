// What waits for one peer, under any pushes and sends: within its bounds; control comes first and once; messages in their order, the
// oldest lost first; the last word on a topic stands.
#include "fuzz.hpp"

#include <gigi/gossip/send_queue.hpp>

#include <deque>
#include <map>
#include <memory>
#include <string>

namespace send_queue_fuzz {

using namespace gigi;

namespace {

gossip_options small() {
    gossip_options o;
    o.max_rpc_size = 4096;
    o.max_queued_messages = 8;
    o.max_queued_bytes = 4096;
    o.max_queued_control = 2048;
    return o;
}

class world {
  public:
    void step(fuzz::input &in) {
        auto const op = in.byte();
        switch (op % 8) {
        case 0: take(); break;
        case 1: queue_.clear_control(); grafted_.clear(); subscribed_.clear(); break;
        case 2:
            if (op & 64) {
                queue_.clear();
                grafted_.clear();
                subscribed_.clear();
                messages_.clear();
            }
            break;
        default: push(in, op);
        }
        FUZZ_CHECK(queue_.message_count() <= options_.max_queued_messages && queue_.byte_size() <= options_.max_queued_bytes);
        FUZZ_CHECK(queue_.message_count() == messages_.size() && (messages_.empty() == (queue_.byte_size() == 0)));
    }

    void finish() {
        for (std::size_t rounds = 0; !queue_.empty(); ++rounds) {
            FUZZ_CHECK(rounds < 10'000);
            take();
        }
        FUZZ_CHECK(messages_.empty() && !queue_.overflowed() && queue_.byte_size() == 0);
        FUZZ_CHECK(queue_.next().empty());
        for (auto const &[topic, word] : said_)
            if (grafted_.contains(topic)) FUZZ_CHECK(grafted_[topic] == word);
        for (auto const &[topic, word] : subscribed_)
            if (heard_.contains(topic)) FUZZ_CHECK(heard_[topic] == word);
    }

  private:
    void push(fuzz::input &in, std::uint8_t op) {
        rpc r;
        std::string const topic(1, static_cast<char>('a' + in.below(4)));
        switch (op % 8) {
        case 3: {
            gossip_message m;
            m.topic = topic;
            m.seqno = bytes(8, in.byte());
            m.data = to_bytes(in.part());
            auto const one = std::make_shared<gossip_message const>(std::move(m));
            r.messages.push_back(one);
            auto const dropped = queue_.messages_dropped();
            queue_.push(std::move(r));
            messages_.push_back(one);
            for (auto lost = queue_.messages_dropped() - dropped; lost > 0; --lost) messages_.pop_front();
            return;
        }
        case 4:
            r.graft.push_back(topic);
            grafted_[topic] = true;
            break;
        case 5: {
            rpc::prune_entry away;
            away.topic = topic;
            away.backoff = in.byte();
            r.prune.push_back(std::move(away));
            grafted_[topic] = false;
            break;
        }
        case 6: {
            rpc::subscription s;
            s.subscribe = in.flag();
            s.topic = topic;
            subscribed_[topic] = s.subscribe;
            r.subscriptions.push_back(std::move(s));
            break;
        }
        default: {
            rpc::ihave_entry offer;
            offer.topic = topic;
            for (std::size_t n = in.below(8); n > 0; --n) offer.ids.push_back(to_bytes(in.part()));
            r.ihave.push_back(std::move(offer));
            r.iwant.push_back(to_bytes(in.part()));
            r.idontwant.push_back(bytes(20, op));
        }
        }
        queue_.push(std::move(r));
    }

    /// As a link does, which gives up a peer that takes no control.
    void take() {
        if (queue_.overflowed()) {
            queue_.clear_control();
            grafted_.clear();
            subscribed_.clear();
            FUZZ_CHECK(!queue_.overflowed());
        }
        auto const out = queue_.next();
        FUZZ_CHECK(out.messages.empty() || !out.has_control());
        if (out.messages.empty()) FUZZ_CHECK(encoded_size(out) <= options_.max_rpc_size);
        for (auto const &m : out.messages) {
            FUZZ_CHECK(!messages_.empty() && m == messages_.front());
            messages_.pop_front();
        }
        for (auto const &topic : out.graft) said_[topic] = true;
        for (auto const &p : out.prune) said_[p.topic] = false;
        for (auto const &s : out.subscriptions) heard_[s.topic] = s.subscribe;
    }

    gossip_options options_ = small();
    send_queue queue_{options_};
    std::deque<message_ptr> messages_;
    std::map<std::string, bool> grafted_, said_;       // the last word that was pushed, and that was sent
    std::map<std::string, bool> subscribed_, heard_;   // likewise
};

} // namespace

FUZZ_TARGET(send_queue) {
    fuzz::input in{data};
    world w;
    for (std::size_t steps = 0; !in.empty() && steps < 500; ++steps) w.step(in);
    w.finish();
}

FUZZ_SEEDS {
    fuzz::script s;
    for (std::size_t i = 0; i < 60; ++i) {
        s.byte(3 + i % 5).byte(i % 4);
        if (i % 5 == 0) s.byte(i).part(std::string(i * 3, 'x'));
        else if (i % 5 < 4) s.byte(i);
        else s.byte(2).part("one").part("two").part("three");
        if (i % 11 == 0) s.byte(0);
    }
    return {s};
}

} // namespace send_queue_fuzz
