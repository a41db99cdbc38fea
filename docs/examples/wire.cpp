// docs/examples/wire.cpp: docs/wire.md's program: its dumps are what is really sent.
#include "expect.hpp"

#include <gigi/codec/cereal_codec.hpp>
#include <gigi/codec/frame.hpp>
#include <gigi/file/messages.hpp>
#include <gigi/link/multistream.hpp>
#include <gigi/node/group_payload.hpp>
#include <gigi/protocol/direct.hpp>
#include <gigi/protocol/nickname.hpp>
#include <gigi/protocol/protocol.hpp>

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

using namespace gigi;

namespace {

/// The bytes of a dump: on each line, hexadecimal up to the first two blanks; the rest is for people.
bytes bytes_of(std::string_view dump) {
    std::string digits;
    while (!dump.empty()) {
        auto const end = std::min(dump.find('\n'), dump.size());
        auto line = dump.substr(0, end);
        dump.remove_prefix(std::min(end + 1, dump.size()));
        if (line.starts_with("//")) continue;
        line = line.substr(0, line.find("  "));
        std::ranges::copy_if(line, std::back_inserter(digits), [](char c) { return c != ' '; });
    }
    return from_hex(digits).value();
}

void compare(char const *what, bytes const &sent, std::string_view dump) {
    if (sent == bytes_of(dump)) return;
    std::fprintf(stderr, "%s is %s\n", what, to_hex(sent).c_str());
    expect(false, what);
}

template <class T> bytes encoded(T const &value) {
    bytes out;
    cereal_codec{}.encode(value, out);
    return out;
}
template <class T> bytes framed_bytes(T const &value) {
    bytes out;
    append_frame(out, encoded(value));
    return out;
}

struct pair_of_bytes {
    std::uint8_t a = 1, b = 2;
    template <class Archive> void serialize(Archive &archive) { archive(a, b); }
};

merkle_hash sample_root() {
    merkle_hash root;
    root.fill(0xab);
    return root;
}
template <class T> bytes file_frame(T what) {
    file_request request;
    request.what = std::move(what);
    return framed_bytes(request);
}
template <class T> bytes answer_frame(T what) {
    file_answer answer;
    answer.what = std::move(what);
    return framed_bytes(answer);
}

void encoding() {
    compare("u16", encoded(std::uint16_t{0x1234}), "34 12");
    compare("i32", encoded(std::int32_t{-2}), "fe ff ff ff");
    compare("double", encoded(1.5), "00 00 00 00 00 00 f8 3f");
    compare("bool", encoded(true), "01");
    compare("string", encoded(std::string{"hi"}), "02 68 69");
    compare("bytes", encoded(bytes(130, 7)).size() == 132 ? bytes{0x82, 0x01} : bytes(), "82 01");
    compare("vector", encoded(std::vector<std::uint16_t>{1, 2}), "02 01 00 02 00");
    compare("array", encoded(std::array<std::uint8_t, 2>{1, 2}), "01 02");
    compare("no value", encoded(std::optional<std::uint8_t>{}), "00");
    compare("value", encoded(std::optional<std::uint8_t>{5}), "01 05");
    compare("variant", encoded(std::variant<bool, std::uint8_t>{std::uint8_t{5}}), "01 05");
    compare("map", encoded(std::map<std::uint8_t, bool>{{1, true}, {2, false}}), "02 01 01 02 00");
    compare("set", encoded(std::set<std::uint8_t>{9, 3}), "02 03 09");
    compare("struct", encoded(pair_of_bytes{}), "01 02");
}

} // namespace

int main() {
    encoding();

    constexpr std::string_view request_dump = R"(
// [request]
13 2f 6d 75 6c 74 69 73 74 72 65 61 6d 2f 31 2e 30 2e 30 0a  multistream: 19 bytes, "/multistream/1.0.0\n"
15 2f 67 69 67 69 2f 6e 69 63 6b 6e 61 6d 65 2f 31 2e 30 2e
30 0a                                                        multistream: 21 bytes, "/gigi/nickname/1.0.0\n"
06                                                           frame: 6 bytes
05 61 6c 69 63 65                                            nickname: 5 bytes, "alice"
// [request]
)";
    bytes flight;
    multistream::append_message(flight, multistream::header);
    multistream::append_message(flight, nickname_exchange::id);
    nickname_exchange::message name;
    name.nickname = "alice";
    append(flight, framed_bytes(name));
    compare("a nickname request", flight, request_dump);

    constexpr std::string_view reply_dump = R"(
// [reply]
07           frame: 7 bytes
00           error: an empty string
00           message: an empty string
01           there is a value
03 62 6f 62  nickname: 3 bytes, "bob"
// [reply]
)";
    detail::reply<nickname_exchange::response> good;
    good.value.emplace().nickname = "bob";
    compare("a reply", framed_bytes(good), reply_dump);

    constexpr std::string_view refusal_dump = R"(
// [refusal]
12                                   frame: 18 bytes
08 72 65 6a 65 63 74 65 64           error: 8 bytes, "rejected"
07 6e 6f 74 20 6e 6f 77              message: 7 bytes, "not now"
00                                   no value
// [refusal]
)";
    detail::reply<nickname_exchange::response> bad;
    bad.error = "rejected";
    bad.message = "not now";
    compare("a refusal", framed_bytes(bad), refusal_dump);

    constexpr std::string_view direct_dump = R"(
// [direct]
31                                                           frame: 49 bytes
20 30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66
30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66              id: 32 bytes, "0123456789abcdef0123456789abcdef"
01                                                           kind: text
02 68 69                                                     text: 2 bytes, "hi"
00 00 00                                                     name, mime, code: empty
00 00 00 00 00 00 00 00                                      size: 0
00                                                           data: no bytes
// [direct]
)";
    direct_protocol::request message;
    message.id = "0123456789abcdef0123456789abcdef";
    message.text = "hi";
    compare("a direct message", framed_bytes(message), direct_dump);

    constexpr std::string_view bytes_dump = R"(
// [bytes]
25                                                           frame: 37 bytes
20 30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66
30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66              id: 32 bytes
03 01 02 03                                                  data: 3 bytes
// [bytes]
)";
    bytes_protocol::request raw;
    raw.id = message.id;
    raw.data = {1, 2, 3};
    compare("bytes", framed_bytes(raw), bytes_dump);

    constexpr std::string_view group_dump = R"(
// [group]
01                       what: text
05 68 65 6c 6c 6f        text: 5 bytes, "hello"
00 00 00                 name, mime, code: empty
00 00 00 00 00 00 00 00  size: 0
// [group]
)";
    group_payload said;
    said.text = "hello";
    compare("a group message", encoded(said), group_dump);

    constexpr std::string_view list_dump = R"(
// [list]
02                                    frame: 2 bytes
00                                    request 0: list
00                                    after: the beginning

2a                                    frame: 42 bytes
01                                    answer 1: a page of the list
01                                    entries: 1
18 71 6b 6a 67 2d 74 71 76 77 2d 37
63 65 31 2d 37 7a 31 6d 2d 30 72 68
31                                    code: 24 bytes, "qkjg-tqvw-7ce1-7z1m-0rh1"
05 61 2e 74 78 74                     name: 5 bytes, "a.txt"
40 4b 4c 00 00 00 00 00               size: 5,000,000
00                                    more: no
// [list]
)";
    list_page page;
    page.entries.push_back({"qkjg-tqvw-7ce1-7z1m-0rh1", "a.txt", 5'000'000});
    bytes both = file_frame(list_request{});
    append(both, answer_frame(page));
    compare("a list", both, list_dump);

    constexpr std::string_view manifest_dump = R"(
// [manifest]
1a                                    frame: 26 bytes
01                                    request 1: manifest
18 71 6b 6a 67 2d 74 71 76 77 2d 37
63 65 31 2d 37 7a 31 6d 2d 30 72 68
31                                    code: 24 bytes

33                                    frame: 51 bytes
02                                    answer 2: manifest
05 61 2e 74 78 74                     name: 5 bytes, "a.txt"
40 4b 4c 00 00 00 00 00               size: 5,000,000
ab ab ab ab ab ab ab ab ab ab ab ab
ab ab ab ab ab ab ab ab ab ab ab ab
ab ab ab ab ab ab ab ab               root: 32 bytes
00 00 04 00                           chunk_size: 262,144
// [manifest]
)";
    manifest_request asked;
    asked.code = "qkjg-tqvw-7ce1-7z1m-0rh1";
    manifest described;
    described.name = "a.txt";
    described.size = 5'000'000;
    described.root = sample_root();
    described.chunk_size = 262'144;
    both = file_frame(asked);
    append(both, answer_frame(described));
    compare("a manifest", both, manifest_dump);

    constexpr std::string_view range_dump = R"(
// [range]
29                                    frame: 41 bytes
03                                    request 3: a range of chunks
ab ab ab ab ab ab ab ab ab ab ab ab
ab ab ab ab ab ab ab ab ab ab ab ab
ab ab ab ab ab ab ab ab               root: 32 bytes
02 00 00 00                           first: 2
01 00 00 00                           count: 1

05                                    frame: 5 bytes
04                                    answer 4: a chunk's bytes follow, 262,144 of them, raw
02 00 00 00                           chunk: 2

02                                    frame: 2 bytes
00                                    answer 0: failure
02                                    why: file_changed
// [range]
)";
    range_request range;
    range.root = sample_root();
    range.first = 2;
    range.count = 1;
    both = file_frame(range);
    append(both, answer_frame(chunk_header{2}));
    append(both, answer_frame(file_failure{file_refusal::file_changed}));
    compare("a range", both, range_dump);
    return 0;
}
