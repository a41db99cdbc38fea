// gigi/file/shared_files.hpp: the files that this node shares: hashes them, keeps their list, opens them for peers.
//
// Layer: file. Disk work and hashing run on the offload pool; the rest on the node's strand. A file that is no longer what it
// was when it was shared is never served: its size and time are looked at whenever it is opened and after every read, and a
// changed time alone means that it is hashed again.
#pragma once

#include "../core/asio.hpp"
#include "../core/condition.hpp"
#include "../core/file_io.hpp"
#include "../core/offload.hpp"
#include "hash_cache.hpp"
#include "messages.hpp"
#include "share_list.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

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
[[nodiscard]] inline awaitable<hashed_file> hash_file(any_io_executor pool, std::filesystem::path path, hash_progress progress) {
    struct state {
        disk_file file;
        file_status status;
        std::optional<file_hasher> hasher;
        bytes buffer;
    };
    state s;
    auto const open = [&] {
        s.file = disk_file::open(path).value();
        s.status = s.file.status().value();
    };
    co_await run_on(pool, open);
    auto const map = chunk_map::of(s.status.size);
    if (!map.valid()) throw error{errc::invalid_argument, path.string()};
    s.hasher.emplace(map);
    auto const step = [&] {
        s.buffer.resize(map.chunk_size);
        std::uint64_t const end = std::min<std::uint64_t>(map.count(), s.hasher->chunks_done() + (16u << 20) / map.chunk_size);
        for (auto n = s.hasher->chunks_done(); n < end; ++n) {
            auto const chunk = mutable_bytes{s.buffer}.first(map.size_of(n));
            if (s.file.read_at(map.offset(n), chunk).value() != chunk.size()) throw error{errc::file_changed, path.string()};
            s.hasher->add_chunk(chunk);
        }
    };
    while (s.hasher->chunks_done() < map.count()) {
        co_await run_on(pool, step);
        if (progress) progress(std::min(map.offset(s.hasher->chunks_done()), map.size), map.size);
    }
    if (s.file.status().value() != s.status) throw error{errc::file_changed, path.string()};
    hashed_file out;
    out.hashes = std::move(*s.hasher).finish();
    out.status = s.status;
    co_return out;
}

/// One shared file, as long as somebody serves it.
class shared_file {
  public:
    shared_file(any_io_executor const &executor, shared_entry e) : entry{std::move(e)}, map{chunk_map::of(entry.size)}, hashed{executor} {
        std::ranges::copy(from_hex(entry.root).value(), root.begin());
    }

    shared_entry entry;
    merkle_hash root{};
    chunk_map map;
    std::shared_ptr<file_hashes const> hashes;   ///< once they have been needed
    std::optional<file_status> refused;          ///< what the file was like when its content turned out to be another
    bool hashing = false;
    async_condition hashed;
};

/// An open shared file. `read_at` may be called on any thread.
class open_share {
  public:
    open_share(std::shared_ptr<shared_file> of, disk_file file, file_status status)
        : share{std::move(of)}, file_{std::move(file)}, status_{status} {}

    /// Fills the buffer. @return `errc::file_changed` where the file is no longer what it was when it was opened
    std::error_code read_at(std::uint64_t position, mutable_bytes buffer) const {
        auto const n = file_.read_at(position, buffer);
        if (!n) return n.error();
        auto const now = file_.status();
        if (!now) return now.error();
        return *n == buffer.size() && *now == status_ ? std::error_code{} : make_error_code(errc::file_changed);
    }

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
    shared_files(any_io_executor executor, any_io_executor pool, std::filesystem::path list_file, std::size_t max_files)
        : executor_{std::move(executor)}, pool_{std::move(pool)}, list_file_{std::move(list_file)}, cache_{cache_folder(list_file_)}, max_files_{max_files}, saved_{executor_} {}

    /// Reads the list. @throws as `share_list::load`; the file is never overwritten then
    void load() {
        if (list_file_.empty()) return;
        list_ = share_list::load(list_file_);
        std::set<merkle_hash> roots;
        for (auto const &[code, entry] : list_.files()) roots.insert(remember(entry)->root);
        cache_.keep_only(roots);
    }

    /// Hashes a file and shares it.
    /// @throws error as `hash_file`; `errc::limit_exceeded`; `errc::disk_full`, `errc::io_error` where the list cannot be saved (the file is not shared then)
    /// @par Cancellation The file is not shared.
    [[nodiscard]] awaitable<shared_entry> share(std::filesystem::path path, hash_progress progress) {
        if (list_.files().size() >= max_files_) refuse();
        std::error_code code;
        auto absolute = std::filesystem::absolute(path, code);
        if (!code) absolute = std::filesystem::weakly_canonical(absolute, code);
        if (code) throw error{errc::file_not_found, path.string()};
        hashed_file hashed = co_await hash_file(pool_, absolute, std::move(progress));
        shared_entry entry;
        entry.code = share_code::of(hashed.hashes.root, hashed.status.size).to_string();
        entry.path = absolute.string();
        entry.name = path.filename().string();
        entry.size = hashed.status.size;
        entry.modified = hashed.status.modified;
        entry.root = to_hex(hashed.hashes.root);
        if (list_.files().size() >= max_files_ && !list_.find(entry.code)) refuse();
        auto const previous = list_.find(entry.code) ? std::optional{*list_.find(entry.code)} : std::nullopt; // the same content elsewhere
        list_.add(entry);
        auto const added = remember(entry);
        added->hashes = std::make_shared<file_hashes const>(std::move(hashed.hashes));
        bool saved = false;
        std::exception_ptr failure;
        try {
            co_await save();
            saved = true;
        } catch (...) {
            failure = std::current_exception();
        }
        if (!saved) {
            list_.remove(entry.code);
            forget(entry.code);
            if (previous) {
                list_.add(*previous);
                remember(*previous);
            }
            std::rethrow_exception(failure);
        }
        co_await keep_hashes(added);
        co_return entry;
    }

    /// Shares a file no longer. Uploads that are under way end at their next request.
    /// @return the entry that was removed @throws error: `errc::unknown_code`; `errc::disk_full`, `errc::io_error`
    [[nodiscard]] awaitable<shared_entry> unshare(std::string typed) {
        auto const found = find(typed);
        if (!found) throw error{errc::unknown_code, typed};
        shared_entry entry = found->entry;
        list_.remove(entry.code);
        forget(entry.code);
        co_await save();
        auto const work = [this, root = found->root] { cache_.remove(root); };
        co_await run_on(pool_, work);
        co_return entry;
    }

    /// The file of a code or a whole root, as a person or a peer wrote it; null where there is none.
    std::shared_ptr<shared_file> find(std::string_view typed) const {
        auto const code = share_code::parse(typed);
        if (!code) return nullptr;
        if (!code->is_root()) {
            auto const found = by_code_.find(code->to_string());
            return found == by_code_.end() ? nullptr : found->second;
        }
        merkle_hash root;
        std::ranges::copy(from_hex(code->to_string()).value(), root.begin());
        return find(root);
    }
    std::shared_ptr<shared_file> find(merkle_hash const &root) const {
        auto const found = by_root_.find(root);
        return found == by_root_.end() ? nullptr : found->second;
    }

    std::map<std::string, shared_entry> const &entries() const noexcept { return list_.files(); }

    std::uint64_t refused() const noexcept { return refused_; } ///< files that there was no room for

    /// A page of what is shared, after a code.
    list_page page_after(std::string const &after) const {
        list_page page;
        auto const &all = list_.files();
        auto i = all.upper_bound(after);
        for (; i != all.end() && page.entries.size() < list_page::max_entries; ++i)
            page.entries.push_back({i->first, i->second.name.substr(0, 255), i->second.size});
        page.more = i != all.end();
        return page;
    }

    /// Opens a shared file for reading, sure that it is still what was shared.
    /// @throws error: `errc::file_changed`, `errc::io_error`
    [[nodiscard]] awaitable<std::shared_ptr<open_share>> open(std::shared_ptr<shared_file> share) {
        std::shared_ptr<open_share> opened;
        file_status status;
        auto const work = [&] {
            auto file = disk_file::open(share->entry.path);
            if (!file) throw error{errc::file_changed, share->entry.path};
            status = file->status().value();
            opened = std::make_shared<open_share>(share, std::move(*file), status);
        };
        co_await run_on(pool_, work);
        if (status.size != share->entry.size || status == share->refused) throw error{errc::file_changed, share->entry.path};
        if (status.modified != share->entry.modified) co_await hash_again(share);
        co_return opened;
    }

    /// The hashes of a shared file's chunks; they are computed where they have not been kept since it was shared.
    /// @throws error: `errc::file_changed`, `errc::io_error`
    [[nodiscard]] awaitable<std::shared_ptr<file_hashes const>> hashes_of(std::shared_ptr<shared_file> share) {
        if (!share->hashes && share->map.count() <= 1) {
            auto known = std::make_shared<file_hashes>();
            known->map = share->map;
            known->root = share->root;
            known->chunks.assign(static_cast<std::size_t>(share->map.count()), share->root);
            share->hashes = std::move(known);
        }
        if (!share->hashes) co_await load_hashes(share);
        if (!share->hashes) co_await hash_again(share);
        co_return share->hashes;
    }

  private:
    [[noreturn]] void refuse() {
        ++refused_;
        throw error{errc::limit_exceeded, "shared files"};
    }

    std::shared_ptr<shared_file> remember(shared_entry const &entry) {
        auto made = std::make_shared<shared_file>(executor_, entry);
        by_code_[entry.code] = made;
        by_root_[made->root] = made;
        return made;
    }
    void forget(std::string const &code) {
        auto const found = by_code_.find(code);
        if (found == by_code_.end()) return;
        by_root_.erase(found->second->root);
        by_code_.erase(found);
    }

    static std::filesystem::path cache_folder(std::filesystem::path list) {
        if (!list.empty()) list += ".hashes";
        return list;
    }
    awaitable<void> keep_hashes(std::shared_ptr<shared_file> share) {
        if (share->map.count() <= 1) co_return; // the root says all
        auto const work = [this, hashes = share->hashes] { cache_.store(*hashes); };
        co_await run_on(pool_, work);
    }
    awaitable<void> load_hashes(std::shared_ptr<shared_file> share) {
        auto const work = [this, share] { return cache_.load(share->root, share->map); };
        std::optional<file_hashes> kept = co_await run_on(pool_, work);
        if (kept && !share->hashes) share->hashes = std::make_shared<file_hashes const>(std::move(*kept));
    }

    /// Hashes a file whose hashes are unknown or whose time has changed; one at a time for each file.
    awaitable<void> hash_again(std::shared_ptr<shared_file> share) {
        if (share->hashing) {
            while (share->hashing) co_await share->hashed.wait();
            if (!share->hashes) throw error{errc::file_changed, share->entry.path};
            co_return;
        }
        struct marked {
            shared_file &file;
            explicit marked(shared_file &f) : file{f} { file.hashing = true; }
            ~marked() {
                file.hashing = false;
                file.hashed.notify_all();
            }
        } const mark{*share};
        share->hashes = nullptr;
        hashed_file now = co_await hash_file(pool_, share->entry.path, hash_progress{});
        if (now.hashes.root != share->root || now.status.size != share->entry.size) {
            share->refused = now.status;
            throw error{errc::file_changed, share->entry.path};
        }
        share->hashes = std::make_shared<file_hashes const>(std::move(now.hashes));
        co_await keep_hashes(share);
        if (share->entry.modified == now.status.modified) co_return;
        share->entry.modified = now.status.modified; // touched, but still the same
        if (list_.find(share->entry.code)) {
            list_.add(share->entry);
            co_await save();
        }
    }

    awaitable<void> save() {
        if (list_file_.empty()) co_return;
        while (saving_) co_await saved_.wait();
        struct marked {
            shared_files &owner;
            explicit marked(shared_files &o) : owner{o} { owner.saving_ = true; }
            ~marked() {
                owner.saving_ = false;
                owner.saved_.notify_all();
            }
        } const mark{*this};
        auto const work = [list = list_, path = list_file_] { list.save(path); };
        co_await run_on(pool_, work);
    }

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
    async_condition saved_;
};

} // namespace gigi::inline v1
