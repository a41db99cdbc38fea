#include <gigi/node/stack.hpp>

#include <gigi/testing/memory_stack.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <thread>
#include <utility>

namespace stack_test {

using namespace gigi;

namespace {

/// Counts what is made of it, and whether it is still there.
struct counted_stack : testing::memory_stack {
    std::shared_ptr<int> made = std::make_shared<int>(0);
    transport make_transport(any_io_executor const &executor) const {
        ++*made;
        return memory_stack::make_transport(executor);
    }
};

} // namespace

TEST_CASE("node/stack: the parts of a stack keep it, and make what it names") {
    asio::io_context io;
    seeded_random wires{1};
    memory_network network{io.get_executor(), wires};
    counted_stack stack;
    stack.network = &network;
    stack.host = "10.0.0.1";
    stack.seed = 7;
    auto const made = stack.made;
    auto parts = parts_of(std::move(stack));

    seeded_random same{7};
    CHECK(parts.random->next() == same.next());

    auto const self = identity::generate(*parts.random);
    auto const first = parts.make_connector(io.get_executor(), self, mux_limits());
    auto const second = parts.make_connector(io.get_executor(), self, mux_limits());
    CHECK(*made == 2);
    CHECK(first->can_dial(multiaddr::parse("/ip4/10.0.0.2/tcp/4001").value()));
    CHECK_FALSE(second->can_dial(multiaddr::parse("/ip4/10.0.0.2/udp/4001").value()));
    parts = node_parts();
    CHECK(made.use_count() == 1);
}

TEST_CASE("node/stack: the default stack works on threads of its own, and its randomness is the system's") {
    asio::io_context io;
    auto parts = parts_of(default_stack{});
    CHECK(parts.random->next() != parts.random->next());
    auto const pool = parts.make_offload(io.get_executor(), 1);
    std::thread::id where;
    asio::post(pool->get_executor(), [&where] { where = std::this_thread::get_id(); });
    pool->join();
    CHECK(where != std::thread::id{});
    CHECK(where != std::this_thread::get_id());
}

} // namespace stack_test
