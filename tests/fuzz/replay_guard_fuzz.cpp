// The guard against replays, under messages of any numbers and times: it refuses nothing new, and of authors whose numbers are times it
// refuses everything that a seen cache has forgotten, as long as it remembers the author.
#include "fuzz.hpp"

#include <gigi/gossip/replay_guard.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <vector>

namespace replay_guard_fuzz {

using namespace gigi;

namespace {

constexpr auto memory = std::chrono::minutes{2};
constexpr std::uint64_t second = 1'000'000'000;

peer_id numbered_peer(std::size_t n) {
    bytes multihash{0x12, 0x20};
    multihash.resize(34, static_cast<std::uint8_t>(n));
    return peer_id::from_bytes(multihash).value();
}

struct heard {
    std::uint64_t seqno;
    time_point when;
};

/// What a test remembers of an author.
struct author {
    std::vector<heard> admitted; // from when its clock may have been believed anew
    std::vector<heard> ever;     // for where it was not
    bool no_clock = false;
};

class world {
  public:
    explicit world(std::size_t most) : most_{most}, guard_{memory, most} {}

    void step(fuzz::input &in) {
        now_ += std::chrono::milliseconds{in.number<std::uint16_t>()} * (in.flag() ? 10 : 1);
        auto const n = in.below(6);
        auto const first_hand = in.byte() % 8 == 0;
        auto const seqno = number(in, authors_[n]);
        hear(n, seqno, first_hand);
    }

  private:
    wall_time wall() const { return wall_time{std::chrono::duration_cast<wall_time::duration>(now_.time_since_epoch() + std::chrono::years{56})}; }
    std::uint64_t wall_number() const { return static_cast<std::uint64_t>(std::chrono::nanoseconds{wall().time_since_epoch()}.count()); }

    /// A time around now, an old number again, or anything.
    std::uint64_t number(fuzz::input &in, author const &of) {
        switch (in.byte() % 8) {
        case 0: return in.number<std::uint64_t>();
        case 1: case 2: case 3: return of.admitted.empty() ? wall_number() : of.admitted[in.below(of.admitted.size())].seqno;
        case 4: return wall_number() - in.number<std::uint16_t>() * second;
        default: return wall_number() + in.byte();
        }
    }

    bool is_time(std::uint64_t seqno) const {
        return seqno >= 1'577'836'800 * second && seqno <= std::max(2'208'988'800 * second, wall_number() + 86'400 * second);
    }

    void hear(std::size_t n, std::uint64_t seqno, bool first_hand) {
        // Who was silent longest is forgotten where there are too many.
        if (auto const at = std::ranges::find(order_, n); at != order_.end()) {
            order_.erase(at);
        } else if (order_.size() == most_) {
            authors_[order_.front()] = author{};
            order_.erase(order_.begin());
        }
        order_.push_back(n);

        auto &of = authors_[n];
        auto const refused = guard_.refused();
        bool const good = guard_.admit(numbered_peer(n), seqno, first_hand, now_, wall());
        FUZZ_CHECK(guard_.refused() == refused + (good ? 0 : 1));
        FUZZ_CHECK(guard_.size() == order_.size());
        if (of.no_clock || !is_time(seqno)) {
            FUZZ_CHECK(good);
            of.no_clock = true;
            of.admitted.clear();
            of.ever.clear();
            return;
        }
        auto const higher = [&](std::vector<heard> const &all, duration age) {
            return std::ranges::any_of(all, [&](heard const &h) { return h.seqno >= seqno && now_ - h.when > age; });
        };
        if (first_hand) {
            FUZZ_CHECK(good);
            if (higher(of.ever, memory / 2)) of.admitted.clear(); // its clock may have been believed anew: what was heard before proves nothing
        } else {
            if (!good) FUZZ_CHECK(higher(of.ever, memory / 2));
            if (good) FUZZ_CHECK(!higher(of.admitted, memory));
        }
        if (good)
            for (auto *const all : {&of.admitted, &of.ever}) all->push_back({seqno, now_});
    }

    std::size_t most_;
    replay_guard guard_;
    time_point now_{std::chrono::hours{1}};
    std::map<std::size_t, author> authors_;
    std::vector<std::size_t> order_;
};

} // namespace

FUZZ_TARGET(replay_guard) {
    fuzz::input in{data};
    world w{in.below(8) + 1};
    for (std::size_t steps = 0; !in.empty() && steps < 500; ++steps) w.step(in);
}

FUZZ_SEEDS {
    fuzz::inputs all;
    for (std::size_t const most : {std::size_t{1}, std::size_t{6}}) {
        fuzz::script s;
        s.byte(most);
        for (std::size_t i = 0; i < 40; ++i) s.number(static_cast<std::uint16_t>(i * 400)).byte(i % 3 == 0).byte(i % 5).byte(i % 9).byte(i % 7 ? 5 : 1).byte(0).byte(0);
        all.push_back(s);
    }
    return all;
}

} // namespace replay_guard_fuzz
