// Attacks by some of a download's sources on the others: T25, T27, T29. Whatever they say or do not say, and however slowly, one honest
// peer is enough; and what has been fetched stays.
#include "attacks/hostile_server.hpp"

#include <gigi/testing/simulation.hpp>

#include <memory>
#include <string>
#include <vector>

namespace file_sources_test {

using namespace gigi;
using namespace gigi::testing;
using namespace file_world;

namespace {

bytes silence_about(hostile_server const &, layer_request const &) { return {}; }
bytes no_chunks(hostile_server const &, range_request const &) { return {}; }

/// A download from hostile peers, in the order in which they are added, and from an honest one after them.
struct contest {
    explicit contest(bytes of) : content{std::move(of)} {}
    ~contest() {
        tasks.cancel();
        sim.run(tasks.join());
        sim.run(w.stop());
    }
    hostile_server &add_hostile() {
        hostile.push_back(std::make_unique<hostile_server>(content));
        return *hostile.back();
    }
    void add_honest() {
        auto const work = [this]() -> awaitable<void> { (void)co_await share_content(w, w.add_server(), "a", content); };
        sim.run(work());
    }
    awaitable<pipe_end> open(hostile_server &evil) {
        ++evil.connections;
        auto const l = std::make_shared<line>(sim.get_executor());
        tasks.spawn(serve_hostile(evil, pipe_end{l, 1}));
        co_return pipe_end{l, 0};
    }
    /// @return whether all of the file arrived; `took` says how long that was
    bool get(std::string const &code) {
        file_download<pipe_end> one{w.ex, w.pool, share_code::parse(code).value(), w.destination, w.options, download_callbacks()};
        for (auto const &evil : hostile) one.add_source([this, from = evil.get()] { return open(*from); });
        for (auto const &honest : w.servers) one.add_source([from = honest.get()] { return open_to(*from); });
        fs::path path;
        failed.clear();
        auto const work = [&]() -> awaitable<void> {
            try {
                downloaded_file const done = co_await one.run();
                path = done.path;
            } catch (std::system_error const &e) {
                failed = e.code();
            }
        };
        auto const begin = sim.now();
        sim.run(work(), 2h);
        took = sim.now() - begin;
        sim.run_for(1s); // the ends of the streams
        if (!path.empty()) same(path, content);
        return !path.empty();
    }
    std::string code() const { return hostile_server{content}.code(); }
    std::string root() const { return to_hex(hostile_server{content}.hashes.root); }

    simulation sim{27};
    bytes content;
    world w{sim.get_executor()};
    std::vector<std::unique_ptr<hostile_server>> hostile;
    task_group tasks{sim.get_executor()};
    std::error_code failed;
    duration took{};
};

} // namespace

TEST_CASE("T25, T27: sources: one that cuts the file into other chunks is not believed, and what has been fetched stays") {
    contest t{random_content(8 * chunk)};
    auto &part = t.add_hostile(); // gives seven of eight chunks
    part.on_range = [](hostile_server const &s, range_request const &asked) {
        bytes out;
        for (std::uint32_t n = asked.first; n < asked.first + asked.count && n < 7; ++n) append(out, s.chunk_bytes(n));
        return out;
    };
    CHECK_FALSE(t.get(t.code()));
    t.hostile.clear();
    auto &other = t.add_hostile(); // knows nothing but the hashes, of which it makes those of chunks twice the size
    auto const hashes = other.hashes.chunks;
    other.hashes.map.chunk_size = other.described.chunk_size = 2 * chunk;
    other.hashes.chunks.clear();
    for (std::size_t n = 0; n < hashes.size(); n += 2) other.hashes.chunks.push_back(merkle_parent(hashes[n], hashes[n + 1]));
    REQUIRE(root_of_chunks(other.hashes.map, other.hashes.chunks) == other.hashes.root);
    other.on_range = no_chunks;
    CHECK_FALSE(t.get(t.code()));
    CHECK(t.failed == condition::protocol_violation);
    CHECK(t.took < 1s);
    t.add_honest();
    CHECK(t.get(t.code()));
    CHECK(t.took < 5s);
    CHECK(t.w.servers[0]->slots.bytes == chunk); // the one that was missing
}

TEST_CASE("T25, T27: sources: a root does not say how large the file is, and one that lies about it is given up") {
    for (std::uint64_t const size : {std::uint64_t{1000}, std::uint64_t{4 * chunk}, std::uint64_t{8 * chunk - 1}, std::uint64_t{8 * chunk + 1}, std::uint64_t{16 * chunk}}) {
        CAPTURE(size);
        contest t{random_content(8 * chunk)};
        auto &liar = t.add_hostile();
        liar.described.size = size;
        liar.on_layer = [](hostile_server const &s, layer_request const &) { // as true as it can be
            auto hashes = s.hashes.chunks;
            if (s.described.size == 4 * chunk)
                for (std::size_t n = 0; n < 4; ++n) hashes[n] = merkle_parent(hashes[2 * n], hashes[2 * n + 1]);
            hashes.resize(chunk_map::of(s.described.size).count());
            return answer_bytes(layer_page_message{std::move(hashes), {}});
        };
        t.add_honest();
        CHECK(t.get(t.root()));
        CHECK(t.took < 20s);
        CHECK(liar.connections == 1);
    }
    contest t{random_content(8 * chunk)}; // without a lie, and alone
    t.add_honest();
    CHECK(t.get(t.root()));
    CHECK(t.w.servers[0]->slots.bytes == 8 * chunk); // the last one is not fetched twice
}

TEST_CASE("T29: sources: those that never give the chunks' hashes do not keep the others waiting") {
    for (int const silent : {1, 2, 7}) {
        CAPTURE(silent);
        contest t{random_content(8 * chunk)};
        for (int i = 0; i < silent; ++i) t.add_hostile().on_layer = silence_about;
        t.add_honest();
        CHECK(t.get(t.code()));
        CHECK(t.took < silent * t.w.options.prepare_stagger + 2s);
    }
}

TEST_CASE("T29: sources: as many as are used at once, which drip, make room for the next") {
    for (bool const speak : {true, false}) {
        CAPTURE(speak);
        contest t{bytes(4 * chunk, 'x')};
        for (int i = 0; i < 8; ++i) {
            auto &one = t.add_hostile();
            one.content.assign(one.content.size(), 'x');
            one.on_range = [](hostile_server const &, range_request const &asked) { return answer_bytes(chunk_header{asked.first}); };
            one.then_endless = true;
            one.pause = 1ms; // a byte: more than what counts as silence
            if (!speak) one.on_layer = silence_about;
        }
        t.add_honest();
        CHECK(t.get(t.code()));
        CHECK(t.took < t.w.options.yield_after + 30s);
        CHECK(t.w.servers[0]->slots.bytes > 0);
    }
}

} // namespace file_sources_test
