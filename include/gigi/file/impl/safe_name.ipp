// gigi/file/impl/safe_name.ipp: what safe_name.hpp declares.
#pragma once

#include "../safe_name.hpp"

#include "../../core/config.hpp"

#include <algorithm>

namespace gigi::inline v1 {

namespace detail {

GIGI_INLINE bool is_device_name(std::string_view name) {
    std::string stem{name.substr(0, name.find('.'))};
    while (!stem.empty() && stem.back() == ' ') stem.pop_back();
    for (char &c : stem)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    for (auto const device : {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"})
        if (stem == device) return true;
    if (!stem.starts_with("COM") && !stem.starts_with("LPT")) return false;
    auto const number = std::string_view{stem}.substr(3);
    return (number.size() == 1 && number[0] >= '0' && number[0] <= '9') || number == "\u00b9" || number == "\u00b2" || number == "\u00b3";
}

/// What files are called while they are being written, by us and by others (output_file.hpp).
GIGI_INLINE bool is_unfinished_name(std::string_view name) {
    auto const dot = name.rfind('.');
    if (dot == name.npos) return false;
    std::string ending{name.substr(dot + 1)};
    for (char &c : ending)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return ending == "part" || ending == "journal";
}

} // namespace detail

GIGI_INLINE std::string safe_file_name(std::string_view name) {
    if (auto const slash = name.find_last_of("/\\"); slash != std::string_view::npos) name.remove_prefix(slash + 1);
    std::string out;
    while (!name.empty()) {
        auto const step = next_utf8(name);
        auto const character = name.substr(0, step.length);
        name.remove_prefix(step.length);
        if (step.valid && detail::is_deceptive(step.code_point)) continue;
        if (!step.valid || std::string_view{"<>:\"|?*"}.find(character[0]) != std::string_view::npos)
            out += '_';
        else
            out += character;
    }
    auto const trim = [](std::string &text) {
        while (!text.empty() && (text.back() == '.' || text.back() == ' ')) text.pop_back();
        text.erase(0, std::min(text.find_first_not_of(". "), text.size()));
    };
    auto const cut = [&trim](std::string &text, std::size_t most) {
        if (text.size() <= most) return;
        auto const dot = text.rfind('.');
        std::string const extension = dot != std::string::npos && text.size() - dot <= 20 ? text.substr(dot) : std::string{};
        std::size_t keep = most - extension.size();
        while (keep > 0 && (static_cast<unsigned char>(text[keep]) & 0xc0) == 0x80) --keep; // not within a character
        text.resize(keep);
        text += extension;
        trim(text);
    };
    trim(out);
    cut(out, max_file_name);
    if (out.empty()) return "file";
    if (detail::is_device_name(out)) {
        cut(out, max_file_name - 1);
        out.insert(0, 1, '_');
    }
    if (detail::is_unfinished_name(out)) {
        cut(out, max_file_name - 1);
        out += '_';
    }
    return out;
}

GIGI_INLINE std::string numbered_file_name(std::string const &name, unsigned n) {
    if (n == 0) return name;
    auto dot = name.rfind('.');
    if (dot == 0 || dot == std::string::npos) dot = name.size();
    return name.substr(0, dot) + " (" + std::to_string(n) + ")" + name.substr(dot);
}

} // namespace gigi::inline v1
