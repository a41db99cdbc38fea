// Strangers' text: shown on a terminal it can only appear; as JSON it is valid and means the text; UTF-8 is judged as Unicode does.
#include "fuzz.hpp"

#include <gigi/core/json.hpp>
#include <gigi/core/text.hpp>

#include <cereal/archives/json.hpp> // for its RapidJSON

#include <map>

namespace text_fuzz {

using namespace gigi;

namespace {

/// Unicode, table 3-7, another way: by the value, the length and the range.
bool is_utf8_by_value(bytes_view data) {
    while (!data.empty()) {
        std::size_t const length = data[0] < 0x80 ? 1 : data[0] >> 5 == 6 ? 2 : data[0] >> 4 == 14 ? 3 : data[0] >> 3 == 30 ? 4 : 0;
        if (length == 0 || length > data.size()) return false;
        char32_t value = length == 1 ? data[0] : data[0] & (0x7fu >> length);
        for (std::size_t i = 1; i < length; ++i) {
            if (data[i] >> 6 != 2) return false;
            value = value << 6 | (data[i] & 0x3fu);
        }
        constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        if (value < least[length] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return false;
        data = data.subspan(length);
    }
    return true;
}

/// The text with U+FFFD for what is not UTF-8.
std::string repaired(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        auto const step = next_utf8(text);
        FUZZ_CHECK(step.length > 0 && step.length <= text.size() && step.length <= 4);
        append_utf8(out, step.code_point);
        text.remove_prefix(step.length);
    }
    return out;
}

std::string string_of(rapidjson::Document const &json) { return {json.GetString(), json.GetStringLength()}; }

rapidjson::Document parse(std::string const &json) {
    rapidjson::Document document;
    document.Parse<rapidjson::kParseValidateEncodingFlag | rapidjson::kParseFullPrecisionFlag>(json.data(), json.size());
    FUZZ_CHECK(!document.HasParseError());
    return document;
}

bytes from_base64(std::string const &text) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    bytes out;
    FUZZ_CHECK(text.size() % 4 == 0);
    for (std::size_t i = 0; i < text.size(); i += 4) {
        std::uint32_t group = 0;
        std::size_t have = 0;
        for (std::size_t j = 0; j < 4; ++j) {
            auto const digit = digits.find(text[i + j]);
            if (digit != digits.npos) ++have;
            else FUZZ_CHECK(text[i + j] == '=');
            group = group << 6 | static_cast<std::uint32_t>(digit == digits.npos ? 0 : digit);
        }
        for (std::size_t j = 0; j + 1 < have; ++j) out.push_back(static_cast<std::uint8_t>(group >> (16 - 8 * j)));
    }
    return out;
}

} // namespace

FUZZ_TARGET(text) {
    auto const text = as_text(data);
    FUZZ_CHECK(is_utf8(text) == is_utf8_by_value(data));
    auto const clean = repaired(text);
    FUZZ_CHECK(is_utf8(clean) && (clean == text) == is_utf8(text));

    auto const shown = printable(text);
    FUZZ_CHECK(is_utf8(shown) && printable(shown) == shown);
    for (auto const c : shown) FUZZ_CHECK(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
    for (std::string_view rest = shown; !rest.empty();) {
        auto const step = next_utf8(rest);
        FUZZ_CHECK(!is_control(step.code_point) && !is_direction_control(step.code_point));
        rest.remove_prefix(step.length);
    }

    auto const quoted = json_quoted(text);
    FUZZ_CHECK(printable(quoted) == quoted); // a program's output does no harm to a terminal either
    auto const string = parse(quoted);
    FUZZ_CHECK(string.IsString() && string_of(string) == clean);
    FUZZ_CHECK(equal(from_base64(to_base64(data)), data));

    fuzz::input in{data};
    auto const name = to_text(in.part());
    auto const number = std::bit_cast<double>(in.number<std::uint64_t>());
    auto const count = in.number<std::uint64_t>();
    auto const object = json_object{}.add("text", text).add("number", number).add("count", count).add("list", std::vector<std::string>{name, clean}).add("data", to_bytes(data)).add_all(json_object{}).add(name, true);
    auto const document = parse(object.text());
    FUZZ_CHECK(document.IsObject() && document.MemberCount() == 6 && document["count"].GetUint64() == count && document["list"].Size() == 2);
    FUZZ_CHECK(document["number"].GetDouble() == (std::isfinite(number) ? number : 0));
}

FUZZ_SEEDS {
    fuzz::inputs all;
    for (std::string_view const text : {"plain", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\x1b[31mred\x07\x9b", "a\r\nb\tc\xc2\x85\xe2\x80\xa8", "\xed\xa0\x80\xf4\x90\x80\x80\xc0\xaf\xe2\x82", "\xe2\x80\xae right to left",
                                        "\"quoted\" \\ and \x7f"})
        all.push_back(to_bytes(text));
    fuzz::script numbers;
    numbers.part("name").number(std::bit_cast<std::uint64_t>(-1.5e300)).number(std::uint64_t{1} << 63);
    all.push_back(numbers);
    return all;
}

} // namespace text_fuzz
