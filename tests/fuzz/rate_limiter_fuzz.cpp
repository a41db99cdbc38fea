// The rate limiter under any asks, withdrawals and times: never more than the rate allows, peers in turn, each peer's turns in its own
// order, and all that wait pass in the time that the rate promises.
#include "fuzz.hpp"

#include <gigi/file/rate_limiter.hpp>

#include <deque>
#include <map>

namespace rate_limiter_fuzz {

using namespace gigi;

namespace {

peer_id numbered_peer(std::uint8_t n) {
    bytes multihash{0x12, 0x20};
    multihash.resize(34, n);
    return peer_id::from_bytes(multihash).value();
}

struct turn {
    rate_limiter::ticket id;
    std::size_t size;
    bool gone = false;
};

class world {
  public:
    explicit world(std::uint64_t rate) : rate_{rate}, limiter_{rate} {}

    void step(fuzz::input &in) {
        auto const op = in.byte();
        auto &queue = queues_[op >> 5];
        switch (op % 4) {
        case 0: case 1: {
            auto const size = op & 4 ? limiter_.slice() : in.below(limiter_.slice() + 1);
            auto const id = limiter_.ask(numbered_peer(op >> 5), size);
            FUZZ_CHECK(!limiter_.passed(id));
            queue.push_back({id, size});
            break;
        }
        case 2:
            if (!queue.empty()) {
                auto const i = in.below(queue.size());
                limiter_.withdraw(queue[i].id);
                queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(i));
            }
            break;
        default: now_ += std::chrono::milliseconds{op & 4 ? in.number<std::uint16_t>() : in.byte()};
        }
        advance();
    }

    void finish() {
        std::size_t most = 0;
        for (auto const &[peer, queue] : queues_) most += queue.size();
        for (std::size_t rounds = 0; limiter_.waiting() > 0; ++rounds) {
            FUZZ_CHECK(rounds <= most && limiter_.next() > now_); // each wake-up lets somebody pass
            now_ = limiter_.next();
            advance();
        }
    }

  private:
    void advance() {
        limiter_.advance(now_);
        std::size_t waiting = 0;
        for (auto &[peer, queue] : queues_) {
            while (!queue.empty() && limiter_.passed(queue.front().id)) {
                passed_ += queue.front().size;
                queue.pop_front();
            }
            for (auto const &t : queue) FUZZ_CHECK(!limiter_.passed(t.id)); // in order
            waiting += queue.size();
        }
        FUZZ_CHECK(limiter_.waiting() == waiting && (limiter_.limited() || waiting == 0));
        if (!limiter_.limited()) return;
        double const time = std::chrono::duration<double>(now_ - begin_ + rate_limiter::burst).count();
        FUZZ_CHECK(static_cast<double>(passed_) <= static_cast<double>(rate_) * time + static_cast<double>(limiter_.slice()) + 1);
        FUZZ_CHECK(waiting == 0 || limiter_.next() > now_);
    }

    std::uint64_t rate_;
    rate_limiter limiter_;
    time_point begin_{std::chrono::seconds{1000}}, now_ = begin_;
    std::map<std::uint8_t, std::deque<turn>> queues_;
    std::uint64_t passed_ = 0;
};

} // namespace

FUZZ_TARGET(rate_limiter) {
    fuzz::input in{data};
    world w{in.number<std::uint64_t>() >> in.byte() % 64};
    for (std::size_t steps = 0; !in.empty() && steps < 1000; ++steps) w.step(in);
    w.finish();
}

FUZZ_SEEDS {
    fuzz::inputs all;
    for (std::uint64_t const rate : {std::uint64_t{0}, std::uint64_t{1000}, std::uint64_t{10'000'000}}) {
        fuzz::script s;
        s.number(rate).byte(0);
        for (std::size_t i = 0; i < 20; ++i) s.byte(4 | (i % 3) << 5).byte(3).byte(i);
        s.byte(2 | 1 << 5).byte(0).byte(7).number(std::uint16_t{5000});
        all.push_back(s);
    }
    return all;
}

} // namespace rate_limiter_fuzz
