#include <gigi/core/file_io.hpp>

#include <doctest/doctest.h>

#include <ostream>

#include <unistd.h>

#ifndef _WIN32
#include <fcntl.h>
#include <sys/stat.h>
#endif

namespace file_io_test {

using namespace gigi;
namespace fs = std::filesystem;

namespace {

struct folder {
    fs::path path;
    folder() {
        static unsigned made = 0;
        path = fs::temp_directory_path() / ("gigi-io-" + std::to_string(::getpid()) + "-" + std::to_string(++made));
        fs::remove_all(path); // of a process that died
        fs::create_directory(path);
    }
    ~folder() { fs::remove_all(path); }
    void write(std::string const &name, std::string_view text) const { REQUIRE(!replace_file(path / name, as_bytes(text))); }
    std::string read(std::string const &name) const { return to_text(read_file(path / name, 1000).value()); }
    std::size_t count() const { return static_cast<std::size_t>(std::distance(fs::directory_iterator{path}, {})); }
};

} // namespace

#ifndef _WIN32
TEST_CASE("files: what the owner alone may read was never another's to open, whatever the umask and whoever was there before") {
    struct no_umask {
        ::mode_t const before = ::umask(0);
        ~no_umask() { ::umask(before); }
    } const permissive;
    folder const f;
    auto const directory = disk_folder::open(f.path).value();
    auto const mode_of = [&](std::string const &name) {
        struct stat raw {};
        REQUIRE(::stat((f.path / name).c_str(), &raw) == 0);
        return raw.st_mode & 0777u;
    };
    REQUIRE(directory.open_file("private", disk_folder::opening::created_for_owner));
    CHECK(mode_of("private") == 0600);
    CHECK_FALSE(directory.open_file("private", disk_folder::opening::created_for_owner));
    REQUIRE(directory.open_file("public", disk_folder::opening::created));
    CHECK(mode_of("public") == 0666);

    // Somebody waits with a file open for us to write to.
    std::string const temporary = ".key." + std::to_string(::getpid()) + ".tmp";
    auto const planted = directory.open_file(temporary, disk_folder::opening::created);
    REQUIRE(planted);
    REQUIRE_FALSE(replace_file(f.path / "key", as_bytes("secret"), true));
    CHECK(mode_of("key") == 0600);
    CHECK(planted->status()->size == 0);
    CHECK(f.read("key") == "secret");
}
#endif

TEST_CASE("files: replaced in one step, readable by the owner alone where asked") {
    folder const f;
    f.write("a", "one");
    f.write("a", "two");
    CHECK(f.read("a") == "two");
    CHECK(!replace_file(f.path / "key", as_bytes("secret"), true));
    CHECK(f.read("key") == "secret");
#ifndef _WIN32
    struct stat raw {};
    REQUIRE(::stat((f.path / "key").c_str(), &raw) == 0);
    CHECK((raw.st_mode & 0777) == 0600);
#endif
    CHECK(f.count() == 2);
    CHECK(!replace_file(f.path / "new" / "folder" / "a", as_bytes("x")));
    fs::create_directory(f.path / "dir");
    CHECK(replace_file(f.path / "dir", as_bytes("x")));
    CHECK(fs::is_directory(f.path / "dir"));
#ifndef _WIN32
    // A temporary file that a dead process of our number left, as a link to somewhere.
    f.write("victim", "untouched");
    fs::create_symlink(f.path / "victim", f.path / (".b." + std::to_string(::getpid()) + ".tmp"));
    f.write("b", "mine");
    CHECK(f.read("victim") == "untouched");
    CHECK(f.read("b") == "mine");
#endif
}

TEST_CASE("files: reading is capped, and only of regular files") {
    folder const f;
    f.write("a", "12345");
    CHECK(read_file(f.path / "a", 5)->size() == 5);
    CHECK(read_file(f.path / "a", 4).error() == errc::message_too_large);
    CHECK(read_file(f.path / "missing", 5).error() == errc::file_not_found);
    CHECK(read_file(f.path, 5).error() == errc::file_not_found);
#ifdef _WIN32
    CHECK(read_file("NUL", 5).error() == errc::file_not_found);
#else
    REQUIRE(::mkfifo((f.path / "pipe").c_str(), 0600) == 0);
    CHECK(read_file(f.path / "pipe", 5).error() == errc::file_not_found); // and does not wait
    CHECK(read_file("/dev/zero", 5).error() == errc::file_not_found);
#endif
}

TEST_CASE("T22: a folder's names are neither followed nor overwritten") {
    folder const f, outside;
    outside.write("victim", "untouched");
    auto const directory = disk_folder::open(f.path).value();
    using enum disk_folder::opening;
#ifdef _WIN32 // links want rights there
    f.write("link", "untouched");
    fs::create_hard_link(f.path / "link", outside.path / "other");
#else
    fs::create_symlink(outside.path / "victim", f.path / "link");
#endif
    CHECK(directory.open_file("link", either).error() == errc::file_not_found);
    CHECK(directory.open_file("link", existing).error() == errc::file_not_found);
    CHECK(directory.open_file("missing", existing).error() == errc::file_not_found);
    auto const made = directory.open_file("made", created).value();
    CHECK(directory.open_file("made", created).error());
    CHECK(directory.leads_to("made", made));
    CHECK(!directory.leads_to("link", made));
    CHECK(directory.rename_new("made", "link") == std::errc::file_exists);
    CHECK(directory.rename_new("made", "moved") == std::error_code{});
    CHECK(directory.leads_to("moved", made));
    CHECK(directory.rename_new("missing", "x") == errc::file_not_found);
    CHECK(outside.read("victim") == "untouched");
    CHECK(directory.free_space().value() > 0);
}

TEST_CASE("files: written and read at positions, past 4 GiB, and locked") {
    folder const f;
    auto const directory = disk_folder::open(f.path).value();
    auto const file = directory.open_file("a", disk_folder::opening::created).value();
    constexpr std::uint64_t beyond = (std::uint64_t{5} << 30) + 7;
    CHECK(!file.write_at(beyond, as_bytes("end")));
    CHECK(file.status()->size == beyond + 3);
    bytes buffer(10);
    CHECK(file.read_at(beyond, buffer).value() == 3);
    CHECK(file.read_at(beyond + 3, buffer).value() == 0);
    CHECK(!file.resize(2));
    CHECK(file.status()->size == 2);
    CHECK(file.try_lock());
    auto const other = directory.open_file("a", disk_folder::opening::existing).value();
    CHECK(!other.try_lock());
    CHECK(other.read_at(0, buffer).value() == 2); // a lock keeps nobody from reading
}

TEST_CASE("files: what is brought to the disk early is there as before, and may be written again") {
    folder const f;
    auto const directory = disk_folder::open(f.path).value();
    auto const file = directory.open_file("a", disk_folder::opening::created).value();
    bytes data(100'000, 1);
    CHECK(!file.write_at(0, data));
    file.begin_sync(0, data.size());
    CHECK(!file.end_sync(0, data.size()));
    CHECK(!file.end_sync(data.size(), 1000)); // nothing is there
    data[5000] = 2;
    CHECK(!file.write_at(5000, bytes_view{data}.subspan(5000, 1)));
    bytes back(data.size());
    CHECK(file.read_at(0, back).value() == data.size());
    CHECK(back == data);
    CHECK(!file.sync());
    CHECK(disk_file{}.end_sync(0, 1).value() == 0); // where the system has no such thing it is left to sync()
}

TEST_CASE("files: one that is open can be replaced and removed, names may be of any language") {
    folder const f;
    auto const directory = disk_folder::open(f.path).value();
    std::string const name = "\xd0\xba\xd0\xbe\xd1\x82 \xe7\x8c\xab.txt";
    {
        auto const open = directory.open_file("a", disk_folder::opening::created).value();
        CHECK(!open.write_at(0, as_bytes("old")));
        auto const next = directory.open_file("b", disk_folder::opening::created).value();
        CHECK(!next.write_at(0, as_bytes("new")));
        CHECK(directory.rename_new("a", name) == std::error_code{});
        CHECK(directory.leads_to(name, open));
        CHECK(directory.contains(name));
        CHECK(fs::exists(f.path / std::u8string{name.begin(), name.end()}));
        CHECK(directory.rename_new("b", name) == std::errc::file_exists);
        CHECK(directory.replace("b", name) == std::error_code{});
        CHECK(directory.leads_to(name, next));
        CHECK(!directory.leads_to(name, open));
    }
    CHECK(!directory.remove(name));
    CHECK(directory.remove(name) == errc::file_not_found);
    CHECK(!directory.sync());
    CHECK(f.count() == 0);
}

#ifndef _WIN32
TEST_CASE("T25: a disk that is full says so") {
    disk_file const full{::open("/dev/full", O_WRONLY | O_CLOEXEC)};
    if (!full) return;
    CHECK(full.write_at(0, as_bytes("x")) == errc::disk_full);
}
#endif

} // namespace file_io_test
