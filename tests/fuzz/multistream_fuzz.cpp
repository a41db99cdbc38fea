// multistream-select: against any bytes, in any parts, each role ends with a protocol that both sides know or a defined error, and
// takes no byte of what follows; joined by a line that cuts everything, dialler and listener agree on the first common protocol.
#include "line.hpp"

#include <gigi/link/multistream.hpp>

#include <string>

namespace multistream_fuzz {

using namespace gigi;

namespace {

std::vector<std::string> const known{"/yamux/1.0.0", "/noise", "/a", "/gigi/file/1.0.0"};

awaitable<void> dial(fuzz::end &on, std::vector<std::string> const &offers, std::string &agreed) {
    std::span<std::string const> const all{offers};
    agreed = co_await negotiate_as_dialer(on, all);
}
awaitable<void> listen(fuzz::end &on, std::vector<std::string> const &supported, std::string &agreed) {
    std::span<std::string const> const all{supported};
    agreed = co_await negotiate_as_listener(on, all);
}

struct result_of_one {
    std::string agreed;
    std::error_code failed;
    bytes said;
    std::size_t read = 0;
    bool operator==(result_of_one const &) const = default;
};

result_of_one against(bytes_view said, bool dialler, std::uint32_t cuts) {
    auto &io = fuzz::context();
    auto const in = std::make_shared<fuzz::way>(io.get_executor(), cuts), out = std::make_shared<fuzz::way>(io.get_executor(), 0);
    append(in->data, said);
    in->ended = true;
    fuzz::end on{in, out};
    fuzz::outcome ended;
    result_of_one r;
    fuzz::start(io, dialler ? dial(on, known, r.agreed) : listen(on, known, r.agreed), ended);
    fuzz::run(io);
    FUZZ_CHECK(ended.done && !ended.failed == !r.agreed.empty());
    r.failed = ended.failed;
    r.said = out->data;
    if (!r.failed) r.read = in->at; // how soon a breach is noticed depends on the parts
    return r;
}

/// What the peer must have said for a role to end well: whole messages, the last of them the protocol, and not a byte more.
void check_agreed(result_of_one const &r, bytes_view said) {
    FUZZ_CHECK(std::ranges::find(known, r.agreed) != known.end());
    bytes last;
    multistream::append_message(last, r.agreed);
    FUZZ_CHECK(r.read >= last.size() && equal(said.first(r.read).last(last.size()), last));
    FUZZ_CHECK(r.said.size() >= last.size());
}

void join(fuzz::input in) {
    auto const cuts = in.number<std::uint32_t>();
    std::vector<std::string> offers, supported;
    auto const pick = [&] {
        auto const n = in.byte();
        if (n % 8 < known.size()) return known[n % 8];
        auto text = to_text(in.take(n >> 3));
        std::erase(text, '\n');
        return '/' + text;
    };
    for (std::size_t n = 1 + in.below(6); n > 0; --n) offers.push_back(pick());
    for (std::size_t n = in.below(6); n > 0; --n) supported.push_back(pick());

    auto &io = fuzz::context();
    auto const there = std::make_shared<fuzz::way>(io.get_executor(), cuts), back = std::make_shared<fuzz::way>(io.get_executor(), cuts ^ 0x5555);
    fuzz::end dialler{back, there}, listener{there, back};
    fuzz::outcome dialled, listened;
    std::string chosen, answered;
    fuzz::start(io, dial(dialler, offers, chosen), dialled);
    fuzz::start(io, listen(listener, supported, answered), listened);
    fuzz::run(io);
    if (!listened.done) { // it waits for another offer
        FUZZ_CHECK(dialled.done && dialled.failed);
        dialler.close_write();
        fuzz::run(io);
    }
    FUZZ_CHECK(dialled.done && listened.done);
    auto const first = std::ranges::find_if(offers, [&](auto const &o) { return std::ranges::find(supported, o) != supported.end(); });
    if (first == offers.end()) {
        FUZZ_CHECK(dialled.failed == errc::unsupported_protocol && listened.failed == errc::unsupported_protocol);
    } else {
        FUZZ_CHECK(!dialled.failed && !listened.failed && chosen == *first && answered == *first);
    }
    FUZZ_CHECK(there->left() == 0 && back->left() == 0);
}

} // namespace

FUZZ_TARGET(multistream) {
    fuzz::input in{data};
    auto const mode = in.byte();
    if (mode & 2) return join(in);
    bool const dialler = mode & 1;
    auto const said = in.rest();
    auto const whole = against(said, dialler, 0), parts = against(said, dialler, mode | 1u);
    FUZZ_CHECK(whole == parts);
    if (!whole.failed) check_agreed(whole, said);
    FUZZ_CHECK(whole.said.size() <= 64 + 2 * multistream::max_message * multistream::max_rounds);
}

FUZZ_SEEDS {
    bytes as_listener, as_dialler, refusing;
    for (auto *const out : {&as_listener, &as_dialler, &refusing}) {
        out->push_back(out == &as_listener ? 1 : 0);
        multistream::append_message(*out, multistream::header);
    }
    multistream::append_message(as_listener, multistream::refusal);
    multistream::append_message(as_listener, "/noise");
    multistream::append_message(as_dialler, "/unknown");
    multistream::append_message(as_dialler, "/a");
    append(as_dialler, "and then data");
    multistream::append_message(refusing, "/x");
    refusing.push_back(0);
    fuzz::script both;
    both.byte(2).number(std::uint32_t{12345}).byte(2).byte(4 | 3 << 3).raw("abc").byte(1).byte(2).byte(0).byte(2).byte(1);
    return {as_listener, as_dialler, refusing, both};
}

} // namespace multistream_fuzz
