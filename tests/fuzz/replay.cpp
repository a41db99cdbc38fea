// tests/fuzz/replay.cpp: every fuzz target over its corpus, without libFuzzer: its seeds, the files that are kept, and
// mutations of both that are the same in every run.
//
// fuzz_tests [--mutations N] [TARGET...] runs targets; fuzz_tests TARGET FILE... runs one over files.
// The last line is `N passed, M failed`. A property that does not hold ends the program, after a line with the input.
#include "fuzz.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <unistd.h>

namespace {

using gigi::bytes;
using gigi::bytes_view;

std::string running; // told when a target ends the program
bytes const *running_input = nullptr;

extern "C" void __sanitizer_set_death_callback(void (*)()) __attribute__((weak));

void tell() {
    char const *const parts[] = {"FAIL ", running.c_str(), ", with the input "};
    for (auto const *part : parts) [[maybe_unused]] auto const written = ::write(STDOUT_FILENO, part, std::string_view{part}.size());
    static bytes const none;
    for (auto const b : running_input ? *running_input : none) {
        char const hex[] = {"0123456789abcdef"[b >> 4], "0123456789abcdef"[b & 15]};
        [[maybe_unused]] auto const written = ::write(STDOUT_FILENO, hex, sizeof hex);
    }
    [[maybe_unused]] auto const written = ::write(STDOUT_FILENO, "\n", 1);
}
extern "C" void on_abort(int) {
    tell();
    std::signal(SIGABRT, SIG_DFL);
    std::abort();
}

/// What decides the mutations.
class sequence {
  public:
    explicit sequence(std::uint64_t seed) : state_{seed * 0x9e3779b97f4a7c15 | 1} {}
    std::size_t below(std::size_t n) {
        state_ ^= state_ << 13, state_ ^= state_ >> 7, state_ ^= state_ << 17;
        return static_cast<std::size_t>(state_ % n);
    }

  private:
    std::uint64_t state_;
};

bytes mutate(bytes data, bytes const &other, sequence &random) {
    constexpr std::uint8_t telling[] = {0, 1, 0x7f, 0x80, 0xff, 0xc0, '/', '\n', 0x0a, 0x12};
    for (std::size_t changes = 1 + random.below(4); changes > 0; --changes) {
        std::size_t const at = random.below(data.size() + 1);
        auto const place = data.begin() + static_cast<std::ptrdiff_t>(at);
        switch (random.below(6)) {
        case 0:
            if (at < data.size()) data[at] ^= static_cast<std::uint8_t>(1u << random.below(8));
            break;
        case 1:
            if (at < data.size()) data[at] = telling[random.below(std::size(telling))];
            break;
        case 2: data.insert(place, 1 + random.below(8), telling[random.below(std::size(telling))]); break;
        case 3: data.erase(place, place + static_cast<std::ptrdiff_t>(random.below(data.size() - at + 1))); break;
        case 4: { // a part of itself again
            bytes const part{place, place + static_cast<std::ptrdiff_t>(std::min<std::size_t>(random.below(32), data.size() - at))};
            data.insert(data.begin() + static_cast<std::ptrdiff_t>(random.below(data.size() + 1)), part.begin(), part.end());
            break;
        }
        default: // the end of another one
            data.resize(at);
            gigi::append(data, bytes_view{other}.subspan(random.below(other.size() + 1)));
        }
    }
    return data;
}

void run(fuzz::target const &target, bytes const &data) {
    bytes const exact(data.begin(), data.end()); // no room behind it
    running_input = &exact;
    target.run(exact);
    running_input = nullptr;
}

bytes content(std::filesystem::path const &path) {
    std::ifstream in{path, std::ios::binary};
    if (!in) throw std::runtime_error{"cannot read " + path.string()};
    return {std::istreambuf_iterator<char>{in}, {}};
}

/// @return how many inputs there were
std::size_t replay(fuzz::target const &target, std::filesystem::path const &corpus, std::size_t mutations) {
    std::vector<std::filesystem::path> files;
    std::error_code none;
    for (auto const &file : std::filesystem::directory_iterator{corpus / target.name, none}) files.push_back(file.path());
    std::ranges::sort(files);
    fuzz::inputs kept = target.seeds();
    for (auto const &file : files) kept.push_back(content(file));
    kept.emplace_back(); // nothing at all
    sequence random{kept.size()};
    std::size_t count = 0;
    for (auto const &data : kept) {
        run(target, data);
        ++count;
        for (std::size_t i = 0; i < mutations; ++i, ++count) run(target, mutate(data, kept[random.below(kept.size())], random));
    }
    std::cout << "ok " << target.name << ": " << kept.size() << " inputs and " << mutations << " mutations of each" << std::endl;
    return count;
}

} // namespace

int main(int argc, char **argv) {
    std::vector<std::string> arguments{argv + 1, argv + argc};
    std::size_t mutations = 10;
    if (arguments.size() >= 2 && arguments[0] == "--mutations") {
        mutations = std::stoul(arguments[1]);
        arguments.erase(arguments.begin(), arguments.begin() + 2);
    }
    auto &targets = fuzz::target::all();
    std::ranges::sort(targets, {}, &fuzz::target::name);
    for (auto const &name : arguments)
        if (std::ranges::find(targets, name, &fuzz::target::name) == targets.end() && !std::filesystem::exists(name)) {
            std::cerr << "there is no target, and no file, " << name << '\n';
            return 2;
        }
    std::signal(SIGABRT, &on_abort);
    if (__sanitizer_set_death_callback) __sanitizer_set_death_callback(&tell);
    auto const corpus = std::filesystem::path{__FILE__}.parent_path() / "corpus";
    auto const is_named = [&](std::string const &name) { return std::ranges::find(arguments, name) != arguments.end(); };
    std::size_t passed = 0;
    for (auto const &target : targets) {
        if (!arguments.empty() && !is_named(target.name)) continue;
        running = target.name;
        std::vector<std::string> files;
        for (auto const &argument : arguments)
            if (std::ranges::find(targets, argument, &fuzz::target::name) == targets.end()) files.push_back(argument);
        for (auto const &file : files) run(target, content(file));
        if (files.empty()) replay(target, corpus, mutations);
        ++passed;
    }
    std::cout << passed << " passed, 0 failed" << std::endl;
    return passed > 0 ? 0 : 1;
}
