// gigi/mux/impl/byte_queue.ipp: what byte_queue.hpp declares.
#pragma once

#include "../byte_queue.hpp"

#include "../../core/config.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace gigi::inline v1 {

GIGI_INLINE byte_queue::byte_queue(byte_queue &&other) noexcept
    : first_{std::exchange(other.first_, nullptr)}, last_{std::exchange(other.last_, nullptr)},
      size_{std::exchange(other.size_, 0)} {}

GIGI_INLINE byte_queue &byte_queue::operator=(byte_queue &&other) noexcept {
    std::swap(first_, other.first_);
    std::swap(last_, other.last_);
    std::swap(size_, other.size_);
    return *this;
}

GIGI_INLINE void byte_queue::push(bytes_view data) {
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

GIGI_INLINE std::size_t byte_queue::pop(mutable_bytes out) noexcept {
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

GIGI_INLINE void byte_queue::take(std::size_t n, std::vector<bytes_view> &pieces, byte_queue &spent) {
    size_ -= n;
    while (n > 0) {
        std::size_t const part = std::min(n, first_->size());
        pieces.emplace_back(first_->begin_of_data(), part);
        first_->begin += part;
        n -= part;
        if (first_->size() == 0) spent.keep(detach_first());
    }
}

GIGI_INLINE void byte_queue::clear() noexcept {
    while (first_) chunk::free(detach_first());
    size_ = 0;
}

GIGI_INLINE void byte_queue::chunk::append(bytes_view in) noexcept {
    if (in.empty()) return;
    std::memcpy(data() + end, in.data(), in.size());
    end += in.size();
}

GIGI_INLINE byte_queue::chunk *byte_queue::detach_first() noexcept {
    chunk *const c = first_;
    first_ = c->next;
    if (!first_) last_ = nullptr;
    return c;
}

GIGI_INLINE void byte_queue::keep(chunk *c) noexcept {
    c->next = first_;
    first_ = c;
    if (!last_) last_ = c;
}

} // namespace gigi::inline v1
