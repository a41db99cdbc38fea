// gigi/node/stack.hpp: what a node is made of, and the same without its type.
//
// Layer: node. The node itself is no template: it takes the parts that `parts_of` makes of a stack.
#pragma once

#include "../core/asio.hpp"
#include "../core/offload.hpp"
#include "../crypto/random.hpp"
#include "../link/upgrade.hpp"
#include "../mux/muxer.hpp"
#include "../mux/yamux.hpp"
#include "../peer/identity.hpp"
#include "../security/noise.hpp"
#include "../transport/tcp.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

namespace gigi::inline v1 {

/// What a node is made of: TCP, Noise, yamux, a thread pool, the system's randomness. Another stack names others:
/// `gigi/testing/memory_stack.hpp` has one for simulations. Time comes with the executor's context (core/clock.hpp).
struct default_stack {
    using transport = tcp_transport;
    template <class Raw> using secure = noise<Raw>;          ///< a SecureChannel over a raw connection
    template <class Channel> using muxer = yamux<Channel>;   ///< a Muxer over a secure channel
    using offload = thread_pool_offload;                     ///< where hashing and disk work run
    static transport make_transport(any_io_executor const &executor) { return transport{executor}; }
    static std::unique_ptr<random_source> make_random() { return std::make_unique<system_random>(); }
};

/// Where a running node's hashing and disk work run.
class node_offload {
  public:
    virtual ~node_offload() = default;
    virtual any_io_executor get_executor() = 0;
    /// Waits until everything that was posted has been done.
    virtual void join() = 0;
};

/// A stack's parts, behind interfaces.
struct node_parts {
    std::unique_ptr<random_source> random;
    std::function<std::unique_ptr<connector>(any_io_executor const &, identity const &, mux_limits const &)> make_connector;
    std::function<std::unique_ptr<node_offload>(any_io_executor const &, std::size_t threads)> make_offload;
};

namespace detail {

template <class Offload> class offload_of final : public node_offload {
  public:
    offload_of(any_io_executor const &executor, std::size_t threads) : offload_{executor, threads} {}
    any_io_executor get_executor() override { return offload_.get_executor(); }
    void join() override { offload_.join(); }

  private:
    Offload offload_;
};

} // namespace detail

/// Makes the parts of a stack; they keep it.
template <class Stack> node_parts parts_of(Stack stack) {
    auto const kept = std::make_shared<Stack>(std::move(stack));
    node_parts parts;
    parts.random = kept->make_random();
    parts.make_connector = [kept](any_io_executor const &executor, identity const &self, mux_limits const &limits) -> std::unique_ptr<connector> {
        return std::make_unique<stack_connector<Stack>>(kept->make_transport(executor), self, limits);
    };
    parts.make_offload = [](any_io_executor const &executor, std::size_t threads) -> std::unique_ptr<node_offload> {
        return std::make_unique<detail::offload_of<typename Stack::offload>>(executor, threads);
    };
    return parts;
}

#ifdef GIGI_SEPARATE_COMPILATION
extern template node_parts parts_of(default_stack);
#endif

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/stack.ipp"
#endif
