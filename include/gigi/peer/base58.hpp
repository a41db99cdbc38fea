// gigi/peer/base58.hpp: base58btc, the text form of peer ids.
//
// Layer: peer. Quadratic in the length, so the length is capped.
#pragma once

#include "../core/bytes.hpp"

#include <array>
#include <string>
#include <string_view>

namespace gigi::inline v1 {

inline constexpr std::size_t max_base58_size = 128; ///< characters that are decoded at most

inline std::string to_base58(bytes_view data) {
    constexpr std::string_view digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    std::size_t zeros = 0;
    while (zeros < data.size() && data[zeros] == 0) ++zeros;
    std::vector<std::uint8_t> number; // base 58, least digit first
    for (std::size_t i = zeros; i < data.size(); ++i) {
        unsigned carry = data[i];
        for (auto &digit : number) {
            carry += static_cast<unsigned>(digit) << 8;
            digit = static_cast<std::uint8_t>(carry % 58);
            carry /= 58;
        }
        for (; carry; carry /= 58) number.push_back(static_cast<std::uint8_t>(carry % 58));
    }
    std::string out(zeros, '1');
    for (std::size_t i = number.size(); i-- > 0;) out += digits[number[i]];
    return out;
}

inline result<bytes> from_base58(std::string_view text) {
    constexpr std::string_view digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    if (text.size() > max_base58_size) return errc::invalid_argument;
    std::size_t zeros = 0;
    while (zeros < text.size() && text[zeros] == '1') ++zeros;
    bytes number; // base 256, least digit first
    for (std::size_t i = zeros; i < text.size(); ++i) {
        auto const value = digits.find(text[i]);
        if (value == std::string_view::npos) return errc::invalid_argument;
        auto carry = static_cast<unsigned>(value);
        for (auto &digit : number) {
            carry += static_cast<unsigned>(digit) * 58;
            digit = static_cast<std::uint8_t>(carry);
            carry >>= 8;
        }
        for (; carry; carry >>= 8) number.push_back(static_cast<std::uint8_t>(carry));
    }
    number.insert(number.end(), zeros, 0);
    std::ranges::reverse(number);
    return number;
}

} // namespace gigi::inline v1
