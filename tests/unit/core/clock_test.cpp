#include <gigi/core/clock.hpp>

#include <doctest/doctest.h>

#include <map>
#include <string>

namespace clock_test {

using namespace gigi;

namespace {

/// Time that stands still until it is told to move.
class manual_time final : public time_source {
  public:
    time_point now() const override { return now_; }
    wall_time wall_now() const override { return wall_time{1'700'000'000s} + now_.time_since_epoch(); }
    ticket at(time_point when, std::function<void()> callback) override {
        calls_.emplace(when, std::pair{++last_, std::move(callback)});
        return last_;
    }
    void forget(ticket t) noexcept override {
        std::erase_if(calls_, [t](auto const &c) { return c.second.first == t; });
    }
    void advance(duration span) {
        now_ += span;
        while (!calls_.empty() && calls_.begin()->first <= now_) {
            auto const call = std::move(calls_.begin()->second.second);
            calls_.erase(calls_.begin());
            call();
        }
    }
    std::size_t pending() const { return calls_.size(); }

  private:
    time_point now_{};
    ticket last_ = 0;
    std::multimap<time_point, std::pair<ticket, std::function<void()>>> calls_;
};

awaitable<void> sleeper(timer &t, duration span, std::string &trace) {
    bool const expired = co_await t.wait_for(span);
    trace += expired ? 'e' : 'w';
}

void forget(std::exception_ptr) {}

void settle(asio::io_context &io) {
    io.restart();
    io.poll();
}

} // namespace

TEST_CASE("clock: a context follows the time source that was installed in it") {
    asio::io_context io;
    manual_time time;
    asio::make_service<detail::time_service>(io, &time);
    context_clock const clock{io.get_executor()};
    auto const start = clock.now();
    CHECK(clock.unix_seconds() == 1'700'000'000);
    std::string trace;
    timer t{io.get_executor()};
    asio::co_spawn(io, sleeper(t, 10s, trace), forget);
    settle(io);
    time.advance(9s);
    settle(io);
    CHECK(trace.empty());
    time.advance(1s);
    settle(io);
    CHECK(trace == "e");
    CHECK(clock.now() - start == 10s);
    CHECK(clock.unix_milliseconds() == 1'700'000'010'000);

    asio::co_spawn(io, sleeper(t, 10s, trace), forget);
    settle(io);
    t.wake();
    settle(io);
    CHECK(trace == "ew");
    CHECK(time.pending() == 0);
}

TEST_CASE("clock: on the machine's time a timer expires, is woken, and is cancelled with its coroutine") {
    asio::io_context io;
    std::string trace;
    timer expiring{io.get_executor()}, woken{io.get_executor()};
    asio::cancellation_signal stop;
    asio::co_spawn(io, sleeper(expiring, 1ms, trace), forget);
    asio::co_spawn(io, sleeper(woken, 1h, trace), forget);
    asio::co_spawn(io, sleep_for(1h), asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr e) { trace += e ? 'c' : '?'; }));
    io.poll();
    woken.wake();
    stop.emit(asio::cancellation_type::terminal);
    io.restart();
    io.run();
    CHECK(trace.size() == 3);
    for (char const c : {'e', 'w', 'c'}) CHECK(trace.find(c) != std::string::npos);
}

TEST_CASE("alarm_timer: the latest setting counts, and none after cancel or destruction") {
    asio::io_context io;
    int calls = 0;
    {
        alarm_timer a{io.get_executor()};
        a.set(time_point{std::chrono::steady_clock::now()}, [&] { calls += 100; });
        a.set(time_point{std::chrono::steady_clock::now()}, [&] { calls += 1; });
        io.run();
        CHECK(calls == 1);
        CHECK_FALSE(a.is_set());
        a.set(time_point{std::chrono::steady_clock::now()}, [&] { calls += 100; });
        a.cancel();
        settle(io);
        a.set(time_point{std::chrono::steady_clock::now()}, [&] { calls += 100; });
    }
    settle(io);
    CHECK(calls == 1);
}

} // namespace clock_test
