#include "memory_pipe.hpp"
#include "temporary_folder.hpp"

#include <gigi/file/download.hpp>
#include <gigi/file/upload.hpp>

#include <doctest/doctest.h>

#include <ostream>

using namespace gigi;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t KiB = 1024, chunk = chunk_map::least_chunk_size;

using line = pipe_end::line;
using twist = std::function<void(line &)>; // done to each new line; ways[0] is from client to server

/// A node that shares, without a network: every `connect` is a new line.
struct server {
    server(any_io_executor const &executor, any_io_executor const &offload, fs::path list = {})
        : ex{executor}, pool{offload}, files{executor, offload, std::move(list), 1000}, tasks{executor} {}

    any_io_executor ex, pool;
    shared_files files;
    upload_slots slots;
    upload_options options;
    std::vector<upload_progress> progress;
    std::vector<std::error_code> ends;
    twist on_connect;
    std::size_t connections = 0;
    task_group tasks;

    pipe_end connect() {
        ++connections;
        auto const l = std::make_shared<line>(ex);
        if (on_connect) on_connect(*l);
        tasks.spawn(serve(pipe_end{l, 1}));
        return pipe_end{l, 0};
    }
    awaitable<void> serve(pipe_end end) {
        file_upload<pipe_end> one{std::move(end), ex, pool, files, slots, options, [this](upload_progress const &p) { progress.push_back(p); }};
        std::error_code code;
        try {
            co_await one.run();
        } catch (std::system_error const &e) {
            code = e.code();
        }
        ends.push_back(code);
    }
    awaitable<void> stop() {
        tasks.cancel();
        co_await tasks.join();
    }
};

awaitable<pipe_end> open_to(server &s) { co_return s.connect(); }
awaitable<pipe_end> open_fails() {
    throw error{make_error_code(errc::unreachable)};
    co_return pipe_end{nullptr, 0};
}

/// What one test needs. Disk work runs inline.
struct world {
    explicit world(any_io_executor const &executor) : ex{executor} {}
    any_io_executor ex;
    temporary_folder shared, output;
    std::vector<std::unique_ptr<server>> servers;
    std::vector<download_state> progress;
    std::vector<download_state> started;
    std::error_code failed;
    download_options options;
    std::unique_ptr<file_download<pipe_end>> last;

    server &add_server() {
        servers.push_back(std::make_unique<server>(ex, ex));
        return *servers.back();
    }
    file_download<pipe_end> &prepare(std::string const &code) {
        download_callbacks callbacks;
        callbacks.started = [this](download_state const &s) { started.push_back(s); };
        callbacks.progress = [this](download_state const &s) { progress.push_back(s); };
        last = std::make_unique<file_download<pipe_end>>(ex, ex, share_code::parse(code).value(), output.path, options, std::move(callbacks));
        for (auto &s : servers) {
            auto *const to = s.get();
            last->add_source([to] { return open_to(*to); });
        }
        return *last;
    }
    awaitable<fs::path> get(std::string code) {
        failed.clear();
        auto &d = prepare(code);
        try {
            downloaded_file const done = co_await d.run();
            co_return done.path;
        } catch (std::system_error const &e) {
            failed = e.code();
        }
        co_return fs::path{};
    }
    awaitable<void> stop() {
        for (auto &s : servers) co_await s->stop();
    }
};

template <class F> void run(F body) {
    asio::io_context io;
    std::exception_ptr failure;
    bool finished = false;
    auto w = std::make_unique<world>(io.get_executor());
    asio::co_spawn(io, body(*w), [&](std::exception_ptr e) {
        failure = e;
        finished = true;
    });
    io.run();
    if (failure) std::rethrow_exception(failure);
    CHECK(finished);
}

awaitable<std::string> share(server &s, fs::path path) {
    shared_entry const entry = co_await s.files.share(std::move(path), hash_progress{});
    co_return entry.code;
}
awaitable<std::string> share_content(world &w, server &s, std::string name, bytes content) {
    std::string code = co_await share(s, w.shared.write(name, content));
    co_return code;
}

void same(fs::path const &path, bytes_view content) {
    CHECK(fs::is_regular_file(path));
    CHECK(temporary_folder::read(path) == as_text(content)); // NOLINT: a difference is the whole file
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
        CHECK(w.failed == condition::closed);
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

TEST_CASE("T21, T23: the peer's name for the file is made safe") {
    run([](world &w) -> awaitable<void> {
        auto &s = w.add_server();
        std::string const code = co_await share_content(w, s, "..\\..\\evil\x1b[2J.txt", to_bytes("x"));
        fs::path const path = co_await w.get(code);
        CHECK(path == w.output.path / "evil[2J.txt");
        co_await w.stop();
    });
}

TEST_CASE("transfer: the list, in pages") {
    run([](world &w) -> awaitable<void> {
        auto &s = w.add_server();
        file_client<pipe_end> client{s.connect(), 10s};
        std::vector<list_entry> all = co_await client.list(10'000);
        CHECK(all.empty());
        for (int i = 0; i < 600; ++i) co_await share_content(w, s, "f" + std::to_string(i), to_bytes(std::to_string(i)));
        all = co_await client.list(10'000);
        CHECK(all.size() == 600);
        CHECK(std::ranges::is_sorted(all, {}, &list_entry::code));
        CHECK(all[0].size == s.files.find(all[0].code)->entry.size);
        all = co_await client.list(300);
        CHECK(all.size() == 300);
        client.close();
        co_await w.stop();
    });
}

TEST_CASE("upload: what a peer must not ask ends the stream, and nothing else") {
    run([](world &w) -> awaitable<void> {
        auto &s = w.add_server();
        std::string const code = co_await share_content(w, s, "a", random_content(3 * chunk));
        auto const root = s.files.find(code)->root;
        struct row {
            range_request range;
            errc wanted;
        };
        std::vector<row> const rows{{{root, 3, 1}, errc::rejected},          {{root, 0, 4}, errc::rejected},
                                    {{root, 0xffffffff, 2}, errc::rejected}, {{merkle_hash{}, 0, 1}, errc::unknown_code}};
        file_client<pipe_end> client{s.connect(), 10s};
        for (auto const &[range, wanted] : rows) {
            co_await client.request_range(range);
            std::error_code result;
            try {
                co_await client.next_chunk();
            } catch (std::system_error const &e) {
                result = e.code();
            }
            CHECK(result == wanted);
        }
        for (std::string const raw : {"00", "05ffffffffff", "ffffffff0f"}) { // not a request; too large
            pipe_end end = s.connect();
            bytes const message = from_hex(raw).value();
            co_await end.write(message);
            bytes buffer(10);
            std::error_code result;
            try {
                co_await end.read_some(buffer);
            } catch (std::system_error const &e) {
                result = e.code();
            }
            CHECK(result == errc::reset);
        }
        manifest const still = co_await client.describe(share_code::parse(code).value());
        CHECK(still.size == 3 * chunk);
        client.close();
        co_await w.stop();
    });
}

TEST_CASE("T25: a file that changes while it is sent is cut off, not sent wrong") {
    run([](world &w) -> awaitable<void> {
        auto &s = w.add_server();
        bytes const content = random_content(16 * chunk);
        std::string const code = co_await share_content(w, s, "a", content);
        auto const path = w.shared.path / "a";
        bool changed = false;
        s.on_connect = [&](line &l) {
            l.ways[1].damage = [&](mutable_bytes, std::uint64_t position) {
                if (position > 4 * chunk && !std::exchange(changed, true)) fs::resize_file(path, 5 * chunk);
            };
        };
        w.options.max_reopens = 1;
        w.options.reopen_pause = 1ms;
        co_await w.get(code);
        CHECK((w.failed == errc::file_changed || w.failed == condition::closed));
        CHECK(fs::exists(w.output.path / "a.part"));
        CHECK(w.output.count() == 2);
        co_await w.stop();
    });
}
