// gigi/file/impl/journal.ipp: what journal.hpp declares.
#pragma once

#include "../journal.hpp"

#include "../../core/config.hpp"
#include "../../crypto/hash.hpp"

namespace gigi::inline v1 {

GIGI_INLINE bool chunk_set::insert(std::uint64_t chunk) {
    auto const bit = bits_[static_cast<std::size_t>(chunk)];
    if (bit) return false;
    bits_[static_cast<std::size_t>(chunk)] = true;
    ++held_;
    return true;
}

GIGI_INLINE void chunk_set::erase(std::uint64_t chunk) {
    if (!contains(chunk)) return;
    bits_[static_cast<std::size_t>(chunk)] = false;
    --held_;
}

GIGI_INLINE std::array<std::uint8_t, journal_header::encoded_size> journal_header::encode() const {
    std::array<std::uint8_t, encoded_size> out{};
    std::ranges::copy(as_bytes(magic), out.begin());
    std::ranges::copy(root, out.begin() + 8);
    store_be(out.data() + 40, map.size);
    store_be(out.data() + 48, map.chunk_size);
    auto const check = sha256(bytes_view{out}.first(52));
    std::copy_n(check.begin(), 12, out.begin() + 52);
    return out;
}

GIGI_INLINE std::optional<journal_header> journal_header::decode(bytes_view data) {
    if (data.size() < encoded_size || !equal(data.first(8), as_bytes(magic))) return std::nullopt;
    auto const check = sha256(data.first(52));
    if (!equal(data.subspan(52, 12), bytes_view{check}.first(12))) return std::nullopt;
    journal_header header;
    std::ranges::copy(data.subspan(8, 32), header.root.begin());
    header.map = {load_be<std::uint64_t>(data.data() + 40), load_be<std::uint32_t>(data.data() + 48)};
    if (!header.map.valid()) return std::nullopt;
    return header;
}

GIGI_INLINE std::array<std::uint8_t, journal_record_size> encode_journal_record(std::uint32_t chunk) {
    std::array<std::uint8_t, journal_record_size> out;
    store_be(out.data(), chunk);
    store_be(out.data() + 4, static_cast<std::uint32_t>(~chunk * 2654435761u)); // tells a torn record; the hash tells the truth
    return out;
}

GIGI_INLINE chunk_set decode_journal_records(bytes_view records, chunk_map const &map) {
    chunk_set claimed{map.count()};
    for (; records.size() >= journal_record_size; records = records.subspan(journal_record_size)) {
        auto const chunk = load_be<std::uint32_t>(records.data());
        auto const intact = encode_journal_record(chunk);
        if (chunk < map.count() && equal(records.first(journal_record_size), intact)) claimed.insert(chunk);
    }
    return claimed;
}

GIGI_INLINE std::uint64_t max_journal_size(chunk_map const &map) noexcept {
    return journal_header::encoded_size + 2 * journal_record_size * map.count();
}

} // namespace gigi::inline v1
