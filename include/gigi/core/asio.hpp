// gigi/core/asio.hpp: every Asio facility that gigi uses, and the shims over Asio's versions (1.22.1 up to the newest).
//
// Layer: core. The only header that includes Asio. Single facilities are included rather than <asio.hpp>, which costs
// twice the compile time.
#pragma once

#include "config.hpp"

#include <cstdlib> // before Asio, which asks libstdc++'s configuration how to allocate: every unit must get the same answer

#if defined(__clang__) && !defined(ASIO_HAS_CO_AWAIT) // Asio 1.22 does not see that newer clangs have coroutines
#define ASIO_HAS_CO_AWAIT 1
#endif
#if defined(__clang__) && __clang_major__ < 17 && !defined(ASIO_HAS_STD_COROUTINE)
#define ASIO_HAS_STD_COROUTINE 1
#endif

#if !__has_include(<asio/version.hpp>)
#error "gigi needs standalone Asio 1.22.1 or newer (Debian: libasio-dev)"
#endif
#include <asio/version.hpp> // before what older ones do not have

#if ASIO_VERSION < 102201
#error "gigi needs standalone Asio 1.22.1 or newer (Debian: libasio-dev), and this one is older"
#endif

#include <asio/any_io_executor.hpp>
#include <asio/associated_allocator.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/buffer.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/dispatch.hpp>
#include <asio/error.hpp>
#include <asio/execution_context.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/multicast.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/ip/udp.hpp>
#include <asio/ip/v6_only.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>
#include <asio/this_coro.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>

namespace gigi::inline v1 {

using asio::any_io_executor;
using asio::awaitable;
using asio::use_awaitable;

/// Whether the coroutine that asks has been asked to stop.
inline awaitable<bool> is_cancelled() {
    auto const state = co_await asio::this_coro::cancellation_state;
    co_return state.cancelled() != asio::cancellation_type::none;
}

} // namespace gigi::inline v1
