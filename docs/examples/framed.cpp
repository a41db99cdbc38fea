// docs/examples/framed.cpp: docs/framed-codec.md's program: values over TCP, without a node.
#include "expect.hpp"

// [include]
#include <gigi/codec/cereal_codec.hpp>
#include <gigi/codec/framed.hpp>
#include <gigi/core/task_group.hpp>
#include <gigi/core/timeout.hpp>
#include <gigi/transport/tcp.hpp>
// [include]

#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

// [message]
struct order {
    static constexpr std::size_t max_size = 4096; // bytes; 1 MiB where it is not said

    std::string article;
    std::uint32_t count = 0;
    std::vector<std::string> notes;

    template <class Archive> void serialize(Archive &archive) { archive(article, count, notes); }
    bool valid() const { return count > 0 && notes.size() <= 8; } // optional
};
// [message]

// [server]
using line = gigi::framed<gigi::tcp_connection, gigi::cereal_codec>;

gigi::awaitable<void> take_orders(gigi::tcp_listener &from) {
    gigi::tcp_connection accepted = co_await from.accept();
    line customer{std::move(accepted)};
    for (;;) {
        std::optional<order> const wanted = co_await gigi::with_timeout(customer.try_read<order>(), 30s);
        if (!wanted) break; // the customer has closed, between two messages
        std::string const answer = "sold: " + std::to_string(wanted->count) + " " + wanted->article;
        co_await customer.write(answer);
    }
    customer.close_write();
}
// [server]

// [client]
gigi::awaitable<std::string> buy(gigi::tcp_transport &network, gigi::multiaddr shop) {
    gigi::tcp_connection connection = co_await network.dial(shop);
    line counter{std::move(connection)};
    order apples;
    apples.article = "apples";
    apples.count = 3;
    co_await counter.write(apples);
    std::string answer = co_await gigi::with_timeout(counter.read<std::string>(), 5s);
    counter.close_write();
    co_return answer;
}
// [client]

// [hostile]
void hostile_bytes() {
    gigi::cereal_codec const codec;
    gigi::bytes const huge{0xff, 0xff, 0xff, 0xff, 0x0f}; // an article of 4 GiB, it says
    auto const parsed = codec.decode<order>(huge);
    expect(!parsed && parsed.error() == gigi::errc::protocol_violation, "nothing is allocated for a length that cannot be");

    order none; // count is 0
    gigi::bytes encoded;
    codec.encode(none, encoded);
    expect(codec.decode<order>(encoded).error() == gigi::errc::protocol_violation, "valid() is asked");
}
// [hostile]

// [decoder]
void without_io() {
    gigi::bytes wire;
    gigi::append_frame(wire, gigi::as_bytes("one"));
    gigi::append_frame(wire, gigi::as_bytes("two"));

    gigi::frame_decoder decoder{16}; // no frame above 16 bytes
    std::vector<std::string> got;
    for (auto const byte : wire) { // however the bytes come
        gigi::bytes_view piece{&byte, 1};
        while (!piece.empty()) {
            auto const frame = decoder.feed(piece);
            if (frame && *frame) got.push_back(gigi::to_text(**frame));
        }
    }
    expect(got == std::vector<std::string>{"one", "two"} && decoder.at_boundary(), "frames come out whole");

    gigi::bytes const large{17};
    gigi::bytes_view input{large};
    gigi::frame_decoder strict{16};
    expect(strict.feed(input).error() == gigi::errc::frame_too_large, "a length is refused before its bytes have come");
}
// [decoder]

gigi::awaitable<void> too_large(gigi::tcp_transport &network, gigi::multiaddr shop, gigi::tcp_listener &listener) {
    gigi::tcp_connection connection = co_await network.dial(shop);
    gigi::tcp_connection const other = co_await listener.accept();
    line counter{std::move(connection)};
    order large;
    large.article.assign(5000, 'a');
    large.count = 1;
    std::error_code code;
    try {
        co_await counter.write(large);
    } catch (gigi::error const &e) {
        code = e.code();
    }
    expect(code == gigi::errc::message_too_large, "a value above its max_size is not sent");
}

gigi::awaitable<void> shop() {
    auto const executor = co_await asio::this_coro::executor;
    gigi::tcp_transport network{executor};
    gigi::tcp_listener listener = network.listen(gigi::multiaddr::parse("/ip4/127.0.0.1/tcp/0").value());
    gigi::task_group tasks{executor};
    tasks.spawn(take_orders(listener));
    std::string const answer = co_await buy(network, listener.local_address());
    expect(answer == "sold: 3 apples", "the answer");
    co_await tasks.join();
    co_await too_large(network, listener.local_address(), listener);
}

int main() {
    hostile_bytes();
    without_io();
    asio::io_context io{1};
    return run(io, shop());
}
