#include "file_world.hpp"

#include <gigi/file/download_options.hpp>
#include <gigi/testing/interruption.hpp>

namespace download_test {

using namespace gigi;
using namespace file_world;

namespace {

/// As a peer does that does not speak the protocol.
awaitable<pipe_end> open_nothing(duration late) {
    co_await sleep_for(late);
    throw error{make_error_code(errc::unsupported_protocol)};
}

awaitable<std::error_code> end_of(file_download<pipe_end> &download) {
    try {
        (void)co_await download.run();
    } catch (std::system_error const &e) {
        co_return e.code();
    }
    co_return std::error_code{};
}

} // namespace

TEST_CASE("transfer: files of every size arrive as they were") {
    static std::size_t const sizes[] = {0, 1, 16 * KiB - 1, 16 * KiB, 16 * KiB + 1, 256 * KiB - 1, 256 * KiB, 256 * KiB + 1, 3 * 256 * KiB + 77, 5000 * KiB};
    run([](world &w) -> awaitable<void> {
        auto &s = w.add_server();
        for (std::size_t size : sizes) {
            bytes const content = random_content(size, static_cast<unsigned>(size));
            auto const name = "file " + std::to_string(size) + ".bin";
            std::string const code = co_await share_content(w, s, name, content);
            w.progress.clear();
            w.started.clear();
            fs::path const path = co_await w.get(code);
            CHECK(!w.failed);
            CHECK(path == w.output.path / name);
            same(path, content);
            REQUIRE(w.started.size() == 1);
            CHECK(w.started[0].name == name);
            CHECK(w.started[0].size == size);
            REQUIRE(!w.progress.empty());
            CHECK(w.progress.back().bytes == size);
        }
        CHECK(w.output.count() == std::size(sizes)); // no part, no journal
        std::size_t sent = 0;
        for (auto size : sizes) sent += size;
        CHECK(s.slots.bytes == sent);
        CHECK(s.progress.size() + 1 >= std::size(sizes));
        co_await w.stop();
        CHECK(s.slots.used == 0);
        for (auto code : s.ends) CHECK(!code);
    });
}

TEST_CASE("transfer: by the whole root, and typed carelessly") {
    run([](world &w) -> awaitable<void> {
        auto &s = w.add_server();
        bytes const content = random_content(300 * KiB);
        std::string const code = co_await share_content(w, s, "a", content);
        std::string const root = s.files.find(code)->entry.root;
        fs::path path = co_await w.get(root);
        same(path, content);
        std::string careless = code;
        for (char &c : careless) c = static_cast<char>(std::toupper(c));
        path = co_await w.get(careless);
        CHECK(path == w.output.path / "a (1)");
        same(path, content);
        co_await w.stop();
    });
}

TEST_CASE("transfer: a peer that knows nothing of files does not hide what those say that do, whoever comes first") {
    run([](world &w) -> awaitable<void> {
        w.add_server();
        for (duration const late : {duration{0}, duration{5s}}) {
            auto &d = w.prepare("0000-0000-0000-0000-0000");
            d.add_source([late] { return open_nothing(late); });
            std::error_code const why = co_await end_of(d);
            CHECK(why == errc::unknown_code);
        }
        co_await w.stop();
        w.servers.clear();
        auto &d = w.prepare("0000-0000-0000-0000-0000"); // where there is nobody else, it is what is told
        d.add_source([] { return open_nothing(1s); });
        std::error_code const why = co_await end_of(d);
        CHECK(why == errc::unsupported_protocol);
    });
}

TEST_CASE("transfer: refusals say why") {
    run([](world &w) -> awaitable<void> {
        auto &s = w.add_server();
        bytes const content = random_content(600 * KiB);
        std::string const code = co_await share_content(w, s, "a", content);
        co_await w.get("0000-0000-0000-0000-0000");
        CHECK(w.failed == errc::unknown_code);
        // The same size, other content, another time.
        bytes other = content;
        other[400'000] ^= 1;
        fs::path const path = w.shared.write("a", other);
        fs::last_write_time(path, fs::last_write_time(path) + 5s);
        co_await w.get(code);
        CHECK(w.failed == errc::file_changed);
        co_await w.get(code);
        CHECK(w.failed == errc::file_changed);
        // Back as it was, but newer: found out by its content.
        w.shared.write("a", content);
        fs::last_write_time(path, fs::last_write_time(path) + 9s);
        fs::path const got = co_await w.get(code);
        CHECK(!w.failed);
        same(got, content);
        w.shared.write("a", "shorter");
        co_await w.get(code);
        CHECK(w.failed == errc::file_changed);
        fs::remove(path);
        co_await w.get(code);
        CHECK(w.failed == errc::file_changed);
        CHECK(w.output.count() == 1);
        shared_entry const gone = co_await s.files.unshare(code);
        CHECK(gone.code == code);
        co_await w.get(code);
        CHECK(w.failed == errc::unknown_code);
        s.options.max_uploads = 0;
        std::string const second = co_await share_content(w, s, "b", content);
        co_await w.get(second);
        CHECK(w.failed == errc::limit_exceeded);
        CHECK(s.slots.refused == 1);
        co_await w.stop();
    });
}

TEST_CASE("transfer: nobody there") {
    run([](world &w) -> awaitable<void> {
        co_await w.get("0000-0000-0000-0000-0000");
        CHECK(w.failed == errc::unreachable);
        auto &d = w.prepare("0000-0000-0000-0000-0000");
        d.add_source([] { return open_fails(); });
        std::error_code code;
        try {
            co_await d.run();
        } catch (std::system_error const &e) {
            code = e.code();
        }
        CHECK(code == errc::unreachable);
    });
}

TEST_CASE("transfer: several sources share the work") {
    run([](world &w) -> awaitable<void> {
        bytes const content = random_content(40 * chunk + 9);
        w.options.requests.window = 4 * chunk;
        w.options.requests.largest_request = 2 * chunk;
        std::string code;
        for (int i = 0; i < 3; ++i) code = co_await share_content(w, w.add_server(), "a", content);
        w.add_server(); // has nothing
        fs::path const path = co_await w.get(code);
        CHECK(!w.failed);
        same(path, content);
        for (int i = 0; i < 3; ++i) CHECK(w.servers[static_cast<std::size_t>(i)]->slots.bytes > 4 * chunk);
        co_await w.stop();
    });
}

TEST_CASE("transfer: a source that is lost is replaced by the others") {
    run([](world &w) -> awaitable<void> {
        bytes const content = random_content(30 * chunk);
        w.options.max_reopens = 0;
        std::string code;
        for (int i = 0; i < 3; ++i) code = co_await share_content(w, w.add_server(), "a", content);
        w.servers[0]->on_connect = [](line &l) { l.ways[1].breaks_after = 3 * chunk; };
        w.servers[1]->on_connect = [](line &l) { l.ways[1].breaks_after = 5 * chunk + 1000; };
        fs::path const path = co_await w.get(code);
        CHECK(!w.failed);
        same(path, content);
        co_await w.stop();
    });
}

TEST_CASE("T30: a lost peer leaves the part, and the next attempt goes on") {
    run([](world &w) -> awaitable<void> {
        auto &s = w.add_server();
        bytes const content = random_content(20 * chunk + 5);
        std::string const code = co_await share_content(w, s, "a.bin", content);
        w.options.max_reopens = 0;
        s.on_connect = [](line &l) { l.ways[1].breaks_after = 12 * chunk; };
        co_await w.get(code);
        CHECK(w.failed == condition::closed);
        CHECK(fs::exists(w.output.path / "a.bin.part"));
        CHECK(!fs::exists(w.output.path / "a.bin"));
        auto const before = s.slots.bytes;
        CHECK(before >= 8 * chunk);
        s.on_connect = nullptr;
        w.started.clear();
        // A part of what the journal claims has been damaged meanwhile.
        std::string part = temporary_folder::read(w.output.path / "a.bin.part");
        part[2 * chunk + 7] ^= 1;
        w.output.write("a.bin.part", part);
        fs::path const path = co_await w.get(code);
        CHECK(!w.failed);
        same(path, content);
        CHECK(w.started.at(0).bytes >= 7 * chunk);
        CHECK(s.slots.bytes - before <= 14 * chunk);
        CHECK(w.output.count() == 1);
        co_await w.stop();
    });
}

TEST_CASE("transfer: a stream that breaks is opened again while it makes progress") {
    run([](world &w) -> awaitable<void> {
        auto &s = w.add_server();
        bytes const content = random_content(20 * chunk);
        std::string const code = co_await share_content(w, s, "a", content);
        w.options.reopen_pause = 1ms;
        s.on_connect = [](line &l) { l.ways[1].breaks_after = 3 * chunk; };
        fs::path const path = co_await w.get(code);
        CHECK(!w.failed);
        same(path, content);
        CHECK(s.connections > 5);
        // But not for ever.
        s.on_connect = [](line &l) { l.ways[1].breaks_after = 1000; };
        s.connections = 0;
        co_await w.get(code);
        CHECK(w.failed == condition::closed);
        CHECK(s.connections == w.options.max_reopens + 1);
        co_await w.stop();
    });
}

TEST_CASE("transfer: a source that becomes busy in the middle is asked again, for a while") {
    run([](world &w) -> awaitable<void> {
        auto &s = w.add_server();
        bytes const content = random_content(20 * chunk);
        std::string const code = co_await share_content(w, s, "a", content);
        s.options.max_uploads = 1;
        std::uint64_t busy_at = 5 * chunk;
        s.on_connect = [&](line &l) {
            l.ways[1].damage = [&](mutable_bytes, std::uint64_t position) {
                if (position <= busy_at) return;
                busy_at = ~std::uint64_t{0};
                ++s.slots.used;             // somebody else's,
                l.ways[1].breaks_after = 0; // as ours becomes free
            };
        };
        task_group others{w.ex};
        others.spawn([](server &of) -> awaitable<void> {
            co_await sleep_for(1200ms);
            --of.slots.used;
        }(s));
        fs::path const path = co_await w.get(code);
        co_await others.join();
        CHECK(!w.failed);
        same(path, content);
        CHECK(s.slots.refused >= 1);
        CHECK(s.slots.refused <= 3);
        busy_at = 5 * chunk; // and stays so
        co_await w.get(code);
        CHECK(w.failed == errc::limit_exceeded);
        s.slots.used = 0;
        co_await w.stop();
    });
}

TEST_CASE("T26: transfer: what fails without a chunk leaves nothing behind, what nobody asked for nothing at all") {
    run([](world &w) -> awaitable<void> {
        auto &s = w.add_server();
        bytes const content = random_content(20 * chunk);
        std::string const code = co_await share_content(w, s, "a", content);
        w.options.max_reopens = 0;
        s.options.max_uploads = 0; // the manifest is good, and there are no chunks
        for (bool const asked_for : {true, false}) {
            w.options.keep_unfinished = asked_for;
            co_await w.get(code);
            CHECK(w.failed == errc::limit_exceeded);
            CHECK(w.output.count() == 0);
        }
        s.options.max_uploads = 32;
        s.on_connect = [](line &l) { l.ways[1].breaks_after = 12 * chunk; };
        co_await w.get(code);
        CHECK(w.failed == condition::closed);
        CHECK(w.output.count() == 0);
        w.options.keep_unfinished = true;
        co_await w.get(code);
        CHECK(w.failed == condition::closed);
        CHECK(w.output.count() == 2);
        w.options.keep_unfinished = false; // somebody offers the same: what the user has of it stays
        s.options.max_uploads = 0;
        co_await w.get(code);
        CHECK(w.failed == errc::limit_exceeded);
        CHECK(w.output.count() == 2);
        s.options.max_uploads = 32;
        s.on_connect = nullptr;
        auto const before = s.slots.bytes;
        fs::path const path = co_await w.get(code);
        CHECK(!w.failed);
        same(path, content);
        CHECK(s.slots.bytes - before <= 13 * chunk);
        co_await w.stop();
    });
}

TEST_CASE("T27: damaged chunks are never kept, and the source that sends them is given up") {
    run([](world &w) -> awaitable<void> {
        bytes const content = random_content(16 * chunk);
        std::string code;
        for (int i = 0; i < 2; ++i) code = co_await share_content(w, w.add_server(), "a", content);
        w.servers[0]->on_connect = [](line &l) {
            l.ways[1].damage = [](mutable_bytes data, std::uint64_t position) {
                if (position > 2 * chunk && data.size() > 100) data[50] ^= 1;
            };
        };
        fs::path const path = co_await w.get(code);
        CHECK(!w.failed);
        same(path, content);
        CHECK(w.servers[0]->connections == 1);
        co_await w.servers[1]->stop();
        w.servers.pop_back();
        co_await w.get(code);
        CHECK(w.failed == errc::hash_mismatch);
        CHECK(!fs::exists(w.output.path / "a (1)"));
        co_await w.stop();
    });
}

TEST_CASE("transfer: a source that stalls is given up") {
    run([](world &w) -> awaitable<void> {
        bytes const content = random_content(16 * chunk);
        std::string code;
        for (int i = 0; i < 2; ++i) code = co_await share_content(w, w.add_server(), "a", content);
        w.options.requests.stall_timeout = 50ms;
        w.options.progress_interval = 5ms;
        w.options.max_reopens = 0;
        w.servers[0]->on_connect = [](line &l) {
            l.ways[1].damage = [&l](mutable_bytes, std::uint64_t position) { l.ways[1].stuck = position > 3 * chunk; };
        };
        w.servers[1]->on_connect = w.servers[0]->on_connect;
        co_await w.get(code);
        CHECK(w.failed == errc::timed_out);
        w.servers[1]->on_connect = nullptr;
        fs::path const path = co_await w.get(code);
        CHECK(!w.failed);
        same(path, content);
        co_await w.stop();
    });
}

TEST_CASE("transfer: cancelled in the middle, by the caller and by `cancel`") {
    run([](world &w) -> awaitable<void> {
        auto &s = w.add_server();
        bytes const content = random_content(16 * chunk);
        std::string const code = co_await share_content(w, s, "a", content);
        s.on_connect = [](line &l) {
            l.ways[1].damage = [&l](mutable_bytes, std::uint64_t position) { l.ways[1].stuck = position > 5 * chunk; };
        };
        for (bool inside : {false, true}) {
            auto &d = w.prepare(code);
            std::error_code result;
            timer delay{w.ex};
            if (inside) {
                task_group group{w.ex};
                auto const later = [](file_download<pipe_end> &which) -> awaitable<void> {
                    co_await sleep_for(20ms);
                    which.cancel();
                };
                group.spawn(later(d));
                try {
                    co_await d.run();
                } catch (std::system_error const &e) {
                    result = e.code();
                }
                CHECK(result == errc::cancelled);
                co_await group.join();
            } else {
                try {
                    co_await with_timeout(d.run(), 20ms);
                } catch (std::system_error const &e) {
                    result = e.code();
                }
                CHECK(result == errc::timed_out);
            }
            CHECK(fs::exists(w.output.path / "a.part"));
        }
        s.on_connect = nullptr;
        fs::path const path = co_await w.get(code);
        same(path, content);
        CHECK(w.started.back().bytes > 0);
        co_await w.stop();
    });
}

TEST_CASE("transfer: a disk of ours that stands still is not held against the sources") {
    run([](world &w) -> awaitable<void> {
        auto &s = w.add_server();
        bytes const content = random_content(16 * chunk);
        std::string const code = co_await share_content(w, s, "a", content);
        slow_pool disk;
        w.pool = disk.jobs.get_executor();
        w.options.requests.stall_timeout = 30s;
        w.options.max_reopens = 0;
        s.options.write_timeout = 10min;
        task_group others{w.ex};
        others.spawn(disk.work());
        auto const go_on = [](slow_pool &which) -> awaitable<void> {
            co_await sleep_for(40s);
            which.still = false;
        };
        bool stood = false;
        s.on_connect = [&](line &l) {
            l.ways[1].damage = [&](mutable_bytes, std::uint64_t position) {
                if (position < 2 * chunk || std::exchange(stood, true)) return;
                disk.still = true;
                others.spawn(go_on(disk));
            };
        };
        context_clock const clock{w.ex};
        auto const begun = clock.now();
        fs::path const path = co_await w.get(code);
        CHECK(!w.failed);
        CHECK(clock.now() - begun > 40s);
        CHECK(s.connections == 1);
        same(path, content);
        others.cancel();
        co_await others.join();
        co_await w.stop();
    });
}

TEST_CASE("transfer: cancelled at any step, it fails where no file has its name, and returns the file where it has") {
    bytes const content = random_content(2 * chunk + 7);
    int failed = 0;
    for (std::uint64_t step = 0;; ++step) {
        CAPTURE(step);
        testing::simulation sim;
        world w{sim.get_executor()};
        std::string const code = sim.run(share_content(w, w.add_server(), "a", content));
        auto const ended = testing::cancel_at(sim, w.ex, w.prepare(code).run(), step);
        if (ended.failure) CHECK_MESSAGE(ended.code() == condition::cancelled, ended.message());
        CHECK(fs::exists(w.output.path / "a") == ended.succeeded());
        failed += !ended.succeeded();
        sim.run(w.stop());
        if (!ended.disturbed) break;
        REQUIRE(step < 5000);
    }
    CHECK(failed > 0);
}

TEST_CASE("T21, T23: the peer's name for the file is made safe") {
    run([](world &w) -> awaitable<void> {
        auto &s = w.add_server();
        std::string const code = co_await share_content(w, s, "..\\..\\evil\x1b[2J.txt", to_bytes("x"));
        fs::path const path = co_await w.get(code);
        CHECK(path == w.output.path / "evil[2J.txt");
        co_await w.stop();
    });
}

TEST_CASE("T26: of a file above the limit nothing is written") {
    run([](world &w) -> awaitable<void> {
        auto &s = w.add_server();
        std::string const code = co_await share_content(w, s, "a", random_content(1001));
        w.options.max_size = 1000;
        co_await w.get(code);
        CHECK(w.failed == errc::message_too_large);
        CHECK(w.output.count() == 0);
        CHECK(w.started.empty());
        w.options.max_size = 1001;
        fs::path const path = co_await w.get(code);
        CHECK(path == w.output.path / "a");
        co_await w.stop();
    });
}

} // namespace download_test
