// gigi/file/hash_cache.hpp: the chunk hashes of shared files on the disk, so that a restart does not mean to read every file again.
//
// Layer: file. Blocking: run it on the offload pool. One file for each shared file, named by its root: its chunk hashes one after
// the other, an 8192nd of its size at most. What is read is proved against the root; what is damaged, cut off or missing is computed anew.
#pragma once

#include "../core/bytes.hpp"
#include "../core/file_io.hpp"
#include "merkle.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

class hash_cache {
  public:
    /// @param folder made when it is first needed; empty: nothing is kept
    explicit hash_cache(std::filesystem::path folder) : folder_{std::move(folder)} {}

    /// The hashes of a file, where they are kept and right.
    std::optional<file_hashes> load(merkle_hash const &root, chunk_map const &map) const {
        if (folder_.empty()) return std::nullopt;
        auto const size = static_cast<std::size_t>(map.count()) * sizeof(merkle_hash);
        auto const kept = read_file(path_of(root), size);
        if (!kept || kept->size() != size) return std::nullopt;
        file_hashes hashes{map, root, std::vector<merkle_hash>(static_cast<std::size_t>(map.count()))};
        if (size > 0) std::memcpy(hashes.chunks.data(), kept->data(), size);
        if (root_of_chunks(map, hashes.chunks) != root) return std::nullopt;
        return hashes;
    }

    /// Keeps a file's hashes, in one step. @return as `replace_file`; a failure harms nothing
    std::error_code store(file_hashes const &hashes) const {
        if (folder_.empty()) return {};
        bytes content;
        content.reserve(hashes.chunks.size() * sizeof(merkle_hash));
        for (auto const &hash : hashes.chunks) append(content, hash);
        return replace_file(path_of(hashes.root), content);
    }

    void remove(merkle_hash const &root) const {
        std::error_code ignored;
        if (!folder_.empty()) std::filesystem::remove(path_of(root), ignored);
    }

    /// Removes the hashes of all other files, which a process that died has left behind.
    void keep_only(std::set<merkle_hash> const &roots) const {
        if (folder_.empty()) return;
        std::error_code code;
        std::vector<std::filesystem::path> stray;
        for (std::filesystem::directory_iterator it{folder_, code}, end; !code && it != end; it.increment(code)) {
            auto const root = from_hex(it->path().filename().string());
            if (!root || root->size() != sizeof(merkle_hash)) continue; // not ours
            merkle_hash hash;
            std::ranges::copy(*root, hash.begin());
            if (!roots.contains(hash)) stray.push_back(it->path());
        }
        for (auto const &path : stray) std::filesystem::remove(path, code);
    }

  private:
    std::filesystem::path path_of(merkle_hash const &root) const { return folder_ / to_hex(root); }

    std::filesystem::path folder_;
};

} // namespace gigi::inline v1
