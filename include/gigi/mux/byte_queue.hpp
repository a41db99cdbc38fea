// gigi/mux/byte_queue.hpp: bytes in, the same bytes out, in chunks that are freed as soon as they are empty.
//
// Layer: mux. An empty queue holds no memory; a small one holds little; a large one grows without moving what it holds.
#pragma once

#include "../core/bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gigi::inline v1 {

class byte_queue {
  public:
    byte_queue() = default;
    byte_queue(byte_queue &&other) noexcept;
    byte_queue &operator=(byte_queue &&other) noexcept;
    ~byte_queue() { clear(); }

    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }

    void push(bytes_view data);

    /// Moves the oldest bytes out. @return how many
    std::size_t pop(mutable_bytes out) noexcept;

    /// Takes the oldest `n` bytes out without copying them: appends views of them to `pieces`. They stay valid until
    /// `spent` is cleared, and no longer than this queue.
    void take(std::size_t n, std::vector<bytes_view> &pieces, byte_queue &spent);
    void clear() noexcept;

  private:
    static constexpr std::size_t min_capacity = 256 - 4 * sizeof(std::size_t);
    static constexpr std::size_t max_growth = 32 * 1024;

    struct chunk {
        chunk *next = nullptr;
        std::size_t begin = 0;
        std::size_t end = 0;
        std::size_t capacity;

        explicit chunk(std::size_t n) : capacity{n} {}
        static chunk *make(std::size_t n) { return new (::operator new(sizeof(chunk) + n)) chunk{n}; }
        static void free(chunk *c) noexcept { ::operator delete(c); }

        std::uint8_t *data() noexcept { return reinterpret_cast<std::uint8_t *>(this + 1); }
        std::uint8_t const *begin_of_data() noexcept { return data() + begin; }
        std::size_t size() const noexcept { return end - begin; }
        void append(bytes_view in) noexcept;
    };

    chunk *detach_first() noexcept;
    /// Only holds the memory: the chunk is empty.
    void keep(chunk *c) noexcept;

    chunk *first_ = nullptr;
    chunk *last_ = nullptr;
    std::size_t size_ = 0;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/byte_queue.ipp"
#endif
