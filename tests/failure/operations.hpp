// tests/failure/operations.hpp: what alice does in a world, one call of each kind, and what must have happened before it.
#pragma once

#include "failure/world.hpp"

#include <string>

namespace failure {

using preparation = void (*)(world &);
using operation = awaitable<void> (*)(world &);

constexpr std::size_t some_chunks = 5 * 256 * 1024 + 77; ///< of a file

inline void met(world &w) { w.meet(); }
inline void gathered(world &w) { w.gather(); }
inline void strangers(world &w) { w.start(); }
/// They know each other, and are not connected.
inline void apart(world &w) {
    w.meet();
    w.network.cut(world::alice_host);
    w.sim.run_for(100ms);
}
/// bob shares `w.code`, and alice `w.own_code`.
inline void with_files(world &w) {
    w.meet();
    w.code = w.sim.run(share(*w.bob, w.file("talk.bin", some_chunks)));
    w.own_code = w.sim.run(share(*w.alice, w.file("own.bin", 3000)));
}
/// … and then they are not connected any more.
inline void apart_with_files(world &w) {
    with_files(w);
    w.network.cut(world::alice_host);
    w.sim.run_for(100ms);
}
/// bob has started, and alice has not.
inline void only_bob(world &w) {
    w.sim.run(w.bob->start());
    w.bob_at = w.address_of(*w.bob);
}

inline awaitable<void> start_it(world &w) { co_await w.alice->start(); }
inline awaitable<void> dial_address(world &w) { co_await w.alice->dial(w.bob_at); }
inline awaitable<void> dial_nickname(world &w) { co_await w.alice->dial("bob"); }
inline awaitable<void> dial_id(world &w) { co_await w.alice->dial(w.bob->id()); }
inline awaitable<void> disconnect_it(world &w) { co_await w.alice->disconnect("bob"); }
inline awaitable<void> rename_it(world &w) { co_await w.alice->set_nickname("alicia"); }
inline awaitable<void> send_text(world &w) { co_await w.alice->send("bob", "hello"); }
inline awaitable<void> send_long_text(world &w) {
    std::string const text(900'000, 'x');
    co_await w.alice->send("bob", text);
}
inline awaitable<void> send_long_text_by_id(world &w) {
    std::string const text(900'000, 'x');
    co_await w.alice->send(w.bob->id(), text);
}
inline awaitable<void> send_picture(world &w) {
    auto const file = w.file("picture.png", 700'000);
    co_await w.alice->send_image("bob", file);
}
inline awaitable<void> offer(world &w) { co_await w.alice->offer_file("bob", w.own_code); }
inline awaitable<void> send_raw(world &w) {
    bytes const data(400'000);
    co_await w.alice->send_bytes("bob", data);
}
inline awaitable<void> send_to_all(world &w) {
    bytes const data(1000);
    co_await w.alice->broadcast(data);
}
inline awaitable<void> join_group(world &w) { co_await w.alice->join("another"); }
inline awaitable<void> leave_group(world &w) { co_await w.alice->leave("lobby"); }
/// Says something, and waits while it spreads.
inline awaitable<void> publish_text(world &w) {
    w.alice->publish("lobby", std::string(100'000, 'x'));
    co_await sleep_for(3s);
}
inline awaitable<void> show_picture(world &w) {
    auto const file = w.file("picture.png", 700'000);
    co_await w.alice->publish_image("lobby", file);
}
inline awaitable<void> share_file(world &w) {
    auto const file = w.file("many.bin", 40 << 20);
    co_await w.alice->share(file);
}
inline awaitable<void> unshare_file(world &w) { co_await w.alice->unshare(w.own_code); }
inline awaitable<void> list(world &w) { co_await w.alice->list_files("bob"); }
inline awaitable<void> download_from(world &w) { co_await w.alice->download("bob", w.code); }
inline awaitable<void> download_by_id(world &w) { co_await w.alice->download(w.bob->id(), w.code); }
inline awaitable<void> download_from_all(world &w) { co_await w.alice->download(w.code); }
inline awaitable<void> ask(world &w) {
    std::string const question = "hello";
    co_await w.alice->request<echo>(w.bob->id(), question);
}
inline awaitable<void> send_text_by_id(world &w) { co_await w.alice->send(w.bob->id(), "hello"); }
inline awaitable<void> open_raw(world &w) {
    stream opened = co_await w.alice->open_stream("bob", "/test/raw/1.0.0");
    bytes_view const data = as_bytes("hello");
    co_await opened.write(data);
    opened.close_write();
    bytes answer(5);
    mutable_bytes const room{answer};
    co_await opened.read_some(room);
}
/// Waits for bob's new name, which he takes while this waits (`bob_takes_another_name`).
inline awaitable<void> wait_for_event(world &w) {
    for (bool renamed = false; !renamed;) {
        event const e = co_await w.alice->next_event();
        renamed = std::holds_alternative<event::nickname_changed>(e);
    }
}
inline awaitable<void> wait_with_reader(world &w) {
    event_reader reader = w.alice->subscribe();
    for (bool renamed = false; !renamed;) {
        event const e = co_await reader.next();
        renamed = std::holds_alternative<event::nickname_changed>(e);
    }
}

inline void bob_takes_another_name(world &w) {
    asio::co_spawn(w.bob->get_executor(), rename(*w.bob, "robert"), [](std::exception_ptr) {});
}

} // namespace failure
