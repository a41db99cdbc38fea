#include <gigi/discovery/multicast_socket.hpp>

#include <doctest/doctest.h>

#include <ostream>

// What is really multicast is tested in namespaces (tests/netns/mdns_test.py).

namespace multicast_socket_test {

using namespace gigi;

TEST_CASE("multicast_socket: an interface that is not there") {
    asio::io_context io;
    multicast_socket socket{io.get_executor()};
    for (bool const ipv6 : {false, true}) {
        CAPTURE(ipv6);
        CHECK(socket.open(0x7fff'fff0, false, ipv6, 5353));
        CHECK(socket.group().address().is_v6() == ipv6);
        CHECK(socket.group().port() == 5353);
        CHECK(socket.group().address().is_multicast());
        CHECK(socket.send(as_bytes("x"), socket.group())); // it is closed
    }
}

TEST_CASE("multicast_socket: two share a port; closing ends a wait") {
    asio::io_context io;
    auto const executor = io.get_executor();
    unsigned const loopback = 1; // on Linux always; where it is not, opening fails and nothing is tested
    multicast_socket first{executor}, second{executor};
    if (first.open(loopback, true, false, 35353)) return;
    CHECK_FALSE(second.open(loopback, true, false, 35353));
    std::error_code code;
    asio::ip::udp::endpoint from;
    bytes space(10);
    asio::co_spawn(executor, first.receive(space, from, code), [](std::exception_ptr failure, std::size_t size) {
        CHECK_FALSE(failure);
        CHECK(size == 0);
    });
    asio::post(executor, [&first] { first.close(); });
    io.run();
    CHECK(code == condition::cancelled);
}

} // namespace multicast_socket_test
