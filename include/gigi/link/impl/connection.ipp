// gigi/link/impl/connection.ipp: what connection.hpp declares.
#pragma once

#include "../connection.hpp"

#include "../../core/config.hpp"

#include <utility>

namespace gigi::inline v1 {

GIGI_INLINE connection::connection(any_io_executor const &executor, established made, direction dir, time_point now)
    : info{std::move(made.peer), std::move(made.remote), std::move(made.local), dir, now}, mux{std::move(made.mux)},
      tasks{executor} {}

GIGI_INLINE bool newer_connection_wins(connection_info const &older, connection_info const &newer, peer_id const &self) {
    constexpr duration simultaneous = std::chrono::seconds{10};
    if (older.dir == newer.dir || newer.since - older.since > simultaneous) return true;
    bool const self_dialled = newer.dir == direction::outbound;
    bool const self_is_smaller = self < newer.peer;
    return self_dialled == self_is_smaller;
}

} // namespace gigi::inline v1
