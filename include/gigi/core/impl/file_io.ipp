// gigi/core/impl/file_io.ipp: what file_io.hpp declares.
#pragma once

#include "../file_io.hpp"

#include "../config.hpp"
#include "../error.hpp"
#include "file_io_windows.ipp"

#ifndef _WIN32
#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#endif

namespace gigi::inline v1 {

#ifndef _WIN32
namespace detail {

inline int process_id() noexcept { return ::getpid(); }

} // namespace detail

GIGI_INLINE std::error_code file_error(int code) noexcept {
    switch (code) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return make_error_code(errc::disk_full);
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case EACCES:
    case ELOOP:
    case ENAMETOOLONG:
    case ENXIO: return make_error_code(errc::file_not_found);
    default: return make_error_code(errc::io_error);
    }
}

GIGI_INLINE result<disk_file> disk_file::open(std::filesystem::path const &path) {
    disk_file file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (!file) return file_error(errno);
    auto const now = file.status();
    if (!now) return now.error();
    if (!now->regular) return errc::file_not_found;
    return file;
}

GIGI_INLINE result<file_status> disk_file::status() const {
    struct stat raw {};
    if (::fstat(native_, &raw) != 0) return file_error(errno);
    return file_status{static_cast<std::uint64_t>(raw.st_size),
                       std::int64_t{raw.st_mtim.tv_sec} * 1'000'000'000 + raw.st_mtim.tv_nsec, S_ISREG(raw.st_mode)};
}

GIGI_INLINE result<std::size_t> disk_file::read_at(std::uint64_t position, mutable_bytes buffer) const {
    std::size_t done = 0;
    while (done < buffer.size()) {
        auto const n = ::pread(native_, buffer.data() + done, buffer.size() - done, static_cast<off_t>(position + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return file_error(errno);
        if (n == 0) break;
        done += static_cast<std::size_t>(n);
    }
    return done;
}

GIGI_INLINE std::error_code disk_file::write_at(std::uint64_t position, bytes_view data) const {
    while (!data.empty()) {
        auto const n = ::pwrite(native_, data.data(), data.size(), static_cast<off_t>(position));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return file_error(errno);
        data = data.subspan(static_cast<std::size_t>(n));
        position += static_cast<std::size_t>(n);
    }
    return {};
}

GIGI_INLINE std::error_code disk_file::resize(std::uint64_t size) const {
    return ::ftruncate(native_, static_cast<off_t>(size)) == 0 ? std::error_code{} : file_error(errno);
}

#ifdef SYNC_FILE_RANGE_WRITE
GIGI_INLINE void disk_file::begin_sync(std::uint64_t position, std::uint64_t size) const noexcept {
    ::sync_file_range(native_, static_cast<off_t>(position), static_cast<off_t>(size), SYNC_FILE_RANGE_WRITE);
}

GIGI_INLINE std::error_code disk_file::end_sync(std::uint64_t position, std::uint64_t size) const {
    constexpr unsigned all = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    int const failed = ::sync_file_range(native_, static_cast<off_t>(position), static_cast<off_t>(size), all) == 0 ? 0 : errno;
    if (failed == EIO || failed == ENOSPC || failed == EDQUOT) return file_error(failed); // otherwise this file system has no such thing
    ::posix_fadvise(native_, static_cast<off_t>(position), static_cast<off_t>(size), POSIX_FADV_DONTNEED);
    return {};
}
#else
GIGI_INLINE void disk_file::begin_sync(std::uint64_t, std::uint64_t) const noexcept {}
GIGI_INLINE std::error_code disk_file::end_sync(std::uint64_t, std::uint64_t) const { return {}; }
#endif

GIGI_INLINE std::error_code disk_file::sync() const { return ::fsync(native_) == 0 ? std::error_code{} : file_error(errno); }

GIGI_INLINE bool disk_file::try_lock() const { return ::flock(native_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK; }

GIGI_INLINE void disk_file::close() noexcept {
    if (native_ >= 0) ::close(std::exchange(native_, -1));
}

GIGI_INLINE result<disk_folder> disk_folder::open(std::filesystem::path const &path) {
    std::error_code code;
    std::filesystem::create_directories(path, code);
    disk_folder directory;
    directory.handle_ = disk_file{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!directory.handle_) return file_error(errno);
    return directory;
}

GIGI_INLINE result<disk_file> disk_folder::open_file(std::string const &name, opening how) const {
    int const flags = how == opening::existing ? 0 : how == opening::either ? O_CREAT : O_CREAT | O_EXCL;
    ::mode_t const mode = how == opening::created_for_owner ? 0600 : 0666; // chmod afterwards would be too late: others may hold it open by then
    disk_file file{::openat(handle_.native(), name.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags, mode)};
    if (!file) return file_error(errno);
    struct stat raw {};
    if (::fstat(file.native(), &raw) != 0) return file_error(errno);
    if (!S_ISREG(raw.st_mode) || raw.st_nlink != 1) return errc::file_not_found;
    return file;
}

GIGI_INLINE bool disk_folder::leads_to(std::string const &name, disk_file const &file) const {
    struct stat there {}, here {};
    return ::fstatat(handle_.native(), name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 && ::fstat(file.native(), &here) == 0 &&
           there.st_dev == here.st_dev && there.st_ino == here.st_ino;
}

GIGI_INLINE bool disk_folder::contains(std::string const &name) const {
    struct stat raw {};
    return ::fstatat(handle_.native(), name.c_str(), &raw, AT_SYMLINK_NOFOLLOW) == 0;
}

GIGI_INLINE std::error_code disk_folder::rename_new(std::string const &from, std::string const &to) const {
#ifdef RENAME_NOREPLACE
    if (::renameat2(handle_.native(), from.c_str(), handle_.native(), to.c_str(), RENAME_NOREPLACE) == 0) return {};
    if (errno == EEXIST) return std::make_error_code(std::errc::file_exists);
    if (errno != EINVAL && errno != ENOSYS) return file_error(errno);
#endif
    // Also never onto another: a second link fails where the name is taken.
    if (::linkat(handle_.native(), from.c_str(), handle_.native(), to.c_str(), 0) == 0) return remove(from);
    if (errno == EEXIST) return std::make_error_code(std::errc::file_exists);
    if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS) return file_error(errno);
    // A file system without links (FAT): take the name first, then replace our own empty file.
    auto const taken = open_file(to, opening::created);
    if (!taken) return contains(to) ? std::make_error_code(std::errc::file_exists) : taken.error();
    return replace(from, to);
}

GIGI_INLINE std::error_code disk_folder::replace(std::string const &from, std::string const &to) const {
    return ::renameat(handle_.native(), from.c_str(), handle_.native(), to.c_str()) == 0 ? std::error_code{} : file_error(errno);
}

GIGI_INLINE std::error_code disk_folder::remove(std::string const &name) const {
    return ::unlinkat(handle_.native(), name.c_str(), 0) == 0 ? std::error_code{} : file_error(errno);
}

GIGI_INLINE std::error_code disk_folder::sync() const {
    if (handle_.sync() && errno != EINVAL) return make_error_code(errc::io_error); // EINVAL: not a thing here
    return {};
}

GIGI_INLINE result<std::uint64_t> disk_folder::free_space() const {
    struct statvfs raw {};
    if (::fstatvfs(handle_.native(), &raw) != 0) return file_error(errno);
    return std::uint64_t{raw.f_bavail} * raw.f_frsize;
}
#endif

GIGI_INLINE disk_file &disk_file::operator=(disk_file &&other) noexcept {
    if (this != &other) {
        close();
        native_ = std::exchange(other.native_, -1);
    }
    return *this;
}

GIGI_INLINE error folder_error(std::error_code why, std::filesystem::path const &folder) {
    if (why != errc::file_not_found) return error{why, folder.string()};
    return error{errc::io_error, folder.string() + " (it must be a folder in which this user may make files)"};
}

GIGI_INLINE result<bytes> read_file(std::filesystem::path const &path, std::size_t max_size) {
    auto const file = disk_file::open(path);
    if (!file) return file.error();
    auto const status = file->status();
    if (!status) return status.error();
    if (status->size > max_size) return errc::message_too_large;
    bytes content(static_cast<std::size_t>(status->size) + 1); // one more shows whether it has grown since
    auto const n = file->read_at(0, content);
    if (!n) return n.error();
    if (*n > max_size) return errc::message_too_large;
    content.resize(*n);
    return content;
}

GIGI_INLINE std::error_code replace_file(std::filesystem::path const &path, bytes_view content, bool owner_only) {
    auto const folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
    auto const directory = disk_folder::open(folder);
    if (!directory) return directory.error();
    std::string const target = path.filename().string();
    std::string const temporary = "." + target + "." + std::to_string(detail::process_id()) + ".tmp";
    if (directory->contains(temporary)) directory->remove(temporary); // of a process that died
    auto const file = directory->open_file(temporary, owner_only ? disk_folder::opening::created_for_owner : disk_folder::opening::created);
    if (!file) return file.error();
    auto code = file->write_at(0, content);
    if (!code) code = file->sync();
    if (!code) code = directory->replace(temporary, target);
    if (code) {
        directory->remove(temporary);
        return code;
    }
    return directory->sync();
}

} // namespace gigi::inline v1
