// A whole node as a member of a crowd: without threads of its own.
#pragma once

#include "person.hpp"

namespace bench {

class crowd_node {
  public:
    explicit crowd_node(asio::io_context &io) : self_{io.get_executor(), options()} {}

    gigi::awaitable<void> connect(std::string hub) {
        co_await self_.start();
        co_await self_.dial(hub);
    }

  private:
    struct stack : gigi::default_stack {
        using offload = gigi::inline_offload;
    };
    static gigi::node_options options() {
        auto o = on_loopback({});
        o.listen.clear(); // it only dials
        return o;
    }
    gigi::basic_node<stack> self_;
};

} // namespace bench
