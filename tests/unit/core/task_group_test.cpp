#include <gigi/core/channel.hpp>
#include <gigi/core/clock.hpp>
#include <gigi/core/log.hpp>
#include <gigi/core/stream.hpp>
#include <gigi/core/task_group.hpp>
#include <gigi/core/timeout.hpp>
#include <doctest/doctest.h>

using namespace gigi;

namespace {
template<class F> void run(F f) {
    asio::io_context io;
    bool finished=false; std::exception_ptr ep;
    asio::co_spawn(io, f(), [&](std::exception_ptr e){ ep=e; finished=true;});
    io.run();
    if (ep) std::rethrow_exception(ep);
    CHECK(finished);
}
awaitable<int> answer(duration d){ co_await sleep_for(d); co_return 42; }
awaitable<void> bad(){ co_await sleep_for(1ms); throw error{errc::reset,"bad"}; }
awaitable<void> nap(duration d){ co_await sleep_for(d); }
}
TEST_CASE("with_timeout") {
    run([]()->awaitable<void>{
        int const v = co_await with_timeout(answer(1ms), 1s);
        CHECK(v==42);
        std::error_code ec;
        try { co_await with_timeout(answer(10s), 5ms); } catch (std::system_error const& e){ ec=e.code(); }
        CHECK(ec==errc::timed_out);
        try { co_await with_timeout(bad(), 1s); } catch (std::system_error const& e){ ec=e.code(); }
        CHECK(ec==errc::reset);
    });
}
TEST_CASE("task_group fails and cancels") {
    run([]()->awaitable<void>{
        auto ex = co_await asio::this_coro::executor;
        task_group g{ex};
        g.spawn(nap(100s)); g.spawn(bad());
        std::error_code ec;
        try { co_await g.join(); } catch (std::system_error const& e){ ec=e.code(); }
        CHECK(ec==errc::reset);
        CHECK(g.empty());
    });
}
TEST_CASE("cancelled join drains and throws cancelled") {
    run([]()->awaitable<void>{
        auto ex = co_await asio::this_coro::executor;
        task_group g{ex};
        g.spawn(nap(100s));
        std::error_code ec;
        try { co_await with_timeout(g.join(), 5ms); } catch (std::system_error const& e){ ec=e.code(); }
        CHECK(ec==errc::timed_out);
        CHECK(g.empty());
    });
}
TEST_CASE("abandoned context leaks nothing") {
    asio::io_context io;
    auto f=[]()->awaitable<void>{
        auto ex = co_await asio::this_coro::executor;
        task_group g{ex};
        g.spawn(nap(100s));
        channel<int> c{ex,1};
        co_await with_timeout(c.receive(),100s);
    };
    asio::co_spawn(io, f(), [](std::exception_ptr){});
    io.poll();
}
