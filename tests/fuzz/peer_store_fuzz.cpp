// The peer store: a file of any content is read without harm and within its bounds; what was understood is written and read again the
// same. Under any calls, nobody gets a nickname that is pinned to another, and the bounds hold.
#include "fuzz.hpp"

#include <gigi/peer/nickname.hpp>
#include <gigi/peer/peer_store.hpp>

#include "support/vectors.hpp"

namespace peer_store_fuzz {

using namespace gigi;

namespace {

constexpr peer_store_limits room{5, 4, 12};

peer_id numbered_peer(std::uint32_t n) {
    bytes multihash{0x12, 0x20};
    multihash.resize(34, 7);
    store_be(&multihash[2], n);
    return peer_id::from_bytes(multihash).value();
}

void check_round_trip(peer_store const &store) {
    auto const text = store.write();
    peer_store again{room};
    FUZZ_CHECK(again.read(text) && again.size() == store.size());
    FUZZ_CHECK(again.write() == text);
}

void from_file(bytes_view data) {
    peer_store store{room};
    bool const sound = store.read(as_text(data));
    FUZZ_CHECK(store.size() <= room.peers && (!sound || data.empty() || data.back() == '\n'));
    check_round_trip(store);
}

void calls(fuzz::input in) {
    peer_store store{room};
    std::uint64_t now = 1'700'000'000;
    std::map<std::string, peer_id> first;
    while (!in.empty()) {
        auto const op = in.byte();
        auto const peer = numbered_peer(op >> 4);
        switch (op % 8) {
        case 0: case 1: {
            auto const what = in.byte();
            auto const address = what & 0x80 ? multiaddr::from_bytes(in.part()) : result<multiaddr>{multiaddr::tcp(bytes{10, 0, 0, what}, what).with_peer(peer)};
            if (address) store.add_address(peer, *address, static_cast<address_source>(op >> 3 & 1 ? what % 3 : 0), now);
            break;
        }
        case 2: case 3: {
            auto const nickname = op & 8 ? to_text(in.part()) : std::string(1, static_cast<char>('a' + in.byte() % 8));
            auto const before = store.pinned(nickname);
            auto const owner = store.set_nickname(peer, nickname, now);
            if (before && valid_nickname(nickname)) FUZZ_CHECK(store.pinned(nickname) == before && (*before == peer) == !owner);
            if (owner) FUZZ_CHECK(*owner != peer && before == owner);
            else if (valid_nickname(nickname)) FUZZ_CHECK(before || store.pinned(nickname) == peer || !store.pinned(nickname));
            if (!valid_nickname(nickname)) FUZZ_CHECK(!owner && !store.pinned(nickname));
            break;
        }
        case 4: now += in.number<std::uint32_t>() % (40 * 86'400); break;
        case 5: store.expire(now); break;
        case 6: {
            auto const text = to_text(in.part());
            for (auto const &found : store.resolve(text)) FUZZ_CHECK(!found.empty());
            break;
        }
        default: {
            auto const text = std::string(1, static_cast<char>('a' + in.byte() % 8)) + '~' + peer.short_string();
            for (auto const &found : store.resolve(text)) FUZZ_CHECK(found.to_string().ends_with(peer.short_string()));
        }
        }
        FUZZ_CHECK(store.size() <= room.peers);
        for (auto const &address : store.addresses(peer)) FUZZ_CHECK(!address.empty() && !(address.peer() == peer));
        FUZZ_CHECK(store.addresses(peer).size() <= room.addresses);
    }
    check_round_trip(store);
}

} // namespace

FUZZ_TARGET(peer_store) {
    fuzz::input in{data};
    if (in.flag()) calls(in);
    else from_file(in.rest());
}

FUZZ_SEEDS {
    peer_store store;
    auto const golden = peer_id::parse(test::vector("peerId")).value();
    store.set_nickname(golden, "alice", 1'700'000'000);
    store.add_address(golden, multiaddr::parse("/ip4/10.0.0.1/tcp/4001").value(), address_source::manual, 1'700'000'001);
    store.add_address(numbered_peer(2), multiaddr::parse("/dns4/x/tcp/1").value(), address_source::discovered, 1'700'000'002);
    fuzz::script file, script;
    file.byte(0).raw(store.write());
    script.byte(1);
    for (std::size_t n = 0; n < 8; ++n) script.byte(n << 4).byte(n).byte(n << 4 | 2).byte(n / 2).byte(n << 4 | 9).byte(n);
    script.byte(4).number(std::uint32_t{90'000}).byte(5).byte(7).byte(1).byte(6).part("a");
    return {file, script};
}

} // namespace peer_store_fuzz
