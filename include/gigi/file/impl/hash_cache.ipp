// gigi/file/impl/hash_cache.ipp: what hash_cache.hpp declares.
#pragma once

#include "../hash_cache.hpp"

#include "../../core/config.hpp"
#include "../../core/file_io.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

namespace gigi::inline v1 {

GIGI_INLINE std::optional<file_hashes> hash_cache::load(merkle_hash const &root, chunk_map const &map) const {
    if (folder_.empty()) return std::nullopt;
    auto const size = static_cast<std::size_t>(map.count()) * sizeof(merkle_hash);
    auto const kept = read_file(path_of(root), size);
    if (!kept || kept->size() != size) return std::nullopt;
    file_hashes hashes{map, root, std::vector<merkle_hash>(static_cast<std::size_t>(map.count()))};
    if (size > 0) std::memcpy(hashes.chunks.data(), kept->data(), size);
    if (root_of_chunks(map, hashes.chunks) != root) return std::nullopt;
    return hashes;
}

GIGI_INLINE std::error_code hash_cache::store(file_hashes const &hashes) const {
    if (folder_.empty()) return {};
    bytes content;
    content.reserve(hashes.chunks.size() * sizeof(merkle_hash));
    for (auto const &hash : hashes.chunks) append(content, hash);
    return replace_file(path_of(hashes.root), content);
}

GIGI_INLINE void hash_cache::remove(merkle_hash const &root) const {
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove(path_of(root), ignored);
}

GIGI_INLINE void hash_cache::keep_only(std::set<merkle_hash> const &roots) const {
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

} // namespace gigi::inline v1
