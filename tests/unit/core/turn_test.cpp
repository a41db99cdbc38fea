#include <gigi/core/condition.hpp>
#include <gigi/core/turn.hpp>

#include <doctest/doctest.h>

#include <exception>
#include <functional>
#include <stdexcept>
#include <string>

namespace turn_test {

using namespace gigi;

namespace {

struct line {
    asio::io_context io;
    async_condition first{io.get_executor()}, second{io.get_executor()}, third{io.get_executor()};
    std::string trace;
    bool over = false;
    int rounds = 0;

    void poll() {
        io.restart();
        io.poll();
    }
};

void forget(std::exception_ptr) {}

awaitable<void> relay(line &l, async_condition &from, async_condition &to, char mark) {
    co_await from.wait();
    l.trace += mark;
    asio::post(l.io, [&l] { l.trace += '.'; });
    to.notify_all();
    l.trace += mark;
}

awaitable<void> note(line &l, async_condition &c, char mark) {
    co_await c.wait();
    l.trace += mark;
}

awaitable<void> wake_for_ever(line &l, async_condition &from, async_condition &to) {
    while (!l.over && l.rounds < 100'000) {
        co_await from.wait();
        ++l.rounds;
        to.notify_all();
    }
}

awaitable<void> note_strand(line &l, asio::strand<asio::io_context::executor_type> strand) {
    co_await l.second.wait();
    l.trace += strand.running_in_this_thread() ? 's' : '?';
}

awaitable<void> yield_and_note(line &l) {
    asio::post(l.io, [&l] { l.trace += '.'; });
    co_await detail::yield_turn(l.io.get_executor());
    l.trace += 'y';
    l.second.notify_all();
    asio::post(l.io, [&l] { l.trace += '.'; });
}

} // namespace

TEST_CASE("turn: coroutines that wake each other run one after the other, before what is posted, and never inside the call") {
    line l;
    asio::co_spawn(l.io, relay(l, l.first, l.second, 'a'), forget);
    asio::co_spawn(l.io, relay(l, l.second, l.third, 'b'), forget);
    asio::co_spawn(l.io, note(l, l.third, 'c'), forget);
    asio::co_spawn(l.io, note(l, l.third, 'd'), forget);
    l.poll();
    l.first.notify_one();
    CHECK(l.trace.empty());
    l.poll();
    CHECK(l.trace == "aabbcd..");
}

TEST_CASE("turn: a test's watcher is called before each that resumes in a turn") {
    line l;
    asio::co_spawn(l.io, relay(l, l.first, l.second, 'a'), forget);
    asio::co_spawn(l.io, relay(l, l.second, l.third, 'b'), forget);
    asio::co_spawn(l.io, note(l, l.third, 'c'), forget);
    l.poll();
    std::function<void()> const mark = [&l] { l.trace += '-'; };
    detail::turn::watcher = &mark;
    l.first.notify_one();
    l.poll();
    detail::turn::watcher = nullptr;
    CHECK(l.trace == "aa-bb-c..");
}

TEST_CASE("turn: those that wake each other for ever leave the event loop its share") {
    line l;
    asio::co_spawn(l.io, wake_for_ever(l, l.first, l.second), forget);
    asio::co_spawn(l.io, wake_for_ever(l, l.second, l.first), forget);
    l.poll();
    l.first.notify_all();
    asio::post(l.io, [&l] { l.over = true; });
    l.poll();
    CHECK(l.rounds > 1);
    CHECK(l.rounds < 50);
}

TEST_CASE("turn: one that ends by an exception takes no other with it") {
    line l;
    asio::co_spawn(l.io, note(l, l.second, 'a'), forget);
    asio::co_spawn(l.io, note(l, l.second, 'b'), forget);
    l.poll();
    any_io_executor const executor = l.io.get_executor();
    try {
        detail::turn all{executor};
        l.second.notify_all();
        throw std::runtime_error{"as a handler may"};
    } catch (std::runtime_error const &) {
    }
    CHECK(l.trace.empty());
    l.poll();
    CHECK(l.trace == "ab");
}

TEST_CASE("turn: a coroutine of a strand resumes on its strand") {
    line l;
    auto const strand = asio::make_strand(l.io.get_executor());
    asio::co_spawn(strand, note_strand(l, strand), forget);
    asio::co_spawn(l.io, relay(l, l.first, l.second, 'a'), forget);
    l.poll();
    l.first.notify_one();
    l.poll();
    CHECK(l.trace == "aa.s");
}

TEST_CASE("turn: yield_turn lets run what is posted, and begins a turn") {
    line l;
    asio::co_spawn(l.io, note(l, l.second, 'n'), forget);
    l.poll();
    asio::co_spawn(l.io, yield_and_note(l), forget);
    l.poll();
    CHECK(l.trace == ".yn.");
}

} // namespace turn_test
