// gigi/mux/stream_table.hpp: stream id → stream, flat.
//
// Layer: mux. Open addressing with linear probing, and deletion by shifting back: no tombstones, one allocation in all,
// none while there are few changes, and none at all for a session without streams. The other side chooses ids: where they lie
// depends on a secret, or it could have them all in one chain.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

/// Maps non-zero ids to pointers that it does not own.
template <class T> class stream_table {
  public:
    /// @param secret what nobody else knows; 0: no secret
    explicit stream_table(std::uint64_t secret = 0) noexcept : factor_{secret ? secret | 1 : 0x9e3779b97f4a7c15u} {}

    T *find(std::uint32_t id) const noexcept {
        if (slots_.empty()) return nullptr;
        for (std::size_t i = home(id);; i = after(i)) {
            if (slots_[i].id == id) return slots_[i].value;
            if (slots_[i].id == 0) return nullptr;
        }
    }

    /// Adds an id that is not there yet.
    void insert(std::uint32_t id, T *value) {
        if ((size_ + 1) * 4 > slots_.size() * 3) resize(slots_.empty() ? 8 : slots_.size() * 2);
        place(id, value);
        ++size_;
    }

    void erase(std::uint32_t id) noexcept {
        if (slots_.empty()) return;
        std::size_t gap = home(id);
        for (; slots_[gap].id != id; gap = after(gap))
            if (slots_[gap].id == 0) return;
        for (std::size_t i = after(gap); slots_[i].id != 0; i = after(i)) {
            std::size_t const distance = (i - home(slots_[i].id)) & mask();
            if (distance < ((i - gap) & mask())) continue; // it may not move before its home
            slots_[gap] = slots_[i];
            gap = i;
        }
        slots_[gap] = {};
        if (--size_ == 0 && slots_.size() > kept_when_empty) slots_ = {};
    }

    /// Calls `f(value)` for each; `f` must not change the table.
    template <class F> void for_each(F &&f) const {
        for (auto const &s : slots_)
            if (s.id != 0) f(*s.value);
    }
    /// All values, for loops that change the table.
    std::vector<T *> values() const {
        std::vector<T *> all;
        all.reserve(size_);
        for_each([&all](T &value) { all.push_back(&value); });
        return all;
    }

    std::size_t size() const noexcept { return size_; }

    /// How many places `find` looks at for the id that takes longest.
    std::size_t longest_search() const noexcept {
        std::size_t longest = 0;
        for (std::size_t i = 0; i < slots_.size(); ++i)
            if (slots_[i].id != 0) longest = std::max(longest, ((i - home(slots_[i].id)) & mask()) + 1);
        return longest;
    }

  private:
    static constexpr std::size_t kept_when_empty = 64;

    struct slot {
        std::uint32_t id = 0;
        T *value = nullptr;
    };

    std::size_t mask() const noexcept { return slots_.size() - 1; }
    std::size_t after(std::size_t i) const noexcept { return (i + 1) & mask(); }
    std::size_t home(std::uint32_t id) const noexcept {
        return static_cast<std::size_t>((id * factor_) >> 32) & mask();
    }
    void place(std::uint32_t id, T *value) noexcept {
        std::size_t i = home(id);
        while (slots_[i].id != 0) i = after(i);
        slots_[i] = {id, value};
    }
    void resize(std::size_t n) {
        std::vector<slot> const old = std::exchange(slots_, std::vector<slot>(n));
        for (auto const &s : old)
            if (s.id != 0) place(s.id, s.value);
    }

    std::uint64_t factor_;    // odd; a random one is as good for any ids
    std::vector<slot> slots_; // a power of two, or empty
    std::size_t size_ = 0;
};

} // namespace gigi::inline v1
