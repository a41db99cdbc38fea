#include <gigi/discovery/discovery.hpp>

#include "mdns_support.hpp"

#include <doctest/doctest.h>

#include <ostream>

namespace discovery_test {

using namespace gigi;
using namespace gigi::testing;

namespace {

/// The least that a discovery can be: a list that somebody has written.
class written_list {
  public:
    explicit written_list(std::vector<discovered_peer> peers) : peers_{std::move(peers)} {}
    void start(discovery_handler const &handler) {
        for (auto const &peer : peers_) handler.on_found(peer);
    }
    void update(std::vector<multiaddr> const &, std::string const &) {}
    awaitable<void> stop() { co_return; }

  private:
    std::vector<discovered_peer> peers_;
};
static_assert(Discovery<written_list>);
static_assert(!Discovery<int>);

} // namespace

TEST_CASE("discovery: what is found is compared whole") {
    discovered_peer const one{numbered_peer(1), {address("/ip4/192.0.2.1/tcp/1", numbered_peer(1))}, "al"};
    auto other = one;
    CHECK(one == other);
    other.nickname = "bo";
    CHECK_FALSE(one == other);
    other = one;
    other.addresses.clear();
    CHECK_FALSE(one == other);

    std::vector<discovered_peer> heard;
    discovery_handler handler;
    handler.on_found = [&heard](discovered_peer const &found) { heard.push_back(found); };
    written_list{{one}}.start(handler);
    CHECK(heard == std::vector{one});
}

} // namespace discovery_test
