// gigi/core/impl/file_io_windows.ipp: what file_io.hpp declares, by the calls of Windows.
//
// Layer: core. A file is a descriptor of the C library around a handle. Every file is shared for reading, writing and renaming,
// as files are elsewhere; a folder that is open cannot be renamed or removed, so names in it are found by its path.
#pragma once

#include "../file_io.hpp"

#include "../config.hpp"
#include "../error.hpp"
#include "windows.hpp"

#ifdef _WIN32
#include <algorithm>
#include <cstdint>

#include <fcntl.h>
#include <io.h>
#include <process.h>
#include <winioctl.h>

namespace gigi::inline v1 {

namespace detail {

inline HANDLE handle_of(disk_file const &file) noexcept {
    return file ? reinterpret_cast<HANDLE>(::_get_osfhandle(file.native())) : INVALID_HANDLE_VALUE;
}

inline std::error_code last_file_error() noexcept { return file_error(static_cast<int>(::GetLastError())); }

inline result<disk_file> open_handle(std::filesystem::path const &path, DWORD access, DWORD shared, DWORD how, DWORD flags) {
    HANDLE const opened = ::CreateFileW(path.c_str(), access, shared, nullptr, how, flags, nullptr);
    if (opened == INVALID_HANDLE_VALUE) return last_file_error();
    int const native = ::_open_osfhandle(reinterpret_cast<std::intptr_t>(opened), _O_BINARY);
    if (native < 0) {
        ::CloseHandle(opened);
        return errc::io_error;
    }
    return disk_file{native};
}

inline constexpr DWORD share_all = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;

/// What `information` says of an ordinary file: no folder, link, pipe or device.
inline bool is_ordinary(HANDLE file, BY_HANDLE_FILE_INFORMATION const &information) noexcept {
    return ::GetFileType(file) == FILE_TYPE_DISK &&
           (information.dwFileAttributes & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT)) == 0;
}

inline OVERLAPPED at_position(std::uint64_t position) noexcept {
    OVERLAPPED where{};
    where.Offset = static_cast<DWORD>(position);
    where.OffsetHigh = static_cast<DWORD>(position >> 32);
    return where;
}

inline DWORD piece_of(std::size_t size) noexcept { return static_cast<DWORD>(std::min<std::size_t>(size, 1u << 30)); }

inline int process_id() noexcept { return ::_getpid(); }

} // namespace detail

GIGI_INLINE std::error_code file_error(int code) noexcept {
    switch (code) {
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL:
    case ERROR_DISK_QUOTA_EXCEEDED:
    case ERROR_FILE_TOO_LARGE: return make_error_code(errc::disk_full);
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
    case ERROR_DIRECTORY:
    case ERROR_ACCESS_DENIED:
    case ERROR_INVALID_NAME:
    case ERROR_BAD_PATHNAME:
    case ERROR_CANT_RESOLVE_FILENAME:
    case ERROR_FILENAME_EXCED_RANGE: return make_error_code(errc::file_not_found);
    default: return make_error_code(errc::io_error);
    }
}

GIGI_INLINE result<disk_file> disk_file::open(std::filesystem::path const &path) {
    auto file = detail::open_handle(path, GENERIC_READ, detail::share_all, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL);
    if (!file) return file.error();
    auto const now = file->status();
    if (!now) return now.error();
    if (!now->regular) return errc::file_not_found;
    return file;
}

GIGI_INLINE result<file_status> disk_file::status() const {
    HANDLE const file = detail::handle_of(*this);
    BY_HANDLE_FILE_INFORMATION raw{};
    if (!::GetFileInformationByHandle(file, &raw)) return detail::last_file_error();
    std::uint64_t const ticks = (std::uint64_t{raw.ftLastWriteTime.dwHighDateTime} << 32) | raw.ftLastWriteTime.dwLowDateTime;
    std::int64_t const since_1970 = static_cast<std::int64_t>(ticks) - 116'444'736'000'000'000; // from 1601, of 100 ns each
    return file_status{(std::uint64_t{raw.nFileSizeHigh} << 32) | raw.nFileSizeLow, since_1970 * 100, detail::is_ordinary(file, raw)};
}

GIGI_INLINE result<std::size_t> disk_file::read_at(std::uint64_t position, mutable_bytes buffer) const {
    std::size_t done = 0;
    while (done < buffer.size()) {
        OVERLAPPED where = detail::at_position(position + done);
        DWORD n = 0;
        if (!::ReadFile(detail::handle_of(*this), buffer.data() + done, detail::piece_of(buffer.size() - done), &n, &where)) {
            if (::GetLastError() == ERROR_HANDLE_EOF) break;
            return detail::last_file_error();
        }
        if (n == 0) break;
        done += n;
    }
    return done;
}

GIGI_INLINE std::error_code disk_file::write_at(std::uint64_t position, bytes_view data) const {
    while (!data.empty()) {
        OVERLAPPED where = detail::at_position(position);
        DWORD n = 0;
        if (!::WriteFile(detail::handle_of(*this), data.data(), detail::piece_of(data.size()), &n, &where)) return detail::last_file_error();
        data = data.subspan(n);
        position += n;
    }
    return {};
}

GIGI_INLINE std::error_code disk_file::resize(std::uint64_t size) const {
    HANDLE const file = detail::handle_of(*this);
    DWORD unused = 0; // a file system that has no sparse files fills it with zeros
    ::DeviceIoControl(file, FSCTL_SET_SPARSE, nullptr, 0, nullptr, 0, &unused, nullptr);
    FILE_END_OF_FILE_INFO end{};
    end.EndOfFile.QuadPart = static_cast<LONGLONG>(size);
    return ::SetFileInformationByHandle(file, FileEndOfFileInfo, &end, sizeof end) ? std::error_code{} : detail::last_file_error();
}

GIGI_INLINE void disk_file::begin_sync(std::uint64_t, std::uint64_t) const noexcept {}
GIGI_INLINE std::error_code disk_file::end_sync(std::uint64_t, std::uint64_t) const { return {}; }

GIGI_INLINE std::error_code disk_file::sync() const {
    return ::FlushFileBuffers(detail::handle_of(*this)) ? std::error_code{} : detail::last_file_error();
}

GIGI_INLINE bool disk_file::try_lock() const {
    OVERLAPPED where = detail::at_position(std::uint64_t{1} << 62); // what is locked cannot be read by others: a byte that is not there
    return ::LockFileEx(detail::handle_of(*this), LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &where);
}

GIGI_INLINE void disk_file::close() noexcept {
    if (native_ >= 0) ::_close(std::exchange(native_, -1));
}

GIGI_INLINE std::filesystem::path disk_folder::at(std::string const &name) const {
    return path_ / std::filesystem::path{std::u8string{name.begin(), name.end()}};
}

GIGI_INLINE result<disk_folder> disk_folder::open(std::filesystem::path const &path) {
    std::error_code code;
    std::filesystem::create_directories(path, code);
    auto opened = detail::open_handle(path, FILE_LIST_DIRECTORY, FILE_SHARE_READ | FILE_SHARE_WRITE, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS);
    if (!opened) return opened.error();
    HANDLE const handle = detail::handle_of(*opened);
    BY_HANDLE_FILE_INFORMATION raw{};
    if (!::GetFileInformationByHandle(handle, &raw)) return detail::last_file_error();
    if ((raw.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) == 0) return errc::file_not_found;
    std::wstring whole(32'768, L'\0'); // what a path has at most
    DWORD const size = ::GetFinalPathNameByHandleW(handle, whole.data(), static_cast<DWORD>(whole.size()), FILE_NAME_NORMALIZED);
    if (size == 0 || size >= whole.size()) return detail::last_file_error();
    whole.resize(size);
    disk_folder directory;
    directory.handle_ = std::move(*opened);
    directory.path_ = std::move(whole);
    return directory;
}

GIGI_INLINE result<disk_file> disk_folder::open_file(std::string const &name, opening how) const {
    // The rights of the folder are those of its files here; a user's profile is private.
    DWORD const disposition = how == opening::existing ? OPEN_EXISTING : how == opening::either ? OPEN_ALWAYS : CREATE_NEW;
    auto file = detail::open_handle(at(name), GENERIC_READ | GENERIC_WRITE, detail::share_all, disposition, FILE_FLAG_OPEN_REPARSE_POINT);
    if (!file) return file.error();
    HANDLE const handle = detail::handle_of(*file);
    BY_HANDLE_FILE_INFORMATION raw{};
    if (!::GetFileInformationByHandle(handle, &raw)) return detail::last_file_error();
    if (!detail::is_ordinary(handle, raw) || raw.nNumberOfLinks != 1) return errc::file_not_found;
    return file;
}

GIGI_INLINE bool disk_folder::leads_to(std::string const &name, disk_file const &file) const {
    auto const other = detail::open_handle(at(name), 0, detail::share_all, OPEN_EXISTING, FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS);
    BY_HANDLE_FILE_INFORMATION there{}, here{};
    // Both are of the folder's volume; Wine does not know that of a file which was renamed while it was open.
    return other && ::GetFileInformationByHandle(detail::handle_of(*other), &there) &&
           ::GetFileInformationByHandle(detail::handle_of(file), &here) &&
           there.nFileIndexHigh == here.nFileIndexHigh && there.nFileIndexLow == here.nFileIndexLow;
}

GIGI_INLINE bool disk_folder::contains(std::string const &name) const {
    return ::GetFileAttributesW(at(name).c_str()) != INVALID_FILE_ATTRIBUTES;
}

GIGI_INLINE std::error_code disk_folder::rename_new(std::string const &from, std::string const &to) const {
    if (::MoveFileExW(at(from).c_str(), at(to).c_str(), MOVEFILE_WRITE_THROUGH)) return {};
    DWORD const code = ::GetLastError();
    if (code == ERROR_ALREADY_EXISTS || code == ERROR_FILE_EXISTS) return std::make_error_code(std::errc::file_exists);
    return file_error(static_cast<int>(code));
}

GIGI_INLINE std::error_code disk_folder::replace(std::string const &from, std::string const &to) const {
    bool const done = ::MoveFileExW(at(from).c_str(), at(to).c_str(), MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH);
    return done ? std::error_code{} : detail::last_file_error();
}

GIGI_INLINE std::error_code disk_folder::remove(std::string const &name) const {
    return ::DeleteFileW(at(name).c_str()) ? std::error_code{} : detail::last_file_error();
}

GIGI_INLINE std::error_code disk_folder::sync() const { return {}; } // renames are written through

GIGI_INLINE result<std::uint64_t> disk_folder::free_space() const {
    ULARGE_INTEGER free{};
    if (!::GetDiskFreeSpaceExW(path_.c_str(), &free, nullptr, nullptr)) return detail::last_file_error();
    return free.QuadPart;
}

} // namespace gigi::inline v1

#endif
