// Noise: a handshake that meets any bytes fails, once and for good, and trusts nobody; two roles joined by a line that may change
// bytes agree on everything or fail; what the channel carries arrives whole and in order, or ends with `decryption_failed`.
#include "line.hpp"

#include <gigi/security/noise.hpp>
#include <gigi/security/noise_handshake.hpp>

#include "support/vectors.hpp"

#include <string>

namespace noise_fuzz {

using namespace gigi;

namespace {

identity const &alice() {
    static identity const one = identity::from_seed(ed25519_seed{1});
    return one;
}
identity const &bob() {
    static identity const one = identity::from_seed(ed25519_seed{2});
    return one;
}
std::vector<std::string> const muxers{"/yamux/1.0.0", "/mplex/6.7.0"}, others{"/mplex/6.7.0", "/quic"}, none{}, strange{"/x"};

void payload(bytes_view data) {
    auto const p = [&] {
        fuzz::memory_limit const limit{fuzz::several_times(40, data)};
        return noise_payload::decode(data);
    }();
    fuzz::check_result(p);
    if (!p) return;
    FUZZ_CHECK(p->muxers.size() <= noise_payload::max_muxers);
    auto const again = noise_payload::decode(p->encode());
    FUZZ_CHECK(again && again->identity_key == p->identity_key && again->signature == p->signature && again->muxers == p->muxers);
    x25519_key const key{9};
    fuzz::check_result(p->verify(key));
}

/// One side hears any messages.
void hostile(fuzz::input in) {
    seeded_random random{7};
    bool const initiator = in.flag();
    noise_handshake side{initiator, alice(), in.flag() ? std::optional{bob().id()} : std::nullopt, muxers, random};
    if (initiator) FUZZ_CHECK(side.next().has_value());
    for (std::error_code failed; !in.empty();) {
        auto const message = in.long_part();
        auto const error = side.take(message);
        FUZZ_CHECK(!side.complete() && (error || message.size() >= 32));
        if (error || failed) return;
        failed = error;
        if (!side.sends_next()) continue;
        auto const answer = side.next();
        fuzz::check_result(answer);
        if (!answer) FUZZ_CHECK(answer.error() == errc::protocol_violation); // their key was of low order
    }
    FUZZ_CHECK(!side.complete());
}

/// Both roles, with one message changed on its way.
void both(fuzz::input in) {
    seeded_random random{in.byte()};
    std::vector<std::string> const *const lists[] = {&muxers, &others, &none, &strange};
    auto const *const left = lists[in.below(4)], *const right = lists[in.below(4)];
    auto const expected = in.below(3);
    noise_handshake a{true, alice(), expected == 0 ? std::nullopt : std::optional{expected == 1 ? bob().id() : alice().id()}, *left, random};
    noise_handshake b{false, bob(), std::nullopt, *right, random};
    std::size_t const changed = in.below(4); // the number of the message; 3: none
    std::error_code failed;
    bool differs = false;
    for (std::size_t n = 0; n < 3 && !failed; ++n) {
        auto &from = n % 2 == 0 ? a : b;
        auto &to = n % 2 == 0 ? b : a;
        FUZZ_CHECK(from.sends_next() && !to.sends_next() && !from.complete() && !to.complete());
        auto message = from.next();
        fuzz::check_result(message);
        if (!message) {
            FUZZ_CHECK(differs && message.error() == errc::protocol_violation); // the other side's key has become one of low order
            return;
        }
        if (n == changed) {
            bytes const before = *message;
            auto const at = in.below(message->size() + 1);
            switch (in.byte() % 4) {
            case 0: (*message)[std::min(at, message->size() - 1)] ^= in.byte(); break;
            case 1: message->resize(at); break;
            case 2: append(*message, in.part()); break;
            default: *message = to_bytes(in.part());
            }
            differs = *message != before;
        }
        failed = to.take(*message);
    }
    bool const common = left->empty() || right->empty() || std::ranges::any_of(*left, [&](auto const &m) { return std::ranges::find(*right, m) != right->end(); });
    if (failed) {
        FUZZ_CHECK(differs || expected == 2 || !common);
        return;
    }
    FUZZ_CHECK(a.complete() && b.complete() && expected != 2 && common);
    FUZZ_CHECK(!differs); // all of it goes into the hash that each tag covers
    FUZZ_CHECK(a.remote_peer() == bob().id() && b.remote_peer() == alice().id() && a.muxer() == b.muxer());
    FUZZ_CHECK(a.keys().send == b.keys().receive && a.keys().receive == b.keys().send && a.keys().send != a.keys().receive);
}

/// The channel over a line, as `noise` wants it.
struct raw_line : fuzz::end {
    using fuzz::end::end;
    void close() { reset(); }
    multiaddr local_address() const { return {}; }
    multiaddr remote_address() const { return {}; }
};
using channel = noise<raw_line>;

awaitable<channel> secure(raw_line line, bool dialled) {
    std::span<std::string const> const speaks{muxers};
    return dialled ? channel::dial(std::move(line), alice(), std::nullopt, speaks) : channel::accept(std::move(line), bob(), speaks);
}
awaitable<void> send(raw_line line, bool dialled, std::vector<bytes> const &messages) {
    channel c = co_await secure(std::move(line), dialled);
    for (auto const &message : messages) {
        bytes_view const all{message};
        bytes_view const pieces[] = {all.first(all.size() / 3), all.subspan(all.size() / 3)};
        co_await c.write(std::span<bytes_view const>{pieces});
    }
    c.close_write();
}
awaitable<void> receive(raw_line line, bool dialled, bool &secured, bytes &got) {
    channel c = co_await secure(std::move(line), dialled);
    secured = true;
    for (;;) {
        bytes_view const part = co_await c.read();
        if (part.empty()) break;
        append(got, part);
    }
}

void carried(fuzz::input in) {
    auto &io = fuzz::context();
    bool const sender_dials = in.flag();
    auto const cuts = in.number<std::uint32_t>();
    bool const damage = in.flag();
    auto const at = in.number<std::uint32_t>();
    auto const flip = in.byte();
    std::vector<bytes> messages;
    bytes sent;
    while (!in.empty() && messages.size() < 16) {
        auto const part = in.part();
        bytes message;
        for (std::size_t n = in.byte() % 8 == 0 ? 1 + in.byte() * std::size_t{4} : 1; n > 0; --n) append(message, part);
        append(sent, message);
        messages.push_back(std::move(message));
    }
    auto const there = std::make_shared<fuzz::way>(io.get_executor(), cuts), back = std::make_shared<fuzz::way>(io.get_executor(), cuts >> 7);
    fuzz::outcome out, in_outcome;
    bool secured = false;
    bytes got;
    fuzz::start(io, send(raw_line{back, there}, sender_dials, messages), out);
    // The whole of what the sender says is damaged before the receiver sees it; the handshake needs both, so it runs first.
    fuzz::start(io, receive(raw_line{there, back}, !sender_dials, secured, got), in_outcome);
    io.restart();
    while (io.poll_one() > 0)
        if (damage && secured && there->left() > 0 && !out.failed && out.done) {
            there->data[there->at + at % there->left()] ^= flip;
            break;
        }
    fuzz::run(io);
    FUZZ_CHECK(out.done && in_outcome.done && !out.failed);
    FUZZ_CHECK(got.size() <= sent.size() && equal(got, bytes_view{sent}.first(got.size())));
    if (!damage || flip == 0) FUZZ_CHECK(!in_outcome.failed && got == sent);
    if (in_outcome.failed) FUZZ_CHECK(in_outcome.failed == errc::decryption_failed || in_outcome.failed == errc::end_of_stream);
}

} // namespace

FUZZ_TARGET(noise) {
    fuzz::input in{data};
    switch (in.byte() % 4) {
    case 0: return payload(in.rest());
    case 1: return hostile(in);
    case 2: return both(in);
    default: return carried(in);
    }
}

FUZZ_SEEDS {
    fuzz::script golden, first, same, damaged, data;
    golden.byte(0).raw(from_hex(test::vector("noisePayload.payload")).value());
    first.byte(1).byte(0).byte(0).long_part(bytes(32, 9)).long_part(bytes(200, 1));
    same.byte(2).byte(1).byte(0).byte(0).byte(1).byte(3);
    damaged.byte(2).byte(1).byte(1).byte(2).byte(0).byte(1).byte(40).byte(0).byte(1);
    data.byte(3).byte(1).number(std::uint32_t{77}).byte(0).number(std::uint32_t{0}).byte(0).part("hello").byte(1).part("much").byte(0).byte(255);
    return {golden, first, same, damaged, data};
}

} // namespace noise_fuzz
