#include "temporary_folder.hpp"

#include <gigi/file/share_list.hpp>

#include <gigi/file/merkle.hpp>
#include <gigi/file/share_code.hpp>

#include <doctest/doctest.h>

#include <ostream>

namespace share_list_test {

using namespace gigi;

namespace {

shared_entry entry(std::uint8_t n) {
    merkle_hash root{};
    root[0] = n;
    std::uint64_t const size = std::uint64_t{n} << 32;
    return {share_code::of(root, size).to_string(), "/somewhere/\"quoted\" " + std::to_string(n), "name\n\xc3\xa9", size, -5 + std::int64_t{n}, to_hex(root)};
}

std::error_code load_error(std::filesystem::path const &path) {
    try {
        share_list::load(path);
    } catch (error const &e) {
        CHECK(std::string{e.what()}.find(path.filename().string()) != std::string::npos);
        return e.code();
    }
    return {};
}

} // namespace

TEST_CASE("share list: what is saved is loaded") {
    temporary_folder const folder;
    auto const path = folder.path / "shared.json";
    CHECK(share_list::load(path).files().empty());
    share_list list;
    for (int n : {3, 1, 2}) list.add(entry(static_cast<std::uint8_t>(n)));
    list.add(entry(1));
    CHECK(list.files().size() == 3);
    CHECK(list.remove(entry(2).code));
    CHECK(!list.remove(entry(2).code));
    list.save(path);
    auto const back = share_list::load(path);
    CHECK(back.files() == list.files());
    REQUIRE(back.find(entry(3).code));
    CHECK(*back.find(entry(3).code) == entry(3));
    CHECK(!back.find(entry(2).code));
    auto const text = temporary_folder::read(path);
    CHECK(text.find("\"code\": \"" + entry(3).code + "\"") != std::string::npos);
    CHECK(text.find("\"size\": 12884901888") != std::string::npos);
    CHECK(folder.count() == 1);
}

TEST_CASE("T30: a damaged share list is reported, and stays as it is") {
    temporary_folder const folder;
    share_list list;
    list.add(entry(1));
    list.add(entry(2));
    auto const whole = folder.path / "whole.json";
    list.save(whole);
    auto const text = temporary_folder::read(whole);
    CHECK(!load_error(whole));
    for (std::size_t n = 0; n + 2 < text.size(); n += 7) {
        auto const cut = folder.write("cut.json", std::string_view{text}.substr(0, n));
        CHECK(load_error(cut) == errc::bad_share_list);
        CHECK(temporary_folder::read(cut).size() == n);
    }
    struct row {
        std::string from, to;
    };
    for (auto const &[from, to] : std::initializer_list<row>{{"\"version\": 1", "\"version\": 2"},
                                                             {entry(2).code, entry(1).code},                 // twice the same
                                                             {entry(2).code, "../../etc/passwd"},            // T21: a code is no path
                                                             {entry(2).root, std::string(64, 'f')},          // not what the code names
                                                             {entry(2).root, "00"},
                                                             {"\"/somewhere", "\"somewhere"},
                                                             {"\"size\": 4294967296", "\"size\": 4294967297"}}) {
        CAPTURE(to);
        auto changed = text;
        REQUIRE(changed.find(from) != std::string::npos);
        changed.replace(changed.find(from), from.size(), to);
        CHECK(load_error(folder.write("changed.json", changed)) == errc::bad_share_list);
    }
    CHECK(load_error(folder.path) != std::error_code{});
}

TEST_CASE("share list: what a newer version wrote is not called damaged") {
    temporary_folder const folder;
    for (std::string_view const text : {R"({"version": 2, "files": []})", R"({"version": 7, "shares": {"by": "name"}})"}) {
        auto const path = folder.write("newer.json", text);
        std::string what;
        try {
            share_list::load(path);
        } catch (error const &e) {
            CHECK(e.code() == errc::bad_share_list);
            what = e.what();
        }
        CHECK(what.find("a newer gigi wrote it") != std::string::npos);
        CHECK(what.find("remove it") == std::string::npos);
        CHECK(temporary_folder::read(path) == text);
    }
}

} // namespace share_list_test
