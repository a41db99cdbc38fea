// gigi/file/transfer.hpp: files between peers: shares, lists, serves and downloads, over the swarm.
//
// Layer: file. The shell around shared_files.hpp, upload.hpp and download.hpp: names the peers, counts, limits, and tells what
// happens. Disk work and hashing run on the offload pool; everything else on the node's strand.
#pragma once

#include "../core/asio.hpp"
#include "../core/condition.hpp"
#include "../link/swarm.hpp"
#include "download.hpp"
#include "rate_limiter.hpp"
#include "shared_files.hpp"
#include "upload.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gigi::inline v1 {

struct file_service_options {
    std::filesystem::path share_list;              ///< the JSON list; empty: shares last as long as the service
    std::size_t max_shared_files = 100'000;
    std::size_t max_downloads = 8;                 ///< at once, of those asked for; further ones wait
    std::size_t max_listed_files = 100'000;        ///< of a peer's list; what is beyond is left out
    std::uint64_t max_upload_rate = 0;             ///< bytes of chunks a second, of all uploads, shared fairly between peers; 0: no limit
    std::uint64_t max_download_rate = 0;           ///< likewise, of all downloads
    upload_options uploads;
    download_options downloads;
};

/// Which download an event is about.
struct download_event {
    std::uint64_t id = 0;
    peer_id peer;          ///< the first of those that it was asked from
    std::string code;      ///< as it is written, or the whole root where that was asked for
    download_state state;
};

/// What the service tells; called on its strand, must not throw.
struct file_events {
    std::function<void(shared_entry const &)> shared;
    std::function<void(shared_entry const &)> revoked;
    std::function<void(std::filesystem::path const &, std::uint64_t done, std::uint64_t total)> hashing; ///< a file that is being shared
    std::function<void(download_event const &)> download_started;                        ///< the file is known
    std::function<void(download_event const &)> download_progress;                       ///< about ten a second
    std::function<void(download_event const &, downloaded_file const &)> download_finished;
    std::function<void(download_event const &, std::error_code, std::string const &message)> download_failed;
    std::function<void(peer_id const &, upload_progress const &)> uploading;             ///< about ten a second for each stream
};

/// What the service has done since it was made.
struct file_stats {
    std::uint64_t uploads_refused = 0;     ///< over `upload_options::max_uploads` or `upload_slots::max_pages`, or a peer's share of them
    std::uint64_t uploads_delayed = 0;     ///< parts of chunks that waited, over `max_upload_rate`
    std::uint64_t downloads_delayed = 0;   ///< likewise, over `max_download_rate`
    std::uint64_t downloads_queued = 0;    ///< that waited for others to end, over `max_downloads`
    std::uint64_t sources_delayed = 0;     ///< peers that had a file and had to wait, over `download_options::max_sources`
    std::uint64_t lists_cut = 0;           ///< of peers, over `max_listed_files`
    std::uint64_t shares_refused = 0;      ///< over `max_shared_files`
    std::uint64_t bytes_uploaded = 0;
    std::uint64_t bytes_downloaded = 0;    ///< of complete files
    std::uint64_t downloads_finished = 0;
    std::uint64_t downloads_failed = 0;
};

/// Shares and fetches files. Use it on the swarm's strand.
class file_service {
  public:
    /// @param pool where files are read, hashed and written
    /// @par Lifetime `network` must outlive the service; `stop()` before the service is destroyed.
    file_service(swarm &network, any_io_executor pool, file_service_options options, file_events events);
    file_service(file_service const &) = delete;

    /// Reads the share list and begins to serve. @throws error with `errc::bad_share_list`
    void start();

    /// Serves no longer, ends every upload and download, and waits for their ends; they and what is being hashed fail with `errc::stopped`.
    [[nodiscard]] awaitable<void> stop();

    /// Hashes a file in the background and shares it.
    /// @throws error as `shared_files::share` @par Cancellation The file is not shared.
    [[nodiscard]] awaitable<shared_entry> share(std::filesystem::path path);

    /// Shares a file no longer. @throws error as `shared_files::unshare`
    [[nodiscard]] awaitable<void> unshare(std::string code);

    /// What this node shares, by code.
    std::map<std::string, shared_entry> const &shared() const noexcept { return files_.entries(); }

    /// What a peer shares; the names are made safe.
    /// @throws error: `errc::unsupported_protocol`, `errc::unreachable`, `errc::timed_out`, …
    [[nodiscard]] awaitable<std::vector<list_entry>> list(peer_id peer);

    /// A number for a download that is about to begin.
    std::uint64_t new_id() noexcept { return ++last_id_; }

    /// Fetches a file, from all of the peers that have it at once; waits for a free place before.
    /// @param id from `new_id`; names the download in events and for `cancel`
    /// @param peers one at least @param code a share code or a whole root @param folder where the file goes
    /// @throws error as `file_download::run`; `errc::unknown_code` where the code cannot be one; `errc::stopped`
    /// @par Cancellation As `cancel`: what has been verified stays, for the next attempt.
    [[nodiscard]] awaitable<downloaded_file> download(std::uint64_t id, std::vector<peer_id> peers, std::string code, std::filesystem::path folder);

    /// Fetches what a peer has offered and nobody asked for by hand (T26). There are `max_offered` places for that, one for each
    /// peer, beside those of what was asked for; and a deadline, once it has its place: 30 s, and one more for each 16 KiB, so
    /// that nobody holds a place by trickling. What fails is not kept.
    /// @param size as it was offered, in bytes: a larger file is refused, and nothing of it written
    /// @throws error as `download`; `errc::timed_out`
    [[nodiscard]] awaitable<downloaded_file> download_offered(std::uint64_t id, peer_id from, std::string code, std::filesystem::path folder, std::uint64_t size);

    /// Ends a download; it fails with `errc::cancelled`. Nothing happens where there is none of this number.
    void cancel(std::uint64_t id);
    file_stats stats() const;
    std::size_t uploads() const noexcept { return slots_.used; }      ///< streams that send chunks now
    std::size_t downloads() const noexcept { return downloads_.size(); } ///< with those that wait

  private:
    static constexpr std::size_t max_offered = 4; ///< fetched at once without being asked for
    using fetching = file_download<lazy_stream>;

    /// A download that runs, or waits for its place.
    struct pending {
        fetching *running = nullptr;
        std::error_code cancelled; ///< why, where it is
        peer_id from;                         ///< the first of those that have it
        std::optional<std::uint64_t> offered; ///< its size, where nobody asked for it
        void cancel(std::error_code why);
    };

    awaitable<void> serve(stream incoming);
    awaitable<downloaded_file> download(std::uint64_t id, std::vector<peer_id> peers, std::string code, std::filesystem::path folder,
                                        std::optional<std::uint64_t> offered);
    awaitable<downloaded_file> fetch(pending &mine, download_event &event, std::vector<peer_id> peers, std::filesystem::path folder);

    static duration deadline_of(std::uint64_t size) noexcept;

    /// Whether there is a place for it that is not for one who has waited longer.
    bool may_run(pending const &mine) const;
    awaitable<lazy_stream> open(peer_id peer);
    [[noreturn]] void fail(download_event const &event, std::exception_ptr const &failure);

    swarm &network_;
    any_io_executor pool_;
    file_service_options options_;
    file_events events_;
    shared_files files_;
    upload_slots slots_;
    rate_gate upload_rate_, download_rate_;
    file_stats stats_;
    std::list<file_upload<stream> *> uploads_;
    std::map<std::uint64_t, pending> downloads_;
    std::uint64_t last_id_ = 0;
    bool stopping_ = false;
    async_condition changed_; // an upload or a download has ended, or must
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/transfer.ipp"
#endif
