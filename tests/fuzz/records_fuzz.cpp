// Signed envelopes and peer records: what opens was signed by the peer that it names, for this purpose; a changed record does not open,
// or says the same.
#include "fuzz.hpp"

#include <gigi/peer/peer_record.hpp>
#include <gigi/peer/signed_envelope.hpp>

#include "support/vectors.hpp"

namespace records_fuzz {

using namespace gigi;

namespace {

identity const &signer() {
    static identity const one = identity::from_seed(ed25519_seed{3});
    return one;
}

void check(bytes_view sealed) {
    auto const envelope = [&] {
        // OpenSSL, too, holds something the first time that it meets a kind of key.
        fuzz::memory_limit const limit{fuzz::several_times(8, sealed) + 256 * 1024};
        return signed_envelope::open(sealed, peer_record::domain);
    }();
    fuzz::check_result(envelope);
    auto const record = open_peer_record(sealed);
    fuzz::check_result(record);
    if (!record) return;
    FUZZ_CHECK(envelope && record->peer.matches(envelope->key) && record->addresses.size() <= peer_record::max_addresses);
    FUZZ_CHECK(!signed_envelope::open(sealed, "another domain"));
    for (auto const &address : record->addresses) FUZZ_CHECK(!address.empty());
}

void made(fuzz::input in) {
    std::vector<multiaddr> addresses;
    auto const sequence = in.number<std::uint64_t>();
    for (std::size_t n = in.byte() % 80; n > 0; --n) {
        if (auto a = multiaddr::from_bytes(in.part())) addresses.push_back(std::move(*a));
        else addresses.push_back(multiaddr::tcp(bytes(4, 10), static_cast<std::uint16_t>(n)));
    }
    auto sealed = seal_peer_record(signer(), addresses, sequence);
    auto const record = open_peer_record(sealed);
    if (sealed.size() > signed_envelope::max_size) {
        FUZZ_CHECK(record.error() == errc::message_too_large);
        return;
    }
    if (addresses.size() > peer_record::max_addresses) addresses.resize(peer_record::max_addresses);
    FUZZ_CHECK(record && record->peer == signer().id() && record->sequence == sequence && record->addresses == addresses);
    auto const at = in.number<std::uint16_t>() % sealed.size();
    sealed[at] ^= in.byte();
    if (auto const changed = open_peer_record(sealed))
        FUZZ_CHECK(changed->peer == record->peer && changed->sequence == record->sequence && changed->addresses == record->addresses);
}

} // namespace

FUZZ_TARGET(records) {
    fuzz::input in{data};
    if (in.flag()) made(in);
    else check(in.rest());
}

FUZZ_SEEDS {
    fuzz::script golden, own;
    golden.byte(0).raw(from_hex(test::vector("signedPeerRecord.envelope")).value());
    own.byte(1).number(std::uint64_t{1} << 40).byte(3).part(from_hex(test::vector("/ip4/127.0.0.1/tcp/4001")).value()).part("no address").byte(0).number(std::uint16_t{120}).byte(1);
    return {golden, own};
}

} // namespace records_fuzz
