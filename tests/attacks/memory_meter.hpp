// tests/attacks/memory_meter.hpp: what the program holds, counted at every allocation by `operator new`.
#pragma once

#include <cstddef>

namespace memory_meter {

std::size_t live() noexcept; ///< bytes allocated now
std::size_t peak() noexcept; ///< the most since `restart`
void restart() noexcept;

/// What a piece of a test adds: now, and at its worst.
class span {
  public:
    span() noexcept : start_{live()} { restart(); }
    std::size_t held() const noexcept { return live() > start_ ? live() - start_ : 0; }
    std::size_t most() const noexcept { return peak() > start_ ? peak() - start_ : 0; }

  private:
    std::size_t start_;
};

} // namespace memory_meter
