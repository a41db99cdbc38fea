// gigi/testing/impl/interruption.ipp: what interruption.hpp declares.
#pragma once

#include "../interruption.hpp"

#include "../../core/config.hpp"
#include "../../core/turn.hpp"

#include <stdexcept>
#include <utility>

namespace gigi::inline v1 {

namespace testing {

GIGI_INLINE std::error_code interruption::code() const {
    if (!failure) return {};
    try {
        std::rethrow_exception(failure);
    } catch (std::system_error const &e) {
        return e.code();
    }
}

GIGI_INLINE std::string interruption::message() const {
    if (!failure) return {};
    try {
        std::rethrow_exception(failure);
    } catch (std::exception const &e) {
        return e.what();
    }
}

} // namespace testing

namespace detail {

GIGI_INLINE testing::interruption follow(testing::simulation &in, disturbed_operation &operation, std::uint64_t step, std::function<void()> const &disturb, duration patience) {
    testing::interruption so_far;
    auto begin = in.now();
    std::function<void()> const moment = [&] {
        if (operation.done) return;
        if (so_far.steps++ != step) return;
        so_far.disturbed = true;
        begin = in.now();
        disturb();
    };
    struct watch {
        explicit watch(std::function<void()> const &with) : before{std::exchange(turn::watcher, &with)} {}
        watch(watch const &) = delete;
        ~watch() { turn::watcher = before; }
        std::function<void()> const *before;
    } const within_turns{moment};
    while (!operation.done) {
        moment();
        if (!in.step()) throw std::runtime_error{"hangs: nothing is ready, and nothing is due (step " + std::to_string(step) + ")"};
        if (!operation.done && in.now() - begin > patience) throw std::runtime_error{"takes too long in simulated time (step " + std::to_string(step) + ")"};
    }
    if (so_far.disturbed) so_far.after = in.now() - begin;
    so_far.failure = operation.failure;
    return so_far;
}

} // namespace detail

} // namespace gigi::inline v1
