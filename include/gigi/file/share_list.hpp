// gigi/file/share_list.hpp: the list of what this node shares, in a JSON file that a person can read.
//
// Layer: file. Saved in one step; a damaged file is reported and never overwritten (THREATS T30).
#pragma once

#include "../codec/json.hpp"
#include "../core/file_io.hpp"
#include "share_code.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

/// A file that is shared, as it was when it was hashed.
struct shared_entry {
    std::string code;          ///< what names it
    std::string path;          ///< absolute
    std::string name;          ///< what peers are told
    std::uint64_t size = 0;    ///< in bytes
    std::int64_t modified = 0; ///< nanoseconds since 1970, as the file system says
    std::string root;          ///< of its hash tree, hexadecimal

    template <class Archive> void serialize(Archive &archive) {
        archive(CEREAL_NVP(code), CEREAL_NVP(path), CEREAL_NVP(name), CEREAL_NVP(size), CEREAL_NVP(modified), CEREAL_NVP(root));
    }
    bool operator==(shared_entry const &) const = default;
};

/// The shared files by code.
class share_list {
  public:
    static constexpr std::size_t max_file_size = std::size_t{256} << 20;

    /// Reads a list; one that does not exist is empty.
    /// @throws error with `errc::bad_share_list` and what is wrong with it, `errc::io_error`
    static share_list load(std::filesystem::path const &path) {
        share_list list;
        std::error_code ignored;
        if (!std::filesystem::exists(std::filesystem::symlink_status(path, ignored))) return list;
        auto const read = load_json<document>(path, max_file_size);
        if (!read) {
            if (read.error() != errc::invalid_argument) throw error{read.error(), path.string()};
            throw error{errc::bad_share_list, path.string()};
        }
        if (read->version != 1) throw error{errc::bad_share_list, path.string() + ": version " + std::to_string(read->version)};
        for (auto const &file : read->files) {
            if (!list.acceptable(file)) throw error{errc::bad_share_list, path.string() + ": the entry of " + file.code};
            list.files_.emplace(file.code, file);
        }
        return list;
    }

    /// Replaces the file in one step. @throws error: `errc::disk_full`, `errc::io_error`
    void save(std::filesystem::path const &path) const {
        document all;
        for (auto const &[code, file] : files_) all.files.push_back(file);
        if (auto const code = save_json(path, all)) throw error{code, path.string()};
    }

    void add(shared_entry file) {
        auto code = file.code;
        files_.insert_or_assign(std::move(code), std::move(file));
    }
    bool remove(std::string const &code) { return files_.erase(code) > 0; }
    /// The entry of a code, as `share_code::to_string` writes it; null where there is none.
    shared_entry const *find(std::string const &code) const {
        auto const found = files_.find(code);
        return found == files_.end() ? nullptr : &found->second;
    }
    /// The entries in the order of their codes.
    std::map<std::string, shared_entry> const &files() const noexcept { return files_; }

  private:
    struct document {
        std::uint32_t version = 1;
        std::vector<shared_entry> files;
        template <class Archive> void serialize(Archive &archive) { archive(CEREAL_NVP(version), CEREAL_NVP(files)); }
    };

    bool acceptable(shared_entry const &file) const {
        auto const code = share_code::parse(file.code);
        auto const root = from_hex(file.root);
        if (!code || code->to_string() != file.code || code->is_root() || !root || root->size() != 32) return false;
        merkle_hash hash;
        std::ranges::copy(*root, hash.begin());
        return code->names(hash, file.size) && std::filesystem::path{file.path}.is_absolute() && !files_.contains(file.code);
    }

    std::map<std::string, shared_entry> files_;
};

} // namespace gigi::inline v1
