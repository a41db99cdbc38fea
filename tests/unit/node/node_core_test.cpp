#include <gigi/node/node_core.hpp>

#include "unit/node/node_lab.hpp"

#include <gigi/node.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <unistd.h>

namespace node_core_test {

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

awaitable<std::string> share_here(node_lab::memory_node &from, std::filesystem::path file) {
    std::string const code = co_await from.share(file);
    co_return code;
}

struct met {
    std::size_t taken = 0;
    std::string fetched;
};

/// Dials, and asks everybody at once.
awaitable<void> meet_and_ask(node_lab::memory_node &who, std::string address, std::string code, bool message, met &out) {
    co_await who.dial(address);
    if (message) {
        bytes const data(3, 'x');
        out.taken = co_await who.broadcast(data);
    }
    download_result const got = co_await who.download(code);
    out.fetched = got.path.filename().string();
}

} // namespace

TEST_CASE("node: who has just been dialled is asked as well, before he has said what he speaks") {
    for (bool const message : {false, true}) {
        node_lab::lab l{[](node_options &) {}};
        auto &carol = l.add("carol");
        l.sim.run(carol.start());
        std::string const code = l.sim.run(share_here(carol, l.file("a", 1000)));
        met out;
        std::string const where = carol.addresses().front().to_string();
        CHECK_FALSE(l.code_of(meet_and_ask(*l.alice, where, code, message, out)));
        CHECK(out.taken == (message ? 2 : 0)); // Bob, and Carol
        CHECK(out.fetched == "a");
    }
}

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

} // namespace node_core_test
