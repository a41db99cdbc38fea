// gigi/file/impl/messages.ipp: what messages.hpp declares.
#pragma once

#include "../messages.hpp"

#include "../../core/config.hpp"

namespace gigi::inline v1 {

GIGI_INLINE file_refusal to_refusal(std::error_code const &code) noexcept {
    if (code == errc::unknown_code) return file_refusal::unknown_code;
    if (code == errc::file_changed || code == errc::file_not_found) return file_refusal::file_changed;
    if (code == errc::limit_exceeded) return file_refusal::busy;
    if (code == errc::invalid_argument) return file_refusal::bad_request;
    return file_refusal::unreadable;
}

GIGI_INLINE bool file_request::valid() const noexcept {
    if (auto const *list = std::get_if<list_request>(&what)) return list->after.size() <= 64;
    if (auto const *of = std::get_if<manifest_request>(&what)) return of->code.size() <= 64;
    if (auto const *range = std::get_if<range_request>(&what)) return range->count > 0 && range->count <= range_request::max_chunks;
    return true;
}

GIGI_INLINE bool file_answer::valid() const noexcept {
    if (auto const *page = std::get_if<list_page>(&what)) {
        if (page->entries.size() > list_page::max_entries) return false;
        for (auto const &entry : page->entries)
            if (entry.code.size() > 64 || entry.name.size() > 255) return false;
        return true;
    }
    if (auto const *of = std::get_if<manifest>(&what)) return of->name.size() <= 255 && of->map().valid() && of->map() == chunk_map::of(of->size);
    return true;
}

} // namespace gigi::inline v1
