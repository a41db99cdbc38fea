// gigi/file/output_file.hpp: where a download goes: `<name>.part` with its journal, and at the end the file itself.
//
// Layer: file. Blocking: run it on the offload pool. Everything happens in one folder, by handle, without following links,
// and never onto something that is there (THREATS T21, T22, T25, T30).
#pragma once

#include "../core/file_io.hpp"
#include "journal.hpp"
#include "safe_name.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace gigi::inline v1 {

/// A download's file. `read_chunk` and `write_chunk` may be called from several threads at once, the rest from one.
class output_file {
  public:
    /// Opens the file of a download, or goes on with that of one which was interrupted.
    /// @param folder made where it is missing
    /// @param name as a peer sent it; it is made safe
    /// @return `errc::disk_full` where the file would not fit, `errc::io_error`, `errc::file_not_found` where the folder cannot be used
    static result<std::unique_ptr<output_file>> open(std::filesystem::path const &folder, std::string_view name, merkle_hash const &root,
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

    /// The chunks that an interrupted download says are there: verify each before it is believed.
    chunk_set const &claimed() const noexcept { return claimed_; }

    /// Reads a chunk back. @param buffer of the chunk's size
    std::error_code read_chunk(std::uint64_t chunk, mutable_bytes buffer) const {
        auto const n = part_.read_at(header_.map.offset(chunk), buffer);
        if (!n) return n.error();
        return *n == buffer.size() ? std::error_code{} : make_error_code(errc::io_error);
    }

    /// Writes a verified chunk, and then notes it in the journal.
    std::error_code write_chunk(std::uint64_t chunk, bytes_view data) {
        std::lock_guard const lock{writing_}; // the system lets one writer at a file: the others would spin
        if (auto const code = part_.write_at(header_.map.offset(chunk), data)) return code;
        auto const record = encode_journal_record(static_cast<std::uint32_t>(chunk));
        return journal_.write_at(std::exchange(journal_end_, journal_end_ + record.size()), record);
    }

    /// Brings the complete file to the disk, and gives it its name, or that name with a number where it is taken.
    /// @return its path; `errc::io_error` also where somebody has put something else in place of the part
    result<std::filesystem::path> finish() {
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

    /// Removes what has been written.
    void discard() {
        directory_.remove(part_name_ + journal_suffix);
        if (directory_.leads_to(part_name_, part_)) directory_.remove(part_name_);
    }

    std::string const &name() const noexcept { return name_; }           ///< the safe name
    std::string const &part_name() const noexcept { return part_name_; } ///< of the unfinished file, in the folder

  private:
    static constexpr char journal_suffix[] = ".journal";
    static constexpr unsigned max_names = 10'000;

    output_file(std::filesystem::path folder, disk_folder directory, std::string name, journal_header header)
        : folder_{std::move(folder)}, directory_{std::move(directory)}, name_{std::move(name)}, header_{header}, claimed_{header.map.count()} {}

    /// Takes a name for the part if it is free or our own. @return whether it has been taken
    result<bool> try_open(std::string const &part_name) {
        using enum disk_folder::opening;
        auto part = directory_.open_file(part_name, either);
        if (!part) {
            if (directory_.contains(part_name)) return false; // a link, a folder, somebody else's
            return part.error();
        }
        if (!part->try_lock() || !directory_.leads_to(part_name, *part)) return false; // under way elsewhere
        auto const status = part->status();
        if (!status) return status.error();
        auto const journal_name = part_name + journal_suffix;
        bool const has_journal = directory_.contains(journal_name);
        if (!has_journal && status->size > 0) return false; // not one of ours
        auto journal = directory_.open_file(journal_name, either);
        if (!journal) {
            if (directory_.contains(journal_name)) return false;
            return journal.error();
        }
        auto const journal_status = journal->status();
        if (!journal_status) return journal_status.error();
        bytes content(static_cast<std::size_t>(std::min(journal_status->size, max_journal_size(header_.map))));
        auto const n = journal->read_at(0, content);
        if (!n) return n.error();
        content.resize(*n);
        auto const found = journal_header::decode(content);
        if (found && found->root != header_.root) return false; // of another download
        if (found && found->map == header_.map) {
            claimed_ = decode_journal_records(bytes_view{content}.subspan(journal_header::encoded_size), header_.map);
        } else { // new, torn, or of other chunks: begin anew
            auto const header = header_.encode();
            std::error_code code = journal->resize(0);
            if (!code) code = part->resize(0);
            if (!code) code = journal->write_at(0, header);
            if (!code) code = journal->sync();
            if (code) return code;
            content.resize(journal_header::encoded_size);
        }
        part_ = std::move(*part);
        journal_ = std::move(*journal);
        journal_end_ = content.size() - content.size() % journal_record_size;
        part_name_ = part_name;
        return true;
    }

    /// Whether the file fits the disk; gives it its size.
    std::error_code make_room() {
        std::uint64_t const there = claimed_.size() * header_.map.chunk_size;
        std::uint64_t const missing = header_.map.size > there ? header_.map.size - there : 0;
        auto const room = directory_.free_space();
        std::error_code code = room && *room < missing ? make_error_code(errc::disk_full) : part_.resize(header_.map.size);
        if (code && claimed_.size() == 0) discard(); // nothing worth keeping
        return code;
    }

    std::filesystem::path folder_;
    disk_folder directory_;
    std::string name_;
    journal_header header_;
    chunk_set claimed_;
    std::string part_name_;
    disk_file part_;
    disk_file journal_;
    std::uint64_t journal_end_ = 0;
    std::mutex writing_;
};

} // namespace gigi::inline v1
