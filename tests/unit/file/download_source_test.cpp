#include "memory_pipe.hpp"

#include <gigi/file/download_source.hpp>

#include <doctest/doctest.h>

namespace download_source_test {

using namespace gigi;
using source = download_source<pipe_end>;

namespace {

time_point at(int seconds) { return time_point{std::chrono::seconds{seconds}}; }
std::exception_ptr because(std::error_code code) { return std::make_exception_ptr(error{code}); }

} // namespace

TEST_CASE("download source: makes room after a time without a chunk, later each time, and not where we are slow") {
    source s;
    s.has_given(at(100));
    CHECK_FALSE(s.is_to_yield(at(159), 60s));
    CHECK(s.is_to_yield(at(160), 60s));
    s.held_back = true;
    CHECK_FALSE(s.is_to_yield(at(1000), 60s));
    s.held_back = false;
    s.yielded = true; // it is on its way
    CHECK_FALSE(s.is_to_yield(at(1000), 60s));
    s.yielded = false;
    s.yields = 2;
    CHECK_FALSE(s.is_to_yield(at(339), 60s));
    CHECK(s.is_to_yield(at(340), 60s));
    s.has_given(at(340));
    CHECK_FALSE(s.is_to_yield(at(341), 60s));
    s.yields = ~0u;
    CHECK_FALSE(s.is_to_yield(at(340 + 1023 * 60), 60s));
    CHECK(s.is_to_yield(at(340 + 1024 * 60), 60s));
}

TEST_CASE("download source: another stream is tried where one broke, not where it was refused") {
    source s;
    for (auto const code : {errc::reset, errc::timed_out, errc::unreachable}) {
        CHECK_FALSE(s.worth_reopening(because(code), false)); // nothing says that it has the file
        CHECK(s.worth_reopening(because(code), true));
    }
    s.described = true;
    CHECK(s.worth_reopening(because(errc::reset), false));
    for (auto const code : {errc::unknown_code, errc::hash_mismatch, errc::protocol_violation, errc::cancelled, errc::file_changed, errc::limit_exceeded})
        CHECK_FALSE(s.worth_reopening(because(code), true));
    s.gave = true;
    CHECK(s.worth_reopening(because(errc::limit_exceeded), true));
    s.give_up = errc::hash_mismatch;
    CHECK_FALSE(s.worth_reopening(because(errc::reset), true));
    CHECK_FALSE(s.worth_reopening(std::make_exception_ptr(1), true));
    CHECK(source::has_no_files(because(errc::unsupported_protocol)));
    CHECK_FALSE(source::has_no_files(because(errc::unknown_code)));
    CHECK_FALSE(source::has_no_files(std::make_exception_ptr(1)));
}

} // namespace download_source_test
