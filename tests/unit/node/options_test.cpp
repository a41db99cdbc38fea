#include <gigi/node/options.hpp>

#include <gigi/peer/multiaddr.hpp>

#include <doctest/doctest.h>

namespace options_test {

using namespace gigi;

TEST_CASE("node_options: the defaults listen everywhere, on IPv4 and IPv6") {
    node_options const o;
    for (auto const &text : o.listen) CHECK(multiaddr::parse(text)->is_unspecified());
    CHECK(o.mdns);
    CHECK(o.identity_file.empty());
}

} // namespace options_test
