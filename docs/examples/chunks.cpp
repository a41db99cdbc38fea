// docs/examples/chunks.cpp: docs/files.md's program for the chunker alone: hashes, codes and plans, without a network or a disk.
#include "expect.hpp"

// [include]
#include <gigi/file/chunker.hpp>
#include <gigi/file/merkle.hpp>
#include <gigi/file/share_code.hpp>
// [include]

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

gigi::bytes sample(std::size_t size) {
    gigi::bytes data(size);
    for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<std::uint8_t>(i * 31 + i / 1000);
    return data;
}

} // namespace

// [hash]
gigi::file_hashes hash(gigi::bytes_view content) {
    auto const map = gigi::chunk_map::of(content.size());
    gigi::file_hasher hasher{map};
    for (std::uint64_t n = 0; n < map.count(); ++n) hasher.add_chunk(content.subspan(map.offset(n), map.size_of(n)));
    return std::move(hasher).finish();
}
// [hash]

// [fetch]
/// Fetches a file from peers that hold it, of whom one lies. @return what was fetched
gigi::bytes fetch(gigi::file_hashes const &wanted, std::map<gigi::chunker::source_id, gigi::bytes> holders) {
    gigi::chunk_map const map = wanted.map;
    gigi::bytes out(map.size);
    gigi::time_point now{1h};
    gigi::chunker plan{map};
    std::map<gigi::chunker::source_id, gigi::bytes> sources;
    for (auto &[number, content] : holders) sources.emplace(plan.add_source(now), std::move(content));

    while (!plan.complete() && !sources.empty()) {
        for (auto i = sources.begin(); i != sources.end();) {
            auto const &[id, content] = *i;
            bool lied = false;
            auto const range = plan.next_request(id, now); // nothing: enough is under way, or all is done
            for (std::uint32_t n = 0; range && n < range->count; ++n) { // here, every answer comes at once
                std::uint32_t const chunk = range->first + n;
                if (plan.begin_chunk(id, chunk) == gigi::chunker::verdict::unexpected) break;
                auto const data = gigi::bytes_view{content}.subspan(map.offset(chunk), map.size_of(chunk));
                plan.end_chunk(id, now);
                if (gigi::merkle_root(data, map.chunk_height()) == wanted.chunks[chunk]) {
                    std::ranges::copy(data, out.begin() + static_cast<std::ptrdiff_t>(map.offset(chunk)));
                    plan.verified(chunk);
                } else {
                    plan.rejected(chunk); // it is asked of the others
                    lied = true;
                }
            }
            if (lied) plan.remove_source(id);
            i = lied ? sources.erase(i) : std::next(i);
        }
        now += 1s;
    }
    return out;
}
// [fetch]

int main() {
    // [code]
    gigi::bytes const content = sample(5'000'000);
    gigi::file_hashes const hashes = hash(content);
    gigi::share_code const code = gigi::share_code::of(hashes.root, content.size());
    expect(code.to_string() == "qkjg-tqvw-7ce1-7z1m-0rh1", "the code is made of the content alone");

    auto const typed = gigi::share_code::parse("QKJG TQVW 7CEI 7ZlM ORH1"); // I and l for 1, O for 0, no dashes
    expect(typed && *typed == code, "what a person types");
    expect(!gigi::share_code::parse("qkjg-tqvw"), "too short to be one: errc::unknown_code");
    expect(code.names(hashes.root, content.size()) && !code.names(hashes.root, content.size() + 1), "it binds root and size");
    // [code]

    // [proof]
    gigi::layer_page const page = gigi::make_layer_page(hashes, 0); // up to 4096 chunk hashes, and a proof
    expect(gigi::verify_layer_page(hashes.root, hashes.map, 0, page), "the hashes belong to the root");
    gigi::layer_page lie = page;
    lie.hashes[3][0] ^= 1;
    expect(!gigi::verify_layer_page(hashes.root, hashes.map, 0, lie), "a single bit shows");
    // [proof]

    gigi::bytes damaged = content;
    damaged[1'000'000] ^= 1;
    std::map<gigi::chunker::source_id, gigi::bytes> holders;
    holders.emplace(1, damaged);
    holders.emplace(2, content);
    expect(fetch(hashes, holders) == content, "a peer that lies costs time, and nothing else");
    return 0;
}
