// gigi/file/download_options.hpp: how a download behaves, and what it tells of itself.
//
// Layer: file.
#pragma once

#include "../core/clock.hpp"
#include "chunker.hpp"
#include "merkle.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace gigi::inline v1 {

struct download_options {
    std::uint64_t max_size = chunk_map::largest_file;     ///< of the file, in bytes; of a larger one nothing is written
    chunker_options requests;
    duration answer_timeout = std::chrono::minutes{2};    ///< for an answer that is not a chunk: the server may have to hash first
    duration prepare_stagger = std::chrono::seconds{5};   ///< before the next source is asked for the chunks' hashes, too
    std::size_t max_sources = 8;                          ///< used at once; further ones come in where those end, or make room
    duration yield_after = std::chrono::minutes{1};       ///< a source that has given no chunk for so long makes room for one that waits; each time, it has twice as long
    std::size_t verifying = 4;                            ///< chunks being verified and written at once, each up to 4 MiB
    unsigned max_reopens = 3;                             ///< a source's stream is opened again so often without a new chunk
    duration reopen_pause = std::chrono::milliseconds{500};
    duration progress_interval = std::chrono::milliseconds{100};
    bool keep_unfinished = true;                          ///< of a file that fails, for the next attempt, where a chunk of it is there
};

/// How a download stands.
struct download_state {
    std::string name;        ///< safe
    std::uint64_t size = 0;
    std::uint64_t bytes = 0; ///< verified and written
    double rate = 0;         ///< bytes a second, over the last seconds
    std::size_t sources = 0; ///< peers that are sending
};

struct downloaded_file {
    std::filesystem::path path;
    std::string name; ///< as the peer calls it, made safe; the path's last part may have a number
    std::uint64_t size = 0;
};

/// Called on the strand: when the file is known, then while it grows.
struct download_callbacks {
    std::function<void(download_state const &)> started;
    std::function<void(download_state const &)> progress;
};

} // namespace gigi::inline v1
