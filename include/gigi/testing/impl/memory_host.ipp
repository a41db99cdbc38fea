// gigi/testing/impl/memory_host.ipp: what memory_host.hpp declares.
#pragma once

#include "../memory_host.hpp"

#include "../../core/config.hpp"

#include <utility>

namespace gigi::inline v1 {

namespace testing {

GIGI_INLINE memory_host::memory_host(memory_network &network, std::string ip, random_source &random, swarm_options const &options)
    : self{identity::generate(random)}, net{network.get_executor(), self, options, [this](peer_id const &peer) { return known[peer]; }} {
    net.add(std::make_unique<stack_connector<memory_stack>>(memory_transport{network, ip}, self));
    net.start();
    address = net.listen(multiaddr::parse("/ip4/" + ip + "/tcp/4001").value()).with_peer(self.id());
}

GIGI_INLINE awaitable<void> memory_host::connect(memory_host &to) {
    known[to.id()].assign(1, to.address);
    co_await net.connect(to.id());
}

GIGI_INLINE awaitable<stream> memory_host::open(memory_host &to, std::string protocol) {
    co_await connect(to);
    std::vector<std::string> offer(1, std::move(protocol));
    stream opened = co_await net.open_stream(to.id(), std::move(offer));
    co_return opened;
}

} // namespace testing

} // namespace gigi::inline v1
