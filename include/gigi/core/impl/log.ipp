// gigi/core/impl/log.ipp: what log.hpp declares.
#pragma once

#include "../log.hpp"

#include "../config.hpp"

#include <utility>

namespace gigi::inline v1 {

namespace detail {

GIGI_INLINE log_state &logging() {
    static log_state state;
    return state;
}

} // namespace detail

GIGI_INLINE void set_log(log_level level, log_sink sink) {
    auto &state = detail::logging();
    state.level = log_level::off;
    state.sink = sink ? std::make_shared<log_sink const>(std::move(sink)) : nullptr;
    state.level = state.sink ? level : log_level::off;
}

GIGI_INLINE bool logs(log_level level) noexcept {
    return level >= detail::logging().level.load(std::memory_order_relaxed) && level != log_level::off;
}

} // namespace gigi::inline v1
