// gigi/core/log.hpp: a hook for the app's own log. gigi writes nothing by itself.
//
// Layer: core.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

namespace gigi::inline v1 {

enum class log_level { trace, debug, info, warning, error, off };

constexpr std::string_view name(log_level level) noexcept {
    constexpr std::string_view names[] = {"trace", "debug", "info", "warning", "error", "off"};
    return names[static_cast<int>(level)];
}

/// Called for every line at or above the level: component ("swarm", "gossip", …) and text. May be called from any
/// thread that runs gigi; must not throw and must not call back into gigi.
using log_sink = std::function<void(log_level, std::string_view component, std::string_view text)>;

namespace detail {
struct log_state {
    std::atomic<log_level> level{log_level::off};
    std::shared_ptr<log_sink const> sink;
};
log_state &logging();
} // namespace detail

/// Sets the process's log hook. Call it before any node starts.
void set_log(log_level level, log_sink sink);

bool logs(log_level level) noexcept;

/// Writes a line made of `parts` (texts, characters and integers), put together only where somebody reads it.
template <class... Parts> void log(log_level level, std::string_view component, Parts const &...parts) {
    if (!logs(level)) return;
    std::string text;
    auto const add = [&text](auto const &part) {
        if constexpr (std::is_convertible_v<decltype(part), std::string_view> || std::is_same_v<decltype(part), char const &>)
            text += part;
        else
            text += std::to_string(part);
    };
    (add(parts), ...);
    (*detail::logging().sink)(level, component, text);
}

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/log.ipp"
#endif
