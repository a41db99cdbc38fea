// A program that uses gigi as an app does; it only has to build, link, start a node and stop it.
#ifdef SINGLE_HEADER
#include <gigi.hpp>
#else
#include <gigi/node.hpp>
#endif

#include <cstdio>

asio::awaitable<void> once(gigi::node &node) {
    co_await node.start();
    std::printf("%s is up as %s\n", node.nickname().c_str(), node.id().to_string().c_str());
    co_await node.stop();
}

int main() {
    asio::io_context io;
    gigi::node_options options;
    options.nickname = "packaged";
    options.mdns = false;
    options.listen.assign(1, "/ip4/127.0.0.1/tcp/0");
    gigi::node node{io.get_executor(), options};
    bool failed = false;
    asio::co_spawn(node.get_executor(), once(node), [&failed](std::exception_ptr e) { failed = e != nullptr; });
    io.run();
    return failed ? 1 : 0;
}
