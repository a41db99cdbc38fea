// The chat's command line: words are where they say; arguments fit the parameters; what is quoted as JSON comes out as it was; the
// progress bar shows any numbers.
#include "fuzz.hpp"

#include "../../examples/console.hpp"

namespace commands_fuzz {

using namespace gigi;

namespace {

constexpr std::string_view commands[] = {"", "<nickname>", "[nickname]", "<nickname> <message>", "<group> <message>", "<path>", "<nickname> <path>",
                                         "<nickname|code> [code]", "<address>", "<nickname> <code> [path]"};

std::string repaired(std::string_view text) {
    std::string out;
    for (utf8_step step; (step = next_utf8(text)).length > 0; text.remove_prefix(step.length)) append_utf8(out, step.code_point);
    return out;
}

} // namespace

FUZZ_TARGET(commands) {
    auto const line = as_text(data);
    auto const words = split(line);
    std::size_t past = 0;
    for (auto const &word : words) {
        FUZZ_CHECK(word.at >= past && word.at < line.size() && line[word.at] != ' ');
        past = word.at + 1;
    }
    for (auto const parameters : commands) {
        auto const names = parameter_names(parameters);
        auto const arguments = arguments_of(line, parameters);
        if (!arguments) continue;
        auto const needed = static_cast<std::size_t>(std::ranges::count(parameters, '<'));
        FUZZ_CHECK(arguments->size() >= needed && arguments->size() <= names.size());
    }

    fuzz::input in{data};
    auto const first = to_text(in.part()), second = to_text(in.part());
    auto const sent = arguments_of("send " + json_quoted(first) + ' ' + json_quoted(second) + ' ', "<nickname> <message>");
    FUZZ_CHECK(sent && *sent == strings{repaired(first), repaired(second)});

    auto const total = in.number<std::uint64_t>() >> 20, done = in.number<std::uint64_t>() % (total + 1), rate = in.number<std::uint64_t>(); // 16 TiB at most
    auto const bar = progress_bar(static_cast<double>(done), static_cast<double>(total), static_cast<double>(rate) / 1000);
    FUZZ_CHECK(bar.empty() == (total == 0) && bar.size() < 100 && printable(bar) == bar && size_text(done).size() < 32);
}

FUZZ_SEEDS {
    fuzz::inputs all;
    for (std::string_view const text : {"send bob hello there", "send \"bob b\" \"a\\n\\u00e4\\ud83d\\ude00\" ", "share it's\\ mine.txt", "join 'two words'", "  send   bob  'tis \"un", "\\\" \\", "download bob k7qm /tmp/x"})
        all.push_back(to_bytes(text));
    fuzz::script numbers;
    numbers.part("bob").part("h\"\\\n\x01i").number(std::uint64_t{1} << 60).number(std::uint64_t{5000}).number(std::uint64_t{12'345'678});
    all.push_back(numbers);
    return all;
}

} // namespace commands_fuzz
