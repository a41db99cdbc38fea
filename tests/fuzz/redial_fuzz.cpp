// Redialling under any announcements, dials, calls out of place and times: no more peers than allowed; nobody before the pause is over;
// the bootstrap list apart from strangers; every other one has failed least often, every other one has waited longest, so that
// nobody is passed over without end; and nothing is kept of who was forgotten.
#include "fuzz.hpp"

#include <gigi/node/redial.hpp>

#include <array>
#include <iterator>
#include <map>
#include <set>

namespace redial_fuzz {

using namespace gigi;

namespace {

constexpr std::size_t peers = 16;

/// What must be true of one that is wanted.
struct wish {
    unsigned reasons = 0;
    time_point due{};
    std::size_t failures = 0;
    bool busy = false, muted = false;
    std::size_t passed_over = 0; // by dials of its kind, since it was ready

    redial_policy::reason kind() const { return reasons & redial_policy::bootstrap ? redial_policy::bootstrap : redial_policy::discovered; }
    bool idle() const { return !busy && !muted; }
};

class world {
  public:
    explicit world(std::size_t most) : most_{most}, policy_{most} {
        for (std::size_t i = 0; i < peers; ++i) {
            bytes multihash{0x12, 0x20};
            multihash.resize(34, static_cast<std::uint8_t>(i));
            ids_[i] = peer_id::from_bytes(multihash).value();
        }
    }

    void step(fuzz::input &in) {
        auto const op = in.byte();
        std::size_t const who = op >> 4;
        auto const why = op & 8 ? redial_policy::bootstrap : redial_policy::discovered;
        switch (op % 8) {
        case 0: want(who, why); break;
        case 1: unwant(who, why); break;
        case 2:
            policy_.mute(ids_[who]);
            if (wanted_.contains(who)) wanted_[who].muted = true;
            break;
        case 3: connected(who); break;
        case 4:
            op & 8 ? policy_.disconnected(ids_[who], now_) : policy_.failed(ids_[who], now_);
            lost(who);
            break;
        case 5: dial(why, who); break;
        case 6: now_ += std::chrono::milliseconds{250} * in.byte(); break;
        default: now_ += op & 8 ? duration{in.number<std::uint64_t>() >> 28} : duration{1};
        }
        check();
    }

    /// Once all dials have failed, and the longest pause is over, all are due; and in the end, nobody is known.
    void finish() {
        for (auto const &[who, w] : std::map{wanted_})
            if (w.busy) policy_.failed(ids_[who], now_), lost(who);
        now_ += redial_policy::longest_pause;
        for (auto const kind : {redial_policy::bootstrap, redial_policy::discovered}) dial(kind, peers);
        for (auto const &[who, w] : wanted_) FUZZ_CHECK(w.busy || w.muted);
        for (std::size_t who = 0; who < peers; ++who) unwant(who, redial_policy::discovered), unwant(who, redial_policy::bootstrap);
        FUZZ_CHECK(wanted_.empty());
        check();
        for (std::size_t who = peers; who-- > 0;) want(who, redial_policy::discovered); // as if they had never been there
        check();
        dial(redial_policy::discovered, peers);
        FUZZ_CHECK(std::ranges::all_of(wanted_, [](auto const &one) { return one.second.busy; }));
    }

  private:
    void want(std::size_t who, redial_policy::reason why) {
        policy_.want(ids_[who], why, now_);
        if (!wanted_.contains(who)) {
            if (wanted_.size() < most_) wanted_[who] = {why, now_};
        } else if (auto &w = wanted_[who]; !(w.reasons & why)) {
            if (why == redial_policy::bootstrap) w.passed_over = 0; // among others
            w.reasons |= why;
            w.due = std::min(w.due, now_);
        }
    }

    void unwant(std::size_t who, redial_policy::reason why) {
        policy_.unwant(ids_[who], why);
        if (!wanted_.contains(who)) return;
        auto &w = wanted_[who];
        w.reasons &= ~static_cast<unsigned>(why);
        if (why == redial_policy::bootstrap) w.passed_over = 0;
        if (w.reasons == 0) wanted_.erase(who);
    }

    void connected(std::size_t who) {
        policy_.connected(ids_[who]);
        if (!wanted_.contains(who)) return;
        wanted_[who].busy = true;
        wanted_[who].muted = false;
        wanted_[who].failures = 0;
    }

    void lost(std::size_t who) {
        if (!wanted_.contains(who)) return;
        static constexpr int pauses[] = {1, 2, 4, 8, 16, 32, 60};
        auto &w = wanted_[who];
        w.busy = false;
        w.due = now_ + std::chrono::seconds{pauses[std::min(w.failures++, std::size(pauses) - 1)]};
        w.passed_over = 0;
    }

    void dial(redial_policy::reason kind, std::size_t limit) {
        std::set<std::size_t> ready;
        for (auto const &[who, w] : wanted_)
            if (w.idle() && w.kind() == kind && w.due <= now_) ready.insert(who);
        auto const chosen = policy_.due(kind, now_, limit);
        FUZZ_CHECK(chosen.size() == std::min(limit, ready.size()));
        for (auto const &id : chosen) {
            auto const who = static_cast<std::size_t>(std::ranges::find(ids_, id) - ids_.begin());
            FUZZ_CHECK(ready.contains(who));
            auto &w = wanted_[who];
            bool longest = true, least = true;
            for (auto const other : ready) {
                auto const &o = wanted_[other];
                longest = longest && w.due <= o.due;
                least = least && std::pair{w.failures, w.due} <= std::pair{o.failures, o.due};
            }
            // Whichever of both comes first: the other one follows.
            auto &turns = turns_[kind];
            turns = (turns & 1 && longest ? 2u : 0u) | (turns & 2 && least ? 1u : 0u);
            FUZZ_CHECK(turns != 0);
            w.busy = true;
            w.passed_over = 0;
            ready.erase(who);
            for (auto const other : ready) // who comes now has waited less than who is ready
                if (auto &o = wanted_[other]; o.due < now_) FUZZ_CHECK(++o.passed_over < 2 * most_);
        }
    }

    void check() const {
        FUZZ_CHECK(wanted_.size() <= most_);
        for (std::size_t who = 0; who < peers; ++who) FUZZ_CHECK(policy_.wants(ids_[who]) == wanted_.contains(who));
        for (auto const kind : {redial_policy::bootstrap, redial_policy::discovered}) {
            std::optional<time_point> first;
            for (auto const &[who, w] : wanted_)
                if (w.idle() && w.kind() == kind && (!first || w.due < *first)) first = w.due;
            FUZZ_CHECK(policy_.next(kind) == first);
        }
    }

    std::size_t most_;
    redial_policy policy_;
    time_point now_{std::chrono::seconds{1000}};
    std::array<peer_id, peers> ids_;
    std::map<std::size_t, wish> wanted_;
    std::map<redial_policy::reason, unsigned> turns_{{redial_policy::discovered, 3}, {redial_policy::bootstrap, 3}}; // which there may be next: bits
};

} // namespace

FUZZ_TARGET(redial) {
    fuzz::input in{data};
    world w{in.below(peers + 1)};
    for (std::size_t steps = 0; !in.empty() && steps < 1000; ++steps) w.step(in);
    w.finish();
}

FUZZ_SEEDS {
    constexpr std::size_t want = 0, unwant = 1, mute = 2, connected = 3, failed = 4, due = 5, wait = 6, listed = 8;
    fuzz::inputs all;
    fuzz::script s;
    s.byte(peers).byte(want | listed).byte(mute | 2 << 4);
    for (std::size_t i = 1; i < 8; ++i) s.byte(want | i << 4);
    for (std::size_t round = 0; round < 12; ++round) {
        s.byte(due | 3 << 4).byte(due | listed | 1 << 4);
        for (std::size_t i = 0; i < 8; ++i) s.byte((i == round ? connected : failed) | i << 4);
        s.byte(wait).byte(round * 20);
        s.byte(failed | listed | round << 4).byte(mute | round << 4);
    }
    all.push_back(s);
    // New names without end, alone and with a listed peer that is announced and withdrawn in between.
    for (bool const with_listed : {false, true}) {
        s = {};
        s.byte(4).byte(want | 15 << 4).byte(due | 1 << 4).byte(failed | 15 << 4).byte(want | listed | 14 << 4);
        for (std::size_t i = 0; i < 13; ++i) {
            s.byte(wait).byte(5).byte(want | i << 4);
            if (with_listed) s.byte(want | 14 << 4).byte(due | listed | 1 << 4).byte(failed | 14 << 4).byte(unwant | 14 << 4);
            s.byte(due | 1 << 4).byte(failed | i << 4).byte(unwant | i << 4);
        }
        all.push_back(s);
    }
    return all;
}

} // namespace redial_fuzz
