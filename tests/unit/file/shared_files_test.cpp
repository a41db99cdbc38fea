#include "file_world.hpp"

#include <gigi/file/shared_files.hpp>
#include <gigi/testing/interruption.hpp>

namespace shared_files_test {

using namespace gigi;
using namespace file_world;

namespace {

awaitable<std::error_code> try_share(shared_files &files, fs::path path) {
    try {
        co_await files.share(std::move(path), hash_progress{});
    } catch (std::system_error const &e) {
        co_return e.code();
    }
    co_return std::error_code{};
}
awaitable<void> share_into(shared_files &files, fs::path path, std::error_code &out) { out = co_await try_share(files, std::move(path)); }

awaitable<std::error_code> try_open(shared_files &files, std::string code) {
    try {
        co_await files.open(files.find(code));
    } catch (std::system_error const &e) {
        co_return e.code();
    }
    co_return std::error_code{};
}

/// The list on the disk says what is shared.
void check_list(shared_files const &files, fs::path const &list) {
    auto const kept = share_list::load(list).files();
    CHECK(kept.size() == files.entries().size());
    for (auto const &[code, entry] : files.entries()) CHECK(kept.contains(code));
}

awaitable<void> open_into(shared_files &files, std::string code, std::error_code &out) { out = co_await try_open(files, std::move(code)); }

awaitable<void> share_after(shared_files &files, fs::path path, duration pause, std::error_code &out) {
    co_await sleep_for(pause);
    out = co_await try_share(files, std::move(path));
}
awaitable<void> unshare_after(shared_files &files, std::string code, duration pause, std::error_code &out) {
    co_await sleep_for(pause);
    try {
        (void)co_await files.unshare(std::move(code));
    } catch (std::system_error const &e) {
        out = e.code();
    }
}

/// One content under three names, on a slow disk; `had` is whether it is shared under the first name already.
struct same_content {
    explicit same_content(bool had) : others{w.ex}, files{w.ex, disk.jobs.get_executor(), list, 100} {
        others.spawn(disk.work());
        code = share_code::of(merkle_root(content, tree_height(content.size() / merkle_block_size)), content.size()).to_string();
        if (!had) return;
        shared_entry const old = sim.run(files.share(names[0], hash_progress{}));
        REQUIRE(old.code == code);
    }
    ~same_content() {
        others.cancel();
        sim.run(others.join());
    }
    void finish() { sim.run(sleep_for(100ms)); }
    std::string shared_as() const {
        auto const found = files.find(code);
        return found ? fs::path{found->entry.path}.filename().string() : "";
    }

    testing::simulation sim;
    world w{sim.get_executor()};
    fs::path const list = w.output.path / "shared.json";
    bytes const content = random_content(2 * chunk);
    std::string code;
    fs::path const names[3]{w.shared.write("old", content), w.shared.write("a", content), w.shared.write("b", content)};
    slow_pool disk;
    task_group others;
    shared_files files;
};

} // namespace

TEST_CASE("limits: shared files: what cannot be shared") {
    run([](world &w) -> awaitable<void> {
        shared_files files{w.ex, w.ex, "", 2};
        std::error_code code = co_await try_share(files, w.shared.path / "missing");
        CHECK(code == errc::file_not_found);
        code = co_await try_share(files, w.shared.path);
        CHECK(code == errc::file_not_found);
        code = co_await try_share(files, "");
        CHECK(code == errc::file_not_found);
        for (std::string const name : {"a", "b"}) {
            code = co_await try_share(files, w.shared.write(name, name));
            CHECK(!code);
        }
        code = co_await try_share(files, w.shared.write("c", "c"));
        CHECK(code == errc::limit_exceeded);
        CHECK(files.refused() == 1);
        CHECK(files.entries().size() == 2);
    });
}

TEST_CASE("shared files: progress while hashing, and the list on the disk") {
    run([](world &w) -> awaitable<void> {
        auto const list = w.output.path / "sub" / "shared.json";
        shared_files files{w.ex, w.ex, list, 100};
        files.load();
        bytes const content = random_content(40 << 20);
        std::vector<std::uint64_t> steps;
        hash_progress const progress = [&](std::uint64_t done, std::uint64_t total) {
            CHECK(total == content.size());
            steps.push_back(done);
        };
        shared_entry const entry = co_await files.share(w.shared.write("big", content), progress);
        CHECK(steps.size() >= 3);
        CHECK(std::ranges::is_sorted(steps));
        CHECK(steps.back() == content.size());
        CHECK(entry.name == "big");
        CHECK(share_list::load(list).find(entry.code)->path == entry.path);
        // Others at the same time: every one is in the list at the end.
        task_group group{w.ex};
        std::error_code codes[10];
        for (int i = 0; i < 10; ++i) group.spawn(share_into(files, w.shared.write("f" + std::to_string(i), std::to_string(i)), codes[i]));
        co_await group.join();
        for (auto const &code : codes) CHECK(!code);
        CHECK(share_list::load(list).files().size() == 11);
        co_await files.unshare(entry.code);
        CHECK(share_list::load(list).files().size() == 10);
        CHECK(!files.find(entry.code));
        CHECK(!files.find(entry.root));
    });
}

TEST_CASE("T30: where the list cannot be saved nothing is shared, and the former entry stays") {
    run([](world &w) -> awaitable<void> {
        auto const list = w.output.path / "shared.json";
        shared_files files{w.ex, w.ex, list, 100};
        shared_entry const first = co_await files.share(w.shared.write("a", "content"), hash_progress{});
        fs::remove(list);
        fs::create_directory(list); // cannot be replaced by a file
        std::error_code code = co_await try_share(files, w.shared.write("b", "other"));
        CHECK(code == condition::io_error);
        code = co_await try_share(files, w.shared.write("c", "content"));
        CHECK(code == condition::io_error);
        REQUIRE(files.entries().size() == 1);
        CHECK(files.find(first.code)->entry.name == "a");
        CHECK(files.entries().begin()->second.name == "a");
    });
}

TEST_CASE("shared files: cancelled while hashing") {
    testing::simulation sim;
    world w{sim.get_executor()};
    slow_pool disk;
    task_group others{w.ex}, group{w.ex};
    others.spawn(disk.work());
    shared_files files{w.ex, disk.jobs.get_executor(), "", 100};
    std::error_code code;
    group.spawn(share_into(files, w.shared.write("a", random_content(60 << 20)), code));
    sim.run(sleep_for(2500us)); // it is open, and a step of four is done
    CHECK(!code);
    group.cancel();
    sim.run(group.join());
    CHECK(code == errc::cancelled);
    CHECK(files.entries().empty());
    others.cancel();
    sim.run(others.join());
}

TEST_CASE("shared files: cancelled at any step, share shares nothing and unshare leaves nothing on the disk, also while others wait for the list") {
    bytes const old_content = random_content(2 * chunk), content = random_content(3 * chunk, 2);
    for (bool const sharing : {true, false}) {
        int failed = 0;
        for (std::uint64_t step = 0;; ++step) {
            CAPTURE(sharing);
            CAPTURE(step);
            testing::simulation sim;
            world w{sim.get_executor()};
            auto const list = w.output.path / "shared.json";
            slow_pool disk;
            task_group others{w.ex};
            others.spawn(disk.work());
            shared_files files{w.ex, disk.jobs.get_executor(), list, 100};
            shared_entry const old = sim.run(files.share(w.shared.write("old", old_content), hash_progress{}));
            std::error_code codes[3];
            for (int i = 0; i < 3; ++i) others.spawn(share_into(files, w.shared.write("f" + std::to_string(i), std::to_string(i)), codes[i]));
            sim.run(sleep_for(sharing ? 3500us : 8500us)); // they are hashed, and wait for each other's saves when this one comes
            auto const path = w.shared.write("new", content);
            auto const ended = sharing ? testing::cancel_at(sim, w.ex, files.share(path, hash_progress{}), step) : testing::cancel_at(sim, w.ex, files.unshare(old.code), step);
            if (ended.failure) CHECK_MESSAGE(ended.code() == condition::cancelled, ended.message());
            failed += !ended.succeeded();
            sim.run(sleep_for(100ms));
            for (auto const &code : codes) CHECK(!code);
            CHECK(files.entries().size() == (ended.failure ? 4 : sharing ? 5 : 3));
            check_list(files, list);
            others.cancel();
            sim.run(others.join());
            if (!ended.disturbed) break;
            REQUIRE(step < 1000);
        }
        CHECK(failed > 0);
    }
}

TEST_CASE("shared files: two share the same, and one is cancelled at any step: the other one has shared it") {
    int failed = 0;
    for (bool const had : {false, true})
        for (duration const pause : {duration{0}, duration{500us}, duration{2500us}, duration{6500us}})
            for (std::uint64_t step = 0;; ++step) {
                CAPTURE(had);
                CAPTURE(pause.count());
                CAPTURE(step);
                same_content t{had};
                std::error_code other;
                t.others.spawn(share_after(t.files, t.names[2], pause, other));
                auto const ended = testing::cancel_at(t.sim, t.w.ex, t.files.share(t.names[1], hash_progress{}), step);
                if (ended.failure) CHECK_MESSAGE(ended.code() == condition::cancelled, ended.message());
                t.finish();
                CHECK(!other);
                if (ended.failure)
                    CHECK(t.shared_as() == "b");
                else
                    CHECK((t.shared_as() == "a" || t.shared_as() == "b"));
                CHECK(share_list::load(t.list).files() == t.files.entries());
                CHECK(t.files.entries().size() == 1);
                failed += !ended.succeeded();
                if (!ended.disturbed) break;
                REQUIRE(step < 1000);
            }
    CHECK(failed > 0);
}

TEST_CASE("shared files: unshared while it is shared again, which is cancelled at any step: it stays unshared") {
    int failed = 0;
    for (duration const pause : {duration{0}, duration{500us}, duration{2500us}, duration{3500us}, duration{4500us}, duration{5500us}, duration{6500us}})
        for (std::uint64_t step = 0;; ++step) {
            CAPTURE(pause.count());
            CAPTURE(step);
            same_content t{true};
            std::error_code other;
            t.others.spawn(unshare_after(t.files, t.code, pause, other));
            auto const ended = testing::cancel_at(t.sim, t.w.ex, t.files.share(t.names[1], hash_progress{}), step);
            if (ended.failure) CHECK_MESSAGE(ended.code() == condition::cancelled, ended.message());
            t.finish();
            CHECK(!other);
            if (ended.failure) CHECK(t.shared_as() == "");
            CHECK(share_list::load(t.list).files() == t.files.entries());
            CHECK(t.files.entries().empty() == (t.shared_as() == ""));
            failed += !ended.succeeded();
            if (!ended.disturbed) break;
            REQUIRE(step < 1000);
        }
    CHECK(failed > 0);
}

TEST_CASE("T30: shared files: two share the same, and the disk fails at any time, for once or for good: what is shared is what was said to be") {
    int failed = 0;
    for (bool const had : {false, true})
        for (bool const for_good : {false, true})
            for (duration const pause : {duration{0}, duration{500us}, duration{2500us}})
                for (int job = 0; job < 16; ++job) {
                    CAPTURE(had);
                    CAPTURE(for_good);
                    CAPTURE(pause.count());
                    CAPTURE(job);
                    same_content t{had};
                    auto const aside = t.w.output.path / "aside";
                    auto const break_disk = [&] {
                        if (fs::exists(t.list)) fs::rename(t.list, aside);
                        fs::create_directory(t.list); // cannot be replaced by a file
                    };
                    auto const mend_disk = [&] {
                        if (!fs::is_directory(t.list)) return;
                        fs::remove(t.list);
                        if (fs::exists(aside)) fs::rename(aside, t.list);
                    };
                    int done = 0;
                    t.disk.after = [&] {
                        if (!for_good) mend_disk();
                        if (++done == job) break_disk();
                    };
                    if (job == 0) break_disk();
                    std::error_code codes[2];
                    t.others.spawn(share_after(t.files, t.names[1], duration{0}, codes[0]));
                    t.others.spawn(share_after(t.files, t.names[2], pause, codes[1]));
                    t.finish();
                    t.disk.after = nullptr;
                    mend_disk();
                    for (auto const &code : codes) CHECK((!code || code == condition::io_error));
                    failed += codes[0] || codes[1];
                    std::string const now = t.shared_as(), old = had ? "old" : "";
                    if (codes[0] && codes[1])
                        CHECK(now == old);
                    else
                        CHECK(((!codes[0] && now == "a") || (!codes[1] && now == "b")));
                    check_list(t.files, t.list);
                    if (!for_good) CHECK(share_list::load(t.list).files() == t.files.entries());
                }
    CHECK(failed > 0);
}

TEST_CASE("shared files: stop ends what is hashed, for the first time or again, until the list is loaded") {
    testing::simulation sim;
    world w{sim.get_executor()};
    slow_pool disk;
    task_group others{w.ex}, group{w.ex};
    others.spawn(disk.work());
    shared_files files{w.ex, disk.jobs.get_executor(), w.output.path / "shared.json", 100};
    auto const path = w.shared.write("a", random_content(60 << 20));
    shared_entry const entry = sim.run(files.share(path, hash_progress{}));
    auto const more = w.shared.write("b", random_content(60 << 20, 2));
    fs::last_write_time(path, fs::last_write_time(path) + 3s);
    std::error_code first, again;
    group.spawn(share_into(files, more, first));
    group.spawn(open_into(files, entry.code, again));
    sim.run(sleep_for(4500us)); // both are open and have begun
    CHECK(!first);
    CHECK(!again);
    files.stop();
    sim.run(group.join());
    CHECK(first == errc::stopped);
    CHECK(again == errc::stopped);
    files.load();
    CHECK(!sim.run(try_open(files, entry.code)));
    others.cancel();
    sim.run(others.join());
}

TEST_CASE("shared files: a file that was only touched is found to be the same, and trusted again") {
    run([](world &w) -> awaitable<void> {
        auto const list = w.output.path / "shared.json";
        shared_files files{w.ex, w.ex, list, 100};
        auto const path = w.shared.write("a", random_content(600 * KiB));
        shared_entry const entry = co_await files.share(path, hash_progress{});
        fs::last_write_time(path, fs::last_write_time(path) + 3s);
        std::error_code code = co_await try_open(files, entry.code);
        CHECK(!code);
        CHECK(share_list::load(list).find(entry.code)->modified == entry.modified + 3'000'000'000);
        // Other content of the same size and a new time: refused, and not hashed again and again.
        w.shared.write("a", random_content(600 * KiB, 2));
        fs::last_write_time(path, fs::last_write_time(path) + 9s);
        code = co_await try_open(files, entry.code);
        CHECK(code == errc::file_changed);
        REQUIRE(files.find(entry.code)->refused);
        code = co_await try_open(files, entry.code);
        CHECK(code == errc::file_changed);
    });
}

TEST_CASE("shared files: hashes are known again after a restart") {
    run([](world &w) -> awaitable<void> {
        auto const list = w.output.path / "shared.json";
        shared_entry entry;
        bytes const content = random_content(3 * chunk);
        {
            shared_files files{w.ex, w.ex, list, 100};
            entry = co_await files.share(w.shared.write("a", content), hash_progress{});
        }
        shared_files files{w.ex, w.ex, list, 100};
        files.load();
        auto const share = files.find(entry.code);
        REQUIRE(share);
        CHECK(!share->hashes);
        std::shared_ptr<file_hashes const> const hashes = co_await files.hashes_of(share);
        CHECK(hashes->chunks.size() == 3);
        CHECK(hashes->root == share->root);
        CHECK(files.find(entry.root) == share);
    });
}

TEST_CASE("shared files: who waits for what another one hashes gets the file, wherever the other one leaves") {
    bytes const content = random_content(17 << 20); // hashed in two jobs
    for (int step = 0; step < 40; ++step) {
        CAPTURE(step);
        testing::simulation sim;
        world w{sim.get_executor()};
        slow_pool disk;
        task_group others{w.ex};
        others.spawn(disk.work());
        shared_files files{w.ex, disk.jobs.get_executor(), "", 100};
        auto const path = w.shared.write("a", content);
        shared_entry const shared = sim.run(files.share(path, hash_progress{}));
        fs::last_write_time(path, fs::last_write_time(path) + 3s);
        std::error_code left, stayed;
        task_group first{w.ex}, second{w.ex};
        first.spawn(open_into(files, shared.code, left));
        second.spawn(open_into(files, shared.code, stayed));
        for (int i = 0; i < step; ++i) sim.step();
        first.cancel();
        sim.run(first.join());
        sim.run(second.join());
        CHECK_FALSE(stayed);
        others.cancel();
        sim.run(others.join());
    }
}

TEST_CASE("shared files: a file that takes longer to hash than anybody waits is hashed by all who ask, one after the other") {
    testing::simulation sim;
    world w{sim.get_executor()};
    slow_pool disk; // a job a millisecond, of 16 MiB each
    task_group others{w.ex};
    others.spawn(disk.work());
    shared_files files{w.ex, disk.jobs.get_executor(), "", 100};
    auto const path = w.shared.write("a", random_content(68 << 20));
    shared_entry const shared = sim.run(files.share(path, hash_progress{}));
    auto const touch = [&] { fs::last_write_time(path, fs::last_write_time(path) + 3s); };
    touch();
    std::error_code code = make_error_code(errc::timed_out);
    int asked = 0;
    for (; code && asked < 20; ++asked) {
        task_group one{w.ex};
        one.spawn(open_into(files, shared.code, code));
        sim.run_for(4ms);
        one.cancel();
        sim.run(one.join());
        if (asked == 1) touch(); // all of it is hashed anew
    }
    CHECK_FALSE(code);
    CHECK(asked > 3);
    others.cancel();
    sim.run(others.join());
}

TEST_CASE("T25: a file that changes while it is hashed is not shared") {
    run([](world &w) -> awaitable<void> {
        shared_files files{w.ex, w.ex, "", 100};
        auto const path = w.shared.write("a", random_content(20 << 20));
        hash_progress const progress = [&](std::uint64_t, std::uint64_t) { w.shared.write("a", "short"); };
        std::error_code code;
        try {
            co_await files.share(path, progress);
        } catch (std::system_error const &e) {
            code = e.code();
        }
        CHECK(code == errc::file_changed);
        CHECK(files.entries().empty());
    });
}

} // namespace shared_files_test
