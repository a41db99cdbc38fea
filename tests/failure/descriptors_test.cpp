// Over real sockets, files and threads: after many starts, stops, transfers and failures a process has as many descriptors as before.
#include "unit/file/temporary_folder.hpp"

#include <gigi/node.hpp>
#include <gigi/testing/run_test.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <memory>
#include <string>

namespace descriptors_test {

using namespace gigi;

namespace {

namespace fs = std::filesystem;

std::size_t open_descriptors() { return static_cast<std::size_t>(std::distance(fs::directory_iterator{"/proc/self/fd"}, {})); }

node_options quiet(std::string nickname, fs::path const &folder) {
    node_options o;
    o.listen.assign(1, "/ip4/127.0.0.1/tcp/0");
    o.mdns = false;
    o.output_directory = folder / nickname;
    o.share_list = folder / (nickname + ".json");
    o.identity_file = folder / (nickname + ".key");
    o.peer_store_file = folder / (nickname + ".peers");
    o.nickname = std::move(nickname);
    return o;
}

awaitable<void> fail(awaitable<void> what, std::error_condition expected) {
    std::error_code code;
    try {
        co_await std::move(what);
    } catch (std::system_error const &e) {
        code = e.code();
    }
    CHECK_MESSAGE(code == expected, code.message());
}

awaitable<void> dial(node &from, std::string to) { co_await from.dial(to); }
awaitable<void> get(node &by, peer_id from, std::string code) { co_await by.download(from, code); }
awaitable<void> picture(node &from, peer_id to, fs::path file) { co_await from.send_image(to, file); }

/// A life of two nodes: what works, what fails, and what is interrupted.
awaitable<void> round(any_io_executor executor, fs::path folder, fs::path file) {
    node a{executor, quiet("a", folder)}, b{executor, quiet("b", folder)};
    co_await a.start();
    co_await b.start();
    std::string const address = b.addresses().front().to_string();
    co_await a.dial(address);
    co_await a.join("lobby");
    co_await b.join("lobby");
    std::string const code = co_await b.share(file);
    download_result const done = co_await a.download(b.id(), code);
    CHECK(fs::file_size(done.path) == fs::file_size(file));
    co_await picture(a, b.id(), file);
    co_await fail(picture(a, b.id(), folder / "none.png"), make_error_condition(condition::io_error));
    co_await fail(dial(a, "/ip4/127.0.0.1/tcp/1"), make_error_condition(condition::unreachable));
    co_await fail(get(a, b.id(), "0000-0000-0000-0000-0000"), make_error_condition(condition::invalid_input));
    auto taken = quiet("c", folder);
    taken.listen.assign(1, address.substr(0, address.find("/p2p/")));
    node c{executor, taken};
    bool refused = false;
    try {
        co_await c.start();
    } catch (std::system_error const &e) {
        refused = e.code() == errc::address_in_use || e.code() == std::errc::address_in_use;
    }
    CHECK(refused);
    co_await fail(with_timeout(get(a, b.id(), code), 2ms), make_error_condition(condition::timed_out));
    co_await a.disconnect(b.id());
    co_await a.dial(address);
    a.start_download(b.id(), code); // which the stop interrupts
    co_await b.stop();
    co_await a.stop();
    co_await a.start();
    co_await a.stop();
}

} // namespace

TEST_CASE("descriptors: as many as before, after starts, stops, transfers and failures of every kind") {
    temporary_folder const folder;
    auto const file = folder.write("file.bin", random_content(3'000'000));
    auto const once = [&] {
        gigi::testing::run_test([&]() -> awaitable<void> {
            auto const executor = co_await asio::this_coro::executor;
            co_await round(executor, folder.path, file);
        });
    };
    once(); // what is opened once and for all
    auto const before = open_descriptors();
    for (int n = 0; n < 10; ++n) {
        once();
        CHECK(open_descriptors() == before);
    }
}

} // namespace descriptors_test
