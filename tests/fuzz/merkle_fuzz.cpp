// Hash trees and the journal: the builder agrees with the definition; every page of a layer proves itself, and nothing else does; a
// journal claims only chunks that the file has.
#include "fuzz.hpp"

#include <gigi/crypto/hash.hpp>
#include <gigi/file/journal.hpp>
#include <gigi/file/merkle.hpp>

namespace merkle_fuzz {

using namespace gigi;

namespace {

/// BEP 52, word for word.
merkle_hash by_definition(std::vector<merkle_hash> row, unsigned base) {
    if (row.empty()) return {};
    while (!std::has_single_bit(row.size())) row.push_back(empty_subtree(base));
    for (; row.size() > 1; row.resize(row.size() / 2))
        for (std::size_t i = 0; i < row.size() / 2; ++i) row[i] = merkle_parent(row[2 * i], row[2 * i + 1]);
    return row[0];
}

void tree(fuzz::input in) {
    unsigned const base = in.byte() % 16;
    std::vector<merkle_hash> nodes(in.number<std::uint16_t>() % 200);
    merkle_builder builder{base};
    for (auto &node : nodes) {
        node = sha256(in.take(4));
        builder.add(node);
    }
    FUZZ_CHECK(builder.count() == nodes.size() && builder.root() == by_definition(nodes, base));
    if (nodes.empty()) return;
    auto const height = base + tree_height(nodes.size());
    FUZZ_CHECK(builder.root(height + 1) == merkle_parent(builder.root(), empty_subtree(height)));
}

void content(fuzz::input in) {
    bytes data;
    auto const part = in.part();
    for (std::size_t n = in.number<std::uint16_t>() % 400; n > 0 && !part.empty(); --n) append(data, part);
    std::vector<merkle_hash> leaves;
    for (bytes_view rest = data; !rest.empty(); rest = rest.subspan(std::min(rest.size(), merkle_block_size)))
        leaves.push_back(sha256(rest.first(std::min(rest.size(), merkle_block_size))));
    FUZZ_CHECK(merkle_root(data, tree_height(leaves.size())) == by_definition(leaves, 0));
    file_hasher hasher{chunk_map::of(data.size())};
    if (!data.empty()) hasher.add_chunk(data);
    auto const hashed = std::move(hasher).finish();
    FUZZ_CHECK(hashed.root == by_definition(leaves, 0));
}

void pages(fuzz::input in) {
    // Mostly a few chunks, sometimes enough for several pages; the hashes of the chunks are any.
    std::uint64_t const chunks = in.byte() < 250 ? 1 + in.byte() : 4090 + in.number<std::uint16_t>() % 9000;
    file_hashes file;
    file.map = {chunks * chunk_map::least_chunk_size - in.number<std::uint16_t>(), chunk_map::least_chunk_size};
    auto const some = in.part();
    for (std::uint64_t i = 0; i < file.map.count(); ++i) {
        merkle_hash hash{static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8)};
        if (!some.empty()) hash[2] = some[static_cast<std::size_t>(i % some.size())];
        file.chunks.push_back(hash);
    }
    if (chunks == 1) file.map.size = std::max<std::uint64_t>(file.map.size, 1);
    file.root = root_of_chunks(file.map, file.chunks);
    auto const count = layer_page_count(file.map);
    auto const n = in.below(static_cast<std::size_t>(count));
    auto const page = make_layer_page(file, n);
    FUZZ_CHECK(verify_layer_page(file.root, file.map, n, page));
    FUZZ_CHECK(!verify_layer_page(file.root, file.map, count, page));
    auto forged = page;
    auto const what = in.byte();
    auto const at = in.number<std::uint32_t>();
    switch (what % 6) {
    case 0: forged.hashes[at % forged.hashes.size()][at >> 16 & 31] ^= 1; break;
    case 1:
        if (forged.proof.empty()) return;
        forged.proof[at % forged.proof.size()][at >> 16 & 31] ^= 0x80;
        break;
    case 2: forged.hashes.pop_back(); break;
    case 3: forged.hashes.emplace_back(); break;
    case 4: forged.proof.emplace_back(); break;
    default: {
        if (count == 1) return;
        auto const other = (n + 1) % count;
        FUZZ_CHECK(!verify_layer_page(file.root, file.map, other, page) || page.hashes == make_layer_page(file, other).hashes);
        return;
    }
    }
    FUZZ_CHECK(!verify_layer_page(file.root, file.map, n, forged));
}

void a_journal(fuzz::input in) {
    auto const raw = in.long_part();
    if (auto const header = journal_header::decode(raw)) {
        FUZZ_CHECK(header->map.valid() && equal(header->encode(), raw.first(journal_header::encoded_size)));
    }
    // And a sound header, with any records.
    journal_header header;
    header.map = chunk_map::of(in.number<std::uint64_t>() >> (20 + in.byte() % 40));
    if (!in.empty()) header.root[5] = in.byte();
    auto const encoded = header.encode();
    auto const again = journal_header::decode(encoded);
    FUZZ_CHECK(again && again->map == header.map && again->root == header.root);
    bytes records;
    std::size_t intact = 0;
    while (!in.empty()) {
        auto const op = in.byte();
        if (op % 4 == 0) {
            append(records, in.part());
            continue;
        }
        auto const chunk = in.number<std::uint32_t>() % 5000;
        if (records.size() % journal_record_size == 0 && chunk < header.map.count()) ++intact;
        append(records, encode_journal_record(chunk));
    }
    if (header.map.count() > 100'000) return;
    auto const claimed = decode_journal_records(records, header.map);
    FUZZ_CHECK(claimed.capacity() == header.map.count() && claimed.size() <= std::min<std::uint64_t>(records.size() / journal_record_size, header.map.count()));
    FUZZ_CHECK(intact == 0 || claimed.size() > 0);
}

} // namespace

FUZZ_TARGET(merkle) {
    fuzz::input in{data};
    switch (in.byte() % 4) {
    case 0: return tree(in);
    case 1: return content(in);
    case 2: return pages(in);
    default: return a_journal(in);
    }
}

FUZZ_SEEDS {
    journal_header header;
    header.map = chunk_map::of(10'000'000);
    fuzz::script nodes, text, page, large, kept;
    nodes.byte(0).byte(4).number(std::uint16_t{77}).raw("some bytes");
    text.byte(1).part("a block of some content").number(std::uint16_t{399});
    page.byte(2).byte(0).byte(100).number(std::uint16_t{7}).part("x").byte(0).byte(0).number(std::uint32_t{5});
    large.byte(2).byte(255).number(std::uint16_t{5000}).number(std::uint16_t{7}).part("x").byte(1).byte(1).number(std::uint32_t{5});
    kept.byte(3).long_part(header.encode()).number(std::uint64_t{10'000'000} << 20).byte(0).byte(9).byte(1).number(std::uint32_t{3}).byte(0).part("torn").byte(1).number(std::uint32_t{4});
    return {nodes, text, page, large, kept};
}

} // namespace merkle_fuzz
