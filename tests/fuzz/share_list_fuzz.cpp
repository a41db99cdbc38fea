// The share list: a file of any content is a list or `bad_share_list`; a list that was read is saved and read again the same, and holds
// only entries whose code names their content.
#include "fuzz.hpp"

#include <gigi/core/file_io.hpp>
#include <gigi/file/merkle.hpp>
#include <gigi/file/share_code.hpp>
#include <gigi/file/share_list.hpp>

#include <filesystem>
#include <sys/mman.h>
#include <unistd.h>

namespace share_list_fuzz {

using namespace gigi;

namespace {

/// A file in memory.
class memory_file {
  public:
    explicit memory_file(bytes_view content) : native_{::memfd_create("shared", 0)} {
        FUZZ_CHECK(native_ >= 0 && ::write(native_, content.data(), content.size()) == static_cast<ssize_t>(content.size()));
    }
    memory_file(memory_file const &) = delete;
    memory_file &operator=(memory_file const &) = delete;
    ~memory_file() { ::close(native_); }
    std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(native_); }

  private:
    int native_;
};

share_list one_file(std::string const &path) {
    shared_entry entry;
    entry.size = 1000, entry.modified = 1'700'000'000'000'000'000, entry.root = to_hex(merkle_hash{1}), entry.path = path, entry.name = "talk.pdf";
    entry.code = share_code::of(merkle_hash{1}, 1000).to_string();
    share_list list;
    list.add(entry);
    return list;
}

/// A file that `save` may replace.
std::filesystem::path scratch() {
    static auto const path = [] {
        auto name = (std::filesystem::temp_directory_path() / "gigi-fuzz-XXXXXX").string();
        FUZZ_CHECK(::mkdtemp(name.data()));
        static std::filesystem::path folder;
        folder = name;
        std::atexit([] {
            std::error_code ignored;
            std::filesystem::remove_all(folder, ignored);
        });
        return folder / "shared.json";
    }();
    return path;
}

} // namespace

FUZZ_TARGET(share_list) {
    memory_file const file{data};
    try {
        auto const list = share_list::load(file.path());
        for (auto const &[code, entry] : list.files()) {
            FUZZ_CHECK(code == entry.code && list.find(code) && share_code::parse(code).value().to_string() == code);
            merkle_hash root{};
            std::ranges::copy(from_hex(entry.root).value(), root.begin());
            FUZZ_CHECK(share_code::parse(code).value().names(root, entry.size) && std::filesystem::path{entry.path}.is_absolute());
        }
        if (list.files().empty()) return;
        list.save(scratch());
        FUZZ_CHECK(share_list::load(scratch()).files() == list.files());
    } catch (error const &e) {
        FUZZ_CHECK(e.code() == errc::bad_share_list);
    }
}

FUZZ_SEEDS {
    fuzz::inputs all;
    for (std::string const path : {"/home/alice/talk.pdf", "/home/\"b\\c\"/\xc3\xa4\n.pdf", "relative"}) {
        one_file(path).save(scratch());
        all.push_back(read_file(scratch(), 10'000).value());
    }
    for (std::string_view const text : {"{}", "[]", "null", R"({"version": 1, "files": []})", R"({"version": 1, "files": [{}]})", R"({"files": {"a": 1}, "version": 2})"}) all.push_back(to_bytes(text));
    return all;
}

} // namespace share_list_fuzz
