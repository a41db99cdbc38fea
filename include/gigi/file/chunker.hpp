// gigi/file/chunker.hpp: decides which chunks of a file to ask which peer for.
//
// Layer: file. Sans-I/O: peers, answers and time go in, requests and verdicts come out. Each source gets runs of chunks,
// enough of them outstanding that its line never idles. What a lost source owed goes to the others. When nothing is left to
// hand out, idle sources get what the others are slowest with, so that one slow peer does not hold up the end.
#pragma once

#include "../core/clock.hpp"
#include "journal.hpp"
#include "merkle.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
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
    explicit chunker(chunk_map map, chunk_set done, chunker_options options = chunker_options());
    explicit chunker(chunk_map map) : chunker{map, chunk_set{map.count()}} {}

    source_id add_source(time_point now);
    /// Forgets a source: what it owes is asked of others.
    void remove_source(source_id id);
    std::size_t source_count() const noexcept { return sources_.size(); }

    /// What to ask a source for now; nothing while enough is under way, or there is nothing to do. Call it again until it
    /// returns nothing, and after every change.
    std::optional<chunk_range> next_request(source_id id, time_point now);
    /// Whether an idle source may now be asked for what another one takes too long about.
    bool race_due(time_point now) const;

    enum class verdict {
        wanted,      ///< take its bytes, verify them, and say `verified` or `rejected`
        superfluous, ///< another source was faster: read past its bytes
        unexpected,  ///< not what was asked for next: the source breaks the protocol
    };
    /// A source begins to send a chunk. Chunks come in the order in which they were asked for.
    verdict begin_chunk(source_id id, std::uint64_t chunk);
    /// All of the chunk that was begun is here.
    /// @return whether it is to be verified; otherwise another source was faster
    bool end_chunk(source_id id, time_point now);
    /// Whether a source has been asked for chunks that have not come yet.
    bool owes(source_id id) const { return !sources_.at(id).owed.empty(); }
    /// A source has sent so many bytes of a chunk.
    void note_progress(source_id id, std::size_t size, time_point now);
    /// So much time does not count against a source: we have not read from it.
    void excuse(source_id id, duration span);

    /// An arrived chunk has the right hash and is written.
    void verified(std::uint64_t chunk) { complete(chunk); }
    /// An arrived chunk is not what it should be, or could not be kept: it is asked for again.
    void rejected(std::uint64_t chunk);

    /// The sources that owe something and have sent next to nothing for too long.
    std::vector<source_id> stalled(time_point now) const;

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

    bool is_slow(line const &source, time_point now) const;
    void ask(line &from, chunk_range range, time_point now);

    /// The first run of missing chunks, of one chunk at least and else no more bytes than `limit`.
    std::optional<chunk_range> missing_run(std::size_t limit);

    /// The last chunk that the source with most to do owes: it is the one that would come last.
    std::optional<chunk_range> duplicate_request(line &idle, time_point now);
    std::size_t owed_by(std::uint32_t chunk) const;

    /// A source no longer owes a chunk.
    void release(std::uint32_t chunk);
    void make_missing(std::uint64_t chunk);
    void complete(std::uint64_t chunk);

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

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/chunker.ipp"
#endif
