#include <gigi/mux/muxer.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

namespace muxer_test {

using namespace gigi;

namespace {

/// A muxer's stream that implements no more than it must, and notes what it is told.
struct plain_core final : stream_core {
    explicit plain_core(std::string &to) : trace{to} {}

    awaitable<std::size_t> read_some(mutable_bytes) override { co_return 0; }
    awaitable<void> write(bytes_view) override { co_return; }
    void close_write() override { ended = true; }
    void reset(std::error_code why) noexcept override { trace += why == errc::reset ? 'r' : '?'; }
    void set_deadline(time_point) override {}
    bool finished() const noexcept override { return ended; }

    std::string &trace;
    bool ended = false;
};

stream open(std::string &trace) { return stream{std::make_shared<plain_core>(trace), peer_id{}}; }

} // namespace

TEST_CASE("muxer: a stream whose muxer does not say what it has at hand is asked to wait") {
    std::string trace;
    stream s = open(trace);
    bytes buffer(10);
    CHECK(s.read_now(buffer) == 0);
    CHECK_FALSE(s.write_now(buffer));
}

TEST_CASE("muxer: a handle that goes resets its stream, unless that has ended") {
    std::string trace;
    { stream const s = open(trace); }
    CHECK(trace == "r");
    {
        stream s = open(trace);
        s.close_write();
    }
    CHECK(trace == "r");
}

TEST_CASE("muxer: a handle that takes over another stream lets its own go, and only once") {
    std::string first, second;
    {
        stream a = open(first), b = open(second);
        a = std::move(b);
        CHECK(first == "r");
        CHECK_FALSE(b); // moved from, it refers to nothing
        stream c{std::move(a)};
        CHECK(second.empty());
        c.reset();
        CHECK(second == "r");
    }
    CHECK(second == "rr");
    stream{}.reset(); // refers to nothing
}

} // namespace muxer_test
