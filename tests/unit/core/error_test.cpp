#include <gigi/core/asio.hpp>
#include <gigi/core/error.hpp>
#include <gigi/core/result.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace error_test {

using namespace gigi;

TEST_CASE("error: every code has a word and a sentence of its own") {
    std::set<std::string> words, sentences;
    int n = 0;
    for (int code = 1; std::string{name(static_cast<errc>(code))} != "unknown"; ++code, ++n) {
        words.insert(name(static_cast<errc>(code)));
        sentences.insert(describe(static_cast<errc>(code)));
    }
    CHECK(n >= 35);
    CHECK(words.size() == static_cast<std::size_t>(n));
    CHECK(sentences.size() == static_cast<std::size_t>(n));
}

TEST_CASE("error: conditions group gigi's codes, Asio's and the system's") {
    struct row {
        std::error_code code;
        condition expected;
    };
    for (auto const &[code, expected] :
         {row{errc::cancelled, condition::cancelled}, row{asio::error::operation_aborted, condition::cancelled},
          row{errc::timed_out, condition::timed_out}, row{asio::error::timed_out, condition::timed_out},
          row{errc::reset, condition::closed}, row{asio::error::eof, condition::closed},
          row{asio::error::connection_reset, condition::closed}, row{asio::error::broken_pipe, condition::closed},
          row{errc::stopped, condition::closed}, row{asio::error::connection_refused, condition::unreachable},
          row{errc::frame_too_large, condition::protocol_violation}, row{errc::limit_exceeded, condition::limit_exceeded},
          row{errc::peer_mismatch, condition::untrusted}, row{errc::unknown_peer, condition::invalid_input},
          row{errc::disk_full, condition::io_error}}) {
        CAPTURE(code.message());
        CHECK(code == expected);
        for (auto const other : {condition::cancelled, condition::timed_out, condition::closed, condition::unreachable,
                                 condition::protocol_violation, condition::limit_exceeded, condition::untrusted,
                                 condition::invalid_input, condition::io_error})
            CHECK((code == other) == (other == expected));
    }
}

TEST_CASE("error: says what was being done, and names codes that are not gigi's") {
    error const e{errc::unknown_peer, "bob"};
    CHECK(std::string{e.what()} == "bob: no such peer is known");
    CHECK(e.context() == "bob");
    CHECK(error_name(e.code()) == "unknown_peer");
    CHECK(error_name(asio::error::connection_refused) == "refused");
    CHECK(error_name(asio::error::eof) == "closed");
    CHECK(error_name(std::make_error_code(std::errc::no_space_on_device)) == "disk_full");
}

TEST_CASE("result: holds a value or the reason for none") {
    result<std::string> const good{std::string{"yes"}};
    CHECK(good);
    CHECK(*good == "yes");
    CHECK_FALSE(good.error());
    result<std::string> const bad{errc::invalid_name};
    CHECK_FALSE(bad);
    CHECK(bad.error() == errc::invalid_name);
    CHECK_THROWS_AS(bad.value(), error);
}

} // namespace error_test
