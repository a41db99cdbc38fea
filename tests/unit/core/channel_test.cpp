#include <gigi/core/channel.hpp>

#include <doctest/doctest.h>

#include <string>

namespace channel_test {

using namespace gigi;

namespace {

awaitable<void> produce(channel<int> &c, int n, std::string &trace) {
    for (int i = 0; i < n; ++i) {
        co_await c.send(i);
        trace += 's';
    }
    c.close();
}

awaitable<void> consume(channel<int> &c, int &sum, std::error_code &end) {
    try {
        for (;;) {
            int const i = co_await c.receive();
            sum += i;
        }
    } catch (std::system_error const &e) {
        end = e.code();
    }
}

void forget(std::exception_ptr) {}

} // namespace

TEST_CASE("channel: senders wait for room, receivers take all that was queued before the end") {
    asio::io_context io;
    channel<int> c{io.get_executor(), 2};
    std::string trace;
    int sum = 0;
    std::error_code end;
    asio::co_spawn(io, produce(c, 5, trace), forget);
    io.poll();
    CHECK(trace == "ss");
    CHECK(c.full());
    CHECK_FALSE(c.try_send(9));
    asio::co_spawn(io, consume(c, sum, end), forget);
    io.restart();
    io.poll();
    CHECK(sum == 10);
    CHECK(end == errc::closed);
    CHECK_FALSE(c.is_open());
}

TEST_CASE("channel: a wake-up that met a cancelled receiver goes to the next one") {
    asio::io_context io;
    channel<int> c{io.get_executor(), 4};
    int first = 0, second = 0;
    std::error_code end1, end2;
    asio::cancellation_signal stop;
    asio::co_spawn(io, consume(c, first, end1), asio::bind_cancellation_slot(stop.slot(), forget));
    asio::co_spawn(io, consume(c, second, end2), forget);
    io.poll();
    CHECK(c.try_send(7));
    stop.emit(asio::cancellation_type::terminal); // the first receiver has been woken already, or not: either way…
    io.restart();
    io.poll();
    CHECK(first + second == 7); // …nothing is lost
    CHECK(c.empty());
}

TEST_CASE("channel: try_receive and reopen") {
    asio::io_context io;
    channel<std::string> c{io.get_executor(), 0};
    std::string taken;
    CHECK_FALSE(c.try_receive(taken));
    CHECK(c.try_send("a"));
    CHECK_FALSE(c.try_send("b"));
    CHECK(c.try_receive(taken));
    CHECK(taken == "a");
    c.close();
    CHECK_FALSE(c.try_send("c"));
    c.reopen();
    CHECK(c.try_send("d"));
}

} // namespace channel_test
