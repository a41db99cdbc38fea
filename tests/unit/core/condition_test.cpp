#include <gigi/core/clock.hpp>
#include <gigi/core/condition.hpp>
#include <gigi/core/channel.hpp>
#include <gigi/core/task_group.hpp>
#include <gigi/core/timeout.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

namespace condition_test {

using namespace gigi;

namespace {

awaitable<void> wait_and_note(async_condition &c, std::string &trace, char mark) {
    co_await c.wait();
    trace += mark;
}

awaitable<void> wait_and_note_cancel(async_condition &c, std::string &trace, char mark) {
    try {
        co_await c.wait();
        trace += '!';
    } catch (std::system_error const &e) {
        trace += e.code() == errc::cancelled ? mark : '?';
    }
}

void forget(std::exception_ptr) {}

} // namespace

TEST_CASE("condition: notify_one wakes in order of waiting, notify_all the rest, never inside the call") {
    asio::io_context io;
    async_condition c{io.get_executor()};
    std::string trace;
    for (char const mark : {'a', 'b', 'c'}) asio::co_spawn(io, wait_and_note(c, trace, mark), forget);
    io.poll();
    CHECK(c.has_waiters());
    c.notify_one();
    CHECK(trace.empty());
    io.restart();
    io.poll();
    CHECK(trace == "a");
    c.notify_all();
    c.notify_all();
    io.restart();
    io.poll();
    CHECK(trace == "abc");
    CHECK_FALSE(c.has_waiters());
}

TEST_CASE("condition: a cancelled wait leaves the others waiting") {
    asio::io_context io;
    async_condition c{io.get_executor()};
    std::string trace;
    asio::cancellation_signal stop;
    asio::co_spawn(io, wait_and_note_cancel(c, trace, 'x'), asio::bind_cancellation_slot(stop.slot(), forget));
    asio::co_spawn(io, wait_and_note(c, trace, 'b'), forget);
    io.poll();
    stop.emit(asio::cancellation_type::terminal);
    c.notify_one();
    io.restart();
    io.poll();
    CHECK(trace == "xb");
}

TEST_CASE("condition: destroying it cancels its waiters; destroying the context frees them") {
    std::string trace;
    {
        asio::io_context io;
        {
            async_condition c{io.get_executor()};
            asio::co_spawn(io, wait_and_note_cancel(c, trace, 'x'), forget);
            io.poll();
        }
        io.restart();
        io.poll();
        CHECK(trace == "x");
    }
    auto io = std::make_unique<asio::io_context>();
    async_condition c{io->get_executor()};
    asio::co_spawn(*io, wait_and_note_cancel(c, trace, 'y'), forget);
    io->poll();
    io.reset(); // LeakSanitizer sees whether the coroutine has gone with it
    CHECK(c.orphaned());
    CHECK(trace == "x");
}

TEST_CASE("condition: knows that its context goes before what was posted to a strand is destroyed, also one that is older than the strand") {
    auto io = std::make_unique<asio::io_context>();
    async_condition c{io->get_executor()};
    bool known = false;
    auto const look = [&](int *none) {
        known = c.orphaned();
        delete none;
    };
    asio::post(asio::make_strand(io->get_executor()), [last = std::unique_ptr<int, decltype(look)>{new int{}, look}] {});
    CHECK_FALSE(c.orphaned());
    io.reset();
    CHECK(known);
}

} // namespace condition_test
