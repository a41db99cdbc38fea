// gigi/node/impl/event.ipp: what event.hpp declares.
#pragma once

#include "../event.hpp"

#include "../../core/config.hpp"

namespace gigi::inline v1 {

// Copying one of so many types is much code: it is made here, once.
GIGI_INLINE event::event(event const &) = default;
GIGI_INLINE event::event(event &&) noexcept = default;
GIGI_INLINE event &event::operator=(event const &) = default;
GIGI_INLINE event &event::operator=(event &&) noexcept = default;
GIGI_INLINE event::~event() = default;

GIGI_INLINE std::string_view event::name() const {
    return std::visit([](auto const &e) { return e.event_name; }, static_cast<events::any const &>(*this));
}

} // namespace gigi::inline v1
