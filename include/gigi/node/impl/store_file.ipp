// gigi/node/impl/store_file.ipp: what store_file.hpp declares.
#pragma once

#include "../store_file.hpp"

#include "../../core/config.hpp"
#include "../../core/error.hpp"
#include "../../core/file_io.hpp"

namespace gigi::inline v1 {

GIGI_INLINE std::optional<store_file::trouble> store_file::load(peer_store &into) {
    auto const text = read_file(path_, into.largest_text());
    std::string what;
    if (!text) {
        std::error_code ignored; // EACCES and its kin: something is there
        if (std::filesystem::symlink_status(path_, ignored).type() == std::filesystem::file_type::not_found) return std::nullopt;
        content_ = content::unread;
        what = text.error() == errc::message_too_large ? " is too large" : " cannot be read";
    } else {
        if (into.read(as_text(*text))) return std::nullopt;
        content_ = content::damaged;
        what = " is damaged; what could be read of it is used";
    }
    what += keep_aside() ? ", the file is kept as " + aside().string() : ", and cannot be kept aside: nothing is saved until it can";
    return trouble{make_error_code(errc::io_error), path_.string() + what};
}

GIGI_INLINE std::optional<store_file::trouble> store_file::save(peer_store const &from) {
    if (!keep_aside())
        return trouble{make_error_code(errc::io_error), path_.string() + " holds what could not be read, and cannot be kept aside: nothing is saved until it can"};
    if (auto const failed = replace_file(path_, as_bytes(from.write()), true)) return trouble{failed, path_.string()};
    return std::nullopt;
}

GIGI_INLINE std::filesystem::path store_file::aside() const {
    auto name = path_;
    name += ".damaged";
    return name;
}

GIGI_INLINE bool store_file::keep_aside() {
    if (content_ == content::ours) return true;
    std::error_code failed;
    auto const type = std::filesystem::symlink_status(path_, failed).type();
    if (type != std::filesystem::file_type::not_found) { // else somebody has seen to it
        failed.clear();
        if (content_ == content::damaged)
            std::filesystem::copy_file(path_, aside(), std::filesystem::copy_options::overwrite_existing, failed);
        else if (type == std::filesystem::file_type::regular)
            std::filesystem::rename(path_, aside(), failed);
        else
            return false; // a folder, or a link to somewhere else: not ours to move
        if (failed) return false;
    }
    content_ = content::ours;
    return true;
}

} // namespace gigi::inline v1
