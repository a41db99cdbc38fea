#include <gigi/core/log.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace log_test {

using namespace gigi;

TEST_CASE("log: the app's hook gets what is at or above its level, and nothing when it is off") {
    std::vector<std::string> lines;
    log(log_level::error, "test", "nobody listens");
    set_log(log_level::info, [&](log_level level, std::string_view component, std::string_view text) {
        lines.push_back(std::string{name(level)} + " " + std::string{component} + " " + std::string{text});
    });
    log(log_level::debug, "test", "too fine");
    log(log_level::info, "test", "port ", 4001, ' ', std::string{"open"});
    set_log(log_level::off, nullptr);
    log(log_level::error, "test", "off");
    REQUIRE(lines.size() == 1);
    CHECK(lines[0] == "info test port 4001 open");
}

} // namespace log_test
