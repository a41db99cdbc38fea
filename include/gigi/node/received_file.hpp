// gigi/node/received_file.hpp: small files that come or go whole: images of direct messages.
//
// Layer: node. Blocking; run it on the disk executor.
#pragma once

#include "../core/bytes.hpp"
#include "../core/error.hpp"
#include "../file/output_file.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace gigi::inline v1 {

/// Reads a regular file whole.
/// @param limit the largest size that is read, in bytes
/// @throws error: `errc::file_not_found`, `errc::message_too_large`, `errc::io_error`
inline bytes read_small_file(std::filesystem::path const &file, std::size_t limit) {
    std::error_code failed;
    if (!std::filesystem::is_regular_file(file, failed)) throw error{errc::file_not_found, file.string()};
    auto const size = std::filesystem::file_size(file, failed);
    if (failed) throw error{errc::io_error, file.string()};
    if (size > limit) throw error{errc::message_too_large, file.string() + " (at most " + std::to_string(limit >> 20) + " MiB; share it instead)"};
    std::ifstream in{file, std::ios::binary};
    bytes data(static_cast<std::size_t>(size));
    if (!in || !in.read(reinterpret_cast<char *>(data.data()), static_cast<std::streamsize>(data.size()))) throw error{errc::io_error, file.string()};
    return data;
}

/// The MIME type that the first bytes show, or that the name's ending suggests.
inline std::string mime_type_of(bytes_view data, std::string_view name) {
    auto const starts = [text = as_text(data)](std::string_view magic, std::size_t at = 0) { return text.size() >= at && text.substr(at).starts_with(magic); };
    if (starts("\x89PNG\r\n\x1a\n")) return "image/png";
    if (starts("\xff\xd8\xff")) return "image/jpeg";
    if (starts("GIF87a") || starts("GIF89a")) return "image/gif";
    if (starts("RIFF") && starts("WEBP", 8)) return "image/webp";
    if (starts("BM")) return "image/bmp";
    if (starts("II*\0") || starts("MM\0*")) return "image/tiff";
    if (starts("ftypavif", 4)) return "image/avif";
    if (starts("ftypheic", 4)) return "image/heic";
    std::string ending{name.substr(std::min(name.rfind('.'), name.size()))};
    std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (ending == ".svg") return "image/svg+xml";
    if (ending == ".ico") return "image/x-icon";
    return "application/octet-stream";
}

} // namespace gigi::inline v1
