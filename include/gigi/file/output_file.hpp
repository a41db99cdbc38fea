// gigi/file/output_file.hpp: where a download goes: `<name>.part` with its journal, and at the end the file itself.
//
// Layer: file. Blocking: run it on the offload pool. Everything happens in one folder, by handle, without following links,
// and never onto something that is there (T21, T22, T25, T30 of docs/attacks.md).
#pragma once

#include "../core/file_io.hpp"
#include "journal.hpp"

#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

namespace gigi::inline v1 {

/// A download's file. `read_chunk` and `write_chunk` may be called from several threads at once, the rest from one.
class output_file {
  public:
    /// Opens the file of a download, or goes on with that of one which was interrupted.
    /// @param folder made where it is missing
    /// @param name as a peer sent it; it is made safe
    /// @return `errc::disk_full` where the file would not fit, `errc::io_error`, `errc::file_not_found` where the folder cannot be used
    static result<std::unique_ptr<output_file>> open(std::filesystem::path const &folder, std::string_view name, merkle_hash const &root,
                                                     chunk_map const &map);

    /// The chunks that an interrupted download says are there: verify each before it is believed.
    chunk_set const &claimed() const noexcept { return claimed_; }

    /// Reads a chunk back. @param buffer of the chunk's size
    std::error_code read_chunk(std::uint64_t chunk, mutable_bytes buffer) const;

    /// Writes a verified chunk, and then notes it in the journal. Few chunks wait for the disk at once, and large files do not fill
    /// the memory that the system keeps files in.
    std::error_code write_chunk(std::uint64_t chunk, bytes_view data);

    /// Brings the complete file to the disk, and gives it its name, or that name with a number where it is taken.
    /// @return its path; `errc::io_error` also where somebody has put something else in place of the part
    result<std::filesystem::path> finish();

    /// Removes what has been written, unless it has its name already.
    void discard();

    std::string const &name() const noexcept { return name_; }           ///< the safe name
    std::string const &part_name() const noexcept { return part_name_; } ///< of the unfinished file, in the folder

  private:
    static constexpr char journal_suffix[] = ".journal";
    static constexpr unsigned max_names = 10'000;
    static constexpr std::uint64_t max_unsynced = std::uint64_t{16} << 20;

    output_file(std::filesystem::path folder, disk_folder directory, std::string name, journal_header header);

    /// Takes a name for the part if it is free or our own, which the journal beside it tells. @return whether it has been taken
    result<bool> try_open(std::string const &part_name);
    result<bool> take(std::string const &part_name, disk_file journal);

    /// Whether the file fits the disk; gives it its size.
    std::error_code make_room();

    std::filesystem::path folder_;
    disk_folder directory_;
    std::string name_;
    journal_header header_;
    chunk_set claimed_;
    std::string part_name_;
    disk_file part_;
    disk_file journal_;
    std::uint64_t journal_end_ = 0;
    std::deque<std::uint64_t> unsynced_; // chunks, as they were written
    std::mutex writing_;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/output_file.ipp"
#endif
