#include <gigi/codec/json.hpp>

#include <doctest/doctest.h>

#include <fstream>
#include <ostream>
#include <random>

#include <unistd.h>

namespace json_test {

using namespace gigi;

namespace {

struct item {
    std::string name;
    std::uint64_t size = 0;
    template <class Archive> void serialize(Archive &archive) { archive(CEREAL_NVP(name), CEREAL_NVP(size)); }
};
struct list {
    std::uint32_t version = 1;
    std::vector<item> items;
    template <class Archive> void serialize(Archive &archive) { archive(CEREAL_NVP(version), CEREAL_NVP(items)); }
};

list sample() {
    list l;
    l.items = {{"a \"quoted\"\n\x1b name", 1}, {"", (std::uint64_t{1} << 63) + 7}};
    return l;
}

struct folder {
    std::filesystem::path path = std::filesystem::temp_directory_path() / ("gigi-json-" + std::to_string(::getpid()));
    folder() { std::filesystem::create_directories(path); }
    ~folder() { std::filesystem::remove_all(path); }
};

} // namespace

TEST_CASE("json: a struct is an object with named members") {
    auto const text = to_json(sample());
    CHECK(text.find("\"items\": [") != std::string::npos);
    CHECK(text.find("\"name\": \"a \\\"quoted\\\"") != std::string::npos);
    CHECK(text.find('\x1b') == std::string::npos);
    auto const back = from_json<list>(text);
    REQUIRE(back);
    REQUIRE(back->items.size() == 2);
    CHECK(back->items[0].name == sample().items[0].name);
    CHECK(back->items[1].size == (std::uint64_t{1} << 63) + 7);
}

TEST_CASE("json: a person may reorder and add") {
    auto const back = from_json<list>(R"({"comment": "mine", "items": [{"size": 3, "name": "x"}], "version": 2})");
    REQUIRE(back);
    CHECK(back->version == 2);
    CHECK(back->items.at(0).size == 3);
    CHECK(from_json<list>(R"({"version": 1, "items": []})"));
}

TEST_CASE("json: numbers are integers; what looks like others in a text is text") {
    for (std::string const number : {"0e5", "0E-55", "1.0", "0.0e0", "12e3", "Inf", "Inf.0000000000000000000000000000000", "-Infinity", "NaN", "184467440737095516155",
                                    "-1844674407370955161551615"}) {
        CAPTURE(number);
        CHECK(from_json<list>(number).error() == errc::invalid_argument);
        CHECK(from_json<list>("{\"version\": " + number + ", \"items\": []}").error() == errc::invalid_argument);
    }
    list l;
    l.items = {{"0e5 and 1.0 \\", 18'446'744'073'709'551'615u}};
    CHECK(from_json<list>(to_json(l)).value().items[0].name == "0e5 and 1.0 \\");
}

TEST_CASE("json: damage is an error") {
    for (std::string const text : {
             "", " ", "{", "[]", "null", "7", "\"x\"", "{}", "nonsense", R"({"version": 1})", R"({"version": 1, "items": {}, )",
             R"({"version": "1", "items": []})", R"({"version": -1, "items": []})", R"({"version": 1, "items": [7]})",
             R"({"version": 1, "items": [{"name": 7, "size": 1}]})", R"({"version": 1, "items": [{"name": "x", "size": -1}]})",
             R"({"version": 1, "items": [{"name": "x", "size": 18446744073709551616}]})", R"({"version": 1, "items": null})",
             R"({"version": 1, "items": []} trailing)"}) {
        CAPTURE(text);
        CHECK(from_json<list>(text).error() == errc::invalid_argument);
    }
    CHECK(from_json<list>(std::string_view{"{\"version\": 1, \"items\": []}\0", 28}).error() == errc::invalid_argument);
    CHECK(from_json<list>(std::string(1'000'000, '[')).error() == errc::invalid_argument);
    CHECK(from_json<list>(R"({"version": 1, "items": )" + std::string(100, '[') + "\"]\"").error() == errc::invalid_argument);
    auto const whole = to_json(sample());
    for (std::size_t n = 0; n + 2 < whole.size(); ++n) CHECK(!from_json<list>(std::string_view{whole}.substr(0, n)));
    std::mt19937 random{5};
    for (int i = 0; i < 3000; ++i) {
        auto damaged = whole;
        for (auto flips = 1 + random() % 3; flips-- > 0;) damaged[random() % damaged.size()] = static_cast<char>(random());
        (void)from_json<list>(damaged); // no crash, no exception
    }
}

TEST_CASE("json: files are replaced in one step, and their size is capped") {
    folder const f;
    auto const path = f.path / "list.json";
    CHECK(load_json<list>(path, 1000).error() == errc::file_not_found);
    CHECK(load_json<list>(f.path, 1000).error() == errc::file_not_found);
    REQUIRE(!save_json(path, sample()));
    REQUIRE(!save_json(path, sample()));
    CHECK(load_json<list>(path, 1000)->items.size() == 2);
    CHECK(load_json<list>(path, 10).error() == errc::invalid_argument);
    CHECK(std::distance(std::filesystem::directory_iterator{f.path}, {}) == 1); // no temporary file stays
    std::ofstream{path} << "{";
    CHECK(load_json<list>(path, 1000).error() == errc::invalid_argument);
    CHECK(save_json(path / "not a folder" / "x.json", sample()));
}

} // namespace json_test
