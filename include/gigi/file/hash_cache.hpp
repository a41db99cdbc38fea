// gigi/file/hash_cache.hpp: the chunk hashes of shared files on the disk, so that a restart does not mean to read every file again.
//
// Layer: file. Blocking: run it on the offload pool. One file for each shared file, named by its root: its chunk hashes one after
// the other, an 8192nd of its size at most. What is read is proved against the root; what is damaged, cut off or missing is computed anew.
#pragma once

#include "../core/bytes.hpp"
#include "merkle.hpp"

#include <filesystem>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

namespace gigi::inline v1 {

class hash_cache {
  public:
    /// @param folder made when it is first needed; empty: nothing is kept
    explicit hash_cache(std::filesystem::path folder) : folder_{std::move(folder)} {}

    /// The hashes of a file, where they are kept and right.
    std::optional<file_hashes> load(merkle_hash const &root, chunk_map const &map) const;

    /// Keeps a file's hashes, in one step. @return as `replace_file`; a failure harms nothing
    std::error_code store(file_hashes const &hashes) const;
    void remove(merkle_hash const &root) const;

    /// Removes the hashes of all other files, which a process that died has left behind.
    void keep_only(std::set<merkle_hash> const &roots) const;

  private:
    std::filesystem::path path_of(merkle_hash const &root) const { return folder_ / to_hex(root); }

    std::filesystem::path folder_;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/hash_cache.ipp"
#endif
