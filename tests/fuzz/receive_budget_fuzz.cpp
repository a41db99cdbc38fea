// The budget of what is received, under any takes, gifts back, cancellations and times: never more than there is, no peer more than its
// quarter but for one message, each peer served in its order, everything given back in the end, and no wait beyond its patience.
#include "fuzz.hpp"

#include <gigi/core/error.hpp>
#include <gigi/core/task_group.hpp>
#include <gigi/link/receive_budget.hpp>
#include <gigi/testing/simulation.hpp>

#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace receive_budget_fuzz {

using namespace gigi;

namespace {

constexpr std::size_t total = 1000;
constexpr std::size_t peers = 5;

peer_id numbered_peer(std::size_t n) {
    bytes multihash{0x12, 0x20};
    multihash.resize(34, static_cast<std::uint8_t>(n));
    return peer_id::from_bytes(multihash).value();
}

struct world {
    struct holder {
        explicit holder(any_io_executor const &executor) : done{executor} {}
        std::size_t who = 0, size = 0;
        time_point until;
        std::optional<receive_budget::share> held;
        bool over = false;
        task_group done; // its own, so that it can be cancelled alone
    };

    testing::simulation sim;
    receive_budget budget{sim.get_executor(), total};
    std::vector<std::unique_ptr<holder>> all;

    awaitable<void> take(holder &h, duration patience) {
        try {
            auto share = co_await budget.take(numbered_peer(h.who), h.size, patience);
            h.held.emplace(std::move(share));
        } catch (std::system_error const &e) {
            FUZZ_CHECK(e.code() == errc::limit_exceeded || e.code() == condition::cancelled);
            FUZZ_CHECK(e.code() != errc::limit_exceeded || h.size > total || sim.now() >= h.until);
        }
        h.over = true;
    }

    void step(fuzz::input &in) {
        auto const op = in.byte();
        switch (op % 4) {
        case 0: case 1: {
            auto &h = *all.emplace_back(std::make_unique<holder>(sim.get_executor()));
            h.who = in.below(peers);
            h.size = op & 4 ? in.below(total + 10) : in.byte();
            duration const patience = std::chrono::milliseconds{in.byte() + 1};
            h.until = sim.now() + patience;
            h.done.spawn(take(h, patience));
            break;
        }
        case 2:
            if (!all.empty()) end(in.below(all.size()));
            break;
        default: sim.run_for(std::chrono::milliseconds{in.byte()});
        }
        sim.run_for(std::chrono::milliseconds{0});
        check();
    }

    /// Gives back what it holds, or gives up.
    void end(std::size_t i) {
        auto const h = std::move(all[i]);
        all.erase(all.begin() + static_cast<std::ptrdiff_t>(i));
        h->held.reset();
        h->done.cancel();
        sim.run(h->done.join());
        FUZZ_CHECK(h->over);
    }

    void check() const {
        std::size_t held = 0;
        std::map<std::size_t, std::size_t> of, pieces;
        for (auto const &h : all) {
            if (h->held) {
                auto const size = std::max<std::size_t>(h->size, 1);
                held += size;
                of[h->who] += size;
                ++pieces[h->who];
            } else if (!h->over) {
                FUZZ_CHECK(sim.now() <= h->until);
            }
        }
        FUZZ_CHECK(held == budget.held() && held <= total);
        for (auto const &[who, bytes] : of) FUZZ_CHECK(bytes <= total / 4 || pieces[who] == 1);
        // Of one peer's, none overtakes another.
        for (std::size_t who = 0; who < peers; ++who) {
            bool waits = false;
            for (auto const &h : all) {
                if (h->who != who) continue;
                FUZZ_CHECK(!(waits && h->held));
                waits = waits || !h->over;
            }
        }
        // Where all that is held could be held beside it, nothing waits.
        if (held == 0) for (auto const &h : all) FUZZ_CHECK(h->over);
    }

    void finish() {
        while (!all.empty()) {
            end(0);
            check();
        }
        FUZZ_CHECK(budget.held() == 0);
    }
};

} // namespace

FUZZ_TARGET(receive_budget) {
    fuzz::input in{data};
    world w;
    for (std::size_t steps = 0; !in.empty() && steps < 200; ++steps) w.step(in);
    w.finish();
}

FUZZ_SEEDS {
    fuzz::script s;
    for (std::size_t i = 0; i < 40; ++i) {
        s.byte(i % 2 ? 4 : 0).byte(i % 5);
        if (i % 2) s.number(static_cast<std::uint32_t>(i * 40));
        else s.byte(i * 6);
        s.byte(50);
        if (i % 3 == 2) s.byte(2).byte(i);
        if (i % 7 == 6) s.byte(3).byte(20);
    }
    return {s};
}

} // namespace receive_budget_fuzz
