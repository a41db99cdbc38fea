// gigi/testing/interruption.hpp: disturbs an operation at a chosen step: cancels it, stops its node, cuts the wire.
//
// Layer: testing. What goes wrong only at one of a hundred suspension points is found by trying all of them: run an operation
// with `disturb_at` for step 0, 1, 2 … until it ends undisturbed, and look each time at what is left. A step ends where a
// completion handler does, and where one coroutine of a turn (core/turn.hpp) makes way for the next.
#pragma once

#include "../core/asio.hpp"
#include "../core/clock.hpp"
#include "simulation.hpp"

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

namespace gigi::inline v1::testing {

/// How an operation that was disturbed has ended.
struct interruption {
    std::uint64_t steps = 0;    ///< that it took
    bool disturbed = false;     ///< whether it was still under way at its step: where not, no later step needs to be tried
    duration after{};           ///< from there to its end
    std::exception_ptr failure; ///< what it threw; null where it succeeded

    bool succeeded() const noexcept { return failure == nullptr; }
    /// Of what it threw; zero where it succeeded. @throws what it threw where that has no code
    std::error_code code() const;
    /// What it said, for a test's message; empty where it succeeded.
    std::string message() const;
};

} // namespace gigi::inline v1::testing

namespace gigi::inline v1::detail {

/// Runs on its own when nobody waits for it any more: an operation that outlasts its test.
struct disturbed_operation {
    asio::cancellation_signal cancel;
    std::exception_ptr failure;
    bool done = false;
};

testing::interruption follow(testing::simulation &in, disturbed_operation &operation, std::uint64_t step, std::function<void()> const &disturb, duration patience);

template <class T>
std::shared_ptr<disturbed_operation> launch(any_io_executor const &where, awaitable<T> task) {
    auto const begun = std::make_shared<disturbed_operation>();
    auto completion = [begun](std::exception_ptr failure, auto &&...) {
        begun->failure = std::move(failure);
        begun->done = true;
    };
    asio::co_spawn(where, std::move(task), asio::bind_cancellation_slot(begun->cancel.slot(), std::move(completion)));
    return begun;
}

} // namespace gigi::inline v1::detail

namespace gigi::inline v1::testing {

/// Runs `task`, and calls `disturb` after so many steps where it has not ended by then.
/// @param where the executor that it runs on: a node's own for what uses a node
/// @param step 0: before it has run at all
/// @param disturb within a turn it is called as if by a coroutine of that turn: it must not run the simulation
/// @param patience how long it may take in simulated time, first until that step and then to its end
/// @throws std::runtime_error where it hangs; whatever `disturb` throws
template <class T>
interruption disturb_at(simulation &in, any_io_executor const &where, awaitable<T> task, std::uint64_t step, std::function<void()> const &disturb,
                        duration patience = std::chrono::minutes{1}) {
    auto const begun = gigi::detail::launch(where, std::move(task));
    return gigi::detail::follow(in, *begun, step, disturb, patience);
}

/// The same, where the disturbance is that the operation is cancelled, as a timeout or a user's impatience would.
template <class T>
interruption cancel_at(simulation &in, any_io_executor const &where, awaitable<T> task, std::uint64_t step, duration patience = std::chrono::minutes{1}) {
    auto const begun = gigi::detail::launch(where, std::move(task));
    return gigi::detail::follow(in, *begun, step, [&begun] { begun->cancel.emit(asio::cancellation_type::terminal); }, patience);
}

} // namespace gigi::inline v1::testing

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/interruption.ipp"
#endif
