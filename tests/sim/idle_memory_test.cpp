// What connections hold while they carry nothing. Allocations are counted, not the process's memory: the same every time.
#include "support/gossip_node.hpp"

#include <gigi/protocol/identify.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define GIGI_TEST_ADDRESS_SANITIZER
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define GIGI_TEST_ADDRESS_SANITIZER
#endif

#ifdef GIGI_TEST_ADDRESS_SANITIZER
extern "C" std::size_t __sanitizer_get_current_allocated_bytes(); // g++ comes without the header that declares it
#elif defined(__GLIBC__)
#include <malloc.h>
#endif

namespace idle_memory_test {

using namespace gigi;
using namespace gigi::test;

namespace {

/// Bytes that the program has allocated and not freed; 0 where nobody tells.
std::size_t allocated() {
#ifdef GIGI_TEST_ADDRESS_SANITIZER
    return __sanitizer_get_current_allocated_bytes();
#elif defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
    return ::mallinfo2().uordblks;
#else
    return 0;
#endif
}

constexpr std::size_t limit = std::size_t{32} << 10; // bytes, for one end of a connection, with gossip's two streams

} // namespace

TEST_CASE("idle connections: one end holds no more than 32 KiB, gossip's streams included") {
    if (allocated() == 0) return;
    gossip_world w;
    auto &hub = w.add();
    auto const identify = [&](gossip_node &from) -> awaitable<void> {
        identify_service asking{from.net, "test", [] { return std::vector<multiaddr>(); }, [](peer_id const &, identify_message const &) {}};
        co_await asking.ask(hub.id());
        co_await asking.stop();
    };
    identify_service const answering{hub.net, "test", [&] { return hub.net.listen_addresses(); }, [](peer_id const &, identify_message const &) {}};
    constexpr std::size_t count = 50;
    for (std::size_t i = 0; i <= count; ++i) w.add();
    auto const join = [&](gossip_node &n) {
        w.connect(n, hub);
        w.sim.run(identify(n));
    };
    join(*w.nodes[1]); // one-time costs
    w.run_for(10s);
    auto const before = allocated();
    for (std::size_t i = 0; i < count; ++i) join(*w.nodes[i + 2]);
    w.run_for(10s);
    REQUIRE(hub.net.connection_count() == count + 1);
    std::size_t const each = (allocated() - before) / (2 * count); // both ends are in this program
    MESSAGE("an idle end holds ", each, " bytes");
    CHECK(each <= limit);
    CHECK(each > 1000); // it does count
    w.stop();
}

} // namespace idle_memory_test
