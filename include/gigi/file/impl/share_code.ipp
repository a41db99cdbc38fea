// gigi/file/impl/share_code.ipp: what share_code.hpp declares.
#pragma once

#include "../share_code.hpp"

#include "../../core/config.hpp"
#include "../../crypto/hash.hpp"

namespace gigi::inline v1 {

GIGI_INLINE share_code share_code::of(merkle_hash const &root, std::uint64_t size) {
    bytes content{root.begin(), root.end()};
    append_be(content, size);
    auto const hash = sha256(content);
    std::string text;
    for (std::size_t i = 0; i < symbols; ++i) {
        if (i > 0 && i % 4 == 0) text += '-';
        std::size_t const bit = i * 5;
        unsigned const pair = static_cast<unsigned>(hash[bit / 8] << 8 | hash[bit / 8 + 1]);
        text += alphabet[pair >> (11 - bit % 8) & 31];
    }
    return share_code{std::move(text)};
}

GIGI_INLINE result<share_code> share_code::parse(std::string_view typed) {
    std::string plain;
    for (char c : typed) {
        if (c == '-' || c == ' ') continue;
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        plain += c;
        if (plain.size() > 64) return errc::unknown_code;
    }
    if (plain.size() == 64) {
        if (plain.find_first_not_of("0123456789abcdef") != std::string::npos) return errc::unknown_code;
        return share_code{std::move(plain)};
    }
    if (plain.size() != symbols) return errc::unknown_code;
    std::string text;
    for (std::size_t i = 0; i < symbols; ++i) {
        char c = plain[i];
        if (c == 'o') c = '0';
        if (c == 'i' || c == 'l') c = '1';
        if (alphabet.find(c) == std::string_view::npos) return errc::unknown_code;
        if (i > 0 && i % 4 == 0) text += '-';
        text += c;
    }
    return share_code{std::move(text)};
}

} // namespace gigi::inline v1
