// gigi/file/journal.hpp: what a download remembers, so that it can go on after a crash.
//
// Layer: file. Sans-I/O. A header of 64 bytes and then 8 bytes for every chunk that was written, in any order. Neither is
// believed blindly: whoever resumes hashes the chunks that the journal claims.
#pragma once

#include "../core/bytes.hpp"
#include "merkle.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace gigi::inline v1 {

/// A set of a file's chunks.
class chunk_set {
  public:
    chunk_set() = default;
    explicit chunk_set(std::uint64_t count) : bits_(static_cast<std::size_t>(count)) {}

    /// Adds a chunk; false where it was there.
    bool insert(std::uint64_t chunk);
    void erase(std::uint64_t chunk);
    bool contains(std::uint64_t chunk) const { return bits_[static_cast<std::size_t>(chunk)]; }
    std::uint64_t size() const noexcept { return held_; }
    std::uint64_t capacity() const noexcept { return bits_.size(); } ///< chunks of the file
    bool full() const noexcept { return held_ == bits_.size(); }

  private:
    std::vector<bool> bits_;
    std::uint64_t held_ = 0;
};

/// The journal's header.
struct journal_header {
    static constexpr std::size_t encoded_size = 64;
    merkle_hash root{};
    chunk_map map;

    bool operator==(journal_header const &) const = default;

    std::array<std::uint8_t, encoded_size> encode() const;
    /// The header at the front of a journal; nothing where it is damaged.
    static std::optional<journal_header> decode(bytes_view data);

    static constexpr std::string_view magic = "gigi-dl1";
};

inline constexpr std::size_t journal_record_size = 8;

/// The record of one written chunk.
std::array<std::uint8_t, journal_record_size> encode_journal_record(std::uint32_t chunk);

/// The chunks that a journal's records claim; damaged records and those of other files are passed over.
chunk_set decode_journal_records(bytes_view records, chunk_map const &map);

/// The largest journal that is read: every chunk twice.
std::uint64_t max_journal_size(chunk_map const &map) noexcept;

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/journal.ipp"
#endif
