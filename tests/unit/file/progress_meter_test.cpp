#include <gigi/file/progress_meter.hpp>

#include <doctest/doctest.h>

namespace progress_meter_test {

using namespace gigi;
using namespace std::chrono_literals;

TEST_CASE("progress meter: no rate before time has passed") {
    progress_meter meter;
    CHECK(meter.rate() == 0);
    meter.add(time_point{5s}, 1'000'000); // what a download had from before
    CHECK(meter.rate() == 0);
    meter.add(time_point{5s}, 2'000'000);
    CHECK(meter.rate() == 0);
}

TEST_CASE("progress meter: the rate of the last seconds only") {
    progress_meter meter;
    std::uint64_t done = 0;
    for (auto at = 0ms; at <= 10s; at += 100ms) meter.add(time_point{at}, done += 100);
    CHECK(meter.rate() == doctest::Approx(1000));
    for (auto at = 10'100ms; at <= 14s; at += 100ms) meter.add(time_point{at}, done += 1000);
    CHECK(meter.rate() == doctest::Approx(10'000));
    for (auto at = 14'100ms; at <= 18s; at += 100ms) meter.add(time_point{at}, done); // it stands still
    CHECK(meter.rate() == 0);
}

TEST_CASE("progress meter: right where it is asked seldom, and where it is told far too often") {
    progress_meter seldom;
    seldom.add(time_point{0s}, 0);
    seldom.add(time_point{60s}, 60'000);
    CHECK(seldom.rate() == doctest::Approx(1000));
    progress_meter often;
    for (std::uint64_t n = 0; n <= 100'000; ++n) often.add(time_point{n * 100us}, n);
    CHECK(often.rate() == doctest::Approx(10'000));
    CHECK(often.samples() < 100);
}

} // namespace progress_meter_test
