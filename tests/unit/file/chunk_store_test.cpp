#include "file_world.hpp"

#include <gigi/file/chunk_store.hpp>

namespace chunk_store_test {

using namespace gigi;
using namespace file_world;

TEST_CASE("chunk store: only chunks with the right hash are kept, and an earlier attempt's are believed only then") {
    run([](world &w) -> awaitable<void> {
        bytes const content = random_content(3 * chunk + 100);
        manifest m;
        m.name = "../a";
        m.size = content.size();
        m.chunk_size = chunk;
        auto const map = m.map();
        auto const part = [&](std::uint64_t n) { return bytes_view{content}.subspan(static_cast<std::size_t>(map.offset(n)), map.size_of(n)); };
        file_hasher hasher{map};
        for (std::uint64_t n = 0; n < map.count(); ++n) hasher.add_chunk(part(n));
        file_hashes const hashes = std::move(hasher).finish();
        m.root = hashes.root;
        {
            chunk_store store{w.ex, m, hashes.chunks};
            chunk_set const done = co_await store.open(w.output.path);
            CHECK(done.size() == 0);
            CHECK(store.name() == "a");
            bool good = co_await store.keep(0, part(1)); // T27
            CHECK(!good);
            for (std::uint64_t n : {0u, 1u, 3u}) {
                good = co_await store.keep(n, part(n));
                CHECK(good);
            }
        }
        std::string damaged = temporary_folder::read(w.output.path / "a.part");
        damaged[chunk + 5] ^= 1;
        w.output.write("a.part", damaged);
        chunk_store store{w.ex, m, hashes.chunks};
        chunk_set const done = co_await store.open(w.output.path);
        CHECK(done.size() == 2);
        CHECK(!done.contains(1));
        CHECK(!done.contains(2));
        for (std::uint64_t n : {1u, 2u}) {
            bool const good = co_await store.keep(n, part(n));
            CHECK(good);
        }
        fs::path const path = co_await store.finish();
        same(path, content);
    });
}

TEST_CASE("chunk store: a folder that cannot be used") {
    run([](world &w) -> awaitable<void> {
        w.output.write("file", std::string_view{"x"});
        chunk_store store{w.ex, manifest{}, {}};
        std::error_code code;
        try {
            (void)co_await store.open(w.output.path / "file");
        } catch (std::system_error const &e) {
            code = e.code();
        }
        CHECK(code == errc::io_error);
    });
}

} // namespace chunk_store_test
