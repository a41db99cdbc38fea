#include <gigi/node/received_file.hpp>

#include <gigi/core/error.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <iterator>
#include <string>
#include <system_error>

#include <unistd.h>

namespace received_file_test {

using namespace gigi;

TEST_CASE("T21: received_file: files get their own names in the folder, and nothing is overwritten") {
    auto const folder = std::filesystem::temp_directory_path() / ("gigi-received-" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder);
    auto const first = write_received_file(folder, "cat.png", as_bytes("one")), second = write_received_file(folder, "cat.png", as_bytes("two"));
    CHECK(first == folder / "cat.png");
    CHECK(second == folder / "cat (1).png");
    CHECK(to_text(read_small_file(first, 100)) == "one");
    CHECK(to_text(read_small_file(second, 100)) == "two");
    CHECK(std::distance(std::filesystem::directory_iterator{folder}, {}) == 2);
    auto const code_of = [](auto what) {
        try {
            what();
        } catch (std::system_error const &e) {
            return e.code();
        }
        return std::error_code{};
    };
    CHECK(code_of([&] { read_small_file(first, 2); }) == errc::message_too_large);
    CHECK(code_of([&] { read_small_file(folder / "none", 2); }) == errc::file_not_found);
    CHECK(code_of([&] { read_small_file(folder, 2); }) == errc::file_not_found);
    CHECK(code_of([&] { write_received_file(first, "x", {}); }) == condition::io_error); // a file where the folder should be
    std::filesystem::remove_all(folder);
}

TEST_CASE("received_file: MIME types by content, then by name") {
    struct row {
        std::string data;
        char const *name, *expected;
    };
    for (auto const &[data, name, expected] : {row{"\x89PNG\r\n\x1a\n", "x", "image/png"}, row{"\xff\xd8\xff", "x.txt", "image/jpeg"}, row{"GIF89a", "", "image/gif"},
                                               row{"RIFF1234WEBP", "", "image/webp"}, row{"<svg", "A.SVG", "image/svg+xml"},
                                               row{{"MM\0*", 4}, "", "image/tiff"}, row{{"II*\0", 4}, "", "image/tiff"}, row{"MMS", "a.txt", "application/octet-stream"}, row{"", "x", "application/octet-stream"}})
        CHECK(mime_type_of(as_bytes(data), name) == std::string{expected});
}

} // namespace received_file_test
