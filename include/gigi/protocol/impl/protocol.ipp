// gigi/protocol/impl/protocol.ipp: what protocol.hpp declares.
#pragma once

#include "../protocol.hpp"

#include "../../core/config.hpp"

namespace gigi::inline v1 {

namespace detail {

GIGI_INLINE errc code_of(std::string_view word) noexcept {
    for (int code = 1;; ++code) {
        auto const known = static_cast<errc>(code);
        std::string_view const text = name(known);
        if (text == "unknown") return errc::rejected;
        if (text != word) continue;
        // Here these would say what this node's own caller or user did, and its tasks would end as if they had been told to.
        return known == errc::cancelled || known == errc::stopped ? errc::rejected : known;
    }
}

GIGI_INLINE refusal refusal_of(std::system_error const &failure) {
    bool const named = failure.code().category() == error_category();
    bool const meant = dynamic_cast<error const *>(&failure) != nullptr;
    refusal told;
    told.word = named || meant ? error_name(failure.code()) : name(errc::rejected);
    if (named && meant && failure.code() != condition::io_error) told.text = failure.what();
    return told;
}

} // namespace detail

} // namespace gigi::inline v1
