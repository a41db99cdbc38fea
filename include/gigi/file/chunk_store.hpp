// gigi/file/chunk_store.hpp: keeps the chunks of a download: verifies them and writes them, on the offload pool.
//
// Layer: file. The coroutine shell of output_file.hpp.
#pragma once

#include "../core/asio.hpp"
#include "messages.hpp"
#include "output_file.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace gigi::inline v1 {

/// The chunks of one file that have been verified, and where they are kept. `keep` may run several times at once.
class chunk_store {
  public:
    /// @param hashes of the chunks, as proved against the manifest's root
    chunk_store(any_io_executor pool, manifest of, std::vector<merkle_hash> hashes);
    chunk_store(chunk_store const &) = delete;

    /// Opens the file, new or as an earlier attempt left it.
    /// @return the chunks that are there and have the right hashes @throws error as `output_file::open`
    [[nodiscard]] awaitable<chunk_set> open(std::filesystem::path folder);

    /// @return whether the chunk has the right hash @par Lifetime `data` must live until this returns.
    [[nodiscard]] awaitable<bool> verify(std::uint64_t chunk, bytes_view data) const;

    /// Writes a chunk if its hash is right. @return whether it is
    /// @throws error: `errc::disk_full`, `errc::io_error`
    /// @par Lifetime `data` must live until this returns.
    [[nodiscard]] awaitable<bool> keep(std::uint64_t chunk, bytes_view data);

    /// Gives the complete file its name. @return its path @throws error as `output_file::finish`
    [[nodiscard]] awaitable<std::filesystem::path> finish();

    /// Removes what has been written, but not what an earlier attempt left.
    [[nodiscard]] awaitable<void> discard();

    manifest const &of() const noexcept { return manifest_; }
    chunk_map const &map() const noexcept { return map_; }
    std::string const &name() const noexcept { return file_->name(); } ///< the safe name

  private:
    bool matches(std::uint64_t chunk, bytes_view data) const;

    any_io_executor pool_;
    manifest manifest_;
    chunk_map map_;
    std::vector<merkle_hash> hashes_;
    std::unique_ptr<output_file> file_;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/chunk_store.ipp"
#endif
