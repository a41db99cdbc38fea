// gigi/file/chunk_store.hpp: keeps the chunks of a download: verifies them and writes them, on the offload pool.
//
// Layer: file. The coroutine shell of output_file.hpp.
#pragma once

#include "../core/asio.hpp"
#include "../core/offload.hpp"
#include "messages.hpp"
#include "output_file.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

/// The chunks of one file that have been verified, and where they are kept. `keep` may run several times at once.
class chunk_store {
  public:
    /// @param hashes of the chunks, as proved against the manifest's root
    chunk_store(any_io_executor pool, manifest of, std::vector<merkle_hash> hashes)
        : pool_{std::move(pool)}, manifest_{std::move(of)}, map_{manifest_.map()}, hashes_{std::move(hashes)} {}
    chunk_store(chunk_store const &) = delete;

    /// Opens the file, new or as an earlier attempt left it.
    /// @return the chunks that are there and have the right hashes @throws error as `output_file::open`
    [[nodiscard]] awaitable<chunk_set> open(std::filesystem::path folder) {
        auto const work = [&] {
            auto opened = output_file::open(folder, manifest_.name, manifest_.root, map_);
            if (!opened) throw error{opened.error(), folder.string()};
            file_ = std::move(*opened);
        };
        co_await run_on(pool_, work);
        chunk_set done{map_.count()};
        bytes buffer;
        std::uint64_t next = 0;
        auto const verify = [&] { // some 16 MiB at a time
            buffer.resize(map_.chunk_size);
            for (std::uint64_t read = 0; next < map_.count() && read < (16u << 20); ++next) {
                if (!file_->claimed().contains(next)) continue;
                auto const chunk = mutable_bytes{buffer}.first(map_.size_of(next));
                read += chunk.size();
                if (!file_->read_chunk(next, chunk) && matches(next, chunk)) done.insert(next);
            }
        };
        while (next < map_.count() && file_->claimed().size() > 0) co_await run_on(pool_, verify);
        co_return done;
    }

    /// Writes a chunk if its hash is right. @return whether it is
    /// @throws error: `errc::disk_full`, `errc::io_error`
    /// @par Lifetime `data` must live until this returns.
    [[nodiscard]] awaitable<bool> keep(std::uint64_t chunk, bytes_view data) {
        auto const work = [&] {
            if (!matches(chunk, data)) return false;
            if (auto const code = file_->write_chunk(chunk, data)) throw error{code, file_->name()};
            return true;
        };
        bool const good = co_await run_on(pool_, work);
        co_return good;
    }

    /// Gives the complete file its name. @return its path @throws error as `output_file::finish`
    [[nodiscard]] awaitable<std::filesystem::path> finish() {
        auto const work = [this] { return file_->finish().value(); };
        return run_on(pool_, work);
    }

    manifest const &of() const noexcept { return manifest_; }
    chunk_map const &map() const noexcept { return map_; }
    std::string const &name() const noexcept { return file_->name(); } ///< the safe name

  private:
    bool matches(std::uint64_t chunk, bytes_view data) const {
        return merkle_root(data, map_.chunk_height()) == hashes_[static_cast<std::size_t>(chunk)];
    }

    any_io_executor pool_;
    manifest manifest_;
    chunk_map map_;
    std::vector<merkle_hash> hashes_;
    std::unique_ptr<output_file> file_;
};

} // namespace gigi::inline v1
