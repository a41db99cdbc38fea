// gigi/file/impl/output_file.ipp: what output_file.hpp declares.
#pragma once

#include "../output_file.hpp"

#include "../../core/config.hpp"
#include "../safe_name.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

namespace gigi::inline v1 {

GIGI_INLINE result<std::unique_ptr<output_file>> output_file::open(std::filesystem::path const &folder, std::string_view name, merkle_hash const &root,
                                                                   chunk_map const &map) {
    auto directory = disk_folder::open(folder);
    if (!directory) return directory.error();
    std::unique_ptr<output_file> file{new output_file{folder, std::move(*directory), safe_file_name(name), {root, map}}};
    for (unsigned n = 0; n < max_names; ++n) {
        auto const opened = file->try_open(numbered_file_name(file->name_, n) + ".part");
        if (!opened) return opened.error();
        if (!*opened) continue;
        if (auto const code = file->make_room()) return code;
        return file;
    }
    return errc::io_error;
}

GIGI_INLINE std::error_code output_file::read_chunk(std::uint64_t chunk, mutable_bytes buffer) const {
    auto const n = part_.read_at(header_.map.offset(chunk), buffer);
    if (!n) return n.error();
    return *n == buffer.size() ? std::error_code{} : make_error_code(errc::io_error);
}

GIGI_INLINE std::error_code output_file::write_chunk(std::uint64_t chunk, bytes_view data) {
    auto const &map = header_.map;
    std::optional<std::uint64_t> oldest;
    {
        std::lock_guard const lock{writing_}; // the system lets one writer at a file: the others would spin
        if (auto const code = part_.write_at(map.offset(chunk), data)) return code;
        auto const record = encode_journal_record(static_cast<std::uint32_t>(chunk));
        if (auto const code = journal_.write_at(std::exchange(journal_end_, journal_end_ + record.size()), record)) return code;
        unsynced_.push_back(chunk);
        if (unsynced_.size() * map.chunk_size > max_unsynced) {
            oldest = unsynced_.front();
            unsynced_.pop_front();
        }
    }
    part_.begin_sync(map.offset(chunk), data.size()); // or the end would have to wait for all of it
    return oldest ? part_.end_sync(map.offset(*oldest), map.size_of(*oldest)) : std::error_code{};
}

GIGI_INLINE result<std::filesystem::path> output_file::finish() {
    if (auto const code = part_.sync()) return code;
    for (unsigned n = 0; n < max_names; ++n) {
        auto const target = numbered_file_name(name_, n);
        auto const code = directory_.rename_new(part_name_, target);
        if (code == std::errc::file_exists) continue;
        if (code) return code;
        if (!directory_.leads_to(target, part_)) return errc::io_error;
        directory_.remove(part_name_ + journal_suffix);
        directory_.sync();
        return folder_ / target;
    }
    return errc::io_error;
}

GIGI_INLINE void output_file::discard() {
    if (!directory_.leads_to(part_name_, part_)) return;
    directory_.remove(part_name_); // first: a part without a journal is nobody's
    directory_.remove(part_name_ + journal_suffix);
}

GIGI_INLINE output_file::output_file(std::filesystem::path folder, disk_folder directory, std::string name, journal_header header)
    : folder_{std::move(folder)}, directory_{std::move(directory)}, name_{std::move(name)}, header_{header}, claimed_{header.map.count()} {}

GIGI_INLINE result<bool> output_file::try_open(std::string const &part_name) {
    auto const journal_name = part_name + journal_suffix;
    bool const known = directory_.contains(journal_name);
    if (!known && directory_.contains(part_name)) return false; // not one of ours
    auto journal = directory_.open_file(journal_name, disk_folder::opening::either);
    if (!journal) {
        if (directory_.contains(journal_name)) return false; // a link, a folder, somebody else's
        return journal.error();
    }
    if (!journal->try_lock() || !directory_.leads_to(journal_name, *journal)) return false; // under way elsewhere
    auto const taken = take(part_name, std::move(*journal));
    if (!known && !(taken && *taken)) directory_.remove(journal_name);
    return taken;
}

GIGI_INLINE result<bool> output_file::take(std::string const &part_name, disk_file journal) {
    auto const journal_status = journal.status();
    if (!journal_status) return journal_status.error();
    bytes content(static_cast<std::size_t>(std::min(journal_status->size, max_journal_size(header_.map))));
    auto const n = journal.read_at(0, content);
    if (!n) return n.error();
    content.resize(*n);
    auto const found = journal_header::decode(content);
    if (!found && !content.empty()) return false; // damaged, or no journal: whose the part is cannot be told
    bool const fresh = !directory_.contains(part_name);
    auto part = directory_.open_file(part_name, found ? disk_folder::opening::either : disk_folder::opening::created);
    if (!part) {
        if (directory_.contains(part_name)) return false;
        return part.error();
    }
    auto const status = part->status();
    if (!status) return status.error();
    bool const same = found == header_;
    if (!same && status->size > 0) return false; // of another download, or of one that was cut into other chunks
    if (same) {
        claimed_ = decode_journal_records(bytes_view{content}.subspan(journal_header::encoded_size), header_.map);
    } else { // new, or left over where nothing was written
        auto const header = header_.encode();
        std::error_code code = journal.resize(0);
        if (!code) code = journal.write_at(0, header);
        if (!code) code = journal.sync(); // before the part has anything in it
        if (code) {
            if (fresh) directory_.remove(part_name);
            return code;
        }
        content.resize(journal_header::encoded_size);
    }
    part_ = std::move(*part);
    journal_ = std::move(journal);
    journal_end_ = content.size() - content.size() % journal_record_size;
    part_name_ = part_name;
    return true;
}

GIGI_INLINE std::error_code output_file::make_room() {
    std::uint64_t const there = claimed_.size() * header_.map.chunk_size;
    std::uint64_t const missing = header_.map.size > there ? header_.map.size - there : 0;
    auto const room = directory_.free_space();
    std::error_code code = room && *room < missing ? make_error_code(errc::disk_full) : part_.resize(header_.map.size);
    if (code && claimed_.size() == 0) discard(); // nothing worth keeping
    return code;
}

} // namespace gigi::inline v1
