// gigi/file/progress_meter.hpp: how fast something goes on, over the last seconds.
//
// Layer: file.
#pragma once

#include "../core/clock.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>

namespace gigi::inline v1 {

/// Bytes a second, from what is done at several times.
class progress_meter {
  public:
    static constexpr duration window = std::chrono::seconds{3}; ///< of what the rate is
    static constexpr duration spacing = window / 64;            ///< what comes sooner than this replaces what came before it

    /// @param now not before the last call's @param done bytes in all, not fewer than at the last call
    void add(time_point now, std::uint64_t done) {
        if (samples_.size() > 1 && now - samples_[samples_.size() - 2].when < spacing) samples_.pop_back();
        samples_.push_back({now, done});
        while (samples_.size() > 2 && now - samples_.front().when > window) samples_.pop_front();
    }

    /// How many times are remembered.
    std::size_t samples() const noexcept { return samples_.size(); }

    /// Bytes a second; 0 until time has passed.
    double rate() const noexcept {
        if (samples_.empty()) return 0;
        auto const seconds = std::chrono::duration<double>(samples_.back().when - samples_.front().when).count();
        return seconds > 0 ? static_cast<double>(samples_.back().done - samples_.front().done) / seconds : 0;
    }

  private:
    struct sample {
        time_point when;
        std::uint64_t done;
    };
    std::deque<sample> samples_; // the first is at most a window before the last, or there are two
};

} // namespace gigi::inline v1
