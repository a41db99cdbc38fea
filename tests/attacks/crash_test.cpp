// T30: a process that is killed at any moment of a download, a share or a save. The children are forked from the test itself.
#include "unit/file/file_world.hpp"

#include <gigi/file/shared_files.hpp>

#include <random>

#include <sys/wait.h>
#include <unistd.h>

namespace crash_test {

using namespace gigi;
using namespace file_world;

namespace {

/// Runs `work` in a child process and kills it after some microseconds. @return whether it ended by itself before
template <class F> bool killed_after(std::uint64_t microseconds, F work) {
    pid_t const child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        work();
        ::_exit(0);
    }
    ::usleep(static_cast<useconds_t>(microseconds));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status);
}

awaitable<void> fetch_once(world &w, fs::path source, std::string &code_out, std::error_code &failed) {
    auto &s = w.add_server();
    code_out = co_await share(s, source);
    co_await w.get(code_out);
    failed = w.failed;
    co_await w.stop();
}

/// Downloads `source` into `output` in this process.
std::error_code fetch(fs::path const &source, fs::path const &output) {
    asio::io_context io;
    world w{io.get_executor()};
    w.destination = output;
    std::string code;
    std::error_code failed = make_error_code(errc::io_error);
    asio::co_spawn(io, fetch_once(w, source, code, failed), [](std::exception_ptr) {});
    io.run();
    return failed;
}

} // namespace

TEST_CASE("T30: kill -9 at any moment of a download") {
    temporary_folder const shared, output, scratch; // what a killed child leaves behind is in `scratch`
    bytes const content = random_content(8 * chunk + 5);
    auto const source = shared.write("a.bin", content);
    std::mt19937 random{30};
    int killed = 0;
    for (int round = 0; round < 25; ++round) {
        bool const ended = killed_after(random() % 120'000, [&] {
            ::setenv("TMPDIR", scratch.path.c_str(), 1);
            fetch(source, output.path);
        });
        killed += !ended;
        for (auto const &entry : fs::directory_iterator{output.path}) { // whatever has its final name is whole
            auto const name = entry.path().filename().string();
            if (name.ends_with(".part") || name.ends_with(".journal")) continue;
            CHECK(temporary_folder::read(entry.path()) == as_text(content));
        }
        if (ended)
            for (auto const &entry : fs::directory_iterator{output.path}) fs::remove(entry.path());
    }
    CHECK(killed > 0);
    CHECK(!fetch(source, output.path));
    CHECK(temporary_folder::read(output.path / "a.bin") == as_text(content));
    CHECK(!fs::exists(output.path / "a.bin.part"));
    CHECK(!fs::exists(output.path / "a.bin.part.journal"));
}

TEST_CASE("T30: kill -9 at any moment of a share: the list is whole, and what it names is what was shared") {
    temporary_folder const folder, shared;
    auto const list = folder.path / "shared.json";
    auto const name = [](int i) { return "f" + std::to_string(i); };
    for (int i = 0; i < 100; ++i) shared.write(name(i), random_content(20'000 + static_cast<std::size_t>(i), static_cast<unsigned>(i)));
    auto const share_from = [&](int first) {
        asio::io_context io;
        shared_files files{io.get_executor(), io.get_executor(), list, 1000};
        files.load();
        auto const work = [&]() -> awaitable<void> {
            for (int i = first; i < 100; ++i) (void)co_await files.share(shared.path / name(i), hash_progress{});
        };
        asio::co_spawn(io, work(), [](std::exception_ptr) {});
        io.run();
    };
    std::mt19937 random{32};
    std::size_t before = 0;
    int killed = 0;
    for (int round = 0; round < 40 && before < 100; ++round) {
        killed += !killed_after(random() % 60'000, [&] { share_from(static_cast<int>(before)); });
        auto const files = share_list::load(list).files();
        CHECK(files.size() >= before); // none is lost
        before = files.size();
    }
    CHECK(killed > 5);
    share_from(static_cast<int>(before));
    auto const files = share_list::load(list).files();
    CHECK(files.size() == 100);
    for (auto const &[code, entry] : files) {
        auto const content = temporary_folder::read(entry.path);
        CHECK(code == share_code::of(merkle_root(as_bytes(content), chunk_map::of(content.size()).chunk_height()), content.size()).to_string());
    }
}

TEST_CASE("T30: kill -9 at any moment of a save") {
    temporary_folder const folder;
    auto const path = folder.path / "shared.json";
    share_list small, large;
    for (std::uint32_t i = 0; i < 300; ++i) {
        merkle_hash root{};
        store_be(root.data(), i);
        shared_entry const entry{share_code::of(root, i).to_string(), "/f/" + std::to_string(i), "f", i, 0, to_hex(root)};
        if (i < 3) small.add(entry);
        large.add(entry);
    }
    small.save(path);
    std::mt19937 random{31};
    for (int round = 0; round < 25; ++round) {
        killed_after(random() % 30'000, [&] {
            for (;;) {
                large.save(path);
                small.save(path);
            }
        });
        auto const count = share_list::load(path).files().size();
        CHECK((count == 3 || count == 300));
    }
}

} // namespace crash_test
