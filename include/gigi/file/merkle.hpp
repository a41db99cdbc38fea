// gigi/file/merkle.hpp: a file's hash tree: its root, its layer of chunk hashes, and proofs that pages of the layer belong to the root.
//
// Layer: file. Sans-I/O. Spec: BEP 52 ("BitTorrent v2"), "pieces root" and "piece layers": SHA-256 over blocks of 16 KiB (the
// last one shorter), in a binary tree whose missing leaves are 32 zero bytes. An empty file, which BEP 52 gives no root,
// has 32 zero bytes.
#pragma once

#include "../core/bytes.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace gigi::inline v1 {

using merkle_hash = std::array<std::uint8_t, 32>;

inline constexpr std::size_t merkle_block_size = std::size_t{16} << 10;

/// The hash of two nodes' parent.
merkle_hash merkle_parent(merkle_hash const &left, merkle_hash const &right);

/// The root of a tree of the height (0: a leaf) that has no blocks at all.
merkle_hash const &empty_subtree(unsigned height);

/// The height of the smallest balanced tree with so many leaves.
constexpr unsigned tree_height(std::uint64_t leaves) noexcept {
    return leaves <= 1 ? 0 : static_cast<unsigned>(std::bit_width(leaves - 1));
}

/// Adds nodes of one height from left to right, and gives the root above them.
class merkle_builder {
  public:
    /// @param height of the nodes that are added: 0 for leaves
    explicit merkle_builder(unsigned height = 0) noexcept : base_{height} {}

    void add(merkle_hash node);

    std::uint64_t count() const noexcept { return count_; }

    /// The root of the tree of `height` above the leaves, its missing nodes empty. 32 zero bytes where nothing was added.
    /// @param height at least what the nodes need
    merkle_hash root(unsigned height) const;
    /// The root of the smallest balanced tree.
    merkle_hash root() const { return root(base_ + tree_height(count_)); }

  private:
    unsigned base_;
    std::uint64_t count_ = 0;
    std::array<merkle_hash, 64> waiting_{};
};

/// The root above the blocks of `data`, in a tree of the height (at least what the blocks need).
merkle_hash merkle_root(bytes_view data, unsigned height);

/// How a file of a known size is cut into chunks, which are what is requested, verified and written.
///
/// The chunk size is a power of two; every chunk but the last has it. It does not change the file's root.
struct chunk_map {
    static constexpr std::uint32_t least_chunk_size = std::uint32_t{256} << 10;
    static constexpr std::uint32_t largest_chunk_size = std::uint32_t{4} << 20;
    static constexpr std::uint64_t largest_file = std::uint64_t{1} << 44; ///< 16 TiB
    static constexpr std::uint64_t most_chunks = largest_file / largest_chunk_size;

    std::uint64_t size = 0;                       ///< of the file, in bytes
    std::uint32_t chunk_size = least_chunk_size;  ///< in bytes

    /// The smallest chunk size that makes at most 4096 chunks, between 256 KiB and 4 MiB.
    static constexpr chunk_map of(std::uint64_t size) noexcept {
        chunk_map map{size, least_chunk_size};
        while (map.chunk_size < largest_chunk_size && map.count() > 4096) map.chunk_size *= 2;
        return map;
    }
    /// Whether a peer's numbers are possible.
    constexpr bool valid() const noexcept {
        return size <= largest_file && std::has_single_bit(chunk_size) && chunk_size >= least_chunk_size &&
               chunk_size <= largest_chunk_size && count() <= most_chunks;
    }

    constexpr std::uint64_t count() const noexcept { return size / chunk_size + (size % chunk_size != 0); }
    constexpr std::uint64_t offset(std::uint64_t chunk) const noexcept { return chunk * chunk_size; }
    /// The size of a chunk, which must exist.
    constexpr std::size_t size_of(std::uint64_t chunk) const noexcept {
        return static_cast<std::size_t>(std::min<std::uint64_t>(chunk_size, size - offset(chunk)));
    }
    /// The height of a chunk's tree; a file of one chunk has the smallest tree of its own.
    constexpr unsigned chunk_height() const noexcept {
        if (count() <= 1) return tree_height((size + merkle_block_size - 1) / merkle_block_size);
        return static_cast<unsigned>(std::countr_zero(chunk_size / merkle_block_size));
    }
    /// The height of the whole tree.
    constexpr unsigned height() const noexcept { return chunk_height() + tree_height(count()); }

    bool operator==(chunk_map const &) const = default;
};

/// A file's root, and its chunks' roots ("piece layer") from left to right.
struct file_hashes {
    chunk_map map;
    merkle_hash root{};
    std::vector<merkle_hash> chunks;
};

/// The root above a layer of chunk hashes.
merkle_hash root_of_chunks(chunk_map const &map, std::span<merkle_hash const> chunks);

inline constexpr std::uint64_t layer_page_size = 4096; ///< chunk hashes in a page: 128 KiB

constexpr std::uint64_t layer_page_count(chunk_map const &map) noexcept {
    return (map.count() + layer_page_size - 1) / layer_page_size;
}

/// A part of a layer, and the siblings on the way from its subtree up to the root.
struct layer_page {
    std::vector<merkle_hash> hashes;
    std::vector<merkle_hash> proof; ///< from below to above
};

namespace detail {

/// The height above the chunks' of a page's subtree.
constexpr unsigned page_height(chunk_map const &map) noexcept {
    return std::min(tree_height(map.count()), static_cast<unsigned>(std::countr_zero(layer_page_size)));
}
constexpr std::uint64_t hashes_in_page(chunk_map const &map, std::uint64_t page) noexcept {
    return std::min(layer_page_size, map.count() - page * layer_page_size);
}

} // namespace detail

/// A page of a file's layer, with its proof. @param page less than `layer_page_count`
layer_page make_layer_page(file_hashes const &file, std::uint64_t page);

/// Whether a page that a peer sent belongs, at its place, to the file with the root.
bool verify_layer_page(merkle_hash const &root, chunk_map const &map, std::uint64_t page, layer_page const &sent);

/// Hashes a file that is read from front to back. The size must be known beforehand, as it decides the chunks.
class file_hasher {
  public:
    explicit file_hasher(chunk_map map) : map_{map} {}

    /// Adds the next chunk: all of it, in order. @param chunk `map.size_of(n)` bytes for the n-th call
    void add_chunk(bytes_view chunk) { chunks_.push_back(merkle_root(chunk, map_.chunk_height())); }

    /// The hashes, once every chunk has been added.
    file_hashes finish() &&;

    std::uint64_t chunks_done() const noexcept { return chunks_.size(); }

  private:
    chunk_map map_;
    std::vector<merkle_hash> chunks_;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/merkle.ipp"
#endif
