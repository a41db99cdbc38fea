// gigi/testing/run_test.hpp: runs a coroutine in real time, for tests of what touches the machine: sockets, files, threads.
//
// Layer: testing. What can run in simulated time runs in `simulation` (simulation.hpp), which is faster and always the same.
#pragma once

#include "../core/asio.hpp"

#include <chrono>
#include <concepts>
#include <exception>
#include <functional>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace gigi::inline v1::testing {

/// Calls `test` once and runs the coroutine that it returns on a fresh context.
/// @param limit of real time
/// @throws what the coroutine throws; std::runtime_error where it has not ended within `limit`
/// @par Lifetime What `test` captures lives until the coroutine has ended.
template <class Test>
    requires std::same_as<std::invoke_result_t<Test &>, awaitable<void>>
void run_test(Test test, std::chrono::steady_clock::duration limit = std::chrono::seconds{60}) {
    asio::io_context context{1};
    std::exception_ptr failure;
    bool done = false;
    asio::co_spawn(context, std::invoke(test), [&](std::exception_ptr e) {
        failure = std::move(e);
        done = true;
        context.stop();
    });
    context.run_for(limit);
    if (failure) std::rethrow_exception(failure);
    if (!done) throw std::runtime_error{"the test did not end within its limit of real time"};
}

} // namespace gigi::inline v1::testing
