// tests/unit/node/some_peers.hpp: peer ids, the same in every run.
#pragma once

#include <gigi/crypto/random.hpp>
#include <gigi/peer/identity.hpp>
#include <gigi/peer/peer_id.hpp>

#include <cstddef>
#include <vector>

inline std::vector<gigi::peer_id> some_peers(std::size_t count) {
    gigi::seeded_random random{1};
    std::vector<gigi::peer_id> all;
    while (all.size() < count) all.push_back(gigi::identity::generate(random).id());
    return all;
}
