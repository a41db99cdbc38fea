// gigi/core/file_io.hpp: files and folders by handle, with errors as codes. The one place that knows the system's file calls.
//
// Layer: core. Blocking: run it on the offload pool (core/offload.hpp), but for files of a few kilobytes.
#pragma once

#include "bytes.hpp"
#include "error.hpp"
#include "result.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

namespace gigi::inline v1 {

/// What `errno` says, or on Windows `GetLastError`, as an `errc`.
std::error_code file_error(int code) noexcept;

/// What tells one version of a file from another.
struct file_status {
    std::uint64_t size = 0;    ///< in bytes
    std::int64_t modified = 0; ///< nanoseconds since 1970
    bool regular = false;      ///< an ordinary file, not a folder, pipe or device
    bool operator==(file_status const &) const = default;
};

/// An open file. Move-only; reads and writes at positions, so that threads can share it.
class disk_file {
  public:
    disk_file() = default;
    explicit disk_file(int native) noexcept : native_{native} {}
    disk_file(disk_file &&other) noexcept : native_{std::exchange(other.native_, -1)} {}
    disk_file &operator=(disk_file &&other) noexcept;
    ~disk_file() { close(); }

    /// Opens a regular file for reading; follows symbolic links.
    /// @return `errc::file_not_found` for anything but a readable regular file, without waiting on a pipe
    static result<disk_file> open(std::filesystem::path const &path);
    result<file_status> status() const;

    /// Fills `buffer` from the position on. @return how many bytes were read: fewer only at the end of the file
    result<std::size_t> read_at(std::uint64_t position, mutable_bytes buffer) const;

    /// Writes all of `data`. @return zero, `errc::disk_full`, `errc::io_error`
    std::error_code write_at(std::uint64_t position, bytes_view data) const;

    /// Cuts off, or makes longer by zeros that take no room.
    std::error_code resize(std::uint64_t size) const;
    /// Lets the system begin to bring these bytes to the disk, so that a later sync has less to wait for. Does nothing where it cannot.
    void begin_sync(std::uint64_t position, std::uint64_t size) const noexcept;
    /// Waits until these bytes have been written, and lets the system use their memory for other things. Not yet as safe as after
    /// `sync()`; does nothing where it cannot. @return as `sync()`, which tells of an error only once
    std::error_code end_sync(std::uint64_t position, std::uint64_t size) const;
    /// Returns when the content is on the disk.
    std::error_code sync() const;
    /// Takes the file for this process alone; false where another one has it. Ends with the handle. True also where a POSIX file
    /// system knows no locks.
    bool try_lock() const;

    explicit operator bool() const noexcept { return native_ >= 0; }
    int native() const noexcept { return native_; }
    void close() noexcept;

  private:
    int native_ = -1;
};

/// An open folder. Names given to it are single path components, and never followed where they are symbolic links, so that
/// nobody can move an operation out of the folder.
class disk_folder {
  public:
    disk_folder() = default;

    /// Opens a folder, and makes it (with those above it) where it is missing.
    static result<disk_folder> open(std::filesystem::path const &path);

    enum class opening {
        existing,    ///< must be there
        created,     ///< must not be there
        created_for_owner, ///< likewise; from the first moment only this user may read it (mode 0600; on Windows the folder's rights hold)
        either,      ///< made where it is missing
    };
    /// Opens a regular file of the folder for reading and writing, with a single link only.
    /// @return `errc::file_not_found` also where it is there but is something else
    result<disk_file> open_file(std::string const &name, opening how) const;
    /// Whether the name, taken now, still leads to this open file of the folder.
    bool leads_to(std::string const &name, disk_file const &file) const;
    /// Whether anything has this name.
    bool contains(std::string const &name) const;

    /// Renames a file of the folder, never onto another: `std::errc::file_exists` where the new name is taken.
    std::error_code rename_new(std::string const &from, std::string const &to) const;
    /// Renames a file of the folder, in place of the one that has the name.
    std::error_code replace(std::string const &from, std::string const &to) const;
    std::error_code remove(std::string const &name) const;
    /// Returns when the names are on the disk.
    std::error_code sync() const;
    /// How many bytes this process can still write.
    result<std::uint64_t> free_space() const;
    explicit operator bool() const noexcept { return static_cast<bool>(handle_); }

  private:
    disk_file handle_;
#ifdef _WIN32
    std::filesystem::path at(std::string const &name) const;
    std::filesystem::path path_; // whole, without links
#endif
};

/// What to throw where files cannot be made in a folder: says so, rather than that something was not found.
error folder_error(std::error_code why, std::filesystem::path const &folder);

/// All of a small file.
/// @return `errc::file_not_found`, `errc::io_error`; `errc::message_too_large` above `max_size` bytes
result<bytes> read_file(std::filesystem::path const &path, std::size_t max_size);

/// Replaces a small file in one step: whatever happens meanwhile, it holds the old content or the new.
/// @param owner_only whether only this user may read it (mode 0600; on Windows the folder's rights hold)
/// @return zero, `errc::disk_full`, `errc::io_error`, `errc::file_not_found` where there is no such folder
std::error_code replace_file(std::filesystem::path const &path, bytes_view content, bool owner_only = false);

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/file_io.ipp"
#endif
