#include <gigi/transport/tcp.hpp>

#include <gigi/core/task_group.hpp>
#include <gigi/core/timeout.hpp>
#include <gigi/crypto/random.hpp>
#include <gigi/link/swarm_options.hpp>
#include <gigi/testing/run_test.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace gigi;

namespace {

multiaddr at(std::string const &text) { return multiaddr::parse(text).value(); }

awaitable<void> send_pieces(tcp_connection &to, std::vector<bytes> const &pieces) {
    std::vector<bytes_view> const views{pieces.begin(), pieces.end()};
    co_await to.write(std::span<bytes_view const>{views});
    to.close_write();
}

awaitable<bytes> receive(tcp_connection &from) {
    bytes all, buffer(70'000);
    for (;;) {
        mutable_bytes const room{buffer};
        std::size_t const n = co_await from.read_some(room);
        if (n == 0) break;
        append(all, bytes_view{buffer}.first(n));
    }
    co_return all;
}

awaitable<void> note_code(awaitable<void> what, std::error_code &code) {
    try {
        co_await std::move(what);
    } catch (std::system_error const &e) {
        code = e.code();
    }
}
awaitable<void> try_dial(tcp_transport &from, multiaddr to) { auto const made = co_await from.dial(to); }
awaitable<void> try_read(tcp_connection &from) { co_await receive(from); }

awaitable<void> transfer() {
    auto const executor = co_await asio::this_coro::executor;
    tcp_transport net{executor};
    for (std::string const host : {"/ip4/127.0.0.1", "/ip6/::1"}) {
        auto listener = net.listen(at(host + "/tcp/0"));
        CHECK(listener.local_address().tcp_port().value() != 0);
        tcp_connection out = co_await net.dial(listener.local_address());
        tcp_connection in = co_await listener.accept();
        CHECK(in.remote_address() == out.local_address());
        CHECK(out.remote_address() == listener.local_address());
        std::vector<bytes> pieces;
        bytes expected;
        seeded_random random{4};
        constexpr std::size_t sizes[] = {1, 0, 100'000, 3, 5'000'000, 0, 17};
        for (std::size_t const size : sizes) {
            for (int copies = 0; copies < 5; ++copies) {
                bytes piece(size);
                random.fill(piece);
                append(expected, piece);
                pieces.push_back(std::move(piece));
            }
        }
        task_group sending{executor};
        sending.spawn(send_pieces(out, pieces));
        co_await in.wait_readable();
        bytes const got = co_await receive(in);
        co_await sending.join();
        CHECK(got == expected);
        // the other direction still works after the half-close
        bytes_view const answer = as_bytes("thanks");
        co_await in.write(answer);
        in.close();
        bytes const heard = co_await receive(out);
        CHECK(to_text(heard) == "thanks");
    }
}

awaitable<void> failures() {
    auto const executor = co_await asio::this_coro::executor;
    tcp_transport net{executor};
    auto listener = net.listen(at("/ip4/127.0.0.1/tcp/0"));
    auto const address = listener.local_address();
    std::error_code code;
    try {
        auto const second = net.listen(address);
    } catch (error const &e) {
        code = e.code();
        CHECK(e.context() == address.to_string());
    }
    CHECK(code == errc::address_in_use);
    {
        tcp_connection out = co_await net.dial(address);
        tcp_connection in = co_await listener.accept();
        out.reset();
        co_await note_code(try_read(in), code);
        CHECK(code == errc::reset);
    }
    {
        tcp_connection out = co_await net.dial(address);
        tcp_connection in = co_await listener.accept();
        co_await note_code(with_timeout(try_read(in), std::chrono::milliseconds{5}), code); // cancelled in the middle of a wait
        CHECK(code == errc::timed_out);
        in.close();
        co_await note_code(try_read(in), code);
        CHECK(code == condition::closed);
    }
    listener.close();
    co_await note_code(try_dial(net, address), code);
    CHECK(code == errc::refused);
    for (auto const *bad : {"/ip4/127.0.0.1/udp/1/quic-v1", "/ip4/127.0.0.1/tcp/0"}) {
        co_await note_code(try_dial(net, at(bad)), code);
        CHECK(code == errc::invalid_address);
    }
    CHECK(net.can_dial(at("/dns4/example.org/tcp/1")));
    CHECK_FALSE(net.can_dial(at("/ip4/127.0.0.1/tcp/1/ws")));
}

awaitable<void> names() {
    auto const executor = co_await asio::this_coro::executor;
    tcp_transport net{executor};
    auto listener = net.listen(at("/ip4/127.0.0.1/tcp/0"));
    multiaddr const named = at("/dns4/localhost/tcp/" + std::to_string(*listener.local_address().tcp_port()));
    tcp_connection out = co_await net.dial(named);
    CHECK(out.remote_address().ip_text() == "127.0.0.1");
}

} // namespace

TEST_CASE("tcp: pieces arrive whole and in order, over IPv4 and IPv6; one direction ends before the other") { testing::run_test(transfer); }
TEST_CASE("tcp: failures say what happened") { testing::run_test(failures); }
TEST_CASE("tcp: names are resolved") { testing::run_test(names); }
