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
    bool insert(std::uint64_t chunk) {
        auto const bit = bits_[static_cast<std::size_t>(chunk)];
        if (bit) return false;
        bits_[static_cast<std::size_t>(chunk)] = true;
        ++held_;
        return true;
    }
    void erase(std::uint64_t chunk) {
        if (!contains(chunk)) return;
        bits_[static_cast<std::size_t>(chunk)] = false;
        --held_;
    }
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

    std::array<std::uint8_t, encoded_size> encode() const {
        std::array<std::uint8_t, encoded_size> out{};
        std::ranges::copy(as_bytes(magic), out.begin());
        std::ranges::copy(root, out.begin() + 8);
        store_be(out.data() + 40, map.size);
        store_be(out.data() + 48, map.chunk_size);
        auto const check = sha256(bytes_view{out}.first(52));
        std::copy_n(check.begin(), 12, out.begin() + 52);
        return out;
    }
    /// The header at the front of a journal; nothing where it is damaged.
    static std::optional<journal_header> decode(bytes_view data) {
        if (data.size() < encoded_size || !equal(data.first(8), as_bytes(magic))) return std::nullopt;
        auto const check = sha256(data.first(52));
        if (!equal(data.subspan(52, 12), bytes_view{check}.first(12))) return std::nullopt;
        journal_header header;
        std::ranges::copy(data.subspan(8, 32), header.root.begin());
        header.map = {load_be<std::uint64_t>(data.data() + 40), load_be<std::uint32_t>(data.data() + 48)};
        if (!header.map.valid()) return std::nullopt;
        return header;
    }

    static constexpr std::string_view magic = "gigi-dl1";
};

inline constexpr std::size_t journal_record_size = 8;

/// The record of one written chunk.
inline std::array<std::uint8_t, journal_record_size> encode_journal_record(std::uint32_t chunk) {
    std::array<std::uint8_t, journal_record_size> out;
    store_be(out.data(), chunk);
    store_be(out.data() + 4, static_cast<std::uint32_t>(~chunk * 2654435761u)); // tells a torn record; the hash tells the truth
    return out;
}

/// The chunks that a journal's records claim; damaged records and those of other files are passed over.
inline chunk_set decode_journal_records(bytes_view records, chunk_map const &map) {
    chunk_set claimed{map.count()};
    for (; records.size() >= journal_record_size; records = records.subspan(journal_record_size)) {
        auto const chunk = load_be<std::uint32_t>(records.data());
        auto const intact = encode_journal_record(chunk);
        if (chunk < map.count() && equal(records.first(journal_record_size), intact)) claimed.insert(chunk);
    }
    return claimed;
}

/// The largest journal that is read: every chunk twice.
inline std::uint64_t max_journal_size(chunk_map const &map) noexcept {
    return journal_header::encoded_size + 2 * journal_record_size * map.count();
}

} // namespace gigi::inline v1
