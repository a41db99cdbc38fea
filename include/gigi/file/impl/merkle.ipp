// gigi/file/impl/merkle.ipp: what merkle.hpp declares.
#pragma once

#include "../merkle.hpp"

#include "../../core/config.hpp"
#include "../../crypto/hash.hpp"

#include <utility>

namespace gigi::inline v1 {

GIGI_INLINE merkle_hash merkle_parent(merkle_hash const &left, merkle_hash const &right) {
    std::array<std::uint8_t, 64> both;
    std::ranges::copy(left, both.begin());
    std::ranges::copy(right, both.begin() + 32);
    return sha256(both);
}

GIGI_INLINE merkle_hash const &empty_subtree(unsigned height) {
    static auto const table = [] {
        std::array<merkle_hash, 64> all{};
        for (std::size_t i = 1; i < all.size(); ++i) all[i] = merkle_parent(all[i - 1], all[i - 1]);
        return all;
    }();
    return table[height];
}

GIGI_INLINE void merkle_builder::add(merkle_hash node) {
    // Like counting in binary: a set bit of the count is a complete subtree that waits for its sibling.
    std::size_t level = 0;
    for (std::uint64_t n = count_; n & 1; n >>= 1, ++level) node = merkle_parent(waiting_[level], node);
    waiting_[level] = node;
    ++count_;
}

GIGI_INLINE merkle_hash merkle_builder::root(unsigned height) const {
    if (count_ == 0) return empty_subtree(0);
    unsigned const lowest = static_cast<unsigned>(std::countr_zero(count_));
    merkle_hash node = waiting_[lowest]; // complete, and a left child: its right sibling is empty
    for (unsigned level = lowest; base_ + level < height; ++level) {
        if (level > lowest && (count_ >> level & 1))
            node = merkle_parent(waiting_[level], node);
        else
            node = merkle_parent(node, empty_subtree(base_ + level));
    }
    return node;
}

GIGI_INLINE merkle_hash merkle_root(bytes_view data, unsigned height) {
    merkle_builder tree;
    for (; !data.empty(); data = data.subspan(std::min(data.size(), merkle_block_size)))
        tree.add(sha256(data.first(std::min(data.size(), merkle_block_size))));
    return tree.root(height);
}

GIGI_INLINE merkle_hash root_of_chunks(chunk_map const &map, std::span<merkle_hash const> chunks) {
    merkle_builder tree{map.chunk_height()};
    for (auto const &hash : chunks) tree.add(hash);
    return tree.root();
}

GIGI_INLINE layer_page make_layer_page(file_hashes const &file, std::uint64_t page) {
    auto const &map = file.map;
    std::span<merkle_hash const> const all{file.chunks};
    auto const part = [&](std::uint64_t n) {
        return all.subspan(static_cast<std::size_t>(n * layer_page_size), static_cast<std::size_t>(detail::hashes_in_page(map, n)));
    };
    layer_page out;
    out.hashes.assign(part(page).begin(), part(page).end());
    unsigned level = map.chunk_height() + detail::page_height(map);
    std::vector<merkle_hash> row; // the nodes of a level, without the empty ones on the right
    for (std::uint64_t n = 0; n < layer_page_count(map); ++n) {
        merkle_builder tree{map.chunk_height()};
        for (auto const &hash : part(n)) tree.add(hash);
        row.push_back(tree.root(level));
    }
    for (auto index = static_cast<std::size_t>(page); level < map.height(); ++level, index /= 2) {
        std::size_t const sibling = index ^ 1;
        out.proof.push_back(sibling < row.size() ? row[sibling] : empty_subtree(level));
        if (row.size() % 2) row.push_back(empty_subtree(level));
        for (std::size_t i = 0; i * 2 < row.size(); ++i) row[i] = merkle_parent(row[2 * i], row[2 * i + 1]);
        row.resize(row.size() / 2);
    }
    return out;
}

GIGI_INLINE bool verify_layer_page(merkle_hash const &root, chunk_map const &map, std::uint64_t page, layer_page const &sent) {
    if (page >= layer_page_count(map) || sent.hashes.size() != detail::hashes_in_page(map, page)) return false;
    unsigned level = map.chunk_height() + detail::page_height(map);
    if (sent.proof.size() != map.height() - level) return false;
    merkle_builder tree{map.chunk_height()};
    for (auto const &hash : sent.hashes) tree.add(hash);
    merkle_hash node = tree.root(level);
    for (auto const &sibling : sent.proof) {
        node = page & 1 ? merkle_parent(sibling, node) : merkle_parent(node, sibling);
        page >>= 1;
    }
    return node == root;
}

GIGI_INLINE file_hashes file_hasher::finish() && {
    merkle_hash const root = root_of_chunks(map_, chunks_);
    return {map_, root, std::move(chunks_)};
}

} // namespace gigi::inline v1
