#include <gigi/file/chunker.hpp>
#include <gigi/file/messages.hpp>

#include <doctest/doctest.h>

#include <ostream>
#include <random>
#include <set>

namespace chunker_test {

using namespace gigi;

namespace {

constexpr std::uint32_t chunk = chunk_map::least_chunk_size;
using verdict = chunker::verdict;

time_point at(std::int64_t milliseconds) { return time_point{std::chrono::milliseconds{milliseconds}}; }
chunk_map chunks(std::uint64_t n) { return {n * chunk - 5, chunk}; }

chunker_options small_window() {
    chunker_options options;
    options.window = 4 * chunk;
    options.largest_request = 2 * chunk;
    return options;
}
chunker small(std::uint64_t n) { return chunker{chunks(n), chunk_set{n}, small_window()}; }

/// Takes one whole, good chunk from a source.
void deliver(chunker &plan, chunker::source_id from, std::uint32_t n, time_point now = at(0)) {
    REQUIRE(plan.begin_chunk(from, n) == verdict::wanted);
    REQUIRE(plan.end_chunk(from, now));
    plan.verified(n);
}

} // namespace

TEST_CASE("chunker: one source gets runs, in order, up to its window") {
    auto plan = small(7);
    auto const a = plan.add_source(at(0));
    CHECK(plan.next_request(a, at(0)) == chunk_range{0, 2});
    CHECK(plan.next_request(a, at(0)) == chunk_range{2, 2});
    CHECK(!plan.next_request(a, at(0)));
    deliver(plan, a, 0);
    CHECK(!plan.next_request(a, at(0)));
    deliver(plan, a, 1);
    CHECK(plan.next_request(a, at(0)) == chunk_range{4, 2}); // half the window is free
    deliver(plan, a, 2);
    deliver(plan, a, 3);
    CHECK(plan.next_request(a, at(0)) == chunk_range{6, 1});
    CHECK(!plan.next_request(a, at(0)));
    for (std::uint32_t n : {4u, 5u}) deliver(plan, a, n);
    CHECK(!plan.complete());
    deliver(plan, a, 6);
    CHECK(plan.complete());
    CHECK(plan.done_bytes() == plan.map().size);
}

TEST_CASE("chunker: a chunk larger than the window is still asked for") {
    chunker_options options;
    options.window = 10;
    options.largest_request = 10;
    chunker plan{chunks(2), chunk_set{2}, options};
    auto const a = plan.add_source(at(0));
    CHECK(plan.next_request(a, at(0)) == chunk_range{0, 1});
    CHECK(!plan.next_request(a, at(0)));
}

TEST_CASE("chunker: no more chunks in a request than the protocol allows") {
    chunker_options options;
    options.window = options.largest_request = std::size_t{1} << 40;
    chunker plan{chunks(5000), chunk_set{5000}, options};
    auto const a = plan.add_source(at(0));
    CHECK(plan.next_request(a, at(0)) == chunk_range{0, range_request::max_chunks});
}

TEST_CASE("chunker: what is there already is not asked for") {
    chunk_set done{6};
    for (std::uint64_t n : {0u, 2u, 3u}) done.insert(n);
    chunker plan{chunks(6), done, small_window()};
    CHECK(plan.done_chunks() == 3);
    auto const a = plan.add_source(at(0));
    CHECK(plan.next_request(a, at(0)) == chunk_range{1, 1});
    CHECK(plan.next_request(a, at(0)) == chunk_range{4, 2});
    CHECK(!plan.next_request(a, at(0)));
    chunk_set all{2};
    all.insert(0);
    all.insert(1);
    CHECK(chunker{chunks(2), all}.complete());
    CHECK(chunker{chunk_map::of(0)}.complete());
}

TEST_CASE("chunker: what a lost source owed is asked of the others") {
    auto plan = small(6);
    auto const a = plan.add_source(at(0)), b = plan.add_source(at(0));
    CHECK(plan.next_request(a, at(0)) == chunk_range{0, 2});
    CHECK(plan.next_request(b, at(0)) == chunk_range{2, 2});
    deliver(plan, a, 0);
    REQUIRE(plan.begin_chunk(a, 1) == verdict::wanted); // lost in the middle of chunk 1
    plan.remove_source(a);
    plan.remove_source(a);
    CHECK(plan.next_request(b, at(0)) == chunk_range{1, 1});
    CHECK(plan.source_count() == 1);
}

TEST_CASE("T27: only what was asked for, in the order in which it was asked for") {
    auto plan = small(6);
    auto const a = plan.add_source(at(0));
    CHECK(plan.begin_chunk(a, 0) == verdict::unexpected); // nothing was asked
    (void)plan.next_request(a, at(0));
    CHECK(plan.begin_chunk(a, 1) == verdict::unexpected);
    CHECK(plan.begin_chunk(a, 5) == verdict::unexpected);
    CHECK(plan.begin_chunk(a, 77'000) == verdict::unexpected);
    deliver(plan, a, 0);
    CHECK(plan.begin_chunk(a, 0) == verdict::unexpected); // twice
    deliver(plan, a, 1);
}

TEST_CASE("chunker: a chunk that does not verify is asked for again") {
    auto plan = small(2);
    auto const a = plan.add_source(at(0)), b = plan.add_source(at(0));
    (void)plan.next_request(a, at(0));
    REQUIRE(plan.begin_chunk(a, 0) == verdict::wanted);
    plan.end_chunk(a, at(0));
    plan.rejected(0);
    plan.remove_source(a);
    CHECK(plan.next_request(b, at(0)) == chunk_range{0, 2});
    deliver(plan, b, 0);
    plan.rejected(0); // too late
    deliver(plan, b, 1);
    CHECK(plan.complete());
}

TEST_CASE("chunker: at the end the idle help the slow, once") {
    auto plan = small(4);
    auto const a = plan.add_source(at(0)), b = plan.add_source(at(0)), c = plan.add_source(at(0));
    CHECK(plan.next_request(a, at(0)) == chunk_range{0, 2});
    CHECK(plan.next_request(a, at(0)) == chunk_range{2, 2});
    CHECK(plan.next_request(b, at(0)) == chunk_range{3, 1}); // the last that `a` owes
    CHECK(!plan.next_request(b, at(0)));
    CHECK(plan.next_request(c, at(0)) == chunk_range{2, 1});
    deliver(plan, b, 3);
    CHECK(plan.next_request(b, at(0)) == chunk_range{1, 1});
    for (std::uint32_t n : {0u, 1u, 2u}) deliver(plan, a, n);
    CHECK(plan.complete());
    REQUIRE(plan.begin_chunk(a, 3) == verdict::superfluous);
    plan.end_chunk(a, at(0));
    REQUIRE(plan.begin_chunk(b, 1) == verdict::superfluous);
    plan.remove_source(b);
    plan.remove_source(c);
    CHECK(plan.complete());
}

TEST_CASE("chunker: a source that loses a race in the middle of a chunk loses nothing for the others") {
    auto plan = small(1);
    auto const a = plan.add_source(at(0)), b = plan.add_source(at(0));
    (void)plan.next_request(a, at(0));
    CHECK(plan.next_request(b, at(0)) == chunk_range{0, 1});
    REQUIRE(plan.begin_chunk(a, 0) == verdict::wanted);
    REQUIRE(plan.begin_chunk(b, 0) == verdict::wanted); // `a` is at it, too
    plan.remove_source(a);                              // but does not finish
    CHECK(plan.end_chunk(b, at(0)));
    plan.verified(0);
    CHECK(plan.complete());
}

TEST_CASE("chunker: of two that are in the middle of a chunk the first to finish has it; a bad one leaves it to the other") {
    for (bool const good : {true, false}) {
        auto plan = small(1);
        auto const a = plan.add_source(at(0)), b = plan.add_source(at(0));
        (void)plan.next_request(a, at(0));
        CHECK(plan.next_request(b, at(0)) == chunk_range{0, 1});
        REQUIRE(plan.begin_chunk(a, 0) == verdict::wanted);
        REQUIRE(plan.begin_chunk(b, 0) == verdict::wanted);
        CHECK(plan.end_chunk(a, at(0)));
        if (good)
            plan.verified(0);
        else
            plan.rejected(0);
        CHECK(plan.end_chunk(b, at(0)) == !good);
        if (!good) plan.verified(0);
        CHECK(plan.complete());
    }
}

TEST_CASE("T29: what sources are long about is asked of the idle, however many such sources there are") {
    auto plan = small(2);
    auto const a = plan.add_source(at(0)), b = plan.add_source(at(0)), c = plan.add_source(at(0));
    CHECK(plan.next_request(a, at(0)) == chunk_range{0, 2});
    REQUIRE(plan.begin_chunk(a, 0) == verdict::wanted);
    CHECK(plan.next_request(b, at(0)) == chunk_range{1, 1});
    REQUIRE(plan.begin_chunk(b, 1) == verdict::wanted);
    CHECK(!plan.next_request(c, at(9'999)));
    CHECK_FALSE(plan.race_due(at(9'999)));
    CHECK(plan.race_due(at(10'000)));
    CHECK(plan.next_request(c, at(10'000)) == chunk_range{0, 1});
    CHECK(!plan.next_request(c, at(10'000))); // one at a time
    deliver(plan, c, 0, at(10'100));
    CHECK(plan.next_request(c, at(10'100)) == chunk_range{1, 1});
    deliver(plan, c, 1, at(10'200));
    CHECK(plan.complete());
    CHECK_FALSE(plan.end_chunk(a, at(20'000)));
}

TEST_CASE("T29: a few bytes now and then are no progress") {
    auto plan = small(9);
    auto const a = plan.add_source(at(0));
    (void)plan.next_request(a, at(0));
    for (std::int64_t second = 0; second < 30; ++second) plan.note_progress(a, 500, at(second * 1000));
    CHECK(plan.stalled(at(30'000)) == std::vector{a});
    plan.note_progress(a, 2000, at(30'000));
    CHECK(plan.stalled(at(30'000)).empty());
    plan.excuse(a, 5s);
    CHECK(plan.stalled(at(64'999)).empty());
    CHECK(plan.stalled(at(65'000)) == std::vector{a});
}

TEST_CASE("chunker: sources that have stalled") {
    auto plan = small(9);
    auto const a = plan.add_source(at(0)), b = plan.add_source(at(0));
    CHECK(plan.stalled(at(100'000)).empty()); // nothing is owed
    (void)plan.next_request(a, at(100'000));
    (void)plan.next_request(b, at(100'000));
    CHECK(plan.stalled(at(129'999)).empty());
    plan.note_progress(a, 16 << 10, at(120'000));
    CHECK(plan.stalled(at(130'000)) == std::vector{b});
    deliver(plan, b, 2, at(131'000));
    CHECK(plan.stalled(at(149'999)).empty());
}

TEST_CASE("chunker: whatever sources do, every chunk is taken once and the end is reached") {
    for (unsigned seed = 0; seed < 60; ++seed) {
        CAPTURE(seed);
        std::mt19937 random{seed};
        std::uint64_t const count = 1 + random() % 60;
        chunker plan{chunks(count), chunk_set{count}, small_window()};
        std::map<chunker::source_id, std::deque<std::uint32_t>> queues; // what each source will send
        std::map<chunker::source_id, std::optional<std::uint32_t>> under_way;
        std::multiset<std::uint32_t> to_verify, taken;
        for (int step = 0; step < 20'000 && !plan.complete(); ++step) {
            bool const calm = step > 3000;
            if (queues.empty() || (!calm && queues.size() < 4 && random() % 50 == 0)) queues[plan.add_source(at(step))];
            auto i = std::next(queues.begin(), static_cast<std::ptrdiff_t>(random() % queues.size()));
            auto const id = i->first;
            std::size_t owed = 0;
            while (auto const range = plan.next_request(id, at(step))) {
                REQUIRE(range->count > 0);
                REQUIRE(range->first + range->count <= count);
                for (std::uint32_t n = 0; n < range->count; ++n) i->second.push_back(range->first + n);
            }
            for (auto const n : i->second) owed += plan.map().size_of(n);
            CHECK(owed <= small_window().window + chunk);
            auto const dice = random() % 100;
            if (!calm && dice < 3) { // lost
                plan.remove_source(id);
                under_way.erase(id);
                queues.erase(i);
            } else if (!i->second.empty() && !under_way[id]) {
                auto const n = i->second.front();
                auto const v = plan.begin_chunk(id, n);
                REQUIRE(v != verdict::unexpected);
                under_way[id] = v == verdict::wanted ? n : ~0u;
            } else if (under_way[id]) {
                bool const first = plan.end_chunk(id, at(step));
                CHECK((first && *under_way[id] == ~0u) == false);
                if (first) to_verify.insert(i->second.front());
                i->second.pop_front();
                under_way[id].reset();
            }
            if (!to_verify.empty() && dice % 2 == 0) {
                auto const n = *to_verify.begin();
                to_verify.erase(to_verify.begin());
                if (!calm && random() % 10 == 0) {
                    plan.rejected(n);
                } else {
                    plan.verified(n);
                    taken.insert(n);
                }
            }
        }
        CHECK(plan.complete());
        CHECK(taken.size() == count);
        CHECK(std::set<std::uint32_t>(taken.begin(), taken.end()).size() == count);
    }
}

} // namespace chunker_test
