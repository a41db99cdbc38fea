// Identify messages: what is read is bounded, written and read again the same; merging messages is reading them one after the other.
#include "fuzz.hpp"

#include <gigi/protocol/identify.hpp>

#include "support/vectors.hpp"

namespace identify_fuzz {

using namespace gigi;

namespace {

bool same(identify_message const &a, identify_message const &b) {
    return a.public_key == b.public_key && a.listen_addresses == b.listen_addresses && a.protocols == b.protocols && a.observed == b.observed &&
           a.protocol_version == b.protocol_version && a.agent == b.agent && a.signed_record == b.signed_record;
}

void check(identify_message const &m) {
    FUZZ_CHECK(m.listen_addresses.size() <= identify_message::max_addresses && m.protocols.size() <= identify_message::max_protocols);
    FUZZ_CHECK(m.agent.size() <= 256 && m.protocol_version.size() <= 256);
    bytes written;
    m.encode(written);
    auto const again = identify_message::decode(written);
    FUZZ_CHECK(again && same(m, *again));
}

} // namespace

FUZZ_TARGET(identify) {
    // Two messages: the second begins where the first byte says.
    std::size_t const cut = data.empty() ? 0 : std::min<std::size_t>(data[0] * std::size_t{4}, data.size() - 1);
    auto const all = data.subspan(data.empty() ? 0 : 1);
    auto const first = all.first(cut), second = all.subspan(cut);
    auto const one = [&] {
        fuzz::memory_limit const limit{fuzz::several_times(24, first)};
        return identify_message::decode(first);
    }();
    fuzz::check_result(one);
    if (!one) {
        FUZZ_CHECK(one.error() == errc::protocol_violation);
        return;
    }
    check(*one);
    auto merged = *one;
    if (merged.merge(second)) return;
    check(merged);
    auto const at_once = identify_message::decode(all); // protobuf: a message behind another one is merged with it
    FUZZ_CHECK(at_once && same(*at_once, merged));
}

FUZZ_SEEDS {
    auto const golden = from_hex(test::vector("identify")).value();
    fuzz::script one, two, only;
    one.byte(255).raw(golden);
    two.byte(golden.size() / 4).raw(golden);
    identify_message m;
    m.protocols = {"/a", "/b"}, m.agent = "agent", m.observed = multiaddr::parse("/ip4/1.2.3.4/tcp/5").value(), m.signed_record = {1, 2};
    bytes more;
    m.encode(more);
    two.raw(bytes(4 - golden.size() % 4, 0)).raw(more);
    only.byte(255).raw(more);
    return {one, two, only};
}

} // namespace identify_fuzz
