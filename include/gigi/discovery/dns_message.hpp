// gigi/discovery/dns_message.hpp: DNS messages as multicast DNS uses them: parsed from hostile bytes, and built.
//
// Layer: discovery, sans-I/O. Spec: RFC 1035 §4 (format, compression), RFC 2782 (SRV), RFC 3596 (AAAA),
// RFC 6762 §18 (the bits that multicast DNS redefines; 9000 bytes at most).
#pragma once

#include "../core/bytes.hpp"
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

    dns_type type() const noexcept;
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

    bytes_view take(std::size_t size) noexcept;

    /// A name that may end in a pointer. Every pointer must lead to before the labels that it follows, which rules out
    /// loops; and there are at most as many as a name has labels, which bounds the work (T16).
    dns_name name();
    dns_question question();
    dns_record record();

    /// Whether what was read last is well-formed, but of no use here.
    bool skipped() const noexcept { return skipped_; }

    static constexpr std::size_t header_size = 12;

  private:
    static constexpr std::size_t max_jumps = 127;

    static bool is_internet(std::uint16_t dns_class, bool any) noexcept;
    dns_name fail() noexcept;
    dns_name name_at(std::size_t start);
    dns_strings strings(bytes_view data);

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

    void name(dns_name const &name, bool compress = true);
    void record(dns_record const &r);

    bool valid() const noexcept { return valid_; }
    bytes take() noexcept { return std::move(out_); }

  private:
    void data(dns_name const &target) { name(target); }
    void data(dns_service const &service);
    template <std::size_t Size> void data(std::array<std::uint8_t, Size> const &address) { append(out_, address); }
    void data(dns_strings const &strings);

    bytes out_;
    std::vector<std::pair<std::string_view, std::size_t>> known_; // views into the message that is being written
    bool valid_ = true;
};

} // namespace detail

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/dns_message.ipp"
#endif
