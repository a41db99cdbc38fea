#include <gigi/node/node_core.hpp>

#include <gigi/node.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <unistd.h>

using namespace gigi;

namespace {

/// Starts and stops a node. @return what it said of the peer store
std::string life(node_options const &options) {
    asio::io_context io{1};
    node n{io.get_executor(), options};
    std::string said;
    std::exception_ptr failed;
    auto const live = [](node &of, std::string &what) -> awaitable<void> {
        auto events = of.subscribe();
        co_await of.start();
        co_await of.stop();
        try {
            for (;;) {
                event const e = co_await events.next();
                auto const *error = std::get_if<event::background_error>(&e);
                if (error && error->where == "peer store") what = error->message;
            }
        } catch (std::system_error const &) { // the end
        }
    };
    asio::co_spawn(io, live(n, said), [&](std::exception_ptr e) { failed = e; });
    io.run();
    CHECK_FALSE(failed);
    return said;
}

std::string content(std::filesystem::path const &file) {
    std::ifstream in{file};
    return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace

TEST_CASE("node: a damaged peer store is reported and kept aside; what can be read of it is used") {
    auto const folder = std::filesystem::temp_directory_path() / ("gigi-node-core-" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    auto const file = folder / "peers", aside = folder / "peers.damaged";
    node_options options;
    options.mdns = false;
    options.listen.clear();
    options.peer_store_file = file;

    CHECK(life(options).empty()); // there is no file yet
    REQUIRE(std::filesystem::exists(file));
#ifndef _WIN32
    using std::filesystem::perms;
    auto const others = std::filesystem::status(file).permissions() & (perms::group_all | perms::others_all);
    CHECK(others == perms::none); // whom somebody knows is nobody else's business
#endif

    std::string const sound = "gigi-peers 1\npin\t12D3KooWHapb8N5NzEmvQeSPLE5LJhhXKEciBGGKRsif47pnjCaq\tbob\n", damaged = sound + "nonsense\n";
    std::ofstream{file} << damaged << std::flush;
    auto const said = life(options);
    CHECK(said.find(file.string() + " is damaged") != std::string::npos);
    CHECK(said.find(aside.string()) != std::string::npos);
    CHECK(content(aside) == damaged);
    CHECK(content(file) == sound);

    CHECK(life(options).empty()); // told once
    CHECK(content(file) == sound);
    std::filesystem::remove_all(folder);
}
