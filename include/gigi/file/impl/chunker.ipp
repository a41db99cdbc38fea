// gigi/file/impl/chunker.ipp: what chunker.hpp declares.
#pragma once

#include "../chunker.hpp"

#include "../../core/config.hpp"

#include <algorithm>
#include <utility>

namespace gigi::inline v1 {

GIGI_INLINE chunker::chunker(chunk_map map, chunk_set done, chunker_options options)
    : map_{map}, options_{options}, states_(static_cast<std::size_t>(map.count()), state::missing) {
    for (std::uint64_t i = 0; i < map.count(); ++i)
        if (done.contains(i)) complete(i);
}

GIGI_INLINE chunker::source_id chunker::add_source(time_point now) {
    sources_[++last_source_].progress = now;
    return last_source_;
}

GIGI_INLINE void chunker::remove_source(source_id id) {
    auto const found = sources_.find(id);
    if (found == sources_.end()) return;
    auto const owed = std::move(found->second.owed);
    sources_.erase(found);
    for (auto const chunk : owed) release(chunk);
}

GIGI_INLINE std::optional<chunk_range> chunker::next_request(source_id id, time_point now) {
    auto &source = sources_.at(id);
    if (source.owed_bytes > options_.window / 2) return std::nullopt;
    auto const range = missing_run(std::min(options_.window - source.owed_bytes, options_.largest_request));
    if (range)
        ask(source, *range, now);
    else if (source.owed.empty())
        return duplicate_request(source, now);
    return range;
}

GIGI_INLINE bool chunker::race_due(time_point now) const {
    bool idle = false, slow = false;
    for (auto const &[id, source] : sources_) {
        idle |= source.owed.empty();
        slow |= is_slow(source, now);
    }
    return idle && slow;
}

GIGI_INLINE chunker::verdict chunker::begin_chunk(source_id id, std::uint64_t chunk) {
    auto &source = sources_.at(id);
    if (source.owed.empty() || source.owed.front() != chunk) return verdict::unexpected;
    auto &now = states_[static_cast<std::size_t>(chunk)];
    if (now != state::asked && now != state::arriving) return verdict::superfluous;
    now = state::arriving;
    source.arriving = true;
    return verdict::wanted;
}

GIGI_INLINE bool chunker::end_chunk(source_id id, time_point now) {
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

GIGI_INLINE void chunker::note_progress(source_id id, std::size_t size, time_point now) {
    auto &source = sources_.at(id);
    source.received += size;
    if (source.received < options_.stall_bytes) return;
    source.received = 0;
    source.progress = now;
}

GIGI_INLINE void chunker::excuse(source_id id, duration span) {
    auto &source = sources_.at(id);
    source.progress += span;
    source.begun += span;
}

GIGI_INLINE void chunker::rejected(std::uint64_t chunk) {
    auto &now = states_[static_cast<std::size_t>(chunk)];
    if (now != state::arrived) return;
    if (owed_by(static_cast<std::uint32_t>(chunk)) > 0)
        now = state::asked;
    else
        make_missing(chunk);
}

GIGI_INLINE std::vector<chunker::source_id> chunker::stalled(time_point now) const {
    std::vector<source_id> out;
    for (auto const &[id, source] : sources_)
        if (!source.owed.empty() && now - source.progress >= options_.stall_timeout) out.push_back(id);
    return out;
}

GIGI_INLINE bool chunker::is_slow(line const &source, time_point now) const {
    return !source.owed.empty() && now - source.begun >= options_.race_after;
}

GIGI_INLINE void chunker::ask(line &from, chunk_range range, time_point now) {
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

GIGI_INLINE std::optional<chunk_range> chunker::missing_run(std::size_t limit) {
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

GIGI_INLINE std::optional<chunk_range> chunker::duplicate_request(line &idle, time_point now) {
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

GIGI_INLINE std::size_t chunker::owed_by(std::uint32_t chunk) const {
    std::size_t n = 0;
    for (auto const &[id, source] : sources_) n += std::ranges::find(source.owed, chunk) != source.owed.end() ? 1 : 0;
    return n;
}

GIGI_INLINE void chunker::release(std::uint32_t chunk) {
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

GIGI_INLINE void chunker::make_missing(std::uint64_t chunk) {
    states_[static_cast<std::size_t>(chunk)] = state::missing;
    first_missing_ = std::min(first_missing_, static_cast<std::size_t>(chunk));
}

GIGI_INLINE void chunker::complete(std::uint64_t chunk) {
    auto &now = states_[static_cast<std::size_t>(chunk)];
    if (now == state::done) return;
    now = state::done;
    ++done_;
    done_bytes_ += map_.size_of(chunk);
}

} // namespace gigi::inline v1
