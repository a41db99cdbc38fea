// gigi's own messages (cereal over the bounded archive): every type that a peer may send. What is decoded is written as the same bytes,
// for a value has one encoding; memory follows what has come, whatever sizes are claimed.
#include "fuzz.hpp"

#include <gigi/codec/cereal_codec.hpp>
#include <gigi/file/messages.hpp>
#include <gigi/node/group_payload.hpp>
#include <gigi/protocol/direct.hpp>
#include <gigi/protocol/nickname.hpp>

#include <cmath>

namespace archive_fuzz {

using namespace gigi;

namespace {

/// Everything that the archive knows, nested.
struct everything {
    struct inner {
        std::uint16_t number = 0;
        std::vector<inner> deeper;
        template <class Archive> void serialize(Archive &archive) { archive(number, deeper); }
    };
    bool flag = false;
    double real = 0;
    std::int64_t number = 0;
    std::string text;
    std::vector<std::uint32_t> numbers;
    std::vector<std::string> texts;
    std::vector<bool> flags;
    std::array<std::uint16_t, 3> three{};
    std::array<std::string, 2> two;
    std::pair<std::uint8_t, std::string> pair;
    std::optional<std::vector<std::uint8_t>> maybe;
    std::map<std::string, std::uint32_t> map;
    std::set<std::uint16_t> set;
    std::variant<std::monostate, std::uint8_t, std::string, inner> one;
    inner tree;
    template <class Archive> void serialize(Archive &archive) {
        archive(flag, real, number, text, numbers, texts, flags, three, two, pair, maybe, map, set, one, tree);
    }
};

template <class T> void check(bytes_view data) {
    // An element of one byte may be an object of some hundred, and a vector may double its room.
    auto const value = [&] {
        fuzz::memory_limit const limit{fuzz::several_times(4 * sizeof(std::pair<list_entry, everything::inner>), data)};
        return cereal_codec{}.decode<T>(data);
    }();
    fuzz::check_result(value);
    if (!value) {
        FUZZ_CHECK(value.error() == errc::protocol_violation);
        return;
    }
    bytes again;
    cereal_codec{}.encode(*value, again);
    FUZZ_CHECK(equal(again, data));
}

template <class... T> struct types {
    static void check_one(std::size_t which, bytes_view data) {
        std::size_t n = 0;
        ((n++ == which ? check<T>(data) : void()), ...);
    }
    static constexpr std::size_t count = sizeof...(T);
    /// One input a type: its default value.
    static fuzz::inputs seeds() {
        fuzz::inputs all;
        std::uint8_t n = 0;
        auto const add = [&]<class U>(U const &value) {
            bytes out{n++};
            cereal_codec{}.encode(value, out);
            all.push_back(std::move(out));
        };
        (add(T{}), ...);
        return all;
    }
};
using messages = types<everything, file_request, file_answer, direct_protocol::request, delivery_receipt, bytes_protocol::request,
                       nickname_exchange::message, group_payload>;

template <class T> bytes seed(std::uint8_t which, T const &value) {
    bytes out{which};
    cereal_codec{}.encode(value, out);
    return out;
}

} // namespace

FUZZ_TARGET(archive) {
    if (data.empty()) return;
    messages::check_one(data[0] % messages::count, data.subspan(1));
}

FUZZ_SEEDS {
    auto all = messages::seeds();
    everything e;
    e.flag = true, e.real = 1.5, e.text = "text", e.numbers = {1, 2}, e.texts = {"a", "b"}, e.flags = {true, false, true}, e.two = {"x", "y"};
    e.maybe = bytes{1, 2}, e.map = {{"a", 1}, {"b", 2}}, e.set = {1, 5}, e.one = everything::inner{3, {{4, {}}}}, e.tree = {1, {{2, {{3, {}}}}}};
    all.push_back(seed(0, e));
    for (file_request const &r : {file_request{list_request{"k7qm"}}, {manifest_request{"code"}}, {layer_request{{1}, 2}}, {range_request{{1}, 2, 3}}}) all.push_back(seed(1, r));
    for (file_answer const &a : {file_answer{file_failure{file_refusal::busy}}, {list_page{{{"code", "name", 5}}, true}}, {manifest{"name", 1 << 20, {7}, 256 << 10}},
                                 {layer_page_message{{{1}, {2}}, {{3}}}}, {chunk_header{5}}})
        all.push_back(seed(2, a));
    direct_protocol::request image;
    image.id = "id", image.kind = direct_protocol::kind::image, image.mime = "image/png", image.data = {1, 2, 3};
    all.push_back(seed(3, image));
    return all;
}

} // namespace archive_fuzz
