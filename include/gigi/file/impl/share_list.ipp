// gigi/file/impl/share_list.ipp: what share_list.hpp declares.
#pragma once

#include "../share_list.hpp"

#include "../../codec/json.hpp"
#include "../../core/config.hpp"
#include "../share_code.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

template <class Archive> void serialize(Archive &archive, shared_entry &file) {
    archive(cereal::make_nvp("code", file.code), cereal::make_nvp("path", file.path), cereal::make_nvp("name", file.name),
            cereal::make_nvp("size", file.size), cereal::make_nvp("modified", file.modified), cereal::make_nvp("root", file.root));
}

struct share_list::document {
    std::uint32_t version = 1;
    std::vector<shared_entry> files;
    template <class Archive> void serialize(Archive &archive) { archive(CEREAL_NVP(version), CEREAL_NVP(files)); }
};

struct share_list::just_version {
    std::uint32_t version = 0;
    template <class Archive> void serialize(Archive &archive) { archive(CEREAL_NVP(version)); }
};

GIGI_INLINE share_list share_list::load(std::filesystem::path const &path) {
    share_list list;
    std::error_code ignored;
    // Where it is not known whether there is one, there may be: it is not to be replaced.
    if (std::filesystem::symlink_status(path, ignored).type() == std::filesystem::file_type::not_found) return list;
    auto const bad = [&path](std::string const &why) { return error{errc::bad_share_list, path.string() + " (" + why + ")"}; };
    auto const written = load_json<just_version>(path, max_file_size);
    if (!written && written.error() != errc::invalid_argument) throw bad("it cannot be read: see who may read it and its folder");
    if (written && written->version > 1) throw bad("a newer gigi wrote it, as version " + std::to_string(written->version) + ": use that one, or name another file");
    auto const read = load_json<document>(path, max_file_size);
    if (!read || read->version != 1) throw bad("it is damaged: restore it, or remove it to begin anew");
    for (auto const &file : read->files) {
        if (!list.acceptable(file)) throw bad("the entry of " + file.code + " is damaged: restore it, or remove it to begin anew");
        list.files_.emplace(file.code, file);
    }
    return list;
}

GIGI_INLINE void share_list::save(std::filesystem::path const &path) const {
    document all;
    for (auto const &[code, file] : files_) all.files.push_back(file);
    auto const code = save_json(path, all);
    if (code == errc::file_not_found) throw folder_error(code, path.parent_path());
    if (code) throw error{code, path.string()};
}

GIGI_INLINE void share_list::add(shared_entry file) {
    auto code = file.code;
    files_.insert_or_assign(std::move(code), std::move(file));
}

GIGI_INLINE shared_entry const *share_list::find(std::string const &code) const {
    auto const found = files_.find(code);
    return found == files_.end() ? nullptr : &found->second;
}

GIGI_INLINE bool share_list::acceptable(shared_entry const &file) const {
    auto const code = share_code::parse(file.code);
    auto const root = from_hex(file.root);
    if (!code || code->to_string() != file.code || code->is_root() || !root || root->size() != 32) return false;
    merkle_hash hash;
    std::ranges::copy(*root, hash.begin());
    return code->names(hash, file.size) && std::filesystem::path{file.path}.is_absolute() && !files_.contains(file.code);
}

} // namespace gigi::inline v1
