#include <gigi/node.hpp>

#include <gigi/node/file_sharing.hpp>
#include <gigi/node/groups.hpp>
#include <gigi/node/messenger.hpp>
#include <gigi/node/node_core.hpp>
#include <gigi/node/node_stats.hpp>
#include <gigi/node/presence.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

namespace node_test {

using namespace gigi;

namespace {

node_options quiet(char const *nickname) {
    node_options o;
    o.nickname = nickname;
    o.mdns = false;
    o.listen.assign(1, "/ip4/127.0.0.1/tcp/0");
    return o;
}

std::error_code run(asio::io_context &io, awaitable<void> what) {
    std::error_code code;
    asio::co_spawn(io, std::move(what), [&code](std::exception_ptr failure) {
        try {
            if (failure) std::rethrow_exception(failure);
        } catch (std::system_error const &e) {
            code = e.code();
        }
    });
    io.restart();
    io.run();
    return code;
}

struct counting {
    static constexpr std::string_view id = "/test/count/1.0.0";
    using request = std::string;
    using response = std::uint64_t;
};

awaitable<void> talk(node &a, node &b) {
    co_await a.start();
    co_await b.start();
    std::string const address = a.addresses().front().to_string();
    peer_id const dialled = co_await b.dial(address);
    CHECK(dialled == a.id());
    peer_id const again = co_await b.dial(address);
    CHECK(again == a.id());
    std::string const question = "hello";
    std::uint64_t const answer = co_await b.request<counting>(a.id(), question);
    CHECK(answer == 5);
    stream raw = co_await b.open_stream(a.id(), "/test/raw/1.0.0");
    bytes_view const ping = as_bytes("ping");
    co_await raw.write(ping);
    raw.close_write();
    bytes buffer(10);
    mutable_bytes const room{buffer};
    std::size_t const n = co_await raw.read_some(room);
    CHECK(as_text(bytes_view{buffer}.first(n)) == "ping");
    std::size_t const end = co_await raw.read_some(room);
    CHECK(end == 0);
    // by name, once it is known
    for (bool known = false; !known;) {
        event const e = co_await b.next_event();
        known = std::get_if<event::peer_identified>(&e) != nullptr;
    }
    receipt const taken = co_await b.send("alice", "by name");
    CHECK(taken.id.size() == 32);
    bytes_view const blob = as_bytes("blob");
    receipt const blob_taken = co_await b.send_bytes("alice", blob);
    CHECK_FALSE(blob_taken.id.empty());
    std::size_t const everyone = co_await b.broadcast(blob);
    CHECK(everyone == 1);
    co_await b.set_nickname("robert");
    for (bool heard = false; !heard;) {
        event const e = co_await a.next_event();
        if (auto const *changed = std::get_if<event::nickname_changed>(&e)) heard = changed->nickname == "robert" && changed->previous == "bob";
    }
    CHECK(a.peers().size() == 1);
    CHECK(a.stats().connections == 1);
    co_await b.disconnect("alice");
    for (bool gone = false; !gone;) {
        event const e = co_await a.next_event();
        gone = std::get_if<event::peer_disconnected>(&e) != nullptr;
    }
    co_await a.stop();
    co_await b.stop();
}

awaitable<void> echo(stream s) {
    bytes buffer(100);
    for (;;) {
        mutable_bytes const room{buffer};
        std::size_t const n = co_await s.read_some(room);
        if (n == 0) break;
        bytes_view const back = bytes_view{buffer}.first(n);
        co_await s.write(back);
    }
    s.close_write();
}

awaitable<void> start_and_stop(node &n) {
    co_await n.start();
    co_await n.stop();
}
awaitable<void> count_addresses(node &n, std::size_t &count) {
    co_await n.start();
    count = n.addresses().size();
    co_await n.stop();
}
awaitable<void> just_start(node &n) { co_await n.start(); }
awaitable<void> just_stop(node &n) { co_await n.stop(); }
awaitable<void> send_to(node &n, std::string who) { co_await n.send(who, "x"); }

awaitable<void> wait_for_the_end(node &n, std::error_code &code) {
    try {
        for (;;) co_await n.next_event();
    } catch (std::system_error const &e) {
        code = e.code();
    }
}

} // namespace

TEST_CASE("node: two nodes over TCP: dial, typed requests, raw streams, messages, bytes, renaming, goodbye") {
    asio::io_context io{1};
    node a{io.get_executor(), quiet("alice")}, b{io.get_executor(), quiet("bob")};
    a.serve<counting>([](peer_id const &, std::string const &q) -> std::uint64_t { return q.size(); });
    a.handle("/test/raw/1.0.0", echo);
    CHECK_FALSE(run(io, talk(a, b)));
}

TEST_CASE("node: what cannot start says why, and can start later") {
    asio::io_context io{1};
    node first{io.get_executor(), quiet("first")};
    CHECK_FALSE(run(io, [](node &n) -> awaitable<void> {
        co_await n.start();
        auto taken = quiet("second");
        taken.listen.assign(1, n.addresses().front().without_peer().to_string());
        node second{n.get_executor(), taken};
        std::error_code code;
        try {
            co_await second.start();
        } catch (std::system_error const &e) {
            code = e.code();
        }
        CHECK(code == errc::address_in_use);
        co_await n.stop();
        co_await second.start();
        co_await second.stop();
    }(first)));

    for (auto const &[nickname, listen, expected] :
         {std::tuple{"a~b", "/ip4/127.0.0.1/tcp/0", errc::invalid_name}, std::tuple{"a", "not an address", errc::invalid_address},
          std::tuple{"a", "/ip4/127.0.0.1/udp/1/quic-v1", errc::invalid_address}}) {
        auto options = quiet(nickname);
        options.listen.assign(1, listen);
        node n{io.get_executor(), options};
        CHECK(run(io, just_start(n)) == expected);
        CHECK_FALSE(run(io, just_stop(n)));
    }
}

TEST_CASE("node: an IPv6 port that is taken is told, beside an IPv4 one too; that there is no IPv6 is not") {
    asio::io_context io{1};
    auto options = quiet("a");
    asio::ip::tcp::acceptor other{io};
    try {
        other.open(asio::ip::tcp::v6());
        other.set_option(asio::ip::v6_only{true});
        other.bind({asio::ip::address_v6::any(), 0});
        other.listen();
        std::string const port = std::to_string(other.local_endpoint().port());
        for (bool const alone : {false, true}) {
            CAPTURE(alone);
            options.listen.assign(1, "/ip6/::/tcp/" + port);
            if (!alone) options.listen.insert(options.listen.begin(), "/ip4/0.0.0.0/tcp/" + port);
            node n{io.get_executor(), options};
            CHECK(run(io, start_and_stop(n)) == errc::address_in_use);
        }
    } catch (std::system_error const &e) {
        MESSAGE("no IPv6 here: ", e.what());
    }
    // No host has this address; one without IPv6 fails in the same way, or says that it has no such sockets.
    for (auto const &[text, fails] : {std::pair{"/ip6/2001:db8::1/tcp/0", false}, std::pair{"/ip6/2001:db8::1/tcp/4001", true}}) {
        CAPTURE(text);
        options.listen.assign(1, "/ip4/127.0.0.1/tcp/0");
        options.listen.push_back(text);
        node n{io.get_executor(), options};
        std::size_t where = 0;
        CHECK((run(io, count_addresses(n, where)) != std::error_code{}) == fails);
        CHECK(where == (fails ? 0 : 1));
    }
}

TEST_CASE("node: files that are damaged are named, and not overwritten") {
    auto const folder = std::filesystem::temp_directory_path() / ("gigi-node-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    auto const damaged = folder / "damaged";
    std::ofstream{damaged} << "{ this is not it";
    asio::io_context io{1};
    auto options = quiet("a");
    options.share_list = damaged;
    node with_list{io.get_executor(), options};
    CHECK(run(io, just_start(with_list)) == errc::bad_share_list);
    options = quiet("a");
    options.identity_file = damaged;
    node with_key{io.get_executor(), options};
    CHECK(run(io, just_start(with_key)) == errc::bad_identity_file);
    std::string kept;
    std::getline(std::ifstream{damaged}, kept);
    CHECK(kept == "{ this is not it");
    options.identity_file = folder / "key";
    peer_id made;
    for (int i = 0; i < 2; ++i) {
        node n{io.get_executor(), options};
        CHECK_FALSE(run(io, start_and_stop(n)));
        if (i == 0) made = n.id();
        CHECK(n.id() == made);
    }
    std::filesystem::remove_all(folder);
}

TEST_CASE("node: calls on a node that does not run say stopped; readers of events see the end") {
    asio::io_context io{1};
    node n{io.get_executor(), quiet("a")};
    CHECK(run(io, send_to(n, "b")) == errc::stopped);
    CHECK_FALSE(run(io, just_stop(n)));
    std::error_code end;
    asio::co_spawn(io, wait_for_the_end(n, end), [](std::exception_ptr) {});
    CHECK_FALSE(run(io, start_and_stop(n)));
    CHECK(end == errc::stopped);
    CHECK(run(io, send_to(n, "b")) == errc::stopped);
    CHECK(n.peers().empty());
}

} // namespace node_test
