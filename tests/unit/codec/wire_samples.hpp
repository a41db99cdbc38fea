// tests/unit/codec/wire_samples.hpp: messages with everything that a wire message may hold, and some that it may not.
//
// cereal's own headers for the same types are included first on purpose: ours must win, and pointers must stay out.
#pragma once

#include <cereal/types/array.hpp>
#include <cereal/types/map.hpp>
#include <cereal/types/memory.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/polymorphic.hpp>
#include <cereal/types/set.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/utility.hpp>
#include <cereal/types/variant.hpp>
#include <cereal/types/vector.hpp>

#include <gigi/codec/archive.hpp>
#include <gigi/codec/cereal_codec.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace wire_samples {

using namespace gigi;

inline bytes hex(std::string_view text) { return from_hex(text).value(); }
template <class T> bytes encoded(T const &value) {
    bytes out;
    cereal_codec{}.encode(value, out);
    return out;
}
template <class T> result<T> decoded(bytes_view data) { return cereal_codec{}.decode<T>(data); }

enum class colour : std::uint16_t { red = 1, green = 0x1234 };

struct inner {
    std::uint8_t a = 0;
    std::string b;
    template <class Archive> void serialize(Archive &archive) { archive(CEREAL_NVP(a), CEREAL_NVP(b)); }
    bool operator==(inner const &) const = default;
};

struct everything {
    bool yes = false;
    std::int32_t number = 0;
    std::uint64_t large = 0;
    double real = 0;
    colour c = colour::red;
    std::string text;
    bytes data;
    std::vector<std::uint16_t> shorts;
    std::vector<bool> bits;
    std::vector<std::string> texts;
    std::vector<inner> inners;
    std::array<std::uint8_t, 4> fixed{};
    std::array<std::string, 2> words;
    std::optional<inner> maybe;
    std::pair<std::uint8_t, std::string> pair;
    std::map<std::string, std::uint32_t> map;
    std::set<std::uint8_t> set;
    std::variant<std::monostate, std::uint32_t, inner> either;

    template <class Archive> void serialize(Archive &archive) {
        archive(yes, number, large, real, c, text, data, shorts, bits, texts, inners, fixed, words, maybe, pair, map, set, either);
    }
    bool operator==(everything const &) const = default;
};

struct tree {
    std::vector<tree> children;
    template <class Archive> void serialize(Archive &archive) { archive(children); }
};

struct base {
    virtual ~base() = default;
    std::uint8_t a = 0;
    template <class Archive> void serialize(Archive &archive) { archive(a); }
};

inline everything sample() {
    everything e;
    e.yes = true;
    e.number = -2;
    e.large = 0x0102030405060708;
    e.real = 1.5;
    e.c = colour::green;
    e.text = "text";
    e.data = {1, 2, 3};
    e.shorts = {1, 0x0203};
    e.bits = {true, false, true};
    e.texts = {"a", "", "bc"};
    e.inners = {{1, "x"}, {2, ""}};
    e.fixed = {9, 8, 7, 6};
    e.words = {"left", "right"};
    e.maybe = inner{3, "m"};
    e.pair = {4, "p"};
    e.map = {{"k", 1}, {"l", 2}};
    e.set = {1, 5, 9};
    e.either = inner{5, "v"};
    return e;
}

} // namespace wire_samples
