#include <gigi/protocol/request_response.hpp>

#include <gigi/core/error.hpp>
#include <gigi/testing/memory_host.hpp>
#include <gigi/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <ios>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace request_response_test {

using namespace gigi;
using namespace gigi::testing;

namespace {

struct trouble {
    static constexpr std::string_view id = "/test/trouble/1.0.0";
    using request = std::string;
    using response = std::string;
};

constexpr std::string_view secret = "diary-of-alice";

/// Fails as it is asked to; what it says of it then names a file of its own, or is meant for who asks.
std::string fail(peer_id const &, std::string const &how) {
    auto const none = std::filesystem::temp_directory_path() / secret / "page-1";
    if (how == "error") throw error{errc::invalid_argument, "a word has at most 100 letters"};
    if (how == "plain errc") throw std::system_error{make_error_code(errc::not_supported), none.string()};
    if (how == "file_size") return std::to_string(std::filesystem::file_size(none));
    if (how == "ifstream") {
        std::ifstream in;
        in.exceptions(std::ios::failbit);
        in.open(none);
    }
    if (how == "system_error") throw std::system_error{std::make_error_code(std::errc::no_such_file_or_directory), none.string()};
    if (how == "error of the system") throw error{std::make_error_code(std::errc::no_space_on_device), none.string()};
    if (how == "error about a file") throw error{errc::file_not_found, none.string()};
    if (how == "runtime_error") throw std::runtime_error{none.string()};
    if (how == "long") throw error{errc::rejected, std::string(1000, 'x')};
    return how;
}
awaitable<std::string> fail_later(peer_id const &who, std::string const &how) {
    co_await sleep_for(duration{1});
    co_return fail(who, how);
}

awaitable<std::string> ask(memory_host &from, peer_id of, std::string how) {
    try {
        std::string answer = co_await send_request<trouble>(from.net, of, how, std::chrono::seconds{5});
        co_return answer;
    } catch (error const &e) {
        co_return error_name(e.code()) + ": " + e.context();
    }
}

} // namespace

TEST_CASE("requests: what a handler throws reaches the asker as a code, and its text only where it is meant for a peer") {
    simulation sim{1};
    memory_network network{sim.get_executor(), sim.random()};
    memory_host asker{network, "10.0.0.1", sim.random()}, asked{network, "10.0.0.2", sim.random()};
    sim.run(asker.connect(asked));
    for (bool const later : {false, true}) {
        CAPTURE(later);
        if (later)
            serve_requests<trouble>(asked.net, fail_later, std::chrono::seconds{5});
        else
            serve_requests<trouble>(asked.net, fail, std::chrono::seconds{5});
        CHECK(sim.run(ask(asker, asked.id(), "hello")) == "hello");
        auto const said = sim.run(ask(asker, asked.id(), "error"));
        CHECK(said.starts_with("invalid_argument: a word has at most 100 letters"));
        struct row {
            std::string how, expected;
        };
        for (auto const &[how, expected] :
             {row{"plain errc", "not_supported: "}, row{"file_size", "rejected: "}, row{"ifstream", "rejected: "}, row{"system_error", "rejected: "},
              row{"error of the system", "disk_full: "}, row{"error about a file", "file_not_found: "}, row{"runtime_error", "rejected: "}}) {
            CAPTURE(how);
            CHECK(sim.run(ask(asker, asked.id(), how)) == expected);
        }
        auto const cut = sim.run(ask(asker, asked.id(), "long"));
        CHECK(cut == "rejected: " + std::string(512, 'x'));
    }
    sim.run(asker.net.stop());
    sim.run(asked.net.stop());
}

} // namespace request_response_test
