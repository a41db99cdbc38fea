// A program for tests/netns/node_test.py: a node in the network namespace in which it runs.
//
//   node_probe SECONDS [INTERFACE]
//
// Prints what happens, a line each: `listening ADDRESS…` without the id, at start and whenever the addresses change, `connected
// ADDRESS`, and on SIGTERM, or when SECONDS are over, `stopped`.
#include <gigi/node.hpp>

#include <asio/signal_set.hpp>

#include <cstdlib>
#include <iostream>
#include <string>
#include <system_error>

namespace {

void print(std::string const &line) { std::cout << line << std::endl; }

void show(gigi::event const &e) {
    if (auto const *const listening = std::get_if<gigi::events::listening>(&e)) {
        std::string line = "listening";
        for (auto const &address : listening->addresses) line += " " + address.without_peer().to_string();
        print(line);
    } else if (auto const *const connected = std::get_if<gigi::events::peer_connected>(&e)) {
        print("connected " + connected->address.to_string());
    }
}

gigi::awaitable<void> tell(gigi::event_reader events) {
    try {
        for (;;) {
            gigi::event const e = co_await events.next();
            show(e);
        }
    } catch (std::system_error const &) { // the end
    }
}

gigi::awaitable<void> run(gigi::node &n, int seconds) {
    asio::signal_set signals{n.get_executor(), SIGTERM, SIGINT};
    asio::steady_timer end{n.get_executor(), std::chrono::seconds{seconds}};
    end.async_wait([&signals](std::error_code code) {
        if (!code) signals.cancel();
    });
    co_await n.start();
    std::error_code ignored;
    co_await signals.async_wait(asio::redirect_error(gigi::use_awaitable, ignored));
    end.cancel();
    co_await n.stop();
    print("stopped");
}

} // namespace

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    asio::io_context io{1};
    gigi::node_options options;
    if (argc > 2) options.interface_name = argv[2];
    gigi::node n{io.get_executor(), options};
    std::exception_ptr failure;
    auto const end = [&failure](std::exception_ptr e) {
        if (e) failure = e;
    };
    asio::co_spawn(n.get_executor(), tell(n.subscribe()), end);
    asio::co_spawn(n.get_executor(), run(n, std::atoi(argv[1])), end);
    io.run();
    if (failure) std::rethrow_exception(failure);
}
