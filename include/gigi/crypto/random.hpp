// gigi/crypto/random.hpp: random bytes: the system's, or a seeded sequence for simulations.
//
// Layer: crypto.
#pragma once

#include "../core/bytes.hpp"

#include <cstdint>
#include <utility>

namespace gigi::inline v1 {

/// Fills with bytes that nobody can predict.
/// @throws error with `errc::not_supported` where the system has no randomness to give
void random_bytes(mutable_bytes out);

/// Where randomness comes from: injected, so that a simulation can repeat it.
class random_source {
  public:
    virtual ~random_source() = default;
    virtual void fill(mutable_bytes out) = 0;

    std::uint64_t next();
    /// A number below `n`, each as likely as the others; `n` is not 0.
    std::uint64_t below(std::uint64_t n);
    /// A number from 0 up to, not including, 1.
    double fraction() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
    template <class Range> void shuffle(Range &range) {
        for (std::size_t i = range.size(); i > 1; --i) std::swap(range[i - 1], range[below(i)]);
    }
};

/// The system's, fit for keys.
class system_random final : public random_source {
  public:
    void fill(mutable_bytes out) override;
};

/// A sequence that its seed decides (SplitMix64): for simulations and tests, never for keys that matter.
class seeded_random final : public random_source {
  public:
    explicit seeded_random(std::uint64_t seed) : state_{seed} {}
    void fill(mutable_bytes out) override;

  private:
    std::uint64_t state_;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/random.ipp"
#endif
