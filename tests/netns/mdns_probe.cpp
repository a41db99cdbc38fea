// A program for tests/netns/mdns_test.py: multicast DNS on the interfaces of the network namespace in which it runs.
//
//   mdns_probe SECONDS PEER_NUMBER [--listen MULTIADDR]... [--nickname NAME] [--interface NAME] [--no-ipv4] [--no-ipv6] [--log]
//
// Announces the peer with that number, and prints what happens, a line each: `id ID`, `found ID NICKNAME ADDRESS…`,
// `expired ID`, `error TEXT`, and with --log also `log TEXT`. On SIGTERM, or when SECONDS are over, it says goodbye and prints `stopped`.
#include <gigi/core/log.hpp>
#include <gigi/discovery/mdns.hpp>

#include <asio/signal_set.hpp>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <string>
#include <vector>

namespace {

gigi::peer_id numbered_peer(unsigned number) {
    auto raw = gigi::from_hex("002408011220").value();
    raw.resize(38);
    gigi::store_be(&raw[6], static_cast<std::uint32_t>(number));
    return gigi::peer_id::from_bytes(raw).value();
}

struct arguments {
    int seconds = 0;
    gigi::peer_id self = numbered_peer(0);
    std::vector<gigi::multiaddr> listen;
    std::string nickname;
    gigi::mdns_options options;
};

void print(std::string const &line) { std::cout << line << std::endl; }

gigi::awaitable<void> run(arguments const &given) {
    auto const executor = co_await asio::this_coro::executor;
    gigi::mdns discovery{executor, given.self, given.options};
    discovery.update(given.listen, given.nickname);
    gigi::discovery_handler handler;
    handler.on_found = [](gigi::discovered_peer const &found) {
        std::string line = "found " + found.peer.to_string() + " " + (found.nickname.empty() ? "-" : found.nickname);
        for (auto const &address : found.addresses) line += " " + address.to_string();
        print(line);
    };
    handler.on_expired = [](gigi::peer_id const &peer) { print("expired " + peer.to_string()); };
    handler.on_error = [](std::error_code code, std::string_view what) { print("error " + std::string{what} + ": " + code.message()); };
    discovery.start(std::move(handler));

    asio::signal_set signals{executor, SIGTERM, SIGINT};
    asio::steady_timer end{executor, std::chrono::seconds{given.seconds}};
    end.async_wait([&signals](std::error_code code) {
        if (!code) signals.cancel();
    });
    std::error_code ignored;
    co_await signals.async_wait(asio::redirect_error(gigi::use_awaitable, ignored));
    end.cancel();
    co_await discovery.stop();
    print("stopped");
}

} // namespace

int main(int argc, char **argv) {
    arguments given;
    if (argc < 3) return 2;
    given.seconds = std::atoi(argv[1]);
    given.self = numbered_peer(static_cast<unsigned>(std::atoi(argv[2])));
    for (int i = 3; i < argc; ++i) {
        std::string const option = argv[i];
        if (option == "--no-ipv4") {
            given.options.ipv4 = false;
        } else if (option == "--no-ipv6") {
            given.options.ipv6 = false;
        } else if (option == "--log") {
            gigi::set_log(gigi::log_level::debug, [](gigi::log_level, std::string_view, std::string_view text) { print("log " + std::string{text}); });
        } else if (i + 1 == argc) {
            return 2;
        } else if (option == "--listen") {
            given.listen.push_back(gigi::multiaddr::parse(argv[++i]).value());
        } else if (option == "--nickname") {
            given.nickname = argv[++i];
        } else if (option == "--interface") {
            given.options.interface_name = argv[++i];
        } else {
            return 2;
        }
    }
    print("id " + given.self.to_string());
    asio::io_context io;
    std::exception_ptr failure;
    asio::co_spawn(asio::make_strand(io), run(given), [&failure](std::exception_ptr e) { failure = e; });
    io.run();
    if (failure) std::rethrow_exception(failure);
}
