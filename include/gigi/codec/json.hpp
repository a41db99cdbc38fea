// gigi/codec/json.hpp: structs as JSON that a person can read and edit, in files that may be damaged.
//
// Layer: codec. Over cereal's JSON archive. Reading never throws: a file that is cut off, edited wrongly, too large or nested too
// deeply is an error code.
#pragma once

#include "../core/bytes.hpp"
#include "../core/file_io.hpp"

#include <cereal/archives/json.hpp>
#include <cereal/types/array.hpp>
#include <cereal/types/map.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>

#include <cstddef>
#include <exception>
#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>

namespace gigi::inline v1 {

namespace detail {

/// Whether brackets nest no deeper than `limit`, since the parser below recurses, and numbers are integers of at most 20
/// digits: its arithmetic has undefined behaviour for some that are not, such as `0e5` and `Inf.0`, and gigi writes none.
bool json_is_plain(std::string_view text, int limit) noexcept;

} // namespace detail

/// `value` as a JSON object whose members are those that `value.serialize(archive)` names with CEREAL_NVP.
template <class T> std::string to_json(T const &value) {
    std::ostringstream out;
    {
        cereal::JSONOutputArchive archive{out};
        const_cast<T &>(value).serialize(archive); // cereal's serialize is one function for both directions
    }
    out << '\n';
    return std::move(out).str();
}

/// Reads what `to_json` writes; the order of members and unknown members do not matter. Numbers are integers.
/// @return `errc::invalid_argument` where the text is not such an object
template <class T> result<T> from_json(std::string_view text) {
    // To the parser a zero byte is the end; to us it is damage, and what comes after it would be lost.
    if (!detail::json_is_plain(text, 32) || text.find('\0') != text.npos) return errc::invalid_argument;
    try {
        std::istringstream in{std::string{text}};
        cereal::JSONInputArchive archive{in};
        T value{};
        value.serialize(archive);
        return value;
    } catch (std::exception const &) { // cereal's, rapidjson's, or a length that is absurd
        return errc::invalid_argument;
    }
}

/// Reads a file of at most `max_size` bytes.
/// @return `errc::file_not_found`, `errc::io_error`; `errc::invalid_argument` where the content is not a `T`, or too large
template <class T> result<T> load_json(std::filesystem::path const &path, std::size_t max_size) {
    auto const text = read_file(path, max_size);
    if (!text) return text.error() == errc::message_too_large ? make_error_code(errc::invalid_argument) : text.error();
    return from_json<T>(as_text(*text));
}

/// Replaces a file in one step: whatever happens, it holds the old content or the new.
/// @return zero, `errc::disk_full`, `errc::io_error`
template <class T> std::error_code save_json(std::filesystem::path const &path, T const &value) {
    return replace_file(path, as_bytes(to_json(value)));
}

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/json.ipp"
#endif
