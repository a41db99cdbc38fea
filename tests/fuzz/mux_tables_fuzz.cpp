// The containers under the muxer, against plain ones: the queue of bytes gives out what was put in, in order; the table of streams
// finds what is in it and nothing else, whatever comes and goes.
#include "fuzz.hpp"

#include <gigi/mux/byte_queue.hpp>
#include <gigi/mux/stream_table.hpp>

#include <map>

namespace mux_tables_fuzz {

using namespace gigi;

namespace {

void queue(fuzz::input in) {
    byte_queue q;
    bytes expected; // from `at` on
    std::size_t at = 0;
    std::uint8_t next = 0;
    while (!in.empty()) {
        auto const op = in.byte();
        std::size_t const n = op & 0x80 ? in.number<std::uint16_t>() : in.byte();
        switch (op % 4) {
        case 0: {
            bytes more(n);
            for (auto &b : more) b = next++;
            q.push(more);
            append(expected, more);
            break;
        }
        case 1: {
            bytes out(n);
            auto const got = q.pop(out);
            FUZZ_CHECK(got == std::min(n, expected.size() - at) && equal(bytes_view{out}.first(got), bytes_view{expected}.subspan(at, got)));
            at += got;
            break;
        }
        case 2: {
            std::size_t const part = std::min(n, q.size());
            std::vector<bytes_view> pieces;
            byte_queue spent;
            q.take(part, pieces, spent);
            bytes out;
            for (auto const &piece : pieces) append(out, piece);
            FUZZ_CHECK(equal(out, bytes_view{expected}.subspan(at, part)) && spent.empty());
            at += part;
            break;
        }
        default: {
            byte_queue other{std::move(q)};
            FUZZ_CHECK(q.empty());
            q = std::move(other);
        }
        }
        FUZZ_CHECK(q.size() == expected.size() - at && q.empty() == (q.size() == 0));
        if (expected.size() > 1'000'000) return;
    }
}

void table(fuzz::input in) {
    stream_table<int> t;
    std::map<std::uint32_t, int> expected;
    while (!in.empty()) {
        auto const op = in.byte();
        // Few different ids, many of them in one run; or any.
        std::uint32_t const id = std::max<std::uint32_t>(1, op & 0x40 ? in.number<std::uint32_t>() : op & 0x20 ? in.number<std::uint16_t>() : in.byte());
        if (op & 0x80) {
            t.erase(id);
            expected.erase(id);
        } else if (!expected.contains(id)) {
            auto const place = expected.emplace(id, 0).first;
            t.insert(id, &place->second);
        }
        FUZZ_CHECK(t.size() == expected.size());
        auto const found = expected.find(id);
        FUZZ_CHECK(t.find(id) == (found == expected.end() ? nullptr : &found->second));
    }
    for (auto &[id, value] : expected) FUZZ_CHECK(t.find(id) == &value);
    std::size_t visited = 0;
    t.for_each([&](int &value) {
        FUZZ_CHECK(++value == 1);
        ++visited;
    });
    FUZZ_CHECK(visited == expected.size() && t.values().size() == visited);
    for (auto const &[id, value] : expected) t.erase(id);
    FUZZ_CHECK(t.size() == 0);
}

} // namespace

FUZZ_TARGET(mux_tables) {
    fuzz::input in{data};
    in.flag() ? queue(in) : table(in);
}

FUZZ_SEEDS {
    fuzz::script q, t;
    q.byte(1).byte(0).byte(100).byte(0x80).number(std::uint16_t{5000}).byte(2).byte(50).byte(1).byte(70).byte(3).byte(0).byte(0x81).number(std::uint16_t{9000});
    t.byte(0);
    for (std::size_t i = 1; i < 40; ++i) t.byte(0).byte(i * 2);
    for (std::size_t i = 1; i < 40; i += 3) t.byte(0x80).byte(i * 2);
    t.byte(0x40).number(std::uint32_t{123456789}).byte(0x20).number(std::uint16_t{777});
    return {q, t};
}

} // namespace mux_tables_fuzz
