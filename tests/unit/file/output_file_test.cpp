#include "temporary_folder.hpp"

#include <gigi/file/output_file.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <ostream>

#ifndef _WIN32
#include <sys/stat.h>
#endif
#ifdef __GLIBC__
#include <cerrno>

#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace output_file_test {

using namespace gigi;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t chunk = chunk_map::least_chunk_size;

merkle_hash root_of(std::uint8_t n) {
    merkle_hash root{};
    root[31] = n;
    return root;
}
bytes_view part_of(bytes const &data, chunk_map const &map, std::uint64_t n) {
    return bytes_view{data}.subspan(static_cast<std::size_t>(map.offset(n)), map.size_of(n));
}
std::unique_ptr<output_file> opened(temporary_folder const &folder, chunk_map const &map, std::uint8_t root = 1, std::string_view name = "a.bin") {
    return output_file::open(folder.path, name, root_of(root), map).value();
}

} // namespace

#ifdef __GLIBC__
static int lock_failure = 0; // what locking a file fails with

extern "C" int flock(int file, int how) noexcept { // in place of the library's
    if (lock_failure == 0) return static_cast<int>(::syscall(SYS_flock, file, how));
    errno = lock_failure;
    return -1;
}

TEST_CASE("output file: where the file system knows no locks a part is taken without") {
    bytes const data = random_content(2 * chunk);
    chunk_map const map{data.size(), chunk};
    for (int const why : {ENOLCK, ENOSYS, EOPNOTSUPP}) {
        CAPTURE(why);
        temporary_folder const folder;
        lock_failure = why;
        CHECK(!opened(folder, map)->write_chunk(0, part_of(data, map, 0)));
        auto const again = output_file::open(folder.path, "a.bin", root_of(1), map);
        lock_failure = 0;
        REQUIRE(again);
        CHECK((*again)->part_name() == "a.bin.part");
        CHECK((*again)->claimed().size() == 1);
        CHECK(folder.count() == 2); // and its journal
    }
    temporary_folder const folder;
    auto const first = opened(folder, map); // where it does, another one has it
    CHECK(opened(folder, map)->part_name() == "a (1).bin.part");
}
#endif

TEST_CASE("output file: written in any order, named at the end") {
    temporary_folder const folder;
    bytes const data = random_content(3 * chunk + 17);
    chunk_map const map{data.size(), chunk};
    auto file = opened(folder, map, 1, "../some/where/a.bin"); // T21
    CHECK(file->claimed().size() == 0);
    CHECK(fs::exists(folder.path / "a.bin.part"));
    for (std::uint64_t n : {2u, 0u, 3u, 1u}) CHECK(!file->write_chunk(n, part_of(data, map, n)));
    bytes back(map.size_of(3));
    CHECK(!file->read_chunk(3, back));
    CHECK(equal(back, part_of(data, map, 3)));
    CHECK(!fs::exists(folder.path / "a.bin"));
    CHECK(file->finish().value() == folder.path / "a.bin");
    CHECK(temporary_folder::read(folder.path / "a.bin") == to_text(data));
    CHECK(folder.count() == 1);
}

TEST_CASE("output file: one that is larger than what may wait for the disk") {
    temporary_folder const folder;
    bytes const data = random_content((std::size_t{40} << 20) + 17);
    chunk_map const map{data.size(), chunk};
    auto file = opened(folder, map);
    for (std::uint64_t n = 0; n < map.count(); ++n) { // neighbours change places
        auto const next = std::min(n ^ 1, map.count() - 1);
        CHECK(!file->write_chunk(next, part_of(data, map, next)));
    }
    CHECK(file->finish().value() == folder.path / "a.bin");
    CHECK((temporary_folder::read(folder.path / "a.bin") == to_text(data)));
}

TEST_CASE("output file: the empty file") {
    temporary_folder const folder;
    auto file = opened(folder, chunk_map::of(0));
    CHECK(file->claimed().full());
    CHECK(file->finish().value() == folder.path / "a.bin");
    CHECK(fs::file_size(folder.path / "a.bin") == 0);
}

TEST_CASE("output file: never overwrites") {
    temporary_folder const folder;
    folder.write("a.bin", "mine");
    fs::create_directory(folder.path / "a (1).bin");
#ifdef _WIN32 // links want rights there
    folder.write("a (2).bin", "mine");
#else
    fs::create_symlink("/nowhere", folder.path / "a (2).bin");
#endif
    auto file = opened(folder, chunk_map::of(1));
    CHECK(!file->write_chunk(0, as_bytes("x")));
    CHECK(file->finish().value() == folder.path / "a (3).bin");
    CHECK(temporary_folder::read(folder.path / "a.bin") == "mine");
    CHECK(temporary_folder::read(folder.path / "a (3).bin") == "x");
#ifndef _WIN32
    CHECK(fs::is_symlink(folder.path / "a (2).bin"));
#endif
}

TEST_CASE("T30: an interrupted download goes on where it was") {
    temporary_folder const folder;
    bytes const data = random_content(5 * chunk);
    chunk_map const map{data.size(), chunk};
    {
        auto file = opened(folder, map);
        CHECK(!file->write_chunk(4, part_of(data, map, 4)));
        CHECK(!file->write_chunk(1, part_of(data, map, 1)));
    } // as a killed process leaves it
    auto file = opened(folder, map);
    CHECK(file->claimed().size() == 2);
    CHECK(file->claimed().contains(1));
    CHECK(file->claimed().contains(4));
    for (std::uint64_t n : {0u, 2u, 3u}) CHECK(!file->write_chunk(n, part_of(data, map, n)));
    CHECK(temporary_folder::read(file->finish().value()) == to_text(data));
    CHECK(folder.count() == 1);
}

TEST_CASE("T30: another file of the same name does not disturb it") {
    temporary_folder const folder;
    chunk_map const map{2 * chunk, chunk};
    bytes const data(chunk, 1);
    CHECK(!opened(folder, map, 1)->write_chunk(0, data));
    auto second = opened(folder, map, 2);
    CHECK(second->part_name() == "a (1).bin.part");
    CHECK(second->claimed().size() == 0);
    auto first = opened(folder, map, 1);
    CHECK(first->part_name() == "a.bin.part");
    CHECK(first->claimed().size() == 1);
    auto again = opened(folder, map, 1); // the same one at the same time
    CHECK(again->part_name() == "a (2).bin.part");
    second->discard();
    again->discard();
    CHECK(folder.count() == 2);
    // Somebody's own file that happens to be called like this.
    first->discard();
    folder.write("a.bin.part", "precious");
    CHECK(opened(folder, map, 1)->part_name() == "a (1).bin.part");
    CHECK(temporary_folder::read(folder.path / "a.bin.part") == "precious");
}

TEST_CASE("T30: a torn journal means a new start; a part that it does not tell of stays as it is") {
    bytes const data(chunk, 1);
    chunk_map const map{3 * chunk, chunk};
    for (int damage = 0; damage < 6; ++damage) {
        CAPTURE(damage);
        temporary_folder const folder;
        CHECK(!opened(folder, map)->write_chunk(1, data));
        auto const journal = folder.path / "a.bin.part.journal";
        std::string text = temporary_folder::read(journal);
        REQUIRE(text.size() == 72);
        switch (damage) {
        case 0: text.clear(); break;
        case 1: text.resize(40); break;
        case 2: text[20] ^= 1; break;
        case 3: text.resize(71); break;
        case 4: text[70] ^= 1; break;
        case 5: text += std::string(1 << 20, 'x'); break;
        }
        folder.write("a.bin.part.journal", text);
        auto const part = temporary_folder::read(folder.path / "a.bin.part");
        auto file = opened(folder, map);
        CHECK(file->part_name() == (damage < 3 ? "a (1).bin.part" : "a.bin.part"));
        CHECK(file->claimed().size() == (damage == 5 ? 1 : 0));
        for (std::uint64_t n = 0; n < 3; ++n) CHECK(!file->write_chunk(n, data));
        CHECK(temporary_folder::read(file->finish().value()) == std::string(3 * chunk, '\1'));
        CHECK(folder.count() == (damage < 3 ? 3 : 1));
        if (damage < 3) CHECK(temporary_folder::read(folder.path / "a.bin.part") == part);
    }
    // Other chunks of the same file: what was written means nothing here, and is kept for whoever knows it.
    temporary_folder const folder;
    CHECK(!opened(folder, map)->write_chunk(1, data));
    auto const other = opened(folder, chunk_map{3 * chunk, 2 * chunk});
    CHECK(other->part_name() == "a (1).bin.part");
    CHECK(other->claimed().size() == 0);
    CHECK(opened(folder, map)->claimed().size() == 1);
}

TEST_CASE("T21, T26: another program's unfinished file is left alone, whatever lies beside it") {
    chunk_map const map{1000, chunk};
    bytes const data(1000, 7);
    journal_header const foreign{root_of(9), map};
    for (auto const &journal : {std::string{}, std::string{"anything"}, to_text(bytes_view{foreign.encode()}), std::string(64, '\0')}) {
        CAPTURE(journal.size());
        temporary_folder const folder;
        folder.write("a.bin.part", std::string_view{"precious"});
        folder.write("a.bin.part.journal", std::string_view{journal});
        auto file = opened(folder, map);
        CHECK(file->part_name() == "a (1).bin.part");
        CHECK(!file->write_chunk(0, data));
        CHECK(file->finish().value() == folder.path / "a.bin");
        CHECK(temporary_folder::read(folder.path / "a.bin.part") == "precious");
        CHECK(temporary_folder::read(folder.path / "a.bin.part.journal") == journal);
        CHECK(folder.count() == 3);
    }
    temporary_folder const folder; // an empty one, without a journal
    folder.write("a.bin.part", std::string_view{});
    opened(folder, map)->discard();
    CHECK(fs::file_size(folder.path / "a.bin.part") == 0);
    CHECK(folder.count() == 1);
}

TEST_CASE("T30: a journal that was left behind is used again") {
    chunk_map const map{1000, chunk};
    for (auto const root : {std::uint8_t{1}, std::uint8_t{9}}) {
        CAPTURE(root);
        temporary_folder const folder; // killed after the file got its name, or before the part had anything in it
        bytes journal = to_bytes(bytes_view{journal_header{root_of(root), map}.encode()});
        append(journal, encode_journal_record(0));
        folder.write("a.bin.part.journal", as_text(journal));
        SUBCASE("without a part") {}
        SUBCASE("with an empty part") { folder.write("a.bin.part", std::string_view{}); }
        auto file = opened(folder, map);
        CHECK(file->part_name() == "a.bin.part");
        CHECK(file->claimed().size() == (root == 1 ? 1 : 0)); // what is claimed is verified before it is believed
        CHECK(!file->write_chunk(0, bytes(1000, 7)));
        CHECK(temporary_folder::read(file->finish().value()) == std::string(1000, '\7'));
        CHECK(folder.count() == 1);
    }
}

TEST_CASE("T22: links in the output folder lead nowhere") {
    temporary_folder const folder, outside;
    auto const victim = outside.write("victim", "untouched");
    chunk_map const map{1, chunk};
#ifndef _WIN32
    SUBCASE("the part is a symbolic link") { fs::create_symlink(victim, folder.path / "a.bin.part"); }
    SUBCASE("the part is a dangling symbolic link") { fs::create_symlink(outside.path / "new", folder.path / "a.bin.part"); }
    SUBCASE("the journal is a symbolic link") { fs::create_symlink(victim, folder.path / "a.bin.part.journal"); }
    SUBCASE("the part is a pipe") { ::mkfifo((folder.path / "a.bin.part").c_str(), 0600); }
    SUBCASE("the name is a symbolic link") { fs::create_symlink(victim, folder.path / "a.bin"); }
#endif
    SUBCASE("the part is a hard link") { fs::create_hard_link(victim, folder.path / "a.bin.part"); }
    SUBCASE("the part is a folder") { fs::create_directory(folder.path / "a.bin.part"); }
    auto file = opened(folder, map);
    CHECK(!file->write_chunk(0, as_bytes("x")));
    auto const path = file->finish().value();
    CHECK(temporary_folder::read(path) == "x");
    CHECK(fs::is_regular_file(fs::symlink_status(path)));
    CHECK(temporary_folder::read(victim) == "untouched");
    CHECK(outside.count() == 1);
}

#ifndef _WIN32
TEST_CASE("T22: what was put in place of the part meanwhile is not passed off as the file") {
    temporary_folder const folder, outside;
    auto const victim = outside.write("victim", "untouched");
    auto file = opened(folder, chunk_map{1, chunk});
    CHECK(!file->write_chunk(0, as_bytes("x")));
    fs::remove(folder.path / "a.bin.part");
    fs::create_symlink(victim, folder.path / "a.bin.part");
    CHECK(file->finish().error() == errc::io_error);
    CHECK(temporary_folder::read(victim) == "untouched");
}
#endif

TEST_CASE("T25: a file that cannot fit is refused before anything is written") {
    temporary_folder const folder;
    auto const file = output_file::open(folder.path, "huge", root_of(1), chunk_map{chunk_map::largest_file, chunk_map::largest_chunk_size});
    CHECK(file.error() == errc::disk_full);
    CHECK(folder.count() == 0);

    // One that the file system would take, as long as nothing is written to it.
    auto const room = disk_folder::open(folder.path).value().free_space().value();
    std::uint64_t const size = std::min(room + (std::uint64_t{1} << 30), chunk_map::largest_file);
    auto const sparse = output_file::open(folder.path, "sparse", root_of(1), chunk_map{size, chunk_map::largest_chunk_size});
    if (size > room) CHECK(sparse.error() == errc::disk_full);
}

TEST_CASE("output file: a folder that cannot be") {
    temporary_folder const folder;
    folder.write("file", "x");
    CHECK(output_file::open(folder.path / "file" / "sub", "a", root_of(1), chunk_map::of(1)).error() == errc::file_not_found);
    CHECK(output_file::open(folder.path / "new" / "sub", "a", root_of(1), chunk_map::of(1)));
}

TEST_CASE("output file: past 4 GiB") {
    temporary_folder const folder;
    auto const map = chunk_map::of((std::uint64_t{5} << 30) + 1);
    auto const opened = output_file::open(folder.path, "big", root_of(1), map);
    if (opened.error() == errc::disk_full) return;
    REQUIRE(opened);
    auto const last = map.count() - 1;
    CHECK(!(*opened)->write_chunk(last, as_bytes("z")));
    auto const path = (*opened)->finish().value();
    CHECK(fs::file_size(path) == map.size);
    std::ifstream in{path};
    in.seekg(static_cast<std::streamoff>(std::uint64_t{5} << 30));
    CHECK(in.get() == 'z');
}

} // namespace output_file_test
