// gigi/file/shared_files.hpp: the files that this node shares: hashes them, keeps their list, opens them for peers.
//
// Layer: file. Disk work and hashing run on the offload pool; the rest on the node's strand. A file that is no longer what it
// was when it was shared is never served: its size and time are looked at whenever it is opened and after every read, and a
// changed time alone means that it is hashed again.
#pragma once

#include "../core/asio.hpp"
#include "../core/condition.hpp"
#include "../core/error.hpp"
#include "../core/file_io.hpp"
#include "hash_cache.hpp"
#include "messages.hpp"
#include "share_list.hpp"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

namespace gigi::inline v1 {

/// Called with the bytes that have been hashed, and the file's size.
using hash_progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

/// A file's hashes, and what the file was like.
struct hashed_file {
    file_hashes hashes;
    file_status status;
};

/// Hashes a file on the pool, from front to back, some 16 MiB at a time.
/// @throws error: `errc::file_not_found`, `errc::file_changed` (while it was read), `errc::invalid_argument` (above 16 TiB), `errc::io_error`
/// @par Cancellation Stops within milliseconds.
[[nodiscard]] awaitable<hashed_file> hash_file(any_io_executor pool, std::filesystem::path path, hash_progress progress);

/// What has been hashed of a file where that was interrupted.
struct hashing_state {
    file_status status; ///< what the file was like
    std::optional<file_hasher> hasher;
};

/// The same, from where an earlier attempt was interrupted, unless the file has changed since.
/// @par Lifetime `so_far` must live until this returns; after a cancellation it has what was hashed.
[[nodiscard]] awaitable<hashed_file> hash_file(any_io_executor pool, std::filesystem::path path, hash_progress progress, hashing_state &so_far);

/// One shared file, as long as somebody serves it.
class shared_file {
  public:
    shared_file(any_io_executor const &executor, shared_entry e);

    shared_entry entry;
    merkle_hash root{};
    chunk_map map;
    std::shared_ptr<shared_file> before;         ///< what this one replaced, until the list is saved with it
    std::shared_ptr<file_hashes const> hashes;   ///< once they have been needed
    std::optional<file_status> refused;          ///< what the file was like when its content turned out to be another
    bool hashing = false;
    async_condition hashed;                      ///< or no longer being hashed
    std::error_code unhashed;                    ///< why it was not, the last time
    hashing_state so_far;                        ///< who asked may leave, and ask again: large files take longer than anybody waits
};

/// An open shared file. `read_at` may be called on any thread.
class open_share {
  public:
    open_share(std::shared_ptr<shared_file> of, disk_file file, file_status status);

    /// Fills the buffer. @return `errc::file_changed` where the file is no longer what it was when it was opened
    std::error_code read_at(std::uint64_t position, mutable_bytes buffer) const;

    file_status const &status() const noexcept { return status_; } ///< when it was opened

    std::shared_ptr<shared_file> const share;

  private:
    disk_file file_;
    file_status status_;
};

/// Everything that is shared. Use it on the node's strand.
class shared_files {
  public:
    /// @param pool where disk work and hashing run
    /// @param list_file the JSON list; empty: shares last as long as this. Chunk hashes are kept in the folder `<list_file>.hashes`
    shared_files(any_io_executor executor, any_io_executor pool, std::filesystem::path list_file, std::size_t max_files);

    /// Reads the list. @throws as `share_list::load`; the file is never overwritten then
    void load();

    /// What is being hashed fails with `errc::stopped` soon, until `load()`.
    void stop() noexcept { stopped_ = true; }

    /// Hashes a file and shares it.
    /// @throws error as `hash_file`; `errc::limit_exceeded`; `errc::disk_full`, `errc::io_error` where the list cannot be saved (the file is not shared then)
    /// @par Cancellation The file is not shared.
    [[nodiscard]] awaitable<shared_entry> share(std::filesystem::path path, hash_progress progress);

    /// Shares a file no longer. Uploads that are under way end at their next request.
    /// @return the entry that was removed
    /// @throws error: `errc::unknown_code`; `errc::disk_full`, `errc::io_error` where the list cannot be saved: it is not shared any
    ///   more even so, but will be after a restart, unless a later save of the list succeeds
    /// @par Cancellation Once it has begun, it goes on to its end.
    [[nodiscard]] awaitable<shared_entry> unshare(std::string typed);

    /// The file of a code or a whole root, as a person or a peer wrote it; null where there is none.
    std::shared_ptr<shared_file> find(std::string_view typed) const;
    std::shared_ptr<shared_file> find(merkle_hash const &root) const;

    std::map<std::string, shared_entry> const &entries() const noexcept { return list_.files(); }

    std::uint64_t refused() const noexcept { return refused_; } ///< files that there was no room for

    /// A page of what is shared, after a code.
    list_page page_after(std::string const &after) const;

    /// Opens a shared file for reading, sure that it is still what was shared.
    /// @throws error: `errc::file_changed`, `errc::io_error`
    [[nodiscard]] awaitable<std::shared_ptr<open_share>> open(std::shared_ptr<shared_file> share);

    /// The hashes of a shared file's chunks; they are computed where they have not been kept since it was shared.
    /// @throws error: `errc::file_changed`, `errc::io_error`
    [[nodiscard]] awaitable<std::shared_ptr<file_hashes const>> hashes_of(std::shared_ptr<shared_file> share);

  private:
    [[noreturn]] void refuse();
    awaitable<std::shared_ptr<open_share>> open_unhashed(std::shared_ptr<shared_file> share);
    std::shared_ptr<shared_file> remember(shared_entry const &entry);
    void know(std::shared_ptr<shared_file> const &file);
    /// Undoes a share that could not be saved, as far as it is still there: others may have shared the same, or unshared it, since.
    void take_back(std::shared_ptr<shared_file> const &file);
    void forget(std::string const &code);
    static std::filesystem::path cache_folder(std::filesystem::path list);
    awaitable<void> keep_hashes(std::shared_ptr<file_hashes const> hashes);
    awaitable<void> load_hashes(std::shared_ptr<shared_file> share);

    /// Hashes a file whose hashes are unknown or whose time has changed; one at a time for each file.
    awaitable<void> hash_again(std::shared_ptr<shared_file> share);
    awaitable<void> hash_once(std::shared_ptr<shared_file> share);
    static std::error_code code_of(std::exception_ptr const &failure);
    /// The same, and throws `errc::stopped` after `stop()`.
    hash_progress until_stopped(hash_progress progress) const;
    awaitable<void> save();
    /// Saves the list again after a share that was taken back: its own save, or another one's, may have succeeded with it.
    awaitable<void> save_anyway();
    /// Saves the list after a file was taken from it, and removes the file's hashes.
    awaitable<void> save_without(merkle_hash root);

    any_io_executor executor_;
    any_io_executor pool_;
    std::filesystem::path list_file_;
    hash_cache const cache_;
    std::size_t max_files_;
    std::uint64_t refused_ = 0;
    share_list list_;
    std::map<std::string, std::shared_ptr<shared_file>> by_code_;
    std::map<merkle_hash, std::shared_ptr<shared_file>> by_root_;
    bool saving_ = false;
    bool stopped_ = false;
    async_condition saved_;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/shared_files.ipp"
#endif
