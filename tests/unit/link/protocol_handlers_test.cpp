// That streams get to their handlers, and past the limits do not, is tested with whole connections: swarm_test.cpp, swarm_limits_test.cpp.
#include <gigi/link/protocol_handlers.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace protocol_handlers_test {

using namespace gigi;

TEST_CASE("protocol handlers: what is served, in order, and what is not any more") {
    asio::io_context io;
    swarm_options const options;
    swarm_stats stats;
    protocol_handlers handlers{io.get_executor(), options, stats};
    auto const nothing = [](stream) -> awaitable<void> { co_return; };
    handlers.handle("/b/1.0.0", nothing);
    handlers.handle("/a/1.0.0", nothing);
    handlers.handle("/b/1.0.0", nothing);
    CHECK(handlers.names() == std::vector<std::string>{"/a/1.0.0", "/b/1.0.0"});
    handlers.unhandle("/b/1.0.0");
    handlers.unhandle("/c/1.0.0");
    CHECK(handlers.names() == std::vector<std::string>{"/a/1.0.0"});
}

} // namespace protocol_handlers_test
