// gigi/crypto/random.hpp: random bytes: the system's, or a seeded sequence for simulations.
//
// Layer: crypto.
#pragma once

#include "../core/bytes.hpp"
#include "hash.hpp"

#include <openssl/rand.h>

#include <array>
#include <climits>
#include <cstdint>
#include <utility>

namespace gigi::inline v1 {

/// Fills with bytes that nobody can predict.
/// @throws error with `errc::not_supported` where the system has no randomness to give
inline void random_bytes(mutable_bytes out) {
    while (!out.empty()) {
        auto const part = out.first(std::min<std::size_t>(out.size(), INT_MAX));
        detail::must(RAND_bytes(part.data(), static_cast<int>(part.size())));
        out = out.subspan(part.size());
    }
}

/// Where randomness comes from: injected, so that a simulation can repeat it.
class random_source {
  public:
    virtual ~random_source() = default;
    virtual void fill(mutable_bytes out) = 0;

    std::uint64_t next() {
        std::array<std::uint8_t, 8> raw{};
        fill(raw);
        return load_le<std::uint64_t>(raw.data());
    }
    /// A number below `n`, each as likely as the others; `n` is not 0.
    std::uint64_t below(std::uint64_t n) {
        std::uint64_t const fair = UINT64_MAX - UINT64_MAX % n;
        for (;;)
            if (std::uint64_t const x = next(); x < fair) return x % n;
    }
    /// A number from 0 up to, not including, 1.
    double fraction() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
    template <class Range> void shuffle(Range &range) {
        for (std::size_t i = range.size(); i > 1; --i) std::swap(range[i - 1], range[below(i)]);
    }
};

/// The system's, fit for keys.
class system_random final : public random_source {
  public:
    void fill(mutable_bytes out) override { random_bytes(out); }
};

/// A sequence that its seed decides (SplitMix64): for simulations and tests, never for keys that matter.
class seeded_random final : public random_source {
  public:
    explicit seeded_random(std::uint64_t seed) : state_{seed} {}
    void fill(mutable_bytes out) override {
        for (std::size_t i = 0; i < out.size(); i += 8) {
            std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
            z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
            z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
            z ^= z >> 31;
            for (std::size_t j = i; j < out.size() && j < i + 8; ++j, z >>= 8) out[j] = static_cast<std::uint8_t>(z);
        }
    }

  private:
    std::uint64_t state_;
};

} // namespace gigi::inline v1
