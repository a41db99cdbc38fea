#include <gigi/codec/codec.hpp>
#include <gigi/codec/framed.hpp>
#include <gigi/codec/protobuf.hpp>
#include <gigi/core/clock.hpp>
#include <gigi/core/timeout.hpp>
#include <gigi/testing/run_test.hpp>

#include <doctest/doctest.h>

#include <ostream>

namespace framed_test {

using namespace gigi;

namespace {

/// A stream that is fed by hand; a read waits while there is nothing and it has not ended.
struct scripted_stream {
    struct state {
        explicit state(any_io_executor const &executor) : readable{executor} {}
        bytes input;
        std::size_t at = 0;
        std::size_t largest_read = 1 << 20;  // bytes given at once
        std::size_t largest_asked = 0;       // buffer the reader came with
        bool ended = false;
        std::vector<bytes> writes;
        bool at_hand = false;                // what is there can be read without a wait, and anything be written
        int waits = 0;                       // reads and writes that might have waited
        async_condition readable;
    };
    std::shared_ptr<state> s;

    awaitable<std::size_t> read_some(mutable_bytes buffer) {
        s->largest_asked = std::max(s->largest_asked, buffer.size());
        ++s->waits;
        while (s->at == s->input.size() && !s->ended) co_await s->readable.wait();
        co_return take(buffer);
    }
    std::size_t read_now(mutable_bytes buffer) {
        s->largest_asked = std::max(s->largest_asked, buffer.size());
        return s->at_hand ? take(buffer) : 0;
    }
    std::size_t take(mutable_bytes buffer) {
        std::size_t const n = std::min({buffer.size(), s->input.size() - s->at, s->largest_read});
        std::copy_n(s->input.begin() + static_cast<std::ptrdiff_t>(s->at), n, buffer.begin());
        s->at += n;
        return n;
    }
    awaitable<void> write(bytes_view data) {
        ++s->waits;
        s->writes.push_back(to_bytes(data));
        co_return;
    }
    bool write_now(bytes_view data) {
        if (s->at_hand) s->writes.push_back(to_bytes(data));
        return s->at_hand;
    }
    void close_write() {}
    void reset() {}
};
static_assert(ByteStream<scripted_stream>);

struct note {
    static constexpr std::size_t max_size = 100'000;
    std::string text;
    void encode(bytes &out) const { protobuf_writer{out}.text(1, text); }
    static result<note> decode(bytes_view data) {
        note n;
        protobuf_reader in{data};
        while (in.next())
            if (in.field() == 1) in.read(n.text);
        if (in.error()) return in.error();
        return n;
    }
};

using notes = framed<scripted_stream, message_codec>;

/// With a stream whose reads and writes may always wait, and with one that says what it has at hand.
template <class F> void run(F body) {
    for (bool const at_hand : {false, true}) {
        CAPTURE(at_hand);
        testing::run_test([&]() -> awaitable<void> {
            auto const executor = co_await asio::this_coro::executor;
            auto const state = std::make_shared<scripted_stream::state>(executor);
            state->at_hand = at_hand;
            co_await body(state);
        });
    }
}

awaitable<std::error_code> read_fails(notes &f) {
    try {
        co_await f.read<note>();
    } catch (std::system_error const &e) {
        co_return e.code();
    }
    co_return std::error_code{};
}

using state = std::shared_ptr<scripted_stream::state>;

awaitable<void> round_trips(state s, std::size_t largest_read) {
    notes out{scripted_stream{s}};
    std::vector<std::size_t> const sizes{0, 1, 1000, 1019, 1020, 1021, 1024, 1030, 5000, 65536, 99'000, 3};
    for (auto size : sizes) {
        note n;
        n.text.assign(size, 'x');
        co_await out.write(n);
    }
    CHECK(s->writes.size() == sizes.size()); // one write each
    for (auto &w : s->writes) append(s->input, w);
    s->ended = true;
    s->largest_read = largest_read;
    notes in{scripted_stream{s}};
    for (auto size : sizes) {
        note const n = co_await in.read<note>();
        CHECK(n.text.size() == size);
    }
    CHECK((s->waits == 0) == s->at_hand);
    std::optional<note> const end = co_await in.try_read<note>();
    CHECK(!end);
    std::error_code const code = co_await read_fails(in);
    CHECK(code == errc::end_of_stream);
}

awaitable<void> lying_length(state s) {
    append_varint(s->input, 99'999); // allowed, but never sent
    append(s->input, bytes(10, 1));
    s->ended = true;
    notes f{scripted_stream{s}};
    std::error_code const code = co_await read_fails(f);
    CHECK(code == errc::end_of_stream);
    CHECK(s->largest_asked <= 64 * 1024);
}

awaitable<void> too_large(state s) {
    append_varint(s->input, 100'001);
    notes f{scripted_stream{s}};
    std::error_code const code = co_await read_fails(f);
    CHECK(code == errc::frame_too_large);
    note big;
    big.text.assign(100'000, 'x');
    std::error_code sent;
    try {
        co_await f.write(big);
    } catch (std::system_error const &e) {
        sent = e.code();
    }
    CHECK(sent == errc::message_too_large);
    CHECK(s->writes.empty());
}

awaitable<void> cancelled_reads_go_on(state s, std::size_t size) {
    bytes const body(size, 7);
    bytes wire;
    append_frame(wire, body);
    append(wire, std::string_view{"raw!"});
    notes f{scripted_stream{s}};
    bytes got;
    std::size_t given = 0;
    while (got.empty()) { // a third of the rest at a time, each wait cancelled
        std::size_t const n = std::max<std::size_t>(1, (wire.size() - given) / 3);
        append(s->input, bytes_view{wire}.subspan(given, std::min(n, wire.size() - given)));
        given += std::min(n, wire.size() - given);
        try {
            got = co_await with_timeout(f.read_bytes(size), 1ms);
        } catch (std::system_error const &e) {
            CHECK(e.code() == errc::timed_out);
            if (given == wire.size()) throw;
        }
    }
    CHECK(got == body);
    append(s->input, bytes_view{wire}.subspan(given));
    s->ended = true;
    bytes rest(4);
    co_await read_exactly(f, rest);
    CHECK(to_text(rest) == "raw!");
}

awaitable<void> raw_after_frames(state s) {
    append_frame(s->input, as_bytes("head"));
    append(s->input, std::string_view{"raw bytes"});
    s->ended = true;
    notes f{scripted_stream{s}};
    bytes const head = co_await f.read_bytes(10);
    CHECK(to_text(head) == "head");
    CHECK(f.buffered() == 9);
    CHECK(to_text(f.take_buffered()) == "raw bytes");
    CHECK(f.buffered() == 0);
    bytes rest(1);
    std::size_t const n = co_await f.read_some(rest);
    CHECK(n == 0);
}

awaitable<void> queued_messages(state s) {
    notes f{scripted_stream{s}};
    f.put(note{"a"});
    f.put(note{"b"});
    co_await f.flush();
    co_await f.flush();
    CHECK(s->writes.size() == 1);
    CHECK(to_hex(s->writes[0]) == "030a0161030a0162");
}

awaitable<void> damaged_message(state s) {
    append_frame(s->input, bytes{0x0f});
    append_frame(s->input, bytes{0x0a, 1, 'k'});
    notes f{scripted_stream{s}};
    std::error_code const code = co_await read_fails(f);
    CHECK(code == errc::protocol_violation);
    note const next = co_await f.read<note>();
    CHECK(next.text == "k");
}

} // namespace

TEST_CASE("framed: messages of all sizes, however the stream splits them") {
    for (std::size_t largest : {1u, 7u, 1000u, 1u << 20})
        run([=](state s) { return round_trips(s, largest); });
}
TEST_CASE("T2: a length that lies costs no memory") { run(lying_length); }
TEST_CASE("T1: too large for the message type, either way") { run(too_large); }
TEST_CASE("framed: a cancelled read loses nothing") {
    for (std::size_t size : {3u, 900u, 5000u, 300'000u}) run([=](state s) { return cancelled_reads_go_on(s, size); });
}
TEST_CASE("framed: a raw phase can follow") { run(raw_after_frames); }
TEST_CASE("framed: several messages in one write") { run(queued_messages); }
TEST_CASE("framed: a damaged message ends neither the stream nor the framing") { run(damaged_message); }

namespace {

awaitable<std::error_code> size_fails(notes &f, std::size_t most) {
    try {
        co_await f.next_size(most);
    } catch (std::system_error const &e) {
        co_return e.code();
    }
    co_return std::error_code{};
}

awaitable<void> sizes_first(state s) {
    notes out{scripted_stream{s}};
    for (std::size_t const size : {5u, 70'000u, 0u}) {
        note n;
        n.text.assign(size, 'x');
        out.put(n);
    }
    co_await out.flush();
    s->input = s->writes.back();
    s->ended = true;
    notes in{scripted_stream{s}};
    for (std::size_t const size : {5u, 70'000u, 0u}) {
        for (int again = 0; again < 2; ++again) {
            std::optional<std::size_t> const told = co_await in.next_size(80'000);
            REQUIRE(told);
            CHECK(*told == size + (size < 128 ? 2 : 4));
        }
        CHECK(s->at <= (size == 5 ? 1100u : s->input.size())); // a large body is not read for its length
        note const n = co_await in.read<note>();
        CHECK(n.text.size() == size);
    }
    std::optional<std::size_t> const end = co_await in.next_size(80'000);
    CHECK_FALSE(end);

    notes small{scripted_stream{s}};
    s->at = 0;
    std::error_code code = co_await size_fails(small, 6);
    CHECK(code == errc::frame_too_large);
    s->input = {0x80};
    s->at = 0;
    notes torn{scripted_stream{s}};
    code = co_await size_fails(torn, 6);
    CHECK(code == errc::end_of_stream);
}

} // namespace

TEST_CASE("framed: tells a message's size before it reads the message") { run(sizes_first); }

} // namespace framed_test
