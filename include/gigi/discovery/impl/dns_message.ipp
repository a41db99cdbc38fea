// gigi/discovery/impl/dns_message.ipp: what dns_message.hpp declares.
#pragma once

#include "../dns_message.hpp"

#include "../../core/config.hpp"

namespace gigi::inline v1 {

GIGI_INLINE dns_type dns_record::type() const noexcept {
    constexpr dns_type types[] = {dns_type::ptr, dns_type::txt, dns_type::srv, dns_type::a, dns_type::aaaa};
    return types[data.index()];
}

namespace detail {

GIGI_INLINE bytes_view dns_reader::take(std::size_t size) noexcept {
    if (failed_ || size > data_.size() - position_) {
        failed_ = true;
        return {};
    }
    auto const part = data_.subspan(position_, size);
    position_ += size;
    return part;
}

GIGI_INLINE dns_name dns_reader::name() {
    dns_name out;
    std::size_t at = position_, segment = position_, jumps = 0;
    for (;;) {
        if (failed_ || at >= data_.size()) return fail();
        std::size_t const size = data_[at];
        if (size == 0) {
            if (!jumps) position_ = at + 1;
            return out;
        }
        if (size >= 0xc0) {
            if (at + 1 >= data_.size()) return fail();
            std::size_t const target = (size & 0x3f) << 8 | data_[at + 1];
            if (!jumps) position_ = at + 2;
            if (target >= segment || target < header_size || ++jumps > max_jumps) return fail();
            at = segment = target;
            continue;
        }
        if (size > data_.size() - at - 1 || !out.append_label(as_text(data_.subspan(at + 1, size)))) return fail();
        at += 1 + size;
    }
}

GIGI_INLINE dns_question dns_reader::question() {
    dns_question q;
    q.name = name();
    q.type = static_cast<dns_type>(integer<std::uint16_t>());
    auto const dns_class = integer<std::uint16_t>();
    q.unicast_response = dns_class & 0x8000;
    skipped_ = !is_internet(dns_class, true);
    return q;
}

GIGI_INLINE dns_record dns_reader::record() {
    dns_record r;
    r.name = name();
    auto const type = static_cast<dns_type>(integer<std::uint16_t>());
    auto const dns_class = integer<std::uint16_t>();
    r.cache_flush = dns_class & 0x8000;
    r.ttl = std::chrono::seconds{integer<std::uint32_t>()};
    auto const size = integer<std::uint16_t>();
    auto const start = position_;
    auto const data = take(size);
    skipped_ = failed_ || !is_internet(dns_class, false);
    if (skipped_) return r;
    switch (type) {
    case dns_type::ptr: r.data = name_at(start); break;
    case dns_type::txt: r.data = strings(data); return r;
    case dns_type::a: r.data = array<4>(data); return r;
    case dns_type::aaaa: r.data = array<16>(data); return r;
    case dns_type::srv: {
        position_ = start;
        dns_service service;
        service.priority = integer<std::uint16_t>();
        service.weight = integer<std::uint16_t>();
        service.port = integer<std::uint16_t>();
        service.target = name_at(position_);
        r.data = std::move(service);
        break;
    }
    default: skipped_ = true; return r;
    }
    if (position_ != start + size) failed_ = true; // the name ends before or beyond its record (T17)
    return r;
}

GIGI_INLINE bool dns_reader::is_internet(std::uint16_t dns_class, bool any) noexcept {
    auto const value = dns_class & 0x7fff;
    return value == 1 || (any && value == 255);
}

GIGI_INLINE dns_name dns_reader::fail() noexcept {
    failed_ = true;
    return {};
}

GIGI_INLINE dns_name dns_reader::name_at(std::size_t start) {
    position_ = start;
    return name();
}

GIGI_INLINE dns_strings dns_reader::strings(bytes_view data) {
    dns_strings out;
    while (!data.empty()) {
        std::size_t const size = data.front();
        if (size > data.size() - 1) {
            failed_ = true;
            return {};
        }
        if (size) out.push_back(to_text(data.subspan(1, size))); // RFC 6763 §6.1: an empty string means nothing
        data = data.subspan(1 + size);
    }
    return out;
}

GIGI_INLINE void dns_writer::name(dns_name const &name, bool compress) {
    auto rest = name.labels();
    while (!rest.empty()) {
        if (compress)
            for (auto const &[labels, offset] : known_)
                if (labels == rest) { // not folded: a pointer must not change how a name is written
                    integer(static_cast<std::uint16_t>(0xc000 | offset));
                    return;
                }
        if (out_.size() < 0x4000) known_.emplace_back(rest, out_.size());
        auto const label = rest.substr(0, 1 + static_cast<std::size_t>(rest.front()));
        append(out_, label);
        rest.remove_prefix(label.size());
    }
    out_.push_back(0);
}

GIGI_INLINE void dns_writer::record(dns_record const &r) {
    name(r.name);
    integer(static_cast<std::uint16_t>(r.type()));
    integer(static_cast<std::uint16_t>(r.cache_flush ? 0x8001 : 1));
    auto const ttl = std::clamp<std::int64_t>(r.ttl.count(), 0, 0xffff'ffff);
    integer(static_cast<std::uint32_t>(ttl));
    auto const start = out_.size();
    integer(std::uint16_t{0});
    std::visit([this](auto const &data) { this->data(data); }, r.data);
    auto const size = out_.size() - start - 2;
    valid_ = valid_ && size <= 0xffff;
    store_be(&out_[start], static_cast<std::uint16_t>(size));
}

GIGI_INLINE void dns_writer::data(dns_service const &service) {
    integer(service.priority);
    integer(service.weight);
    integer(service.port);
    name(service.target, false);
}

GIGI_INLINE void dns_writer::data(dns_strings const &strings) {
    if (strings.empty()) out_.push_back(0); // RFC 6763 §6.1: at least one string
    for (auto const &text : strings) {
        valid_ = valid_ && text.size() <= 255;
        out_.push_back(static_cast<std::uint8_t>(text.size()));
        append(out_, text);
    }
}

} // namespace detail

GIGI_INLINE result<dns_message> dns_message::parse(bytes_view data) {
    if (data.size() > dns_max_message_size) return errc::message_too_large;
    detail::dns_reader in{data};
    dns_message message;
    message.id = in.integer<std::uint16_t>();
    auto const flags = in.integer<std::uint16_t>();
    std::size_t const questions = in.integer<std::uint16_t>();
    std::size_t counts[3];
    for (auto &count : counts) count = in.integer<std::uint16_t>();
    if (in.failed()) return errc::protocol_violation;
    message.is_response = flags & 0x8000;
    message.opcode = static_cast<std::uint8_t>(flags >> 11 & 15);
    message.is_authoritative = flags & 0x0400;
    message.is_truncated = flags & 0x0200;
    message.response_code = static_cast<std::uint8_t>(flags & 15);
    if (questions > dns_max_questions || counts[0] + counts[1] + counts[2] > dns_max_records) return errc::limit_exceeded;

    for (std::size_t i = 0; i < questions; ++i) {
        auto question = in.question();
        if (in.failed()) return errc::protocol_violation;
        if (!in.skipped()) message.questions.push_back(std::move(question));
    }
    std::vector<dns_record> *const sections[] = {&message.answers, &message.authorities, &message.additionals};
    for (std::size_t section = 0; section < 3; ++section)
        for (std::size_t i = 0; i < counts[section]; ++i) {
            auto record = in.record();
            if (in.failed()) return errc::protocol_violation;
            if (!in.skipped()) sections[section]->push_back(std::move(record));
        }
    return message;
}

GIGI_INLINE result<bytes> dns_message::build() const {
    detail::dns_writer out;
    out.integer(id);
    auto const flags = (is_response ? 0x8000 : 0) | (opcode & 15) << 11 | (is_authoritative ? 0x0400 : 0) |
                       (is_truncated ? 0x0200 : 0) | (response_code & 15);
    out.integer(static_cast<std::uint16_t>(flags));
    for (auto const count : {questions.size(), answers.size(), authorities.size(), additionals.size()}) {
        if (count > 0xffff) return errc::message_too_large;
        out.integer(static_cast<std::uint16_t>(count));
    }
    for (auto const &question : questions) {
        out.name(question.name);
        out.integer(static_cast<std::uint16_t>(question.type));
        out.integer(static_cast<std::uint16_t>(question.unicast_response ? 0x8001 : 1));
    }
    for (auto const *const section : {&answers, &authorities, &additionals})
        for (auto const &record : *section) out.record(record);
    if (!out.valid()) return errc::invalid_argument;
    auto data = out.take();
    if (data.size() > dns_max_message_size) return errc::message_too_large;
    return data;
}

} // namespace gigi::inline v1
