// node.stop() at every step of whatever the node is doing, and stop and start on top of each other.
#include "failure/operations.hpp"

#include <memory>
#include <optional>
#include <string>

namespace stop_test {

using namespace failure;

namespace {

/// A call that runs beside the test, and how it ended.
struct aside {
    bool done = false;
    std::exception_ptr failure;
};
std::shared_ptr<aside> begin(any_io_executor const &where, awaitable<void> what) {
    auto const one = std::make_shared<aside>();
    asio::co_spawn(where, std::move(what), [one](std::exception_ptr failure) {
        one->failure = std::move(failure);
        one->done = true;
    });
    return one;
}

/// Stops alice at every step of an operation: both end in good time, and she can be started again.
void stop_everywhere(std::string const &name, preparation prepare, operation what, bool never_fails = false, void (*meanwhile)(world &) = nullptr) {
    CAPTURE(name);
    int stopped = 0;
    for (std::uint64_t step = 0;; ++step) {
        CAPTURE(step);
        world w;
        prepare(w);
        std::shared_ptr<aside> stop;
        time_point begun;
        auto under_way = what(w);
        if (meanwhile) meanwhile(w);
        auto const ended = disturb_at(w.sim, w.alice->get_executor(), std::move(under_way), step, [&] {
            begun = w.sim.now();
            stop = begin(w.alice->get_executor(), w.alice->stop());
        });
        if (ended.failure) CHECK_MESSAGE(ended.code() == condition::closed, ended.message()); // `stopped`, most often
        stopped += !ended.succeeded();
        while (stop && !stop->done && w.sim.now() - begun < 10s) REQUIRE(w.sim.step());
        if (stop) {
            CHECK(stop->done);
            CHECK(stop->failure == nullptr);
            CHECK(w.sim.now() - begun < 3s);
            w.sim.run_for(1s);
            CHECK(w.network.connections() == 0); // bob has seen that she left
        } else {
            CHECK(ended.succeeded());
        }
        w.check_recovers();
        if (!ended.disturbed) break;
        REQUIRE(step < 5000);
    }
    MESSAGE(name, ": stopped ", stopped, " times");
    CHECK((stopped > 0) == !never_fails);
}

/// Reads events for a second.
awaitable<void> wait_a_while(world &w) {
    auto const end = w.sim.now() + 1s;
    auto const reading = [](memory_node &of, time_point until) -> awaitable<void> {
        context_clock const clock{of.get_executor()};
        while (clock.now() < until) co_await of.next_event();
    };
    bool late = false;
    try {
        co_await with_timeout(reading(*w.alice, end), 1s);
    } catch (std::system_error const &e) {
        late = e.code() == condition::timed_out;
        if (!late) throw;
    }
}

/// What takes no time of the simulation but its steps can also end before the stop does.
awaitable<void> restart(world &w) {
    co_await w.alice->stop();
    co_await w.alice->start();
}

} // namespace

TEST_CASE("stopped anywhere: start") { stop_everywhere("start", only_bob, start_it, true); }
TEST_CASE("stopped anywhere: dialling and the handshake") {
    stop_everywhere("an address", strangers, dial_address);
    stop_everywhere("a nickname", apart, dial_nickname);
    stop_everywhere("an id", apart, dial_id);
    stop_everywhere("disconnect", met, disconnect_it, true);
    stop_everywhere("set_nickname", met, rename_it, true);
}
TEST_CASE("stopped anywhere: messages") {
    stop_everywhere("a text", met, send_text);
    stop_everywhere("a text to who has to be dialled", apart, send_text);
    stop_everywhere("a long text", met, send_long_text);
    stop_everywhere("an image", met, send_picture);
    stop_everywhere("a file offer", with_files, offer);
    stop_everywhere("a file offer to who has to be dialled", apart_with_files, offer);
    stop_everywhere("bytes", met, send_raw);
    stop_everywhere("bytes to all", met, send_to_all, true);
}
TEST_CASE("stopped anywhere: an app's protocols") {
    stop_everywhere("request", met, ask);
    stop_everywhere("request of who has to be dialled", apart, ask);
    stop_everywhere("open_stream", met, open_raw);
    stop_everywhere("open_stream to who has to be dialled", apart, open_raw);
}
TEST_CASE("stopped anywhere: files") {
    stop_everywhere("share", met, share_file);
    stop_everywhere("unshare", with_files, unshare_file, true);
    stop_everywhere("list_files", with_files, list);
    stop_everywhere("list_files of who has to be dialled", apart_with_files, list);
    stop_everywhere("download", with_files, download_from);
    stop_everywhere("download from who has to be dialled", apart_with_files, download_from);
    stop_everywhere("download from all", with_files, download_from_all);
}
TEST_CASE("stopped anywhere: groups") {
    stop_everywhere("join", gathered, join_group, true);
    stop_everywhere("leave", gathered, leave_group, true);
    stop_everywhere("publish_image", gathered, show_picture);
}
TEST_CASE("stopped anywhere: waiting for events") {
    stop_everywhere("next_event", met, wait_for_event, false, bob_takes_another_name);
    stop_everywhere("next_event for a second", met, wait_a_while);
    stop_everywhere("event_reader::next", met, wait_with_reader, false, bob_takes_another_name);
}

TEST_CASE("stopped anywhere: while a group's message spreads, and while nothing happens") {
    for (std::uint64_t step = 0; step < 40; ++step) {
        CAPTURE(step);
        world w;
        w.gather();
        w.alice->publish("lobby", std::string(100'000, 'x'));
        for (std::uint64_t n = 0; n < step; ++n) w.sim.step();
        w.check_stops();
    }
}

TEST_CASE("stopped anywhere: as soon as it has started, and while it introduces itself") {
    for (std::uint64_t step = 0; step < 80; ++step) {
        CAPTURE(step);
        world w;
        w.start();
        auto const dialled = begin(w.alice->get_executor(), dial(*w.alice, w.bob_at));
        for (std::uint64_t n = 0; n < step; ++n) w.sim.step();
        w.check_stops();
        CHECK(dialled->done);
    }
}

TEST_CASE("stop at every step of a start, of a start that fails, and of a stop; and start at every step of a stop") {
    for (std::uint64_t step = 0; step < 60; ++step) {
        CAPTURE(step);
        world w;
        w.gather();
        auto const first = begin(w.alice->get_executor(), w.alice->stop());
        for (std::uint64_t n = 0; n < step && !first->done; ++n) w.sim.step();
        bool const late = first->done;
        auto const second = begin(w.alice->get_executor(), w.alice->stop());
        auto const again = begin(w.alice->get_executor(), w.alice->start());
        w.sim.run_for(5s);
        CHECK(first->done);
        CHECK(second->done);
        CHECK(again->done);
        CHECK(first->failure == nullptr);
        CHECK(second->failure == nullptr);
        // It either ran after the stop, or was told that the node is not stopped yet.
        if (again->failure) CHECK_THROWS_AS(std::rethrow_exception(again->failure), error);
        if (again->failure) w.sim.run(w.alice->start());
        w.check_alive();
        w.check_stops();
        if (late) break;
    }
    for (std::uint64_t step = 0; step < 30; ++step) { // restarted at every step of a stop that another one began
        world w;
        w.meet();
        auto const first = begin(w.alice->get_executor(), w.alice->stop());
        for (std::uint64_t n = 0; n < step && !first->done; ++n) w.sim.step();
        CHECK_NOTHROW(w.sim.run(restart(w), 10s));
        w.check_alive();
        w.check_stops();
    }
    for (std::uint64_t step = 0; step < 6; ++step) { // the port is taken
        world w;
        w.start();
        auto const other = w.add("other", world::alice_host, {});
        auto const failing = begin(other->get_executor(), other->start());
        for (std::uint64_t n = 0; n < step; ++n) w.sim.step();
        CHECK_NOTHROW(w.sim.run(other->stop(), 10s));
        w.sim.run_for(1s);
        REQUIRE(failing->done);
        CHECK_THROWS_WITH_AS(std::rethrow_exception(failing->failure), doctest::Contains("choose another port"), error);
        CHECK_NOTHROW(w.sim.run(other->stop(), 10s));
        w.check_alive();
    }
}

TEST_CASE("a stop that is cancelled goes on to its end") {
    for (std::uint64_t step = 0;; ++step) {
        CAPTURE(step);
        world w;
        w.gather();
        auto const ended = cancel_at(w.sim, w.alice->get_executor(), w.alice->stop(), step, 10s);
        if (step > 0) CHECK_MESSAGE(ended.succeeded(), ended.message()); // cancelled before it began it has not begun
        CHECK(ended.after < 3s);
        if (ended.succeeded()) CHECK(w.alice->addresses().empty());
        w.check_stops();
        if (!ended.disturbed) break;
    }
}

} // namespace stop_test
