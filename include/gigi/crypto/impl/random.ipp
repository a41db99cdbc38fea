// gigi/crypto/impl/random.ipp: what random.hpp declares.
#pragma once

#include "../random.hpp"

#include "../../core/config.hpp"
#include "evp.hpp"
#include "../hash.hpp"

#include <openssl/rand.h>

#include <array>
#include <climits>

namespace gigi::inline v1 {

GIGI_INLINE void random_bytes(mutable_bytes out) {
    while (!out.empty()) {
        auto const part = out.first(std::min<std::size_t>(out.size(), INT_MAX));
        detail::must(RAND_bytes(part.data(), static_cast<int>(part.size())));
        out = out.subspan(part.size());
    }
}

GIGI_INLINE std::uint64_t random_source::next() {
    std::array<std::uint8_t, 8> raw{};
    fill(raw);
    return load_le<std::uint64_t>(raw.data());
}

GIGI_INLINE std::uint64_t random_source::below(std::uint64_t n) {
    std::uint64_t const fair = UINT64_MAX - UINT64_MAX % n;
    for (;;)
        if (std::uint64_t const x = next(); x < fair) return x % n;
}

GIGI_INLINE void system_random::fill(mutable_bytes out) { random_bytes(out); }

GIGI_INLINE void seeded_random::fill(mutable_bytes out) {
    for (std::size_t i = 0; i < out.size(); i += 8) {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        z ^= z >> 31;
        for (std::size_t j = i; j < out.size() && j < i + 8; ++j, z >>= 8) out[j] = static_cast<std::uint8_t>(z);
    }
}

} // namespace gigi::inline v1
