// gigi/mux/byte_queue.hpp: bytes in, the same bytes out, in chunks that are freed as soon as they are empty.
//
// Layer: mux. An empty queue holds no memory; a small one holds little; a large one grows without moving what it holds.
#pragma once

#include "../core/bytes.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

class byte_queue {
  public:
    byte_queue() = default;
    byte_queue(byte_queue &&other) noexcept
        : first_{std::exchange(other.first_, nullptr)}, last_{std::exchange(other.last_, nullptr)},
          size_{std::exchange(other.size_, 0)} {}
    byte_queue &operator=(byte_queue &&other) noexcept {
        std::swap(first_, other.first_);
        std::swap(last_, other.last_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~byte_queue() { clear(); }

    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }

    void push(bytes_view data) {
        if (last_) {
            std::size_t const n = std::min(data.size(), last_->capacity - last_->end);
            last_->append(data.first(n));
            size_ += n;
            data = data.subspan(n);
        }
        if (data.empty()) return;
        std::size_t const doubled = last_ ? std::min(last_->capacity * 2, max_growth) : min_capacity;
        chunk *const added = chunk::make(std::max(data.size(), doubled));
        added->append(data);
        (last_ ? last_->next : first_) = added;
        last_ = added;
        size_ += data.size();
    }

    /// Moves the oldest bytes out. @return how many
    std::size_t pop(mutable_bytes out) noexcept {
        std::size_t done = 0;
        while (first_ && done < out.size()) {
            std::size_t const n = std::min(out.size() - done, first_->size());
            std::memcpy(out.data() + done, first_->begin_of_data(), n);
            first_->begin += n;
            done += n;
            if (first_->size() == 0) chunk::free(detach_first());
        }
        size_ -= done;
        return done;
    }

    /// Takes the oldest `n` bytes out without copying them: appends views of them to `pieces`. They stay valid until
    /// `spent` is cleared, and no longer than this queue.
    void take(std::size_t n, std::vector<bytes_view> &pieces, byte_queue &spent) {
        size_ -= n;
        while (n > 0) {
            std::size_t const part = std::min(n, first_->size());
            pieces.emplace_back(first_->begin_of_data(), part);
            first_->begin += part;
            n -= part;
            if (first_->size() == 0) spent.keep(detach_first());
        }
    }

    void clear() noexcept {
        while (first_) chunk::free(detach_first());
        size_ = 0;
    }

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
        void append(bytes_view in) noexcept {
            if (in.empty()) return;
            std::memcpy(data() + end, in.data(), in.size());
            end += in.size();
        }
    };

    chunk *detach_first() noexcept {
        chunk *const c = first_;
        first_ = c->next;
        if (!first_) last_ = nullptr;
        return c;
    }
    /// Only holds the memory: the chunk is empty.
    void keep(chunk *c) noexcept {
        c->next = first_;
        first_ = c;
        if (!last_) last_ = c;
    }

    chunk *first_ = nullptr;
    chunk *last_ = nullptr;
    std::size_t size_ = 0;
};

} // namespace gigi::inline v1
