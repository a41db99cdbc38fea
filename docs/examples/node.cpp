// docs/examples/node.cpp: the program of the pages that speak of the node: two nodes on loopback do everything once.
#include "expect.hpp"

#include <gigi/core/json.hpp>
#include <gigi/node.hpp>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <unistd.h>

using namespace std::chrono_literals;

/// A folder of this run.
std::filesystem::path const &scratch() {
    static auto const folder = std::filesystem::temp_directory_path() / ("gigi-docs-" + std::to_string(::getpid()));
    return folder;
}

/// Options of a node that only listens on loopback, and finds nobody by itself.
gigi::node_options local(std::string nickname) {
    gigi::node_options options;
    options.output_directory = scratch() / nickname;
    options.nickname = std::move(nickname);
    options.listen.assign(1, "/ip4/127.0.0.1/tcp/0");
    options.mdns = false;
    return options;
}

// [next]
/// Waits for an event of one kind; others are passed over.
template <class E> gigi::awaitable<E> next(gigi::event_reader &events) {
    for (;;) {
        gigi::event const e = co_await gigi::with_timeout(events.next(), 20s);
        if (auto const *const wanted = std::get_if<E>(&e)) co_return *wanted;
    }
}
// [next]

// [visit]
struct in_words {
    std::string operator()(gigi::event::direct_message const &e) const { return e.nickname + ": " + e.text; }
    std::string operator()(gigi::event::peer_disconnected const &e) const { return e.nickname + " is gone: " + e.error.message(); }
    std::string operator()(gigi::event::events_dropped const &e) const { return std::to_string(e.count) + " events are missing here"; }
    template <class Other> std::string operator()(Other const &) const { return {}; } // what this app does not show
};
// [visit]

// [read]
gigi::awaitable<void> show_events(gigi::node &node) {
    try {
        for (;;) {
            gigi::event const e = co_await node.next_event();
            std::string const line = std::visit(in_words{}, e);
            if (!line.empty()) std::cout << gigi::printable(line) << '\n'; // what peers wrote may hold control characters
        }
    } catch (gigi::error const &e) {
        if (e.code() != gigi::errc::stopped) throw; // the node has stopped, and every event was read
    }
}
// [read]

// [json]
std::string as_json(gigi::event const &e) { // {"event":"direct_message","peer":"12D3Koo…","nickname":"alice",…}
    gigi::json_object line;
    line.add("event", e.name());
    std::visit([&line](auto const &what) {
        what.for_each_member([&line](std::string_view name, auto const &member) { line.add(name, member); });
    }, e);
    return line.text();
}
// [json]

// [dictionary]
struct dictionary {
    static constexpr std::string_view id = "/example/dictionary/1.0.0";
    using request = std::string; // the word
    struct response {
        static constexpr std::size_t max_size = 64 << 10; // bytes, encoded
        std::string meaning;
        template <class Archive> void serialize(Archive &archive) { archive(meaning); }
    };
};
// [dictionary]

// [serve]
void serve_dictionary(gigi::node &node) {
    node.serve<dictionary>([](gigi::peer_id const &, std::string const &word) {
        if (word.size() > 100) throw gigi::error{gigi::errc::invalid_argument, "a word has at most 100 letters"};
        dictionary::response answer;
        answer.meaning = word == "gigi" ? "peers without a server" : "";
        return answer;
    });
}
// [serve]

// [request]
gigi::awaitable<std::string> look_up(gigi::node &node, gigi::peer_id peer, std::string word) {
    try {
        dictionary::response const answer = co_await node.request<dictionary>(peer, word);
        co_return answer.meaning;
    } catch (gigi::error const &e) {
        if (e.code() == gigi::errc::invalid_argument) co_return "refused"; // thrown there, caught here
        if (e.code() != gigi::errc::unsupported_protocol) throw;           // timed_out, unreachable, …
    }
    co_return "no dictionary there";
}
// [request]

gigi::awaitable<void> ask(gigi::node &alice, gigi::node &bob) {
    std::string answer = co_await look_up(alice, bob.id(), "gigi");
    expect(answer == "no dictionary there", "nobody serves it yet");
    serve_dictionary(bob);
    answer = co_await look_up(alice, bob.id(), "gigi");
    expect(answer == "peers without a server", "the answer");
    answer = co_await look_up(alice, bob.id(), std::string(200, 'a'));
    expect(answer == "refused", "the handler's errc comes to the one who asked");
}

// [stream]
gigi::awaitable<void> count_bytes(gigi::stream incoming) {
    std::uint64_t total = 0;
    gigi::bytes buffer(16 << 10);
    gigi::mutable_bytes const room{buffer};
    for (;;) {
        std::size_t const n = co_await incoming.read_some(room);
        if (n == 0) break;
        total += n;
    }
    gigi::bytes answer;
    gigi::append_be(answer, total);
    gigi::bytes_view const out{answer};
    co_await incoming.write(out);
    incoming.close_write();
}

gigi::awaitable<std::uint64_t> send_to_counter(gigi::node &node, gigi::peer_id peer, gigi::bytes_view data) {
    gigi::stream opened = co_await node.open_stream(peer, "/example/count/1.0.0");
    opened.expires_after(node.get_executor(), 10s);
    co_await opened.write(data);
    opened.close_write();
    gigi::bytes answer(8);
    gigi::mutable_bytes const room{answer};
    co_await gigi::read_exactly(opened, room);
    co_return gigi::load_be<std::uint64_t>(answer.data());
}
// [stream]

gigi::awaitable<void> count(gigi::node &alice, gigi::node &bob) {
    bob.handle("/example/count/1.0.0", [](gigi::stream incoming) { return count_bytes(std::move(incoming)); });
    gigi::bytes const data(100'000);
    std::uint64_t const counted = co_await send_to_counter(alice, bob.id(), data);
    expect(counted == data.size(), "every byte has come");
}

// [messages]
gigi::awaitable<void> talk(gigi::node &alice, gigi::event_reader &at_bob) {
    gigi::receipt const taken = co_await alice.send("bob", "hello"); // by nickname, "bob~abcd", or peer id
    auto const heard = co_await next<gigi::event::direct_message>(at_bob);
    expect(heard.nickname == "alice" && heard.text == "hello" && heard.id == taken.id, "the message");
}
// [messages]

// [group]
gigi::awaitable<void> chat(gigi::node &alice, gigi::node &bob, gigi::event_reader &at_alice, gigi::event_reader &at_bob) {
    co_await alice.join("lobby");
    co_await bob.join("lobby");
    auto const came = co_await next<gigi::event::group_peer_joined>(at_alice);
    expect(came.group == "lobby" && came.nickname == "bob", "who is in the group");

    std::string const id = alice.publish("lobby", "hi, all"); // never waits
    auto const heard = co_await next<gigi::event::group_message>(at_bob);
    expect(heard.peer == alice.id() && heard.text == "hi, all" && heard.id == id, "signed by its author, whoever forwarded it");
    co_await bob.leave("lobby");
}
// [group]

// [readers]
gigi::awaitable<void> two_readers(gigi::node &alice, gigi::node &bob) {
    gigi::event_reader first = bob.subscribe(), second = bob.subscribe(); // each has every event from here on
    co_await alice.send("bob", "hello, both");
    auto const shown = co_await next<gigi::event::direct_message>(first);
    expect(shown.text == "hello, both", "the one");

    std::vector<std::string> lines;
    for (gigi::event e; second.try_next(e);) lines.push_back(as_json(e)); // what is there now, without waiting
    expect(!lines.empty() && lines.back().starts_with(R"({"event":"direct_message","peer":"12D3Koo)"), "and the other");
}
// [readers]

gigi::awaitable<void> not_joined(gigi::node &bob) {
    std::error_code code;
    try {
        bob.publish("lobby", "too late");
    } catch (gigi::error const &e) {
        code = e.code();
    }
    expect(code == gigi::errc::not_joined, "only members can publish");
    co_return;
}

// [files]
gigi::awaitable<void> files(gigi::node &alice, gigi::node &bob, std::filesystem::path talk) {
    std::string const code = co_await alice.share(talk); // hashes it, off the node's strand: "k7qm-3fz2-…"

    auto const offered = co_await bob.list_files("alice");
    expect(offered.size() == 1 && offered[0].code == code && offered[0].name == "talk.txt", "what alice shares");

    gigi::download_result const got = co_await bob.download("alice", code); // or bob.download(code): from all who have it
    expect(got.path == scratch() / "bob" / "talk.txt" && got.size == 300'000, "verified, complete, under its name");

    gigi::download_result const again = co_await bob.download("alice", code);
    expect(again.path.filename() == "talk (1).txt", "nothing is overwritten");
    co_await alice.unshare(code);
}
// [files]

// [download]
gigi::awaitable<void> in_background(gigi::node &bob, gigi::event_reader &events, std::string code) {
    std::uint64_t const id = bob.start_download("alice", code);
    for (;;) {
        gigi::event const e = co_await events.next();
        if (auto const *const now = std::get_if<gigi::event::download_progress>(&e))
            if (now->id == id && now->bytes > now->total) std::exit(1); // now->rate: bytes a second
        if (auto const *const failed = std::get_if<gigi::event::download_failed>(&e))
            if (failed->id == id) {
                expect(failed->error == gigi::errc::unknown_code, "alice does not share it any more");
                co_return;
            }
        if (auto const *const done = std::get_if<gigi::event::download_finished>(&e))
            if (done->id == id) co_return;
    }
}
// [download]

gigi::awaitable<void> share_files(gigi::node &alice, gigi::node &bob, gigi::event_reader &at_bob) {
    std::filesystem::create_directories(scratch());
    auto const talk = scratch() / "talk.txt";
    std::ofstream{talk} << std::string(300'000, '.');
    co_await files(alice, bob, talk);
    co_await in_background(bob, at_bob, "qkjg-tqvw-7ce1-7z1m-0rh1");
}

// [by-address]
gigi::awaitable<void> meet(gigi::node &alice, gigi::node &bob, gigi::event_reader &at_alice) {
    co_await alice.start();
    co_await bob.start();
    std::string const address = bob.addresses().front().to_string(); // /ip4/…/tcp/…/p2p/12D3Koo…: hand it over as you like
    gigi::peer_id const peer = co_await alice.dial(address);
    expect(peer == bob.id(), "who answered, authenticated");

    auto const known = co_await next<gigi::event::peer_identified>(at_alice);
    expect(known.nickname == "bob", "from now on bob can be called by name");
}
// [by-address]

// [ambiguous]
gigi::awaitable<void> impostor(gigi::node &alice, gigi::node &other, gigi::event_reader &at_alice) { // its nickname is "bob", too
    co_await other.start();
    std::string const address = other.addresses().front().to_string();
    co_await alice.dial(address);
    auto const conflict = co_await next<gigi::event::nickname_conflict>(at_alice);
    expect(conflict.peer == other.id() && conflict.nickname == "bob", "the name was first seen with another key");
    std::error_code code;
    try {
        co_await alice.send("bob", "just for you");
    } catch (gigi::error const &e) {
        code = e.code(); // e.what() lists bob~abcd and bob~efgh
    }
    expect(code == gigi::errc::ambiguous_nickname, "and is not guessed at");
    co_await other.stop();
}
// [ambiguous]

gigi::awaitable<void> everything(gigi::node &alice, gigi::node &bob, gigi::node &other) {
    gigi::event_reader at_alice = alice.subscribe(), at_bob = bob.subscribe();
    co_await meet(alice, bob, at_alice);
    co_await ask(alice, bob);
    co_await count(alice, bob);
    co_await talk(alice, at_bob);
    co_await chat(alice, bob, at_alice, at_bob);
    co_await two_readers(alice, bob);
    co_await not_joined(bob);
    co_await share_files(alice, bob, at_bob);
    co_await impostor(alice, other, at_alice);
    co_await alice.stop();
    co_await bob.stop();
    co_await show_events(bob); // what its own reader has kept, up to the end
}

int main() {
    asio::io_context io{1};
    gigi::node alice{io.get_executor(), local("alice")}, bob{io.get_executor(), local("bob")}, other{io.get_executor(), local("bob")};
    int const code = run(io, everything(alice, bob, other));
    std::filesystem::remove_all(scratch());
    return code;
}
