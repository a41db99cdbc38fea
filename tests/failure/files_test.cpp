// What happens to files: folders that cannot be written to, disks that are full, files that are damaged, that go, shrink, grow and change.
#include "failure/disk.hpp"
#include "failure/operations.hpp"

#include <gigi/core/file_io.hpp>

#include <filesystem>
#include <string>
#include <vector>

#include <sys/stat.h>

namespace files_test {

using namespace failure;

namespace {

namespace fs = std::filesystem;

/// How a call of alice's ended.
interruption call(world &w, awaitable<void> what) { return disturb_at(w.sim, w.alice->get_executor(), std::move(what), UINT64_MAX, [] {}, 3min); }

/// It failed with this code, and its message has these words, one of which says which file.
void check_failed(interruption const &ended, errc expected, std::string const &which, std::string const &advice = {}) {
    CHECK_MESSAGE(ended.code() == expected, ended.message());
    CHECK_MESSAGE(ended.message().find(which) != std::string::npos, ended.message());
    CHECK_MESSAGE(ended.message().find(advice) != std::string::npos, ended.message());
}

/// alice fetches what bob shares, and it is right.
void check_fetches(world &w) {
    fs::path there;
    CHECK_NOTHROW(there = w.sim.run(fetch(*w.alice, w.bob->id(), w.code), 3min));
    CHECK(temporary_folder::read(there) == temporary_folder::read(w.folder.path / "talk.bin"));
}

std::size_t things_in(fs::path const &folder) {
    return fs::exists(folder) ? static_cast<std::size_t>(std::distance(fs::directory_iterator{folder}, {})) : 0;
}

/// What a node says about itself while it runs.
std::vector<events::background_error> troubles(event_reader &reader) {
    std::vector<events::background_error> all;
    event e;
    while (reader.try_next(e))
        if (auto const *const one = std::get_if<event::background_error>(&e)) all.push_back(*one);
    return all;
}

} // namespace

TEST_CASE("output folder: a file in its place, a folder above it that is one, and no right to write into it") {
    world w;
    with_files(w);
    auto const output = w.folder.path / "alice-downloads";
    w.folder.write("alice-downloads", std::string_view{"a file"});
    check_failed(call(w, download_by_id(w)), errc::io_error, output.string(), "folder in which this user may make files");
    CHECK(temporary_folder::read(output) == "a file");
    w.check_alive();

    fs::remove(output);
    fs::create_directory(output);
    ::chmod(w.folder.path.c_str(), 0755);
    ::chmod(output.c_str(), 0555);
    {
        without_rights const nobody;
        check_failed(call(w, download_by_id(w)), errc::io_error, output.string(), "folder in which this user may make files");
    }
    CHECK(fs::is_empty(output));
    ::chmod(output.c_str(), 0755);
    w.check_alive();
    check_fetches(w);
    w.check_quiet();
    w.check_stops();
}

TEST_CASE("output folder: gone, or another one, at any moment of a download") {
    for (bool const replaced : {false, true})
        for (std::uint64_t step = 0;; step += 7) {
            CAPTURE(step);
            CAPTURE(replaced);
            world w;
            with_files(w);
            auto const output = w.folder.path / "alice-downloads";
            auto const ended = disturb_at(w.sim, w.alice->get_executor(), download_by_id(w), step, [&] {
                fs::remove_all(output);
                if (replaced) w.folder.write("alice-downloads", std::string_view{"a file"});
            }, 3min);
            if (ended.failure) {
                CHECK_MESSAGE(ended.code() == errc::io_error, ended.message());
                CHECK_MESSAGE((ended.message().find("talk.bin") != std::string::npos || ended.message().find("alice-downloads") != std::string::npos), ended.message());
            }
            w.check_alive();
            if (fs::is_regular_file(output)) fs::remove(output);
            check_fetches(w);
            w.check_quiet();
            w.check_stops();
            if (!ended.disturbed) break;
        }
}

TEST_CASE("disk full: before a download and at any moment of it; what is there goes on when there is room" * doctest::skip(!small_disk::allowed())) {
    small_disk const disk{4 << 20};
    REQUIRE(disk);
    int failed = 0;
    for (std::uint64_t step = 0;; step += 9) {
        CAPTURE(step);
        world w{[&](node_options &o) { o.output_directory = disk.path() / "in"; }};
        with_files(w);
        auto const ended = disturb_at(w.sim, w.alice->get_executor(), download_by_id(w), step, [&] { disk.fill(); }, 3min);
        if (ended.failure) check_failed(ended, errc::disk_full, "", "no room on the disk");
        failed += !ended.succeeded();
        w.check_alive();
        disk.free();
        check_fetches(w);
        w.check_quiet();
        w.check_stops();
        fs::remove_all(disk.path() / "in");
        if (!ended.disturbed) break;
    }
    CHECK(failed > 3);
}

TEST_CASE("disk full: for those who are not root, where a file may not grow") {
    world w;
    with_files(w);
    {
        small_files const limit{500'000};
        check_failed(call(w, download_by_id(w)), errc::disk_full, "", "no room on the disk");
    }
    CHECK(things_in(w.folder.path / "alice-downloads") == 0);
    check_fetches(w);
    w.check_stops();
}

TEST_CASE("disk full: the share list, the identity and the peer store keep what they held" * doctest::skip(!small_disk::allowed())) {
    small_disk const disk{1 << 20};
    REQUIRE(disk);
    auto const list = disk.path() / "shared.json", key = disk.path() / "key", peers = disk.path() / "peers.json";
    world w{[&](node_options &o) {
        o.share_list = list;
        o.identity_file = key;
        o.peer_store_file = peers;
    }};
    disk.fill();
    w.sim.run(w.bob->start());
    w.bob_at = w.address_of(*w.bob);
    check_failed(call(w, start_it(w)), errc::bad_identity_file, key.string());
    CHECK_FALSE(fs::exists(key));
    CHECK(things_in(disk.path()) == 1);
    disk.free();
    w.sim.run(w.alice->start());
    auto const id = w.alice->id();
    auto reader = w.alice->subscribe();
    w.own_code = w.sim.run(share(*w.alice, w.file("own.bin", 3000)));
    w.sim.run(dial(*w.alice, w.bob_at));
    w.sim.run_for(20s);
    CHECK(troubles(reader).empty());
    auto const shared_before = temporary_folder::read(list), peers_before = temporary_folder::read(peers);
    CHECK(shared_before.size() > 100);
    CHECK(peers_before.size() > 100);

    disk.fill();
    check_failed(call(w, share_file(w)), errc::disk_full, list.string());
    CHECK(w.alice->shared_files().size() == 1);
    CHECK(temporary_folder::read(list) == shared_before);
    w.sim.run(rename(*w.bob, "robert"));
    w.sim.run_for(20s);
    auto const said = troubles(reader);
    REQUIRE(said.size() == 1);
    CHECK(said[0].where == "peer store");
    CHECK(said[0].error == errc::disk_full);
    CHECK(said[0].message.find(peers.string()) != std::string::npos);
    CHECK(temporary_folder::read(peers) == peers_before);
    check_failed(call(w, unshare_file(w)), errc::disk_full, list.string());
    CHECK(w.alice->shared_files().empty());
    w.check_alive();
    CHECK_NOTHROW(w.sim.run(w.alice->stop(), 10s));
    CHECK(temporary_folder::read(list) == shared_before);
    CHECK(temporary_folder::read(peers) == peers_before);

    disk.free();
    w.sim.run(w.alice->start());
    CHECK(w.alice->id() == id);
    CHECK(w.alice->shared_files().size() == 1); // as the documentation of `unshare` warns
    w.sim.run(w.alice->unshare(w.own_code));
    CHECK(share_list::load(list).files().empty());
    w.check_alive();
    w.check_stops();
}

TEST_CASE("disk full: an image that cannot be stored is refused, the sender learns no path, and the receiver's app is told") {
    world w;
    w.meet();
    auto const output = w.folder.path / "bob-downloads";
    w.folder.write("bob-downloads", std::string_view{"a file"});
    auto reader = w.bob->subscribe();
    auto const ended = call(w, send_picture(w));
    CHECK(ended.code() == errc::io_error);
    CHECK(ended.message().find(w.folder.path.string()) == std::string::npos);
    auto const said = troubles(reader);
    REQUIRE(said.size() == 1);
    CHECK(said[0].error == errc::io_error);
    CHECK(said[0].message.find(output.string()) != std::string::npos);
    w.check_alive();
    fs::remove(output);
    CHECK(call(w, send_picture(w)).succeeded());
    w.check_stops();
}

TEST_CASE("share list: cut off at every byte, full of other things: the node does not start, says why, and leaves the file as it is") {
    std::string whole;
    {
        world w;
        with_files(w);
        whole = temporary_folder::read(w.folder.path / "alice.json");
    }
    std::vector<std::string> damaged{"garbage", "null", "[]", "{}", "{\"version\": 1}", "{\"version\": 1, \"files\": 7}", "{\"version\": \"1\", \"files\": []}",
                                     "{\"version\": 1, \"files\": {\"a\": 1}}", "{\"version\": 1, \"files\": [1, 2]}", std::string(100'000, '['),
                                     std::string("{\"version\": 1, \"files\": []}\0", 29), whole + whole, "\xff\xfe\xff"};
    for (std::size_t n = 0; n < whole.find_last_not_of(" \n"); ++n) damaged.push_back(whole.substr(0, n));
    world w;
    auto const list = w.folder.path / "alice.json";
    for (auto const &content : damaged) {
        CAPTURE(content.substr(0, 60));
        w.folder.write("alice.json", content);
        check_failed(call(w, start_it(w)), errc::bad_share_list, list.string(), "restore it, or remove it");
        CHECK(temporary_folder::read(list) == content);
        w.sim.run(w.alice->stop());
    }
    w.folder.write("alice.json", std::string_view{whole});
    fs::resize_file(list, std::uintmax_t{1} << 40); // a hole
    check_failed(call(w, start_it(w)), errc::bad_share_list, list.string());
    fs::remove(list);
    fs::create_directory(list);
    check_failed(call(w, start_it(w)), errc::bad_share_list, list.string());
    fs::remove(list);
    ::chmod(w.folder.path.c_str(), 0755);
    w.folder.write("alice.json", std::string_view{whole});
    ::chmod(list.c_str(), 0000);
    {
        without_rights const nobody;
        check_failed(call(w, start_it(w)), errc::bad_share_list, list.string());
    }
    ::chmod(list.c_str(), 0644);
    CHECK(call(w, start_it(w)).succeeded());
    CHECK(w.alice->shared_files().size() == 1);
    w.sim.run(w.alice->stop());
}

TEST_CASE("identity: empty, damaged, of others, a folder: the node does not start, says why, and starts when that is mended") {
    world w{[](node_options &o) { o.identity_file = o.share_list.parent_path() / "key"; }};
    auto const key = w.folder.path / "key";
    CHECK(call(w, start_it(w)).succeeded());
    auto const id = w.alice->id();
    auto const whole = temporary_folder::read(key);
    w.sim.run(w.alice->stop());
    for (std::size_t n = 0; n < whole.size(); ++n) {
        fs::resize_file(key, n);
        check_failed(call(w, start_it(w)), errc::bad_identity_file, key.string(), "restore it, or remove it");
        CHECK(fs::file_size(key) == n);
    }
    for (std::size_t n = 0; n < whole.size(); ++n) { // any byte: the key is checked against its public half
        auto other = whole;
        other[n] = static_cast<char>(other[n] ^ 0x40);
        w.folder.write("key", other);
        check_failed(call(w, start_it(w)), errc::bad_identity_file, key.string());
    }
    w.folder.write("key", whole);
    ::chmod(w.folder.path.c_str(), 0755);
    {
        without_rights const nobody;
        check_failed(call(w, start_it(w)), errc::bad_identity_file, key.string());
    }
    fs::rename(key, w.folder.path / "kept");
    fs::create_directory(key);
    check_failed(call(w, start_it(w)), errc::bad_identity_file, key.string(), "not a regular file");
    fs::remove(key);
    fs::rename(w.folder.path / "kept", key);
    CHECK(call(w, start_it(w)).succeeded());
    CHECK(w.alice->id() == id);
    w.sim.run(w.alice->stop());
}

TEST_CASE("peer store: damaged or not to be read or written: the node runs without it, says so, and keeps the damaged one") {
    std::string whole;
    auto const with_store = [](node_options &o) { o.peer_store_file = o.share_list.parent_path() / "peers"; };
    {
        world w{with_store};
        w.meet();
        w.stop();
        whole = temporary_folder::read(w.folder.path / "peers");
    }
    REQUIRE(whole.size() > 100);
    for (std::size_t n = 0; n < whole.size(); n += 3) {
        CAPTURE(n);
        world w{with_store};
        w.folder.write("peers", whole.substr(0, n) + "\xff\x01garbage");
        auto reader = w.alice->subscribe();
        w.start();
        auto const said = troubles(reader);
        REQUIRE(said.size() == 1);
        CHECK(said[0].error == errc::io_error);
        CHECK(said[0].message.find("damaged") != std::string::npos);
        CHECK(temporary_folder::read(w.folder.path / "peers.damaged") == whole.substr(0, n) + "\xff\x01garbage");
        w.check_alive();
        w.check_stops();
        CHECK(temporary_folder::read(w.folder.path / "peers").size() > 100);
    }
    world w{with_store};
    fs::create_directory(w.folder.path / "peers");
    auto reader = w.alice->subscribe();
    w.start();
    w.check_alive();
    w.sim.run_for(20s);
    w.check_stops();
    CHECK_FALSE(troubles(reader).empty());
    CHECK(fs::is_directory(w.folder.path / "peers"));
}

TEST_CASE("a shared file that goes, shrinks, grows or changes at any moment of a download: what was shared, or a clear no") {
    enum class change { removed, replaced, cut, longer, other_bytes, emptied };
    for (auto const what : {change::removed, change::replaced, change::cut, change::longer, change::other_bytes, change::emptied}) {
        int failed = 0, succeeded = 0;
        for (std::uint64_t step = 0;; step += 13) {
            CAPTURE(step);
            CAPTURE(static_cast<int>(what));
            world w;
            with_files(w);
            auto const file = w.folder.path / "talk.bin";
            auto const shared = temporary_folder::read(file);
            auto const ended = disturb_at(w.sim, w.alice->get_executor(), download_by_id(w), step, [&] {
                switch (what) {
                case change::removed: fs::remove(file); break;
                case change::replaced:
                    fs::remove(file);
                    w.file("talk.bin", some_chunks, 2);
                    break;
                case change::cut: fs::resize_file(file, some_chunks / 2); break;
                case change::longer: fs::resize_file(file, some_chunks + 1000); break;
                case change::other_bytes: w.file("talk.bin", some_chunks, 3); break;
                case change::emptied: fs::resize_file(file, 0); break;
                }
            }, 3min);
            if (ended.failure)
                CHECK_MESSAGE((ended.code() == errc::file_changed || ended.code() == errc::hash_mismatch), ended.message());
            else
                CHECK(temporary_folder::read(w.folder.path / "alice-downloads" / "talk.bin") == shared);
            failed += !ended.succeeded();
            succeeded += ended.succeeded();
            w.check_alive();
            w.folder.write("talk.bin", shared); // put back: it goes on
            check_fetches(w);
            w.check_quiet();
            w.check_stops();
            if (!ended.disturbed) break;
        }
        MESSAGE("change ", static_cast<int>(what), ": ", failed, " times refused, ", succeeded, " times as shared");
        CHECK(succeeded > 0);
    }
}

TEST_CASE("an unfinished download whose part or journal is damaged begins anew, or goes on with what is right") {
    std::string part, journal;
    std::uint64_t step = 90;
    auto const interrupt = [&step](world &w) {
        with_files(w);
        auto const ended = cancel_at(w.sim, w.alice->get_executor(), download_by_id(w), step);
        CHECK(ended.code() == condition::cancelled);
    };
    std::uintmax_t size = 0;
    for (; size <= 64; step += 10) { // until some chunks are there
        REQUIRE(step < 2000);
        world w;
        interrupt(w);
        auto const journal_file = w.folder.path / "alice-downloads" / "talk.bin.part.journal";
        if (fs::exists(journal_file)) size = fs::file_size(journal_file);
    }
    step -= 10;
    enum class damage { part_removed, part_cut, part_zeroed, journal_removed, journal_cut, journal_flipped, journal_longer };
    for (auto const what : {damage::part_removed, damage::part_cut, damage::part_zeroed, damage::journal_removed, damage::journal_cut, damage::journal_flipped,
                            damage::journal_longer}) {
        bool const at_bytes = what == damage::journal_cut || what == damage::journal_flipped;
        for (std::size_t at = 0; at < (at_bytes ? size : 1); at += 5) {
            CAPTURE(static_cast<int>(what));
            CAPTURE(at);
            world w;
            interrupt(w);
            auto const in = w.folder.path / "alice-downloads", part_file = in / "talk.bin.part", journal_file = in / "talk.bin.part.journal";
            auto content = temporary_folder::read(journal_file);
            switch (what) {
            case damage::part_removed: fs::remove(part_file); break;
            case damage::part_cut: fs::resize_file(part_file, 1000); break;
            case damage::part_zeroed: w.folder.write("alice-downloads/talk.bin.part", bytes(some_chunks)); break;
            case damage::journal_removed: fs::remove(journal_file); break;
            case damage::journal_cut: fs::resize_file(journal_file, at); break;
            case damage::journal_flipped:
                content[at] = static_cast<char>(~content[at]);
                w.folder.write("alice-downloads/talk.bin.part.journal", content);
                break;
            case damage::journal_longer: w.folder.write("alice-downloads/talk.bin.part.journal", content + std::string(100'000, 'x')); break;
            }
            check_fetches(w);
            w.check_stops();
        }
    }
}

} // namespace files_test
