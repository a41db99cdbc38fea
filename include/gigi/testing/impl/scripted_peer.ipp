// gigi/testing/impl/scripted_peer.ipp: what scripted_peer.hpp declares.
#pragma once

#include "../scripted_peer.hpp"

#include "../../core/config.hpp"

namespace gigi::inline v1 {

namespace testing {

GIGI_INLINE awaitable<std::unique_ptr<scripted_peer<memory_connection>>>
scripted_dial(memory_network &network, std::string host, multiaddr to, identity const &self, random_source &random) {
    memory_transport from{network, std::move(host)};
    memory_connection raw = co_await from.dial(to.without_peer());
    co_return std::make_unique<scripted_peer<memory_connection>>(network.get_executor(), std::move(raw), true, self, random);
}

GIGI_INLINE awaitable<std::unique_ptr<scripted_peer<memory_connection>>>
scripted_accept(memory_network &network, memory_listener &at, identity const &self, random_source &random) {
    memory_connection raw = co_await at.accept();
    co_return std::make_unique<scripted_peer<memory_connection>>(network.get_executor(), std::move(raw), false, self, random);
}

} // namespace testing

} // namespace gigi::inline v1
