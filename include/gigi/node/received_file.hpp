// gigi/node/received_file.hpp: small files that come or go whole: images of direct messages.
//
// Layer: node. Blocking; run it on the disk executor.
#pragma once

#include "../core/bytes.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace gigi::inline v1 {

/// Reads the file of a message.
/// @param limit the largest size that is read, in bytes
/// @throws error: `errc::file_not_found`, `errc::message_too_large`, `errc::io_error`
bytes read_small_file(std::filesystem::path const &file, std::size_t limit);

/// Stores a file that came whole, under its name or that name with a number where it is taken. It appears complete.
/// @param folder made where it is missing
/// @param name a safe file name
/// @return where it is
/// @throws error: `errc::disk_full`, `errc::io_error`
std::filesystem::path write_received_file(std::filesystem::path const &folder, std::string const &name, bytes_view content);

/// The MIME type that the first bytes show, or that the name's ending suggests.
std::string mime_type_of(bytes_view data, std::string_view name);

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/received_file.ipp"
#endif
