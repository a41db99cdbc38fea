// gigi/link/impl/multistream.ipp: what multistream.hpp declares.
#pragma once

#include "../multistream.hpp"

#include "../../core/config.hpp"

namespace gigi::inline v1 {

namespace multistream {

GIGI_INLINE void append_message(bytes &out, std::string_view text) {
    std::size_t const start = out.size();
    out.resize(start + message_size(text));
    std::size_t const prefix = store_varint(out.data() + start, text.size() + 1);
    std::ranges::copy(text, out.begin() + static_cast<std::ptrdiff_t>(start + prefix));
    out.back() = '\n';
}

GIGI_INLINE void append_with_header(bytes &out, std::string_view text) {
    out.reserve(out.size() + message_size(header) + message_size(text));
    append_message(out, header);
    append_message(out, text);
}

GIGI_INLINE result<std::string> parse_message(bytes_view body) {
    if (body.empty() || body.back() != '\n') return errc::protocol_violation;
    return std::string{as_text(body.first(body.size() - 1))};
}

GIGI_INLINE std::error_code message_reader::took(std::size_t n) noexcept {
    have_ += n;
    if (have_ < 2 || size_ > 0) return {};
    auto const length = read_varint(bytes_view{buffer_}.first(2));
    if (length.state != varint_result::status::complete || length.value == 0 || length.value > max_message) return errc::protocol_violation;
    prefix_ = length.size;
    size_ = length.size + static_cast<std::size_t>(length.value);
    return {};
}

GIGI_INLINE result<std::string> message_reader::take() {
    auto text = parse_message(bytes_view{buffer_}.subspan(prefix_, size_ - prefix_));
    have_ = prefix_ = size_ = 0;
    return text;
}

GIGI_INLINE expected_answer::expected_answer(std::string_view offer, bool with_header) {
    auto const append_answer = with_header ? append_with_header : append_message;
    append_answer(accepted_, offer);
    append_answer(refused_, refusal);
}

GIGI_INLINE std::size_t expected_answer::wanted() const noexcept {
    if (verdict_ != verdict::more) return 0;
    return std::min(may_accept_ ? accepted_.size() : refused_.size(), may_refuse_ ? refused_.size() : accepted_.size()) - have_;
}

GIGI_INLINE expected_answer::verdict expected_answer::take(bytes_view data) {
    for (auto const byte : data) {
        may_accept_ = may_accept_ && have_ < accepted_.size() && accepted_[have_] == byte;
        may_refuse_ = may_refuse_ && have_ < refused_.size() && refused_[have_] == byte;
        ++have_;
    }
    if (!may_accept_ && !may_refuse_) verdict_ = verdict::violation;
    if (may_accept_ && have_ == accepted_.size()) verdict_ = verdict::accepted;
    if (may_refuse_ && have_ == refused_.size()) verdict_ = verdict::refused;
    return verdict_;
}

} // namespace multistream

} // namespace gigi::inline v1
