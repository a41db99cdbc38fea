#include <gigi/file/journal.hpp>

#include <doctest/doctest.h>

#include <ostream>
#include <random>

namespace journal_test {

using namespace gigi;

namespace {

journal_header sample() {
    journal_header header;
    for (std::size_t i = 0; i < 32; ++i) header.root[i] = static_cast<std::uint8_t>(i * 7);
    header.map = {(std::uint64_t{5} << 30) + 3, 2 << 20};
    return header;
}

} // namespace

TEST_CASE("journal: the header reads back, and any damage shows") {
    auto const raw = sample().encode();
    auto const back = journal_header::decode(raw);
    REQUIRE(back);
    CHECK(back->root == sample().root);
    CHECK(back->map == sample().map);
    for (std::size_t i = 0; i < raw.size(); ++i) {
        auto damaged = raw;
        damaged[i] ^= 0x10;
        CHECK(!journal_header::decode(damaged));
        CHECK(!journal_header::decode(bytes_view{raw}.first(i)));
    }
    auto huge = sample();
    huge.map.size = ~std::uint64_t{0};
    CHECK(!journal_header::decode(huge.encode())); // its sum is right, its numbers are impossible
}

TEST_CASE("journal: records in any order, damaged ones passed over") {
    chunk_map const map{20 * chunk_map::least_chunk_size, chunk_map::least_chunk_size};
    bytes records;
    for (std::uint32_t chunk : {7u, 0u, 19u, 7u}) append(records, encode_journal_record(chunk));
    append(records, bytes(8, 0));                    // a hole: zeros are not chunk 0
    append(records, encode_journal_record(20));      // outside
    append(records, encode_journal_record(0xffffffff));
    auto torn = encode_journal_record(5);
    torn[6] ^= 1;
    append(records, torn);
    append(records, encode_journal_record(11));
    append(records, bytes_view{encode_journal_record(12)}.first(5)); // cut off
    auto const claimed = decode_journal_records(records, map);
    CHECK(claimed.size() == 4);
    for (std::uint64_t chunk : {0u, 7u, 11u, 19u}) CHECK(claimed.contains(chunk));
    CHECK(decode_journal_records({}, map).size() == 0);
    CHECK(decode_journal_records(records, chunk_map{}).size() == 0);
}

TEST_CASE("chunk set: counts what it holds") {
    std::mt19937 random{1};
    chunk_set set{100};
    std::vector<bool> model(100);
    for (int i = 0; i < 3000; ++i) {
        auto const chunk = random() % 100;
        if (random() % 2) {
            CHECK(set.insert(chunk) == !model[chunk]);
            model[chunk] = true;
        } else {
            set.erase(chunk);
            model[chunk] = false;
        }
        CHECK(set.contains(chunk) == model[chunk]);
        CHECK(set.size() == static_cast<std::uint64_t>(std::count(model.begin(), model.end(), true)));
    }
    for (std::uint64_t i = 0; i < 100; ++i) set.insert(i);
    CHECK(set.full());
    CHECK(chunk_set{0}.full());
}

} // namespace journal_test
