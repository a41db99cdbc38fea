// gigi/file/share_list.hpp: the list of what this node shares, in a JSON file that a person can read.
//
// Layer: file. Saved in one step; a damaged file is reported and never overwritten (T30 of docs/attacks.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace gigi::inline v1 {

/// A file that is shared, as it was when it was hashed.
struct shared_entry {
    std::string code;          ///< what names it
    std::string path;          ///< absolute
    std::string name;          ///< what peers are told
    std::uint64_t size = 0;    ///< in bytes
    std::int64_t modified = 0; ///< nanoseconds since 1970, as the file system says
    std::string root;          ///< of its hash tree, hexadecimal
    bool operator==(shared_entry const &) const = default;
};

/// The shared files by code.
class share_list {
  public:
    static constexpr std::size_t max_file_size = std::size_t{256} << 20;

    /// Reads a list; one that does not exist is empty.
    /// @throws error with `errc::bad_share_list` and what is wrong with it, or that it cannot be read
    static share_list load(std::filesystem::path const &path);

    /// Replaces the file in one step. @throws error: `errc::disk_full`, `errc::io_error`
    void save(std::filesystem::path const &path) const;
    void add(shared_entry file);
    bool remove(std::string const &code) { return files_.erase(code) > 0; }
    /// The entry of a code, as `share_code::to_string` writes it; null where there is none.
    shared_entry const *find(std::string const &code) const;
    /// The entries in the order of their codes.
    std::map<std::string, shared_entry> const &files() const noexcept { return files_; }

  private:
    struct document;
    struct just_version;

    bool acceptable(shared_entry const &file) const;

    std::map<std::string, shared_entry> files_;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/share_list.ipp"
#endif
