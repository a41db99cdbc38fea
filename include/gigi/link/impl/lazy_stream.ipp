// gigi/link/impl/lazy_stream.ipp: what lazy_stream.hpp declares.
#pragma once

#include "../lazy_stream.hpp"

#include "../../core/config.hpp"

#include <algorithm>
#include <utility>

namespace gigi::inline v1 {

GIGI_INLINE lazy_stream::lazy_stream(stream opened, std::string protocol) : stream_{std::move(opened)}, answer_{std::in_place, protocol, true} {
    stream_.set_protocol(std::move(protocol));
}

GIGI_INLINE lazy_stream &lazy_stream::operator=(lazy_stream &&other) noexcept {
    if (this != &other) {
        finish();
        stream_ = std::move(other.stream_);
        answer_ = std::move(other.answer_);
        announced_ = other.announced_;
        closing_ = other.closing_;
    }
    return *this;
}

GIGI_INLINE awaitable<std::size_t> lazy_stream::read_some(mutable_bytes buffer) {
    if (!answer_) return stream_.read_some(buffer);
    return read_answer_first(buffer);
}

GIGI_INLINE awaitable<void> lazy_stream::write(bytes_view data) {
    if (announced_) return stream_.write(data);
    return announce(data);
}

GIGI_INLINE void lazy_stream::close_write() {
    if (answer_)
        closing_ = true;
    else
        stream_.close_write();
}

GIGI_INLINE awaitable<void> lazy_stream::announce(bytes_view data) {
    announced_ = true;
    bytes_view const first = data.first(std::min(data.size(), first_write)), rest = data.subspan(first.size());
    bytes out;
    out.reserve(multistream::message_size(multistream::header) + multistream::message_size(protocol()) + first.size());
    multistream::append_with_header(out, protocol());
    append(out, first);
    bytes_view const all{out};
    if (!stream_.write_now(all)) co_await stream_.write(all);
    if (!rest.empty()) co_await stream_.write(rest);
}

GIGI_INLINE awaitable<std::size_t> lazy_stream::read_answer_first(mutable_bytes buffer) {
    if (!announced_) co_await announce({});
    co_await multistream::read_answer(stream_, *answer_);
    if (answer_->state() == verdict::refused) throw error{errc::unsupported_protocol, protocol()};
    answer_.reset();
    if (closing_) stream_.close_write();
    std::size_t n = stream_.read_now(buffer);
    if (n == 0) n = co_await stream_.read_some(buffer);
    co_return n;
}

GIGI_INLINE void lazy_stream::finish() noexcept {
    if (!stream_ || !answer_ || !closing_ || !announced_ || answer_->state() != verdict::more) return;
    try {
        stream_.close_write();
    } catch (...) { // the stream is reset instead
    }
}

} // namespace gigi::inline v1
