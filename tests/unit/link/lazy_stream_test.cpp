#include <gigi/link/lazy_stream.hpp>

#include <gigi/core/condition.hpp>
#include <gigi/core/timeout.hpp>
#include <gigi/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>

namespace lazy_stream_test {

using namespace gigi;
using namespace gigi::testing;

namespace {

/// What a peer sees of a stream, and what it answers.
class scripted_core final : public stream_core {
  public:
    explicit scripted_core(any_io_executor const &executor) : arrived_{executor} {}

    awaitable<std::size_t> read_some(mutable_bytes buffer) override {
        while (answer.empty() && !ended) co_await arrived_.wait();
        std::size_t const n = std::min(buffer.size(), answer.size());
        std::copy_n(answer.begin(), n, buffer.begin());
        answer.erase(0, n);
        co_return n;
    }
    awaitable<void> write(bytes_view data) override {
        written += as_text(data);
        ++writes;
        co_return;
    }
    void close_write() override { closed = true; }
    void reset(std::error_code) noexcept override { was_reset = true; }
    void set_deadline(time_point) override {}
    bool finished() const noexcept override { return closed; }
    void release() noexcept override {
        if (!closed) was_reset = true;
    }
    void say(std::string_view more) {
        answer += more;
        arrived_.notify_all();
    }

    std::string written, answer;
    int writes = 0;
    bool closed = false, was_reset = false, ended = false;

  private:
    async_condition arrived_;
};

std::string const greeting = "\x13/multistream/1.0.0\n";
std::string const accepted = greeting + "\x03/p\n";
std::string const refused = greeting + "\x03na\n";

struct one_stream {
    simulation sim;
    std::shared_ptr<scripted_core> core = std::make_shared<scripted_core>(sim.get_executor());

    lazy_stream open() { return lazy_stream{stream{core, {}}, "/p"}; }
    void write(lazy_stream &s, std::string_view what) { sim.run(write_all(s, what)); }
    std::string read(lazy_stream &s) { return sim.run(read_once(s)); }
    std::error_code failure_of(lazy_stream &s) {
        try {
            static_cast<void>(read(s));
        } catch (std::system_error const &e) {
            return e.code();
        }
        return {};
    }

    static awaitable<void> write_all(lazy_stream &s, std::string_view what) { co_await s.write(as_bytes(what)); }
    static awaitable<std::string> read_once(lazy_stream &s) {
        bytes buffer(100);
        mutable_bytes const room{buffer};
        std::size_t const n = co_await s.read_some(room);
        co_return std::string{as_text(room.first(n))};
    }
};

} // namespace

TEST_CASE("lazy_stream: header, protocol and the first data leave in one write; the answer is not for the reader") {
    one_stream t;
    lazy_stream s = t.open();
    CHECK(s.protocol() == "/p");
    t.write(s, "question");
    CHECK(t.core->written == accepted + "question");
    CHECK(t.core->writes == 1);
    t.write(s, "more");
    CHECK(t.core->written == accepted + "questionmore");
    t.core->say(accepted + "answer");
    CHECK(t.read(s) == "answer");
    t.core->say("and more");
    CHECK(t.read(s) == "and more");
}

TEST_CASE("lazy_stream: who reads first announces the protocol") {
    one_stream t;
    lazy_stream s = t.open();
    t.core->say(accepted + "hello");
    CHECK(t.read(s) == "hello");
    CHECK(t.core->written == accepted);
}

TEST_CASE("lazy_stream: a peer that does not speak the protocol, or not multistream-select, is an error each time") {
    for (auto const &[answer, expected] : {std::pair{refused, errc::unsupported_protocol}, std::pair{std::string("HTTP/1.1 400 Bad Request"), errc::protocol_violation}}) {
        one_stream t;
        lazy_stream s = t.open();
        t.write(s, "question");
        t.core->say(answer);
        CHECK(t.failure_of(s) == expected);
        CHECK(t.failure_of(s) == expected);
    }
}

TEST_CASE("lazy_stream: the end is held until the answer is there") {
    one_stream t;
    lazy_stream s = t.open();
    t.write(s, "question");
    s.close_write();
    CHECK_FALSE(t.core->closed);
    t.core->say(accepted + "answer");
    CHECK(t.read(s) == "answer");
    CHECK(t.core->closed);
}

TEST_CASE("lazy_stream: reading that was cancelled within the answer goes on from there") {
    one_stream t;
    lazy_stream s = t.open();
    t.write(s, "question");
    for (std::size_t n = 0; n < accepted.size(); ++n) {
        t.core->say(accepted.substr(n, 1));
        CHECK_THROWS_AS(t.sim.run(with_timeout(one_stream::read_once(s), 1s)), std::system_error);
    }
    t.core->say("answer");
    CHECK(t.read(s) == "answer");
}

TEST_CASE("lazy_stream: one that is never read ends in good order where it was closed, and is reset where it was not") {
    one_stream t, left, unused, said_no, replaced;
    {
        lazy_stream s = t.open();
        t.write(s, "notice");
        s.close_write();
        lazy_stream const moved{std::move(s)};
    }
    CHECK(t.core->closed);
    CHECK_FALSE(t.core->was_reset);
    {
        lazy_stream s = left.open();
        left.write(s, "half a not");
    }
    CHECK_FALSE(left.core->closed);
    CHECK(left.core->was_reset);
    {
        lazy_stream s = unused.open();
        s.close_write();
    }
    CHECK_FALSE(unused.core->closed); // an end of nothing
    {
        lazy_stream s = said_no.open();
        said_no.write(s, "notice");
        s.close_write();
        said_no.core->say(refused);
        CHECK(said_no.failure_of(s) == errc::unsupported_protocol);
    }
    CHECK_FALSE(said_no.core->closed);
    one_stream other;
    lazy_stream s = replaced.open();
    replaced.write(s, "notice");
    s.close_write();
    s = other.open();
    CHECK(replaced.core->closed);
}

TEST_CASE("lazy_stream: of much data only the beginning is copied to leave with the protocol") {
    one_stream t;
    lazy_stream s = t.open();
    std::string const much(100'000, 'x');
    t.write(s, much);
    CHECK(t.core->written == accepted + much);
    CHECK(t.core->writes == 2);
}

} // namespace lazy_stream_test
