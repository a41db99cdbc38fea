// gigi/discovery/dns_message.hpp: DNS messages as multicast DNS uses them: parsed from hostile bytes, and built.
//
// Layer: discovery, sans-I/O. Spec: RFC 1035 §4 (format, compression), RFC 2782 (SRV), RFC 3596 (AAAA),
// RFC 6762 §18 (the bits that multicast DNS redefines; 9000 bytes at most).
#pragma once

#include "dns_name.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace gigi::inline v1 {

inline constexpr std::size_t dns_max_message_size = 9000; ///< RFC 6762 §17
inline constexpr std::size_t dns_max_questions = 128;     ///< more than any querier asks at once
inline constexpr std::size_t dns_max_records = 512;       ///< in all sections; more than a list of known answers holds

enum class dns_type : std::uint16_t { a = 1, ptr = 12, txt = 16, aaaa = 28, srv = 33, any = 255 };

struct dns_question {
    dns_name name;
    dns_type type = dns_type::any; ///< any value may arrive
    bool unicast_response = false; ///< RFC 6762 §5.4: the querier would like the answer for itself
};

using dns_ipv4 = std::array<std::uint8_t, 4>;   ///< A
using dns_ipv6 = std::array<std::uint8_t, 16>;  ///< AAAA
using dns_strings = std::vector<std::string>;   ///< TXT: strings of at most 255 bytes each

/// SRV: where a service instance is.
struct dns_service {
    std::uint16_t priority = 0;
    std::uint16_t weight = 0;
    std::uint16_t port = 0;
    dns_name target;
};

/// What a record says: PTR (`dns_name`), TXT, SRV, A or AAAA.
using dns_data = std::variant<dns_name, dns_strings, dns_service, dns_ipv4, dns_ipv6>;

struct dns_record {
    dns_name name;
    std::chrono::seconds ttl{};  ///< 0–2³²−1; zero says goodbye. Whoever adds it to a time caps it first.
    bool cache_flush = false;    ///< RFC 6762 §10.2: replaces what was known under this name and type
    dns_data data;

    dns_type type() const noexcept {
        constexpr dns_type types[] = {dns_type::ptr, dns_type::txt, dns_type::srv, dns_type::a, dns_type::aaaa};
        return types[data.index()];
    }
};

/// A whole message. Records of other types and classes than ours are left out when one is parsed.
struct dns_message {
    std::uint16_t id = 0;
    bool is_response = false;
    bool is_authoritative = false;
    bool is_truncated = false;      ///< of a query: more known answers follow
    std::uint8_t opcode = 0;        ///< RFC 6762 §18.3: ignore the message unless it is 0
    std::uint8_t response_code = 0; ///< RFC 6762 §18.11: ignore the message unless it is 0
    std::vector<dns_question> questions;
    std::vector<dns_record> answers;
    std::vector<dns_record> authorities;
    std::vector<dns_record> additionals;

    /// Reads a message. Takes time and memory linear in the size of `data`, whatever it holds.
    /// @return `errc::message_too_large` above 9000 bytes, `errc::limit_exceeded` for too many questions or records,
    /// `errc::protocol_violation` where anything is malformed
    static result<dns_message> parse(bytes_view data);

    /// Writes a message, with names compressed (but not SRV targets, which RFC 2782 forbids).
    /// @return `errc::message_too_large` above 9000 bytes, `errc::invalid_argument` for a TXT string above 255 bytes
    result<bytes> build() const;
};

namespace detail {

/// Reads the parts of a message; after the first failure everything fails.
class dns_reader {
  public:
    explicit dns_reader(bytes_view data) noexcept : data_{data} {}

    bool failed() const noexcept { return failed_; }
    std::size_t position() const noexcept { return position_; }

    template <std::unsigned_integral T> T integer() noexcept {
        auto const raw = take(sizeof(T));
        return failed_ ? T{} : load_be<T>(raw.data());
    }

    bytes_view take(std::size_t size) noexcept {
        if (failed_ || size > data_.size() - position_) {
            failed_ = true;
            return {};
        }
        auto const part = data_.subspan(position_, size);
        position_ += size;
        return part;
    }

    /// A name that may end in a pointer. Every pointer must lead to before the labels that it follows, which rules out
    /// loops; and there are at most as many as a name has labels, which bounds the work (T16).
    dns_name name() {
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

    dns_question question() {
        dns_question q;
        q.name = name();
        q.type = static_cast<dns_type>(integer<std::uint16_t>());
        auto const dns_class = integer<std::uint16_t>();
        q.unicast_response = dns_class & 0x8000;
        skipped_ = !is_internet(dns_class, true);
        return q;
    }

    dns_record record() {
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

    /// Whether what was read last is well-formed, but of no use here.
    bool skipped() const noexcept { return skipped_; }

    static constexpr std::size_t header_size = 12;

  private:
    static constexpr std::size_t max_jumps = 127;

    static bool is_internet(std::uint16_t dns_class, bool any) noexcept {
        auto const value = dns_class & 0x7fff;
        return value == 1 || (any && value == 255);
    }

    dns_name fail() noexcept {
        failed_ = true;
        return {};
    }

    dns_name name_at(std::size_t start) {
        position_ = start;
        return name();
    }

    dns_strings strings(bytes_view data) {
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

    template <std::size_t Size> std::array<std::uint8_t, Size> array(bytes_view data) noexcept {
        std::array<std::uint8_t, Size> out{};
        if (data.size() == Size)
            std::ranges::copy(data, out.begin());
        else
            failed_ = true;
        return out;
    }

    bytes_view data_;
    std::size_t position_ = 0;
    bool failed_ = false;
    bool skipped_ = false;
};

/// Writes the parts of a message, and remembers where names are, to point at them.
class dns_writer {
  public:
    template <std::unsigned_integral T> void integer(T value) { append_be(out_, value); }

    void name(dns_name const &name, bool compress = true) {
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

    void record(dns_record const &r) {
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

    bool valid() const noexcept { return valid_; }
    bytes take() noexcept { return std::move(out_); }

  private:
    void data(dns_name const &target) { name(target); }
    void data(dns_service const &service) {
        integer(service.priority);
        integer(service.weight);
        integer(service.port);
        name(service.target, false);
    }
    template <std::size_t Size> void data(std::array<std::uint8_t, Size> const &address) { append(out_, address); }
    void data(dns_strings const &strings) {
        if (strings.empty()) out_.push_back(0); // RFC 6763 §6.1: at least one string
        for (auto const &text : strings) {
            valid_ = valid_ && text.size() <= 255;
            out_.push_back(static_cast<std::uint8_t>(text.size()));
            append(out_, text);
        }
    }

    bytes out_;
    std::vector<std::pair<std::string_view, std::size_t>> known_; // views into the message that is being written
    bool valid_ = true;
};

} // namespace detail

inline result<dns_message> dns_message::parse(bytes_view data) {
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

inline result<bytes> dns_message::build() const {
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
