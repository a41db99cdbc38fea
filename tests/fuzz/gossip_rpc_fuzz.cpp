// Gossip RPCs: what is parsed is written with the size that was promised and read back the same; splitting an RPC loses nothing; ids
// of either style name the same message; a message that verifies has the author that it names.
#include "fuzz.hpp"

#include <gigi/codec/protobuf.hpp>
#include <gigi/gossip/id_style.hpp>
#include <gigi/gossip/message.hpp>
#include <gigi/gossip/rpc.hpp>

#include "support/vectors.hpp"

namespace gossip_rpc_fuzz {

using namespace gigi;

namespace {

bool same(rpc const &a, rpc const &b) {
    return a.subscriptions == b.subscriptions && a.ihave == b.ihave && a.iwant == b.iwant && a.graft == b.graft && a.prune == b.prune &&
           a.idontwant == b.idontwant && std::ranges::equal(a.messages, b.messages, [](auto const &x, auto const &y) { return *x == *y; });
}

bytes encoded(rpc const &r) {
    bytes out;
    encode(r, out);
    return out;
}

void check_id(message_id const &id) {
    auto const style = style_of(id);
    auto const spec = to_spec_id(id);
    if (style == id_style::js) FUZZ_CHECK(style_of(spec) == id_style::spec);
    else FUZZ_CHECK(spec == id);
    if (auto const back = from_spec_id(spec, style)) FUZZ_CHECK(*back == id);
    else FUZZ_CHECK(style == id_style::unknown || spec[0] == 0x12);
}

void check_split(rpc const &r, std::size_t most) {
    std::size_t largest = 0; // an element that is too large for any part stays whole
    for (auto const &m : r.messages) largest = std::max(largest, encoded_size(*m));
    for (auto const &s : r.subscriptions) largest = std::max(largest, s.topic.size());
    for (auto const &t : r.graft) largest = std::max(largest, t.size());
    for (auto const &p : r.prune) {
        rpc alone;
        alone.prune.push_back(p);
        largest = std::max(largest, encoded_size(alone));
    }
    for (auto const *ids : {&r.iwant, &r.idontwant})
        for (auto const &id : *ids) largest = std::max(largest, id.size());
    for (auto const &h : r.ihave) {
        largest = std::max(largest, h.topic.size());
        for (auto const &id : h.ids) largest = std::max(largest, h.topic.size() + id.size());
    }
    rpc together;
    auto const move_all = [](auto &from, auto &to) { std::ranges::move(from, std::back_inserter(to)); };
    for (auto &part : split(r, most)) {
        auto const size = encoded_size(part);
        FUZZ_CHECK(!part.empty() && encoded(part).size() == size);
        if (largest + 64 <= most) FUZZ_CHECK(size <= most);
        move_all(part.subscriptions, together.subscriptions);
        move_all(part.messages, together.messages);
        move_all(part.iwant, together.iwant);
        move_all(part.graft, together.graft);
        move_all(part.prune, together.prune);
        move_all(part.idontwant, together.idontwant);
        for (auto &h : part.ihave) // an entry may have been divided
            if (!together.ihave.empty() && together.ihave.size() > 0 && together.ihave.back().topic == h.topic) move_all(h.ids, together.ihave.back().ids);
            else together.ihave.push_back(std::move(h));
    }
    rpc merged = r;
    merged.ihave.clear();
    for (auto const &h : r.ihave)
        if (!merged.ihave.empty() && merged.ihave.back().topic == h.topic) merged.ihave.back().ids.insert(merged.ihave.back().ids.end(), h.ids.begin(), h.ids.end());
        else merged.ihave.push_back(h);
    FUZZ_CHECK(same(merged, together));
}

} // namespace

FUZZ_TARGET(gossip_rpc) {
    rpc_limits const limits{64, 64, 64, 256, 8};
    auto const r = [&] {
        fuzz::memory_limit const limit{fuzz::several_times(8, data) + 64 * 1024}; // at most so many elements, and what they hold
        return parse_rpc(data, limits);
    }();
    fuzz::check_result(r);
    if (!r) {
        FUZZ_CHECK(r.error() == errc::protocol_violation || r.error() == errc::limit_exceeded);
        return;
    }
    FUZZ_CHECK(r->subscriptions.size() <= 64 && r->messages.size() <= 64 && r->ihave.size() <= 64 && r->graft.size() <= 64 && r->prune.size() <= 64);
    std::size_t ids = r->iwant.size() + r->idontwant.size();
    for (auto const &h : r->ihave) ids += h.ids.size();
    FUZZ_CHECK(ids <= 256);
    auto const written = encoded(*r);
    FUZZ_CHECK(written.size() == encoded_size(*r));
    auto const again = parse_rpc(written, limits);
    FUZZ_CHECK(again && same(*r, *again));
    for (std::size_t const most : {64u, 300u, 2000u}) check_split(*r, most);
    for (auto const *all : {&r->iwant, &r->idontwant})
        for (auto const &id : *all) check_id(id);
    std::size_t verified = 0;
    for (auto const &m : r->messages) {
        check_id(default_message_id(*m));
        if (++verified > 2) continue; // dear
        auto const author = verify_message(*m);
        fuzz::check_result(author);
        if (author) FUZZ_CHECK(equal(author->data(), m->from) && m->seqno.size() == 8);
    }
}

FUZZ_SEEDS {
    fuzz::inputs all;
    for (auto const *const name : {"gossipRpc.subscribe", "gossipRpc.control"}) all.push_back(from_hex(test::vector(name)).value());
    bytes golden;
    protobuf_writer{golden}.data(2, from_hex(test::vector("gossip.message")).value());
    all.push_back(golden);
    auto const author = identity::from_seed(ed25519_seed{1});
    rpc r;
    r.subscriptions = {{true, "lobby"}, {false, "news"}};
    r.messages = {std::make_shared<gossip_message const>(sign_message(author, "lobby", to_bytes(std::string_view{"hi"}), 7))};
    r.ihave = {{"lobby", {default_message_id(*r.messages[0]), from_spec_id(default_message_id(*r.messages[0]), id_style::js).value()}}};
    r.iwant = r.idontwant = r.ihave[0].ids;
    r.graft = {"lobby"};
    r.prune = {{"news", 60, {{to_bytes(author.id().data()), {}}}}};
    all.push_back(encoded(r));
    return all;
}

} // namespace gossip_rpc_fuzz
