#include <gigi/node/store_file.hpp>

#include "unit/file/temporary_folder.hpp"

#include <gigi/core/error.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <optional>
#include <string>

#ifndef _WIN32
#include "failure/disk.hpp"

#include <sys/stat.h>
#endif

namespace store_file_test {

using namespace gigi;
namespace fs = std::filesystem;

namespace {

auto const bob = "12D3KooWHapb8N5NzEmvQeSPLE5LJhhXKEciBGGKRsif47pnjCaq";
std::string const sound = std::string{"gigi-peers 1\npin\t"} + bob + "\tbob\n";

struct fixture {
    temporary_folder folder;
    fs::path path = folder.path / "peers", aside = folder.path / "peers.damaged";
    store_file file{path};
    peer_store store;
};

bool says(std::optional<store_file::trouble> const &trouble, std::string const &what) {
    return trouble && trouble->code == errc::io_error && trouble->message.find(what) != std::string::npos;
}

} // namespace

TEST_CASE("store_file: a file that is not there is an empty store; what is saved is loaded, and nobody else's") {
    fixture f;
    CHECK(f.file.used());
    CHECK_FALSE(store_file{fs::path{}}.used());
    CHECK_FALSE(f.file.load(f.store));
    CHECK_FALSE(store_file{f.path / "below"}.load(f.store)); // no folder either
    peer_store const known = [] {
        peer_store s;
        CHECK(s.read(sound));
        return s;
    }();
    CHECK_FALSE(f.file.save(known));
    CHECK_FALSE(store_file{f.path / "a file is no folder"}.load(f.store));
#ifndef _WIN32
    CHECK((fs::status(f.path).permissions() & (fs::perms::group_all | fs::perms::others_all)) == fs::perms::none);
#endif
    CHECK_FALSE(f.file.load(f.store));
    CHECK(f.store.pinned("bob") == peer_id::parse(bob).value());
    CHECK(f.folder.count() == 1);
}

TEST_CASE("T20: store_file: what cannot be read is kept aside before anything is saved, so no pin is lost") {
    fixture f;
    SUBCASE("damaged") {
        f.folder.write("peers", sound + "nonsense\n");
        CHECK(says(f.file.load(f.store), "damaged"));
        CHECK(f.store.pinned("bob"));
        CHECK(temporary_folder::read(f.aside) == sound + "nonsense\n");
    }
    SUBCASE("too large") {
        f.folder.write("peers", sound);
        fs::resize_file(f.path, f.store.largest_text() + 1);
        auto const said = f.file.load(f.store);
        CHECK(says(said, "too large"));
        CHECK(says(said, f.aside.string()));
        CHECK(fs::file_size(f.aside) == f.store.largest_text() + 1);
    }
#ifndef _WIN32 // where modes are not rights
    SUBCASE("another user's, who alone may read it") {
        f.folder.write("peers", sound);
        ::chmod(f.path.c_str(), 0);
        ::chmod(f.folder.path.c_str(), 0777);
        {
            failure::without_rights const nobody;
            CHECK(says(f.file.load(f.store), "cannot be read"));
            CHECK_FALSE(f.file.save(f.store));
        }
        ::chmod(f.aside.c_str(), 0600);
        CHECK(temporary_folder::read(f.aside) == sound);
    }
#endif
    CHECK_FALSE(f.file.save(f.store));
    CHECK(temporary_folder::read(f.path).starts_with("gigi-peers 1\n"));
    CHECK_FALSE(f.file.load(f.store)); // told once
}

TEST_CASE("T20: store_file: what can neither be read nor kept aside stays, and nothing is saved until it can") {
    fixture f;
    SUBCASE("damaged") {
        f.folder.write("peers", sound + "nonsense\n");
        fs::create_directory(f.aside);
        auto const before = temporary_folder::read(f.path);
        CHECK(says(f.file.load(f.store), "nothing is saved"));
        CHECK(f.store.pinned("bob"));
        CHECK(says(f.file.save(f.store), "nothing is saved"));
        CHECK(temporary_folder::read(f.path) == before);
        fs::remove(f.aside);
        CHECK_FALSE(f.file.save(f.store));
        CHECK(temporary_folder::read(f.aside) == before);
        CHECK(temporary_folder::read(f.path) == sound);
    }
    SUBCASE("a folder") {
        fs::create_directory(f.path);
        CHECK(says(f.file.load(f.store), "cannot be read"));
        CHECK(says(f.file.save(f.store), "nothing is saved"));
        CHECK(fs::is_directory(f.path));
        fs::remove(f.path); // somebody sees to it
        CHECK_FALSE(f.file.save(f.store));
    }
#ifndef _WIN32
    SUBCASE("in a folder where this user may do nothing") {
        auto const locked = f.folder.path / "locked";
        fs::create_directory(locked);
        f.folder.write("locked/peers", sound);
        ::chmod(f.folder.path.c_str(), 0755);
        ::chmod(locked.c_str(), 0);
        store_file there{locked / "peers"};
        {
            failure::without_rights const nobody;
            CHECK(says(there.load(f.store), "cannot be read"));
            CHECK(says(there.save(f.store), "nothing is saved"));
        }
        ::chmod(locked.c_str(), 0755);
        CHECK(temporary_folder::read(locked / "peers") == sound);
    }
#endif
}

} // namespace store_file_test
