// A TCP connection that is reset after any byte, as the kernel reports it: what the memory network simulates (wire_test.cpp), over
// real sockets.
#include <gigi/node.hpp>
#include <gigi/testing/run_test.hpp>

#include <asio/write.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace reset_test {

using namespace gigi;

namespace {

using asio::ip::tcp;

std::size_t open_descriptors() {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator{"/proc/self/fd"}, {}));
}

/// Passes bytes on between those who connect to it and a listener, and resets both connections after so many of them.
class relay {
  public:
    enum way { there, back };

    relay(any_io_executor const &executor, std::uint16_t to)
        : acceptor_{executor, tcp::endpoint{asio::ip::address_v4::loopback(), 0}}, to_{asio::ip::address_v4::loopback(), to}, tasks_{executor} {
        tasks_.spawn(serve());
    }
    relay(relay const &) = delete;

    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
    /// From now on: the connections break once `bytes` have gone this way.
    void break_after(way direction, std::size_t bytes) {
        left_ = {unlimited, unlimited};
        left_[direction] = bytes;
        seen_->broke = false;
    }
    bool broke() const noexcept { return seen_->broke; }
    std::size_t open() const noexcept { return seen_->open; }
    awaitable<void> stop() {
        acceptor_.close();
        tasks_.cancel();
        co_await tasks_.join();
    }

  private:
    static constexpr std::size_t unlimited = SIZE_MAX;

    /// Outlives the relay where a test is given up.
    struct counts {
        std::size_t open = 0;
        bool broke = false;
    };
    struct pair {
        pair(std::shared_ptr<counts> seen_by, tcp::socket incoming)
            : seen{std::move(seen_by)}, near_end{std::move(incoming)}, far_end{near_end.get_executor()} {
            ++seen->open;
        }
        pair(pair const &) = delete;
        ~pair() { --seen->open; }
        void reset() {
            seen->broke = true;
            for (auto *const one : {&near_end, &far_end}) {
                asio::error_code ignored;
                one->set_option(asio::socket_base::linger{true, 0}, ignored);
                one->close(ignored);
            }
        }
        std::shared_ptr<counts> seen;
        tcp::socket near_end, far_end;
    };

    awaitable<void> serve() {
        while (acceptor_.is_open()) {
            asio::error_code code;
            auto ignoring = asio::redirect_error(use_awaitable, code);
            tcp::socket incoming = co_await acceptor_.async_accept(ignoring);
            if (code) co_return;
            auto const made = std::make_shared<pair>(seen_, std::move(incoming));
            co_await made->far_end.async_connect(to_, use_awaitable);
            made->near_end.set_option(tcp::no_delay{true});
            made->far_end.set_option(tcp::no_delay{true});
            tasks_.spawn(pass(made, there));
            tasks_.spawn(pass(made, back));
        }
    }
    awaitable<void> pass(std::shared_ptr<pair> on, way direction) {
        tcp::socket &from = direction == there ? on->near_end : on->far_end, &to = direction == there ? on->far_end : on->near_end;
        std::vector<char> buffer(65536);
        asio::error_code code;
        auto ignoring = asio::redirect_error(use_awaitable, code);
        for (;;) {
            auto const room = asio::buffer(buffer.data(), std::min(buffer.size(), left_[direction]));
            std::size_t const n = co_await from.async_read_some(room, ignoring);
            if (code) break;
            if (left_[direction] != unlimited) left_[direction] -= n;
            auto const part = asio::buffer(buffer.data(), n);
            co_await asio::async_write(to, part, ignoring);
            if (code) break;
            if (left_[direction] == 0) {
                on->reset();
                break;
            }
        }
        asio::error_code ignored;
        if (to.is_open()) to.shutdown(tcp::socket::shutdown_send, ignored);
    }

    tcp::acceptor acceptor_;
    tcp::endpoint to_;
    std::array<std::size_t, 2> left_{unlimited, unlimited};
    std::shared_ptr<counts> const seen_ = std::make_shared<counts>();
    task_group tasks_; // the last: it ends first
};

node_options quiet(std::string nickname) {
    node_options o;
    o.listen.assign(1, "/ip4/127.0.0.1/tcp/0");
    o.mdns = false;
    o.nickname = std::move(nickname);
    return o;
}

awaitable<void> dial(node &from, std::string to) { co_await from.dial(to); }
awaitable<void> say(node &from, peer_id to) { co_await from.send(to, "hello"); }
awaitable<void> part(node &from, peer_id with) { co_await from.disconnect(with); }

/// How a call ended, which must be within some seconds.
awaitable<std::error_code> code_of(awaitable<void> what) {
    try {
        co_await with_timeout(std::move(what), 10s);
    } catch (std::system_error const &e) {
        co_return e.code();
    }
    co_return std::error_code{};
}

/// What docs/failures.md says of a connection that breaks.
bool explains_a_reset(std::error_code code) { return !code || code == condition::closed; }

/// Waits until nothing is left of a connection.
awaitable<bool> gone(node const &a, node const &b, relay const &between) {
    for (int n = 0; n < 2000; ++n) {
        if (a.stats().connections + b.stats().connections + between.open() == 0) co_return true;
        co_await sleep_for(2ms);
    }
    co_return false;
}

/// Resets a connection after 1, 2, 3 … bytes of one direction, until a dial and a message go through.
awaitable<void> break_everywhere(node &a, node &b, relay &between, std::string via, relay::way direction) {
    constexpr std::size_t handshake = 400, stride = 7; // the handshake has fewer bytes
    int not_dialled = 0, not_said = 0;
    std::size_t bytes = 1, before = 0;
    for (;; bytes += bytes < handshake ? 1 : stride) {
        CAPTURE(bytes);
        CAPTURE(direction);
        between.break_after(direction, bytes);
        std::error_code const dialled = co_await code_of(dial(a, via));
        CHECK_MESSAGE(explains_a_reset(dialled), dialled.message());
        std::error_code said;
        if (!dialled) {
            said = co_await code_of(say(a, b.id()));
            // It may be dialled again by then, at an address that leads past the relay.
            CHECK_MESSAGE(explains_a_reset(said), said.message());
        }
        bool const broke = between.broke();
        not_dialled += static_cast<bool>(dialled);
        not_said += static_cast<bool>(said);
        CHECK((broke || (!dialled && !said)));
        std::error_code const parted = co_await code_of(part(a, b.id()));
        CHECK_MESSAGE((!parted || parted == errc::unknown_peer), parted.message());
        bool const all_gone = co_await gone(a, b, between);
        CHECK(all_gone); // both ends have seen it
        if (bytes % 100 == 0 || !broke) {
            std::string const directly = b.addresses().front().to_string();
            std::error_code const again = co_await code_of(dial(a, directly));
            std::error_code const spoken = co_await code_of(say(a, b.id()));
            CHECK_MESSAGE(!again, again.message());
            CHECK_MESSAGE(!spoken, spoken.message());
            co_await part(a, b.id());
            bool const as_well = co_await gone(a, b, between);
            CHECK(as_well);
            std::size_t const now = open_descriptors();
            if (before == 0) before = now;
            CHECK(now == before);
        }
        if (!broke) break;
        REQUIRE(bytes < 10'000);
    }
    std::string const from = direction == relay::there ? "from who dials: " : "to who dials: ";
    MESSAGE(from, bytes, " bytes; not dialled ", not_dialled, ", not said ", not_said);
    CHECK(not_dialled > 50);
    CHECK(not_said > 50);
}

awaitable<void> reset_everywhere() {
    auto const executor = co_await asio::this_coro::executor;
    node a{executor, quiet("a")}, b{executor, quiet("b")};
    co_await a.start();
    co_await b.start();
    multiaddr const address = b.addresses().front();
    relay between{executor, *address.tcp_port()};
    std::string const via = "/ip4/127.0.0.1/tcp/" + std::to_string(between.port()) + "/p2p/" + b.id().to_string();
    co_await break_everywhere(a, b, between, via, relay::there);
    co_await break_everywhere(a, b, between, via, relay::back);
    co_await between.stop();
    co_await a.stop();
    co_await b.stop();
}

} // namespace

TEST_CASE("a TCP connection that is reset: at every byte of the handshake, and after it while nodes introduce themselves and talk") {
    auto const before = open_descriptors();
    gigi::testing::run_test(reset_everywhere, 300s);
    CHECK(open_descriptors() == before);
}

} // namespace reset_test
