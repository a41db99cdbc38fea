// gigi/core/json.hpp: writes JSON for programs: events, infos and whatever else names its members.
//
// Layer: core. There is no reader: nothing in gigi takes JSON from the network.
#pragma once

#include "bytes.hpp"
#include "error.hpp"
#include "text.hpp"

#include <charconv>
#include <cmath>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

namespace gigi::inline v1 {

class json_object;

/// A value as JSON on one line.
///
/// Knows booleans, numbers (one that is not finite is 0), texts, paths, error codes (the stable word of `error_name`), `bytes`
/// (base64), what has `to_string()`, what names its members with `for_each_member` (an object), and ranges of all of them.
/// The result is valid JSON whatever bytes a text holds.
/// @par Spec RFC 8259
template <class T> std::string json_text(T const &value);

/// A JSON object that is put together member by member.
class json_object {
  public:
    template <class T> json_object &add(std::string_view name, T const &value) {
        if (!members_.empty()) members_ += ',';
        members_ += json_quoted(name);
        members_ += ':';
        members_ += json_text(value);
        return *this;
    }
    /// Adds the members of another object.
    json_object &add_all(json_object const &other) {
        if (!members_.empty() && !other.members_.empty()) members_ += ',';
        members_ += other.members_;
        return *this;
    }
    std::string text() const { return '{' + members_ + '}'; }

  private:
    std::string members_;
};

template <class T> std::string json_text(T const &value) {
    if constexpr (std::is_same_v<T, bool>) {
        return value ? "true" : "false";
    } else if constexpr (std::is_arithmetic_v<T>) {
        T shown = value;
        if constexpr (std::is_floating_point_v<T>)
            if (!std::isfinite(value)) shown = 0;
        char digits[64];
        return {digits, std::to_chars(digits, digits + sizeof digits, shown).ptr};
    } else if constexpr (std::is_same_v<T, json_object>) {
        return value.text();
    } else if constexpr (std::is_same_v<T, std::error_code>) {
        return json_quoted(error_name(value));
    } else if constexpr (std::is_same_v<T, std::filesystem::path>) {
        return json_quoted(value.string());
    } else if constexpr (std::is_same_v<T, bytes>) {
        return json_quoted(to_base64(value));
    } else if constexpr (std::is_convertible_v<T const &, std::string_view>) {
        return json_quoted(value);
    } else if constexpr (requires { value.to_string(); }) {
        return json_quoted(value.to_string());
    } else if constexpr (requires { value.for_each_member([](std::string_view, auto const &) {}); }) {
        json_object object;
        value.for_each_member([&object](std::string_view name, auto const &member) { object.add(name, member); });
        return object.text();
    } else {
        std::string elements;
        for (auto const &element : value) {
            if (!elements.empty()) elements += ',';
            elements += json_text(element);
        }
        return '[' + elements + ']';
    }
}

} // namespace gigi::inline v1
