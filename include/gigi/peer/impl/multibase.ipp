// gigi/peer/impl/multibase.ipp: what multibase.hpp declares.
#pragma once

#include "../multibase.hpp"

#include "../../core/config.hpp"

#include <algorithm>
#include <cstdint>

namespace gigi::inline v1 {

namespace detail {

inline constexpr std::string_view base58_digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

inline constexpr std::string_view base36_digits = "0123456789abcdefghijklmnopqrstuvwxyz";

/// A text as one large number in the base of `digits`; each leading zero digit is a zero byte.
inline result<bytes> from_digits(std::string_view text, std::string_view digits) {
    if (text.size() > max_base58_size) return errc::invalid_argument;
    std::size_t zeros = 0;
    while (zeros < text.size() && text[zeros] == digits[0]) ++zeros;
    bytes number; // base 256, least digit first
    for (char const c : text.substr(zeros)) {
        auto const value = digits.find(c);
        if (value == std::string_view::npos) return errc::invalid_argument;
        auto carry = static_cast<unsigned>(value);
        for (auto &digit : number) {
            carry += static_cast<unsigned>(digit) * static_cast<unsigned>(digits.size());
            digit = static_cast<std::uint8_t>(carry);
            carry >>= 8;
        }
        for (; carry; carry >>= 8) number.push_back(static_cast<std::uint8_t>(carry));
    }
    number.insert(number.end(), zeros, 0);
    std::ranges::reverse(number);
    return number;
}

} // namespace detail

GIGI_INLINE std::string to_base58(bytes_view data) {
    std::size_t zeros = 0;
    while (zeros < data.size() && data[zeros] == 0) ++zeros;
    bytes number; // base 58, least digit first
    for (std::uint8_t const byte : data.subspan(zeros)) {
        unsigned carry = byte;
        for (auto &digit : number) {
            carry += static_cast<unsigned>(digit) << 8;
            digit = static_cast<std::uint8_t>(carry % 58);
            carry /= 58;
        }
        for (; carry; carry /= 58) number.push_back(static_cast<std::uint8_t>(carry % 58));
    }
    std::string out(zeros, detail::base58_digits[0]);
    for (std::size_t i = number.size(); i-- > 0;) out += detail::base58_digits[number[i]];
    return out;
}

GIGI_INLINE result<bytes> from_base58(std::string_view text) { return detail::from_digits(text, detail::base58_digits); }

GIGI_INLINE result<bytes> from_base36(std::string_view text) { return detail::from_digits(text, detail::base36_digits); }

namespace detail {

/// A text whose digits stand for `Bits` bits each, without padding; what is left over at the end must be zeros.
template <unsigned Bits> result<bytes> from_bit_digits(std::string_view text, std::string_view digits) {
    bytes out;
    out.reserve(text.size() * Bits / 8);
    unsigned held = 0, bits = 0;
    for (char const c : text) {
        auto const value = digits.find(c);
        if (value == std::string_view::npos) return errc::invalid_argument;
        held = (held << Bits | static_cast<unsigned>(value)) & 0xffff;
        bits += Bits;
        if (bits < 8) continue;
        bits -= 8;
        out.push_back(static_cast<std::uint8_t>(held >> bits));
    }
    if (bits >= Bits || (held & ((1u << bits) - 1)) != 0) return errc::invalid_argument; // one text for one value
    return out;
}

inline constexpr std::string_view base64url_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

} // namespace detail

GIGI_INLINE result<bytes> from_base32(std::string_view text) { return detail::from_bit_digits<5>(text, "abcdefghijklmnopqrstuvwxyz234567"); }

GIGI_INLINE result<bytes> from_base64url(std::string_view text) { return detail::from_bit_digits<6>(text, detail::base64url_digits); }

GIGI_INLINE std::string to_base64url(bytes_view data) {
    std::string out;
    unsigned held = 0, bits = 0;
    for (std::uint8_t const byte : data) {
        held = (held << 8 | byte) & 0xffff;
        for (bits += 8; bits >= 6; bits -= 6) out += detail::base64url_digits[held >> (bits - 6) & 63];
    }
    if (bits > 0) out += detail::base64url_digits[held << (6 - bits) & 63];
    return out;
}

} // namespace gigi::inline v1
