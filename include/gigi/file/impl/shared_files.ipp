// gigi/file/impl/shared_files.ipp: what shared_files.hpp declares.
#pragma once

#include "../shared_files.hpp"

#include "../../core/config.hpp"
#include "../../core/offload.hpp"
#include "../../core/uninterrupted.hpp"
#include "../share_code.hpp"

#include <set>
#include <utility>

namespace gigi::inline v1 {

GIGI_INLINE awaitable<hashed_file> hash_file(any_io_executor pool, std::filesystem::path path, hash_progress progress) {
    hashing_state fresh;
    hashed_file hashed = co_await hash_file(std::move(pool), std::move(path), std::move(progress), fresh);
    co_return hashed;
}

GIGI_INLINE awaitable<hashed_file> hash_file(any_io_executor pool, std::filesystem::path path, hash_progress progress, hashing_state &so_far) {
    disk_file file;
    bytes buffer;
    auto const open = [&] {
        file = disk_file::open(path).value();
        auto const status = file.status().value();
        if (so_far.hasher && so_far.status == status) return;
        so_far.hasher.reset();
        so_far.status = status;
    };
    co_await run_on(pool, open);
    auto const map = chunk_map::of(so_far.status.size);
    if (!map.valid()) throw error{errc::invalid_argument, path.string()};
    if (!so_far.hasher) so_far.hasher.emplace(map);
    auto &hasher = *so_far.hasher;
    auto const step = [&] {
        buffer.resize(map.chunk_size);
        std::uint64_t const end = std::min<std::uint64_t>(map.count(), hasher.chunks_done() + (16u << 20) / map.chunk_size);
        for (auto n = hasher.chunks_done(); n < end; ++n) {
            auto const chunk = mutable_bytes{buffer}.first(map.size_of(n));
            if (file.read_at(map.offset(n), chunk).value() != chunk.size()) throw error{errc::file_changed, path.string()};
            hasher.add_chunk(chunk);
        }
    };
    while (hasher.chunks_done() < map.count()) {
        co_await run_on(pool, step);
        if (progress) progress(std::min(map.offset(hasher.chunks_done()), map.size), map.size);
    }
    if (file.status().value() != so_far.status) throw error{errc::file_changed, path.string()};
    hashed_file out;
    out.hashes = std::move(hasher).finish();
    out.status = so_far.status;
    so_far.hasher.reset();
    co_return out;
}

GIGI_INLINE shared_file::shared_file(any_io_executor const &executor, shared_entry e) : entry{std::move(e)}, map{chunk_map::of(entry.size)}, hashed{executor} {
    std::ranges::copy(from_hex(entry.root).value(), root.begin());
}

GIGI_INLINE open_share::open_share(std::shared_ptr<shared_file> of, disk_file file, file_status status)
    : share{std::move(of)}, file_{std::move(file)}, status_{status} {}

GIGI_INLINE std::error_code open_share::read_at(std::uint64_t position, mutable_bytes buffer) const {
    auto const n = file_.read_at(position, buffer);
    if (!n) return n.error();
    auto const now = file_.status();
    if (!now) return now.error();
    return *n == buffer.size() && *now == status_ ? std::error_code{} : make_error_code(errc::file_changed);
}

GIGI_INLINE shared_files::shared_files(any_io_executor executor, any_io_executor pool, std::filesystem::path list_file, std::size_t max_files)
    : executor_{std::move(executor)}, pool_{std::move(pool)}, list_file_{std::move(list_file)}, cache_{cache_folder(list_file_)}, max_files_{max_files}, saved_{executor_} {}

GIGI_INLINE void shared_files::load() {
    stopped_ = false;
    if (list_file_.empty()) return;
    list_ = share_list::load(list_file_);
    std::set<merkle_hash> roots;
    for (auto const &[code, entry] : list_.files()) roots.insert(remember(entry)->root);
    cache_.keep_only(roots);
}

GIGI_INLINE awaitable<shared_entry> shared_files::share(std::filesystem::path path, hash_progress progress) {
    if (list_.files().size() >= max_files_) refuse();
    std::error_code code;
    auto absolute = std::filesystem::absolute(path, code);
    if (!code) absolute = std::filesystem::weakly_canonical(absolute, code);
    if (code) throw error{errc::file_not_found, path.string()};
    hash_progress watched = until_stopped(std::move(progress));
    hashed_file hashed = co_await hash_file(pool_, absolute, std::move(watched));
    shared_entry entry;
    entry.code = share_code::of(hashed.hashes.root, hashed.status.size).to_string();
    entry.path = absolute.string();
    entry.name = path.filename().string();
    entry.size = hashed.status.size;
    entry.modified = hashed.status.modified;
    entry.root = to_hex(hashed.hashes.root);
    auto const hashes = std::make_shared<file_hashes const>(std::move(hashed.hashes));
    co_await keep_hashes(hashes); // before it is shared: where that fails they are removed with the next `load`
    if (list_.files().size() >= max_files_ && !list_.find(entry.code)) refuse();
    auto const before = find(entry.code); // the same content elsewhere, or the same file
    auto const mine = remember(entry);
    mine->before = before;
    mine->hashes = hashes;
    list_.add(entry);
    std::exception_ptr failure;
    try {
        co_await save();
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        take_back(mine);
        co_await asio::this_coro::reset_cancellation_state(); // or the next co_await would throw, cancelled as this may be
        co_await uninterrupted(save_anyway());
        std::rethrow_exception(failure);
    }
    mine->before = nullptr; // it stays
    co_return entry;
}

GIGI_INLINE awaitable<shared_entry> shared_files::unshare(std::string typed) {
    auto const found = find(typed);
    if (!found) throw error{errc::unknown_code, typed};
    shared_entry entry = found->entry;
    list_.remove(entry.code);
    forget(entry.code);
    co_await uninterrupted(save_without(found->root));
    co_return entry;
}

GIGI_INLINE std::shared_ptr<shared_file> shared_files::find(std::string_view typed) const {
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

GIGI_INLINE std::shared_ptr<shared_file> shared_files::find(merkle_hash const &root) const {
    auto const found = by_root_.find(root);
    return found == by_root_.end() ? nullptr : found->second;
}

GIGI_INLINE list_page shared_files::page_after(std::string const &after) const {
    list_page page;
    auto const &all = list_.files();
    auto i = all.upper_bound(after);
    for (; i != all.end() && page.entries.size() < list_page::max_entries; ++i)
        page.entries.push_back({i->first, i->second.name.substr(0, 255), i->second.size});
    page.more = i != all.end();
    return page;
}

GIGI_INLINE awaitable<std::shared_ptr<open_share>> shared_files::open(std::shared_ptr<shared_file> share) {
    std::shared_ptr<open_share> opened = co_await open_unhashed(share);
    if (opened->status().modified == share->entry.modified) co_return opened;
    opened.reset(); // hashing takes long, and many may ask meanwhile: none holds a descriptor
    co_await hash_again(share);
    opened = co_await open_unhashed(share);
    if (opened->status().modified != share->entry.modified) throw error{errc::file_changed, share->entry.path};
    co_return opened;
}

GIGI_INLINE awaitable<std::shared_ptr<open_share>> shared_files::open_unhashed(std::shared_ptr<shared_file> share) {
    std::shared_ptr<open_share> opened;
    auto const work = [&] {
        auto file = disk_file::open(share->entry.path);
        if (!file) throw error{errc::file_changed, share->entry.path};
        auto const status = file->status().value();
        opened = std::make_shared<open_share>(share, std::move(*file), status);
    };
    co_await run_on(pool_, work);
    if (opened->status().size != share->entry.size || opened->status() == share->refused) throw error{errc::file_changed, share->entry.path};
    co_return opened;
}

GIGI_INLINE awaitable<std::shared_ptr<file_hashes const>> shared_files::hashes_of(std::shared_ptr<shared_file> share) {
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

GIGI_INLINE void shared_files::refuse() {
    ++refused_;
    throw error{errc::limit_exceeded, "shared files"};
}

GIGI_INLINE std::shared_ptr<shared_file> shared_files::remember(shared_entry const &entry) {
    auto made = std::make_shared<shared_file>(executor_, entry);
    know(made);
    return made;
}

GIGI_INLINE void shared_files::know(std::shared_ptr<shared_file> const &file) {
    by_code_[file->entry.code] = file;
    by_root_[file->root] = file;
}

GIGI_INLINE void shared_files::take_back(std::shared_ptr<shared_file> const &file) {
    auto const before = std::exchange(file->before, nullptr);
    auto const current = find(file->entry.code);
    if (current == file) {
        list_.remove(file->entry.code);
        forget(file->entry.code);
        if (!before) return;
        list_.add(before->entry);
        know(before);
        return;
    }
    for (auto later = current; later; later = later->before) // shared again since: where that fails, too, this one does not come back
        if (later->before == file) later->before = before;
}

GIGI_INLINE void shared_files::forget(std::string const &code) {
    auto const found = by_code_.find(code);
    if (found == by_code_.end()) return;
    by_root_.erase(found->second->root);
    by_code_.erase(found);
}

GIGI_INLINE std::filesystem::path shared_files::cache_folder(std::filesystem::path list) {
    if (!list.empty()) list += ".hashes";
    return list;
}

GIGI_INLINE awaitable<void> shared_files::keep_hashes(std::shared_ptr<file_hashes const> hashes) {
    if (hashes->map.count() <= 1) co_return; // the root says all
    auto const work = [this, hashes] { cache_.store(*hashes); };
    co_await run_on(pool_, work);
}

GIGI_INLINE awaitable<void> shared_files::load_hashes(std::shared_ptr<shared_file> share) {
    auto const work = [this, share] { return cache_.load(share->root, share->map); };
    std::optional<file_hashes> kept = co_await run_on(pool_, work);
    if (kept && !share->hashes) share->hashes = std::make_shared<file_hashes const>(std::move(*kept));
}

GIGI_INLINE awaitable<void> shared_files::hash_again(std::shared_ptr<shared_file> share) {
    while (share->hashing) {
        co_await share->hashed.wait();
        if (share->hashing) continue;
        if (!share->unhashed) co_return;
        if (share->unhashed != condition::cancelled) throw error{share->unhashed, share->entry.path};
    } // who hashed it has gone: it is for the next to go on
    share->hashing = true;
    std::exception_ptr failure; // no guard: where a program just ends, this may be destroyed after what it refers to
    try {
        co_await hash_once(share);
    } catch (...) {
        failure = std::current_exception();
    }
    share->unhashed = share->hashes ? std::error_code{} : code_of(failure);
    share->hashing = false;
    share->hashed.notify_all();
    if (failure) std::rethrow_exception(failure);
}

GIGI_INLINE awaitable<void> shared_files::hash_once(std::shared_ptr<shared_file> share) {
    share->hashes = nullptr;
    hash_progress watched = until_stopped(hash_progress{});
    hashed_file now = co_await hash_file(pool_, share->entry.path, std::move(watched), share->so_far);
    if (now.hashes.root != share->root || now.status.size != share->entry.size) {
        share->refused = now.status;
        throw error{errc::file_changed, share->entry.path};
    }
    share->hashes = std::make_shared<file_hashes const>(std::move(now.hashes));
    bool const touched = share->entry.modified != now.status.modified; // but still the same
    share->entry.modified = now.status.modified;
    co_await keep_hashes(share->hashes);
    if (touched && find(share->entry.code) == share) {
        list_.add(share->entry);
        co_await save();
    }
}

GIGI_INLINE std::error_code shared_files::code_of(std::exception_ptr const &failure) {
    try {
        if (failure) std::rethrow_exception(failure);
    } catch (std::system_error const &e) {
        return e.code();
    } catch (...) {
        return make_error_code(errc::io_error);
    }
    return {};
}

GIGI_INLINE hash_progress shared_files::until_stopped(hash_progress progress) const {
    return [this, progress = std::move(progress)](std::uint64_t done, std::uint64_t total) {
        if (stopped_) throw error{make_error_code(errc::stopped)};
        if (progress) progress(done, total);
    };
}

GIGI_INLINE awaitable<void> shared_files::save_anyway() {
    try {
        co_await save();
    } catch (std::system_error const &) { // the old list is there still
    }
}

GIGI_INLINE awaitable<void> shared_files::save_without(merkle_hash root) {
    co_await save();
    if (find(root)) co_return; // shared again meanwhile
    auto const work = [this, root] { cache_.remove(root); };
    co_await run_on(pool_, work);
}

GIGI_INLINE awaitable<void> shared_files::save() {
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

} // namespace gigi::inline v1
