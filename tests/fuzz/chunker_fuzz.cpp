// The chunker under any order of sources, requests, answers and losses: it asks for nothing that is there, for no chunk of more than two
// sources at once, takes only what it asked for, and ends with every chunk exactly once, however many sources were lost.
#include "fuzz.hpp"

#include <gigi/file/chunker.hpp>

#include <deque>
#include <map>
#include <set>

namespace chunker_fuzz {

using namespace gigi;

namespace {

struct source {
    std::deque<std::uint32_t> owed;
    bool begun = false, wanted = false;
};

class world {
  public:
    world(chunk_map map, chunk_set done, chunker_options const &o) : map_{map}, chunker_{map, done, o}, options_{o} {
        for (std::uint32_t i = 0; i < map.count(); ++i)
            if (done.contains(i)) done_.insert(i);
        check();
    }

    void step(fuzz::input &in) {
        auto const op = in.byte();
        auto picked = sources_.begin();
        if (!sources_.empty()) std::advance(picked, static_cast<std::ptrdiff_t>((op >> 4) % sources_.size()));
        bool const any = picked != sources_.end();
        switch (op % 16) {
        case 0: case 1:
            if (sources_.size() < 6) sources_[chunker_.add_source(now_)];
            break;
        case 2:
            if (any) drop(picked);
            break;
        case 3: case 4: case 5: case 6:
            if (any) ask(picked->first, picked->second);
            break;
        case 7: case 8: case 9: case 10:
            if (any) send(picked->first, picked->second, in);
            break;
        case 11:
            if (any && !picked->second.begun) { // what was not asked for
                auto const chunk = in.below(static_cast<std::size_t>(map_.count()) + 2);
                if (picked->second.owed.empty() || picked->second.owed.front() != chunk)
                    FUZZ_CHECK(chunker_.begin_chunk(picked->first, chunk) == chunker::verdict::unexpected);
            }
            break;
        case 12: settle(in); break;
        case 13:
            now_ += std::chrono::seconds{in.byte()};
            for (auto const id : chunker_.stalled(now_)) drop(sources_.find(id));
            FUZZ_CHECK(chunker_.stalled(now_).empty());
            break;
        default:
            if (any) chunker_.note_progress(picked->first, in.below(1 << 16), now_);
        }
        check();
    }

    /// One honest source is enough to finish.
    void finish() {
        while (!sources_.empty()) drop(sources_.begin());
        for (auto const chunk : std::exchange(arrived_, {})) chunker_.rejected(chunk);
        auto const id = chunker_.add_source(now_);
        auto &s = sources_[id];
        while (!chunker_.complete()) {
            std::size_t const before = done_.size();
            ask(id, s);
            fuzz::input none{{}};
            while (!s.owed.empty()) send(id, s, none), send(id, s, none), settle_all();
            FUZZ_CHECK(done_.size() > before); // no standstill
        }
        check();
        FUZZ_CHECK(chunker_.done_bytes() == map_.size && !chunker_.owes(id) && !chunker_.next_request(id, now_));
    }

  private:
    void drop(std::map<chunker::source_id, source>::iterator which) {
        chunker_.remove_source(which->first);
        sources_.erase(which);
    }
    void ask(chunker::source_id id, source &s) {
        for (int rounds = 0;; ++rounds) {
            FUZZ_CHECK(rounds < 1000);
            auto const range = chunker_.next_request(id, now_);
            if (!range) break;
            FUZZ_CHECK(range->count > 0 && range->count <= 1024 && std::uint64_t{range->first} + range->count <= map_.count());
            std::size_t bytes = 0;
            for (std::uint32_t i = range->first; i < range->first + range->count; ++i) {
                FUZZ_CHECK(!done_.contains(i) && !arrived_.contains(i) && std::ranges::find(s.owed, i) == s.owed.end());
                s.owed.push_back(i);
                bytes += map_.size_of(i);
                std::size_t askers = 0;
                for (auto const &[other, asked] : sources_) askers += std::ranges::find(asked.owed, i) != asked.owed.end();
                FUZZ_CHECK(askers <= 2 || chunker_.race_due(now_) || range->count == 1);
            }
            FUZZ_CHECK(range->count == 1 || bytes <= std::max<std::size_t>(options_.largest_request, 1));
        }
    }
    void send(chunker::source_id id, source &s, fuzz::input &) {
        if (s.owed.empty()) return;
        if (!s.begun) {
            auto const verdict = chunker_.begin_chunk(id, s.owed.front());
            FUZZ_CHECK(verdict != chunker::verdict::unexpected);
            s.wanted = verdict == chunker::verdict::wanted;
            if (s.wanted) {
                FUZZ_CHECK(!done_.contains(s.owed.front()) && !arrived_.contains(s.owed.front()));
            }
            s.begun = true;
            return;
        }
        auto const chunk = s.owed.front();
        s.owed.pop_front();
        s.begun = false;
        bool const first = chunker_.end_chunk(id, now_);
        FUZZ_CHECK(!first || s.wanted);
        s.wanted = false;
        if (first) FUZZ_CHECK(!done_.contains(chunk) && arrived_.insert(chunk).second); // one of several that race
    }
    void settle(fuzz::input &in) {
        if (arrived_.empty()) return;
        auto i = arrived_.begin();
        std::advance(i, static_cast<std::ptrdiff_t>(in.below(arrived_.size())));
        auto const chunk = *i;
        arrived_.erase(i);
        if (in.byte() % 4 == 0) return chunker_.rejected(chunk);
        chunker_.verified(chunk);
        FUZZ_CHECK(done_.insert(chunk).second);
    }
    void settle_all() {
        for (auto const chunk : std::exchange(arrived_, {})) {
            chunker_.verified(chunk);
            FUZZ_CHECK(done_.insert(chunk).second);
        }
    }
    void check() const {
        std::uint64_t bytes = 0;
        for (auto const chunk : done_) bytes += map_.size_of(chunk);
        FUZZ_CHECK(chunker_.done_chunks() == done_.size() && chunker_.done_bytes() == bytes);
        FUZZ_CHECK(chunker_.complete() == (done_.size() == map_.count()) && chunker_.source_count() == sources_.size());
        for (auto const &[id, s] : sources_) FUZZ_CHECK(chunker_.owes(id) == !s.owed.empty());
    }

    chunk_map map_;
    chunker chunker_;
    chunker_options options_;
    time_point now_{std::chrono::seconds{1000}};
    std::map<chunker::source_id, source> sources_;
    std::set<std::uint32_t> done_, arrived_;
};

} // namespace

FUZZ_TARGET(chunker) {
    fuzz::input in{data};
    chunk_map const map{(in.byte() % 64) * std::uint64_t{chunk_map::least_chunk_size} + in.number<std::uint32_t>() % chunk_map::least_chunk_size, chunk_map::least_chunk_size};
    chunk_set done{map.count()};
    for (auto n = in.byte() % 8; n > 0 && map.count() > 0; --n) done.insert(in.below(static_cast<std::size_t>(map.count())));
    chunker_options o;
    o.window = (1 + in.byte() % 8) * std::size_t{512 << 10};
    o.largest_request = in.byte() * std::size_t{64 << 10};
    world w{map, std::move(done), o};
    for (std::size_t steps = 0; !in.empty() && steps < 1000; ++steps) w.step(in);
    w.finish();
}

FUZZ_SEEDS {
    fuzz::script s;
    s.byte(20).number(std::uint32_t{1000}).byte(2).byte(3).byte(4).byte(2).byte(16).byte(0).byte(0).byte(0).byte(3).byte(0x13).byte(0x23);
    for (std::size_t i = 0; i < 12; ++i) s.byte(7 | (i % 3) << 4).byte(7 | (i % 3) << 4).byte(12).byte(0).byte(i).byte(3 | (i % 3) << 4);
    s.byte(2).byte(11).byte(3).byte(13).byte(40);
    return {s};
}

} // namespace chunker_fuzz
