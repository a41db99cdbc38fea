// What people type and peers send as names: share codes, file names, nicknames, groups. A code has one way to be written; a safe name is
// one harmless path component on every system, and stays as it is.
#include "fuzz.hpp"

#include <gigi/core/text.hpp>
#include <gigi/file/safe_name.hpp>
#include <gigi/file/share_code.hpp>
#include <gigi/peer/nickname.hpp>

#include <filesystem>

namespace names_fuzz {

using namespace gigi;

namespace {

void check_code(std::string_view typed) {
    auto const code = share_code::parse(typed);
    fuzz::check_result(code);
    if (!code) return;
    auto const &text = code->to_string();
    FUZZ_CHECK(share_code::parse(text).value() == *code && text.size() == (code->is_root() ? 64u : 24u));
    std::string upper = text;
    for (char &c : upper)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    std::erase(upper, '-');
    FUZZ_CHECK(share_code::parse(upper).value() == *code);
    merkle_hash root{1};
    if (code->is_root()) std::ranges::copy(from_hex(text).value(), root.begin());
    std::uint64_t const size = root == merkle_hash{} ? 0 : typed.size(); // no file but the empty one has no tree
    if (code->is_root()) FUZZ_CHECK(code->names(root, size) && !code->names(root, size ? 0 : 5));
    auto const of = share_code::of(root, size);
    FUZZ_CHECK(of.names(root, size) && !of.names(root, size + 1) && share_code::parse(of.to_string()).value() == of);
}

void check_safe(std::string const &name) {
    FUZZ_CHECK(!name.empty() && name.size() <= max_file_name && name != "." && name != ".." && is_utf8(name));
    FUZZ_CHECK(name.find_first_of(std::string_view{"/\\<>:\"|?*\0", 10}) == name.npos && printable(name) == name);
    FUZZ_CHECK(name.front() != '.' && name.front() != ' ' && name.back() != '.' && name.back() != ' ' && !detail::is_device_name(name) && !detail::is_unfinished_name(name));
    FUZZ_CHECK(std::filesystem::path{name}.filename() == name);
    FUZZ_CHECK(safe_file_name(name) == name);
}

} // namespace

FUZZ_TARGET(names) {
    auto const text = as_text(data);
    check_code(text);
    auto const safe = safe_file_name(text);
    check_safe(safe);
    FUZZ_CHECK(numbered_file_name(safe, 0) == safe);
    auto const next = numbered_file_name(safe, 4'000'000'000u);
    FUZZ_CHECK(next != safe && next.size() <= 255 && next.find('/') == next.npos && is_utf8(next));

    bool const nickname = valid_nickname(text), group = valid_group_name(text);
    FUZZ_CHECK(!nickname || (group && text.size() <= max_nickname_size));
    if (group) FUZZ_CHECK(printable(text) == text && is_utf8(text) && text.size() <= max_group_name_size && text.front() != ' ');
}

FUZZ_SEEDS {
    fuzz::inputs all;
    for (std::string_view const text : {"k7qm-3fz2-0a1b-9xyz-w4tv", "K7QM 3FZ2 OA1B 9XYZ W4TV", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "talk.pdf",
                                        "../../etc/passwd", "C:\\Windows\\con.txt", "com1.txt", ".hidden. ", "talk.pdf.part", "x.Journal.", "a\xe2\x80\xaetxt.exe", "\x1b[2J", "alice", "lobby"})
        all.push_back(to_bytes(text));
    all.push_back(bytes(300, 'x'));
    auto device = to_bytes(std::string_view{"nul."});
    device.resize(200, 'x');
    all.push_back(device);
    return all;
}

} // namespace names_fuzz
