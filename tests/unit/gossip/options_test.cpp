#include <gigi/gossip/options.hpp>

#include <doctest/doctest.h>

#include <functional>

namespace options_test {

using namespace gigi;

TEST_CASE("gossip options: those that do not go together are refused") {
    CHECK(is_valid(gossip_options{}));
    struct row {
        char const *what;
        std::function<void(gossip_options &)> change;
    };
    row const rows[] = {
        {"D below D_low", [](auto &o) { o.degree = 4; }},
        {"D above D_high", [](auto &o) { o.degree = 13; }},
        {"D_score above D", [](auto &o) { o.degree_score = 7; }},
        {"D_out not below D_low", [](auto &o) { o.degree_low = 2; }},
        {"D_out above D/2", [](auto &o) { o.degree_out = 4; }},
        {"gossip beyond the history", [](auto &o) { o.history_gossip = 6; }},
        {"no history", [](auto &o) { o.history_length = o.history_gossip = 0; }},
        {"no heartbeat", [](auto &o) { o.heartbeat_interval = duration::zero(); }},
        {"messages that no RPC can hold", [](auto &o) { o.max_message_size = o.max_rpc_size; }},
    };
    for (auto const &[what, change] : rows) {
        CAPTURE(what);
        gossip_options o;
        change(o);
        CHECK(!is_valid(o));
    }
    gossip_options bootstrapper; // v1.1: "configured without a mesh"
    bootstrapper.degree = bootstrapper.degree_low = bootstrapper.degree_high = bootstrapper.degree_out = bootstrapper.degree_score = 0;
    CHECK(is_valid(bootstrapper));
}

} // namespace options_test
