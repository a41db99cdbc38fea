#include "file_world.hpp"

#include <gigi/file/hash_cache.hpp>

namespace hash_cache_test {

using namespace gigi;
using namespace file_world;

namespace {

file_hashes some_hashes(std::size_t chunks) {
    file_hasher hasher{chunk_map::of(chunks * chunk - 1)};
    bytes const content = random_content(chunks * chunk - 1);
    for (std::size_t i = 0; i < chunks; ++i) {
        auto const rest = bytes_view{content}.subspan(i * chunk);
        hasher.add_chunk(rest.first(std::min(rest.size(), chunk)));
    }
    return std::move(hasher).finish();
}

awaitable<std::error_code> try_hashes(shared_files &files, std::string code) {
    try {
        co_await files.hashes_of(files.find(code));
    } catch (std::system_error const &e) {
        co_return e.code();
    }
    co_return std::error_code{};
}

} // namespace

TEST_CASE("T30: hash_cache: gives back what it was given; what is damaged in any way is not believed") {
    temporary_folder const folder;
    hash_cache const cache{folder.path / "sub"};
    auto const hashes = some_hashes(5);
    CHECK_FALSE(cache.load(hashes.root, hashes.map)); // nothing there
    REQUIRE_FALSE(cache.store(hashes));
    REQUIRE(cache.load(hashes.root, hashes.map));
    CHECK(cache.load(hashes.root, hashes.map)->chunks == hashes.chunks);
    auto other = hashes.map;
    other.size += chunk;
    CHECK_FALSE(cache.load(hashes.root, other));

    auto const path = folder.path / "sub" / to_hex(hashes.root);
    auto const sound = temporary_folder::read(path);
    REQUIRE(sound.size() == 5 * 32);
    for (std::size_t i = 0; i < sound.size(); ++i) {
        auto damaged = sound;
        damaged[i] = static_cast<char>(damaged[i] ^ 1);
        std::ofstream{path} << damaged << std::flush;
        CHECK_FALSE(cache.load(hashes.root, hashes.map));
        std::ofstream{path} << sound.substr(0, i) << std::flush;
        CHECK_FALSE(cache.load(hashes.root, hashes.map));
    }
    std::ofstream{path} << sound << 'x' << std::flush;
    CHECK_FALSE(cache.load(hashes.root, hashes.map));
    fs::remove(path);
    fs::create_directory(path);
    CHECK_FALSE(cache.load(hashes.root, hashes.map));
    CHECK(cache.store(hashes)); // a folder is in the way: told, and nothing else
}

TEST_CASE("hash_cache: forgets one, or all but some; a cache without a folder keeps nothing") {
    temporary_folder const folder;
    hash_cache const cache{folder.path}, none{""};
    auto const a = some_hashes(2), b = some_hashes(3), c = some_hashes(4);
    for (auto const *const one : {&a, &b, &c}) CHECK_FALSE(cache.store(*one));
    folder.write("notes.txt", std::string_view{"somebody's"});
    cache.remove(a.root);
    CHECK_FALSE(cache.load(a.root, a.map));
    cache.keep_only({b.root});
    CHECK(cache.load(b.root, b.map));
    CHECK_FALSE(cache.load(c.root, c.map));
    CHECK(fs::exists(folder.path / "notes.txt"));
    CHECK_FALSE(none.store(a));
    CHECK_FALSE(none.load(a.root, a.map));
    none.remove(a.root);
    none.keep_only({});
}

TEST_CASE("T30: shared files: a restart reads no file again for its hashes, unless they were damaged; unshared ones are forgotten") {
    run([](world &w) -> awaitable<void> {
        auto const list = w.output.path / "shared.json";
        fs::path const kept = list.string() + ".hashes";
        auto const path = w.shared.write("a", random_content(3 * chunk));
        std::string code, root;
        {
            shared_files files{w.ex, w.ex, list, 10};
            shared_entry const entry = co_await files.share(path, hash_progress{});
            code = entry.code;
            root = entry.root;
        }
        CHECK(fs::file_size(kept / root) == 3 * 32);
        // Another content under the same size and time: only who reads it can tell.
        auto const time = fs::last_write_time(path);
        w.shared.write("a", bytes(3 * chunk));
        fs::last_write_time(path, time);
        {
            shared_files files{w.ex, w.ex, list, 10};
            files.load();
            std::error_code const failed = co_await try_hashes(files, code);
            CHECK_FALSE(failed);
        }
        fs::resize_file(kept / root, 64);
        {
            shared_files files{w.ex, w.ex, list, 10};
            files.load();
            std::error_code const failed = co_await try_hashes(files, code);
            CHECK(failed == errc::file_changed);
        }
        w.shared.write("a", random_content(3 * chunk));
        {
            shared_files files{w.ex, w.ex, list, 10};
            files.load();
            std::error_code const failed = co_await try_hashes(files, code);
            CHECK_FALSE(failed);
            CHECK(fs::file_size(kept / root) == 3 * 32); // whole again
            co_await files.unshare(code);
            CHECK(fs::is_empty(kept));
        }
    });
}

} // namespace hash_cache_test
