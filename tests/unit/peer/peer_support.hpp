// tests/unit/peer/peer_support.hpp: what the tests of peer/ have in common.
#pragma once

#include <gigi/peer/identity.hpp>
#include <gigi/peer/multiaddr.hpp>

#include <support/vectors.hpp>

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>

#include <unistd.h>

namespace gigi::test {

/// The identity that the golden vectors were made with.
inline identity golden_identity() {
    ed25519_seed seed{};
    auto const raw = from_hex(vector("ed25519Seed")).value();
    std::copy_n(raw.begin(), seed.size(), seed.begin());
    return identity::from_seed(seed);
}

inline multiaddr address(std::string_view text) { return multiaddr::parse(text).value(); }

/// A folder that is gone afterwards.
struct scratch_folder {
    scratch_folder() : path{std::filesystem::temp_directory_path() / ("gigi-peer-" + std::to_string(::getpid()))} {
        std::filesystem::remove_all(path);
        std::filesystem::create_directories(path);
    }
    ~scratch_folder() { std::filesystem::remove_all(path); }
    scratch_folder(scratch_folder const &) = delete;
    scratch_folder &operator=(scratch_folder const &) = delete;
    std::filesystem::path path;
};

} // namespace gigi::test
