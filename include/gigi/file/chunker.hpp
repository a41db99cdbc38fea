// gigi/file/chunker.hpp: decides which chunks of a file to ask which peer for.
//
// Layer: file. Sans-I/O: peers, answers and time go in, requests and verdicts come out. Each source gets runs of chunks,
// enough of them outstanding that its line never idles. What a lost source owed goes to the others. When nothing is left to
// hand out, idle sources get what the others are slowest with, so that one slow peer does not hold up the end.
#pragma once

#include "../core/clock.hpp"
#include "journal.hpp"
#include "merkle.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

struct chunker_options {
    std::size_t window = std::size_t{16} << 20;         ///< bytes asked of one source and not yet there
    std::size_t largest_request = std::size_t{8} << 20; ///< bytes in one request; one chunk at least
    duration stall_timeout = std::chrono::seconds{30};  ///< a source that sends next to nothing for so long is given up
    std::size_t stall_bytes = std::size_t{16} << 10;    ///< … that is, less than this
    duration race_after = std::chrono::seconds{10};     ///< what a source is so long about, the idle are asked for, too
};

/// A run of chunks to ask for.
struct chunk_range {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
    bool operator==(chunk_range const &) const = default;
};

class chunker {
  public:
    using source_id = std::uint32_t;

    /// @param done chunks that are there already, verified
    explicit chunker(chunk_map map, chunk_set done, chunker_options options = chunker_options())
        : map_{map}, options_{options}, states_(static_cast<std::size_t>(map.count()), state::missing) {
        for (std::uint64_t i = 0; i < map.count(); ++i)
            if (done.contains(i)) complete(i);
    }
    explicit chunker(chunk_map map) : chunker{map, chunk_set{map.count()}} {}

    source_id add_source(time_point now) {
        sources_[++last_source_].progress = now;
        return last_source_;
    }
    /// Forgets a source: what it owes is asked of others.
    void remove_source(source_id id) {
        auto const found = sources_.find(id);
        if (found == sources_.end()) return;
        auto const owed = std::move(found->second.owed);
        sources_.erase(found);
        for (auto const chunk : owed) release(chunk);
    }
    std::size_t source_count() const noexcept { return sources_.size(); }

    /// What to ask a source for now; nothing while enough is under way, or there is nothing to do. Call it again until it
    /// returns nothing, and after every change.
    std::optional<chunk_range> next_request(source_id id, time_point now) {
        auto &source = sources_.at(id);
        if (source.owed_bytes > options_.window / 2) return std::nullopt;
        auto const range = missing_run(std::min(options_.window - source.owed_bytes, options_.largest_request));
        if (range)
            ask(source, *range, now);
        else if (source.owed.empty())
            return duplicate_request(source, now);
        return range;
    }
    /// Whether an idle source may now be asked for what another one takes too long about.
    bool race_due(time_point now) const {
        bool idle = false, slow = false;
        for (auto const &[id, source] : sources_) {
            idle |= source.owed.empty();
            slow |= is_slow(source, now);
        }
        return idle && slow;
    }

    enum class verdict {
        wanted,      ///< take its bytes, verify them, and say `verified` or `rejected`
        superfluous, ///< another source was faster: read past its bytes
        unexpected,  ///< not what was asked for next: the source breaks the protocol
    };
    /// A source begins to send a chunk. Chunks come in the order in which they were asked for.
    verdict begin_chunk(source_id id, std::uint64_t chunk) {
        auto &source = sources_.at(id);
        if (source.owed.empty() || source.owed.front() != chunk) return verdict::unexpected;
        auto &now = states_[static_cast<std::size_t>(chunk)];
        if (now != state::asked && now != state::arriving) return verdict::superfluous;
        now = state::arriving;
        source.arriving = true;
        return verdict::wanted;
    }
    /// All of the chunk that was begun is here.
    /// @return whether it is to be verified; otherwise another source was faster
    bool end_chunk(source_id id, time_point now) {
        auto &source = sources_.at(id);
        auto const chunk = source.owed.front();
        source.owed.pop_front();
        source.owed_bytes -= map_.size_of(chunk);
        source.progress = source.begun = now;
        source.received = 0;
        auto &here = states_[chunk];
        bool const first = std::exchange(source.arriving, false) && (here == state::asked || here == state::arriving);
        if (first)
            here = state::arrived;
        else
            release(chunk);
        return first;
    }
    /// Whether a source has been asked for chunks that have not come yet.
    bool owes(source_id id) const { return !sources_.at(id).owed.empty(); }
    /// A source has sent so many bytes of a chunk.
    void note_progress(source_id id, std::size_t size, time_point now) {
        auto &source = sources_.at(id);
        source.received += size;
        if (source.received < options_.stall_bytes) return;
        source.received = 0;
        source.progress = now;
    }
    /// So much time does not count against a source: we have not read from it.
    void excuse(source_id id, duration span) {
        auto &source = sources_.at(id);
        source.progress += span;
        source.begun += span;
    }

    /// An arrived chunk has the right hash and is written.
    void verified(std::uint64_t chunk) { complete(chunk); }
    /// An arrived chunk is not what it should be, or could not be kept: it is asked for again.
    void rejected(std::uint64_t chunk) {
        auto &now = states_[static_cast<std::size_t>(chunk)];
        if (now != state::arrived) return;
        if (owed_by(static_cast<std::uint32_t>(chunk)) > 0)
            now = state::asked;
        else
            make_missing(chunk);
    }

    /// The sources that owe something and have sent next to nothing for too long.
    std::vector<source_id> stalled(time_point now) const {
        std::vector<source_id> out;
        for (auto const &[id, source] : sources_)
            if (!source.owed.empty() && now - source.progress >= options_.stall_timeout) out.push_back(id);
        return out;
    }

    bool complete() const noexcept { return done_ == states_.size(); }
    std::uint64_t done_bytes() const noexcept { return done_bytes_; } ///< verified
    std::uint64_t done_chunks() const noexcept { return done_; }
    chunk_map const &map() const noexcept { return map_; }

  private:
    enum class state : std::uint8_t {
        missing,  // nobody has been asked
        asked,    // one or two sources owe it
        arriving, // its bytes are coming in, from one source or more
        arrived,  // being verified
        done,
    };
    struct line {
        std::deque<std::uint32_t> owed; // in the order in which they will come
        std::size_t owed_bytes = 0;
        bool arriving = false; // the first of `owed` is taken from this source
        time_point begun{};    // when the first of `owed` became the first
        time_point progress{}; // when it had last sent enough to count
        std::size_t received = 0; // since
    };

    bool is_slow(line const &source, time_point now) const {
        return !source.owed.empty() && now - source.begun >= options_.race_after;
    }

    void ask(line &from, chunk_range range, time_point now) {
        if (from.owed.empty()) {
            from.progress = from.begun = now;
            from.received = 0;
        }
        for (std::uint32_t i = 0; i < range.count; ++i) {
            std::uint32_t const chunk = range.first + i;
            states_[chunk] = state::asked;
            from.owed.push_back(chunk);
            from.owed_bytes += map_.size_of(chunk);
        }
    }

    /// The first run of missing chunks, of one chunk at least and else no more bytes than `limit`.
    std::optional<chunk_range> missing_run(std::size_t limit) {
        while (first_missing_ < states_.size() && states_[first_missing_] != state::missing) ++first_missing_;
        if (first_missing_ == states_.size()) return std::nullopt;
        chunk_range range{static_cast<std::uint32_t>(first_missing_), 0};
        std::size_t total = 0;
        for (std::size_t i = first_missing_; i < states_.size() && states_[i] == state::missing && range.count < max_range; ++i) {
            total += map_.size_of(i);
            if (range.count > 0 && total > limit) break;
            ++range.count;
        }
        return range;
    }

    /// The last chunk that the source with most to do owes: it is the one that would come last.
    std::optional<chunk_range> duplicate_request(line &idle, time_point now) {
        line const *busiest = nullptr;
        for (auto const &[id, other] : sources_)
            if (&other != &idle && !other.owed.empty() && (!busiest || other.owed_bytes > busiest->owed_bytes)) busiest = &other;
        if (!busiest) return std::nullopt;
        // First what nobody else has been asked for; then what all who were asked are too long about.
        for (auto i = busiest->owed.rbegin(); i != busiest->owed.rend(); ++i) {
            if (states_[*i] != state::asked || owed_by(*i) > 1) continue;
            chunk_range const range{*i, 1};
            ask(idle, range, now);
            return range;
        }
        for (auto const &[id, other] : sources_) {
            if (!is_slow(other, now)) continue;
            for (auto const chunk : other.owed) {
                if (states_[chunk] != state::asked && states_[chunk] != state::arriving) continue;
                bool const hopeless = std::ranges::all_of(sources_, [&](auto const &s) {
                    return std::ranges::find(s.second.owed, chunk) == s.second.owed.end() || is_slow(s.second, now);
                });
                if (!hopeless) continue;
                chunk_range const range{chunk, 1};
                ask(idle, range, now);
                return range;
            }
        }
        return std::nullopt;
    }

    std::size_t owed_by(std::uint32_t chunk) const {
        std::size_t n = 0;
        for (auto const &[id, source] : sources_) n += std::ranges::find(source.owed, chunk) != source.owed.end() ? 1 : 0;
        return n;
    }

    /// A source no longer owes a chunk.
    void release(std::uint32_t chunk) {
        auto const now = states_[chunk];
        if (now == state::done || now == state::arrived || now == state::missing) return;
        bool arriving = false;
        for (auto const &[id, source] : sources_) arriving |= source.arriving && source.owed.front() == chunk;
        if (arriving) return;
        if (owed_by(chunk) > 0)
            states_[chunk] = state::asked;
        else
            make_missing(chunk);
    }
    void make_missing(std::uint64_t chunk) {
        states_[static_cast<std::size_t>(chunk)] = state::missing;
        first_missing_ = std::min(first_missing_, static_cast<std::size_t>(chunk));
    }
    void complete(std::uint64_t chunk) {
        auto &now = states_[static_cast<std::size_t>(chunk)];
        if (now == state::done) return;
        now = state::done;
        ++done_;
        done_bytes_ += map_.size_of(chunk);
    }

    static constexpr std::uint32_t max_range = 1024; // range_request::max_chunks

    chunk_map map_;
    chunker_options options_;
    std::vector<state> states_;
    std::size_t first_missing_ = 0; // none before it
    std::map<source_id, line> sources_;
    source_id last_source_ = 0;
    std::size_t done_ = 0;
    std::uint64_t done_bytes_ = 0;
};

} // namespace gigi::inline v1
