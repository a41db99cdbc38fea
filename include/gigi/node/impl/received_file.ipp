// gigi/node/impl/received_file.ipp: what received_file.hpp declares.
#pragma once

#include "../received_file.hpp"

#include "../../core/config.hpp"
#include "../../core/error.hpp"
#include "../../core/file_io.hpp"
#include "../../crypto/random.hpp"
#include "../../file/safe_name.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>

namespace gigi::inline v1 {

GIGI_INLINE bytes read_small_file(std::filesystem::path const &file, std::size_t limit) {
    auto content = read_file(file, limit);
    if (content) return std::move(*content);
    std::string context = file.string();
    if (content.error() == errc::message_too_large) context += " (at most " + std::to_string(limit >> 20) + " MiB; share it instead)";
    throw error{content.error(), std::move(context)};
}

GIGI_INLINE std::filesystem::path write_received_file(std::filesystem::path const &folder, std::string const &name, bytes_view content) {
    auto const directory = disk_folder::open(folder);
    if (!directory) throw folder_error(directory.error(), folder);
    std::array<std::uint8_t, 8> tag{};
    random_bytes(tag);
    std::string const temporary = "." + to_hex(tag) + ".part";
    auto const file = directory->open_file(temporary, disk_folder::opening::created);
    if (!file) throw folder_error(file.error(), folder);
    std::error_code failed = file->write_at(0, content);
    if (!failed) failed = file->sync();
    for (unsigned n = 0; !failed && n < 10'000; ++n) {
        std::string const target = numbered_file_name(name, n);
        auto const code = directory->rename_new(temporary, target);
        if (!code) {
            directory->sync();
            return folder / target;
        }
        if (code != std::errc::file_exists) failed = code;
    }
    directory->remove(temporary);
    throw error{failed ? failed : make_error_code(errc::io_error), folder.string()};
}

GIGI_INLINE std::string mime_type_of(bytes_view data, std::string_view name) {
    auto const starts = [text = as_text(data)](std::string_view magic, std::size_t at = 0) { return text.size() >= at && text.substr(at).starts_with(magic); };
    if (starts("\x89PNG\r\n\x1a\n")) return "image/png";
    if (starts("\xff\xd8\xff")) return "image/jpeg";
    if (starts("GIF87a") || starts("GIF89a")) return "image/gif";
    if (starts("RIFF") && starts("WEBP", 8)) return "image/webp";
    if (starts("BM")) return "image/bmp";
    if (starts({"II*\0", 4}) || starts({"MM\0*", 4})) return "image/tiff";
    if (starts("ftypavif", 4)) return "image/avif";
    if (starts("ftypheic", 4)) return "image/heic";
    std::string ending{name.substr(std::min(name.rfind('.'), name.size()))};
    std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (ending == ".svg") return "image/svg+xml";
    if (ending == ".ico") return "image/x-icon";
    return "application/octet-stream";
}

} // namespace gigi::inline v1
