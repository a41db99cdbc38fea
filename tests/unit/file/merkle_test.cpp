#include <gigi/file/merkle.hpp>

#include <gigi/crypto/hash.hpp>

#include <doctest/doctest.h>

#include <ostream>
#include <random>

namespace merkle_test {

using namespace gigi;

namespace {

constexpr std::size_t KiB = 1024, block = 16 * KiB;

bytes content(std::size_t size, unsigned seed = 1) {
    bytes out(size);
    std::mt19937 random{seed};
    for (auto &b : out) b = static_cast<std::uint8_t>(random());
    return out;
}

/// BEP 52 by its definition, top down: a tree over 2^height leaves, missing ones zero.
merkle_hash reference(bytes_view data, unsigned height) {
    if (height == 0) return data.empty() ? merkle_hash{} : sha256(data);
    std::size_t const half = std::min(data.size(), block << (height - 1));
    return merkle_parent(reference(data.first(half), height - 1), reference(data.subspan(half), height - 1));
}
merkle_hash reference(bytes_view data) {
    unsigned height = 0;
    while ((block << height) < data.size()) ++height;
    return reference(data, height);
}

file_hashes hashed(bytes_view data, chunk_map map) {
    file_hasher hasher{map};
    for (std::uint64_t i = 0; i < map.count(); ++i)
        hasher.add_chunk(data.subspan(static_cast<std::size_t>(map.offset(i)), map.size_of(i)));
    return std::move(hasher).finish();
}

std::string hex(merkle_hash const &hash) { return to_hex(hash); }

/// A layer of a file that need not exist.
file_hashes invented(std::uint64_t chunks, unsigned seed) {
    file_hashes file;
    file.map = {chunks * chunk_map::least_chunk_size - 5, chunk_map::least_chunk_size};
    std::mt19937 random{seed};
    for (std::uint64_t i = 0; i < chunks; ++i) {
        merkle_hash hash;
        for (auto &b : hash) b = static_cast<std::uint8_t>(random());
        file.chunks.push_back(hash);
    }
    file.root = root_of_chunks(file.map, file.chunks);
    return file;
}

} // namespace

TEST_CASE("merkle: known roots") {
    CHECK(hex(hashed({}, chunk_map::of(0)).root) == std::string(64, '0'));
    // One block: SHA-256 itself (FIPS 180 "abc").
    CHECK(hex(hashed(as_bytes("abc"), chunk_map::of(3)).root) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    // The zero subtrees are those of every SHA-256 merkle tree over zero leaves (Ethereum's deposit contract among them).
    CHECK(hex(empty_subtree(1)) == "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b");
    CHECK(hex(empty_subtree(2)) == "db56114e00fdd4c1f85c892bf35ac9a89289aaecb1ebd0a96cde606a748b5d71");
}

TEST_CASE("merkle: agrees with the definition at every edge, whatever the chunk size") {
    std::size_t const sizes[] = {1, block - 1, block, block + 1, 2 * block, 3 * block, 5 * block + 7, 256 * KiB - 1, 256 * KiB, 256 * KiB + 1,
                                 512 * KiB, 512 * KiB + 1, 768 * KiB, 1024 * KiB, 1280 * KiB + 33, 3000 * KiB};
    for (std::size_t size : sizes) {
        CAPTURE(size);
        bytes const data = content(size);
        auto const wanted = reference(data);
        for (std::uint32_t chunk_size = chunk_map::least_chunk_size; chunk_size <= chunk_map::largest_chunk_size; chunk_size *= 2) {
            chunk_map const map{size, chunk_size};
            auto const file = hashed(data, map);
            CHECK(hex(file.root) == hex(wanted));
            CHECK(file.chunks.size() == map.count());
            if (map.count() > 1)
                for (std::uint64_t i = 0; i < map.count(); ++i) {
                    auto const part = bytes_view{data}.subspan(static_cast<std::size_t>(map.offset(i)), map.size_of(i));
                    CHECK(file.chunks[static_cast<std::size_t>(i)] == reference(part, map.chunk_height()));
                }
        }
    }
}

TEST_CASE("merkle: the chunk map covers the file") {
    struct row {
        std::uint64_t size;
        std::uint32_t chunk_size;
        std::uint64_t count;
    };
    constexpr std::uint64_t GiB = 1 << 30;
    for (auto const &[size, chunk_size, count] : std::initializer_list<row>{
             {0, 256 << 10, 0}, {1, 256 << 10, 1}, {256 << 10, 256 << 10, 1}, {(256 << 10) + 1, 256 << 10, 2}, {GiB, 256 << 10, 4096},
             {GiB + 1, 512 << 10, 2049}, {5 * GiB, 2 << 20, 2560}, {16 * GiB, 4 << 20, 4096}, {16 * GiB + 1, 4 << 20, 4097},
             {chunk_map::largest_file, 4 << 20, 4 << 20}}) {
        CAPTURE(size);
        auto const map = chunk_map::of(size);
        CHECK(map.valid());
        CHECK(map.chunk_size == chunk_size);
        CHECK(map.count() == count);
        if (count) CHECK(map.offset(count - 1) + map.size_of(count - 1) == size);
    }
    CHECK(!chunk_map{chunk_map::largest_file + 1, 4 << 20}.valid());
    CHECK(!chunk_map{~std::uint64_t{0}, 4 << 20}.valid());
    CHECK(!chunk_map{1, 0}.valid());
    CHECK(!chunk_map{1, 128 << 10}.valid());
    CHECK(!chunk_map{1, (256 << 10) + 1}.valid());
    CHECK(!chunk_map{1, 8 << 20}.valid());
    CHECK(!chunk_map{chunk_map::largest_file, 2 << 20}.valid()); // T25: hashes without end, before the disk is asked
    CHECK(chunk_map{chunk_map::largest_file / 2, 2 << 20}.valid());
}

TEST_CASE("merkle: pages of the layer prove themselves") {
    for (std::uint64_t chunks : {1u, 2u, 3u, 4095u, 4096u, 4097u, 8192u, 8193u, 12289u, 20000u}) {
        CAPTURE(chunks);
        auto const file = invented(chunks, 3);
        CHECK(layer_page_count(file.map) == (chunks + 4095) / 4096);
        for (std::uint64_t page = 0; page < layer_page_count(file.map); ++page) {
            auto const sent = make_layer_page(file, page);
            CHECK(verify_layer_page(file.root, file.map, page, sent));
            for (std::uint64_t other = 0; other < layer_page_count(file.map); ++other)
                if (other != page) CHECK(!verify_layer_page(file.root, file.map, other, sent));
        }
        CHECK(!verify_layer_page(file.root, file.map, layer_page_count(file.map), make_layer_page(file, 0)));
    }
}

TEST_CASE("T27: a lying hash layer is found out") {
    auto const file = invented(9000, 4);
    for (std::uint64_t page : {0u, 1u, 2u}) {
        auto const good = make_layer_page(file, page);
        REQUIRE(verify_layer_page(file.root, file.map, page, good));
        for (int kind = 0; kind < 8; ++kind) {
            CAPTURE(kind);
            auto bad = good;
            switch (kind) {
            case 0: bad.hashes[5][0] ^= 1; break;
            case 1: bad.hashes.pop_back(); break;
            case 2: bad.hashes.push_back(empty_subtree(4)); break; // a padding hash as if it were a chunk
            case 3: std::swap(bad.hashes[0], bad.hashes[1]); break;
            case 4: bad.proof[1][31] ^= 0x80; break;
            case 5: bad.proof.pop_back(); break;
            case 6: bad.proof.push_back({}); break;
            case 7: bad.hashes.clear(); break;
            }
            CHECK(!verify_layer_page(file.root, file.map, page, bad));
        }
        chunk_map longer = file.map; // T25: a size that lies
        longer.size *= 2;
        CHECK(!verify_layer_page(file.root, longer, page, good));
    }
    CHECK(!verify_layer_page({}, chunk_map{0, chunk_map::least_chunk_size}, 0, {}));
}

} // namespace merkle_test
