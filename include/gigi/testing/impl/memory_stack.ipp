// gigi/testing/impl/memory_stack.ipp: what memory_stack.hpp declares.
#pragma once

#include "../memory_stack.hpp"

#include "../../core/config.hpp"

#include <utility>

namespace gigi::inline v1 {

namespace testing {

GIGI_INLINE node_options memory_node_options(std::string nickname, std::string const &host) {
    node_options o;
    o.nickname = std::move(nickname);
    o.listen.assign(1, "/ip4/" + host + "/tcp/4001");
    o.mdns = false;
    return o;
}

} // namespace testing

} // namespace gigi::inline v1
