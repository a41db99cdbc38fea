// Keys of strangers and the identity file: an encoding that is accepted is written back; DER is taken apart within its bounds; a key
// of any content verifies nothing that was not signed with it, and costs no arithmetic where its size is refused.
#include "fuzz.hpp"

#include <gigi/codec/protobuf.hpp>
#include <gigi/crypto/der.hpp>
#include <gigi/peer/identity.hpp>
#include <gigi/peer/public_key.hpp>

#include "support/vectors.hpp"

namespace keys_fuzz {

using namespace gigi;

namespace {

void check_key(bytes_view data, bytes_view message, bytes_view signature) {
    auto const key = [&] {
        fuzz::memory_limit const limit{fuzz::several_times(4, data)};
        return public_key::decode(data);
    }();
    fuzz::check_result(key);
    if (!key) return;
    auto const again = public_key::decode(key->encode());
    FUZZ_CHECK(again && *again == *key && again->encode() == key->encode());
    FUZZ_CHECK(!key->data().empty() && key->data().size() <= public_key::max_size);
    (void)key->verify(message, signature);
}

void check_der(bytes_view data) {
    bytes_view rest = data;
    while (!rest.empty()) {
        auto const before = rest;
        auto const content = take_der(rest, before[0]);
        if (!content) {
            FUZZ_CHECK(equal(rest, before)); // nothing is taken where nothing is there
            break;
        }
        FUZZ_CHECK(content->size() + 2 <= before.size() && content->data() + content->size() == rest.data());
        FUZZ_CHECK(before.size() - rest.size() - content->size() <= 4);
    }
    if (auto const numbers = parse_rsa_key(data)) {
        FUZZ_CHECK(!numbers->modulus.empty() && !numbers->exponent.empty() && numbers->modulus[0] != 0 && numbers->exponent[0] != 0);
        FUZZ_CHECK(numbers->modulus.data() >= data.data() && numbers->exponent.data() + numbers->exponent.size() == data.data() + data.size());
        auto const bits = numbers->modulus.size() * 8;
        if (bits < 2048 - 7 || bits > 4096) FUZZ_CHECK(!verifying_key::rsa(data));
    }
}

void check_identity(bytes_view data) {
    auto const own = identity::decode(data);
    fuzz::check_result(own);
    if (!own) return;
    auto const again = identity::decode(own->encode());
    FUZZ_CHECK(again && again->id() == own->id());
    auto const signature = own->sign(as_bytes("text"));
    FUZZ_CHECK(own->public_key().verify(as_bytes("text"), signature) && !own->public_key().verify(as_bytes("texts"), signature));
}

} // namespace

FUZZ_TARGET(keys) {
    fuzz::input in{data};
    switch (in.byte() % 4) {
    case 0: {
        auto const key = in.long_part();
        auto const message = in.part();
        return check_key(key, message, in.rest());
    }
    case 1: return check_der(in.rest());
    case 2: return check_identity(in.rest());
    default: { // keys of the right form, of any content
        auto const type = in.byte() % 4;
        auto const raw = in.long_part();
        bytes encoded;
        protobuf_writer{encoded}.varint(1, type).data(2, raw);
        check_key(encoded, as_bytes("message"), in.rest());
    }
    }
}

FUZZ_SEEDS {
    fuzz::inputs all;
    fuzz::script key, own, raw, der, point;
    key.byte(0).long_part(from_hex(test::vector("publicKeyProtobuf")).value()).part("message").raw(bytes(64, 1));
    own.byte(2).raw(from_hex(test::vector("privateKeyProtobuf")).value());
    raw.byte(3).byte(1).long_part(bytes(32, 2)).raw(bytes(64, 1));
    point.byte(3).byte(2).long_part(from_hex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798").value()).raw(bytes(70, 0x30));
    // P-256's generator, and an RSA key of 2048 bits
    bytes const p256 = from_hex("3059301306072a8648ce3d020106082a8648ce3d030107034200046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
                                "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5").value();
    fuzz::script curve;
    curve.byte(3).byte(3).long_part(p256).raw(bytes(70, 0x30));
    bytes rsa = from_hex("30820122300d06092a864886f70d01010105000382010f003082010a0282010100").value();
    rsa.resize(rsa.size() + 256, 0xc3);
    append(rsa, from_hex("0203010001").value());
    der.byte(1).raw(rsa);
    fuzz::script with_rsa;
    with_rsa.byte(3).byte(0).long_part(rsa).raw(bytes(256, 1));
    return {key, own, raw, point, curve, der, with_rsa};
}

} // namespace keys_fuzz
