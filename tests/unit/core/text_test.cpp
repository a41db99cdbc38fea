#include <gigi/core/text.hpp>

#include <doctest/doctest.h>

#include <random>
#include <string>

namespace text_test {

using namespace gigi;
using namespace std::string_literals;

TEST_CASE("text: what is UTF-8") {
    struct {
        std::string text;
        bool valid;
        std::string shown; // with U+FFFD for each bad sequence
    } const table[] = {
        {"", true, ""},
        {"plain", true, "plain"},
        {"\xc3\xa9", true, "\xc3\xa9"},                                   // é
        {"\xe2\x82\xac", true, "\xe2\x82\xac"},                           // €
        {"\xf0\x9f\x98\x80", true, "\xf0\x9f\x98\x80"},                   // an emoji
        {"\xf4\x8f\xbf\xbf", true, "\xf4\x8f\xbf\xbf"},                   // U+10FFFF
        {"\x80", false, "\ufffd"},                                        // a continuation alone
        {"\xc0\xaf", false, "\ufffd\ufffd"},                              // overlong '/'
        {"\xe0\x80\xaf", false, "\ufffd\ufffd\ufffd"},                    // overlong
        {"\xed\xa0\x80", false, "\ufffd\ufffd\ufffd"},                    // a surrogate
        {"\xf4\x90\x80\x80", false, "\ufffd\ufffd\ufffd\ufffd"},          // past U+10FFFF
        {"\xff\xfe", false, "\ufffd\ufffd"},
        {"a\xe2\x82z", false, "a\ufffdz"},                                // cut short by another character
        {"a\xf0\x9f\x98", false, "a\ufffd"},                              // cut short by the end
    };
    for (auto const &row : table) {
        CAPTURE(to_hex(as_bytes(row.text)));
        CHECK(is_utf8(row.text) == row.valid);
        CHECK(printable(row.text) == row.shown);
        CHECK(json_quoted(row.text) == '"' + row.shown + '"');
    }
}

TEST_CASE("text: every code point survives, and surrogates do not exist") {
    for (char32_t c = 0; c <= 0x110000; c += c < 0x3000 ? 1 : 61) {
        std::string text;
        append_utf8(text, c);
        auto const step = next_utf8(text);
        bool const possible = c < 0x110000 && !(c >= 0xd800 && c <= 0xdfff);
        if (!step.valid || step.length != text.size() || step.code_point != (possible ? c : U'\uFFFD')) FAIL("code point ", static_cast<std::uint32_t>(c));
    }
}

TEST_CASE("T23: a text cannot do anything to a terminal but appear") {
    struct {
        std::string text, shown;
    } const table[] = {
        {"\x1b[2J\x1b[Hgone", "[2J[Hgone"},                            // clear the screen
        {"\x1b]0;title\x07", "]0;title"},                              // set the title
        {"\x1bP+q544e\x1b\\", "P+q544e\\"},                            // a device control string
        {"\xc2\x9b" "31mred", "31mred"},                               // CSI as a C1 character
        {"\x9b" "31mred", "\ufffd31mred"},                             // CSI as a byte
        {"over\rwritten", "over↵written"},
        {"two\nlines", "two↵lines"},
        {"two\r\nlines", "two↵lines"},
        {"next\xc2\x85line \u2028 \u2029", "next↵line ↵ ↵"},
        {"back\b\b\b\x7f", "back"},
        {"a\tb", "a b"},
        {"nul\0bell\a"s, "nulbell"},
        {"photo\u202egpj.exe", "photogpj.exe"},                        // right-to-left override
        {"\u2066x\u2069\u200f\u200e\u061c", "x"},
        {"שלום, 你好 👋", "שלום, 你好 👋"},                             // honest text stays
    };
    for (auto const &row : table) CHECK(printable(row.text) == row.shown);

    std::minstd_rand random{23};
    for (int i = 0; i < 20000; ++i) {
        std::string text(random() % 12, '\0');
        for (auto &c : text) c = static_cast<char>(random() % 2 ? random() % 256 : 0x1b);
        auto const shown = printable(text);
        bool good = is_utf8(shown);
        for (std::string_view rest = shown; !rest.empty(); rest.remove_prefix(next_utf8(rest).length)) {
            auto const c = next_utf8(rest).code_point;
            good = good && !is_control(c) && !is_direction_control(c);
        }
        if (!good) FAIL(to_hex(as_bytes(text)));
    }
}

TEST_CASE("text: JSON strings") {
    CHECK(json_quoted("") == R"("")");
    CHECK(json_quoted(R"(say "hi" \o/)") == R"("say \"hi\" \\o/")");
    CHECK(json_quoted("a\r\n\tb") == R"("a\r\n\tb")");
    CHECK(json_quoted("\x1b[2J\0\x7f"s) == R"("\u001b[2J\u0000\u007f")");
    CHECK(json_quoted("\xc2\x9b") == R"("\u009b")");
    CHECK(json_quoted("a\u202eb") == R"("a\u202eb")");
    CHECK(json_quoted("one\u2028line\u2029only") == "\"one\\u2028line\\u2029only\"");
    CHECK(json_quoted("é 👋") == "\"é 👋\"");
}

TEST_CASE("text: base64") { // RFC 4648, section 10
    char const *const table[][2] = {{"", ""},         {"f", "Zg=="},         {"fo", "Zm8="},        {"foo", "Zm9v"},
                                    {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
    for (auto const &[plain, coded] : table) CHECK(to_base64(as_bytes(plain)) == coded);
    CHECK(to_base64(as_bytes("\xff\xfb\xbe")) == "//u+");
}

} // namespace text_test
