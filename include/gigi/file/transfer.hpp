// gigi/file/transfer.hpp: files between peers: shares, lists, serves and downloads, over the swarm.
//
// Layer: file. The shell around shared_files.hpp, upload.hpp and download.hpp: names the peers, counts, limits, and tells what
// happens. Disk work and hashing run on the offload pool; everything else on the node's strand.
#pragma once

#include "../core/asio.hpp"
#include "../core/condition.hpp"
#include "../core/log.hpp"
#include "../link/swarm.hpp"
#include "client.hpp"
#include "download.hpp"
#include "rate_limiter.hpp"
#include "shared_files.hpp"
#include "upload.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

struct file_service_options {
    std::filesystem::path share_list;              ///< the JSON list; empty: shares last as long as the service
    std::size_t max_shared_files = 100'000;
    std::size_t max_downloads = 8;                 ///< at once; further ones wait
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
    std::uint64_t uploads_refused = 0;     ///< over `upload_options::max_uploads`
    std::uint64_t uploads_delayed = 0;     ///< parts of chunks that waited, over `max_upload_rate`
    std::uint64_t downloads_delayed = 0;   ///< likewise, over `max_download_rate`
    std::uint64_t downloads_queued = 0;    ///< that waited for others to end, over `max_downloads`
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
    file_service(swarm &network, any_io_executor pool, file_service_options options, file_events events)
        : network_{network}, pool_{std::move(pool)}, options_{std::move(options)}, events_{std::move(events)},
          files_{network.get_executor(), pool_, options_.share_list, options_.max_shared_files}, upload_rate_{network.get_executor(), options_.max_upload_rate},
          download_rate_{network.get_executor(), options_.max_download_rate}, changed_{network.get_executor()} {}
    file_service(file_service const &) = delete;

    /// Reads the share list and begins to serve. @throws error: `errc::bad_share_list`, `errc::io_error`
    void start() {
        files_.load();
        stopping_ = false;
        network_.handle(std::string{file_protocol_id}, [this](stream incoming) { return serve(std::move(incoming)); });
    }

    /// Serves no longer, ends every upload and download, and waits for their ends.
    [[nodiscard]] awaitable<void> stop() {
        stopping_ = true;
        network_.unhandle(file_protocol_id);
        for (auto *one : uploads_) one->reset();
        for (auto &[id, one] : downloads_) one.cancel();
        changed_.notify_all();
        while (!uploads_.empty() || !downloads_.empty()) co_await changed_.wait();
    }

    /// Hashes a file in the background and shares it.
    /// @throws error as `shared_files::share` @par Cancellation The file is not shared.
    [[nodiscard]] awaitable<shared_entry> share(std::filesystem::path path) {
        hash_progress progress;
        if (events_.hashing) progress = [this, path](std::uint64_t done, std::uint64_t total) { events_.hashing(path, done, total); };
        shared_entry entry = co_await files_.share(path, std::move(progress));
        if (events_.shared) events_.shared(entry);
        co_return entry;
    }

    /// Shares a file no longer. @throws error: `errc::unknown_code`, `errc::io_error`
    [[nodiscard]] awaitable<void> unshare(std::string code) {
        shared_entry const entry = co_await files_.unshare(std::move(code));
        if (events_.revoked) events_.revoked(entry);
    }

    /// What this node shares, by code.
    std::map<std::string, shared_entry> const &shared() const noexcept { return files_.entries(); }

    /// What a peer shares; the names are made safe.
    /// @throws error: `errc::unsupported_protocol`, `errc::unreachable`, `errc::timed_out`, …
    [[nodiscard]] awaitable<std::vector<list_entry>> list(peer_id peer) {
        lazy_stream opened = co_await network_.open_stream_optimistic(std::move(peer), std::string{file_protocol_id});
        file_client<lazy_stream> client{std::move(opened), std::chrono::seconds{20}};
        std::vector<list_entry> all = co_await client.list(options_.max_listed_files + 1);
        client.close();
        if (all.size() > options_.max_listed_files) {
            all.resize(options_.max_listed_files);
            ++stats_.lists_cut;
        }
        co_return all;
    }

    /// A number for a download that is about to begin.
    std::uint64_t new_id() noexcept { return ++last_id_; }

    /// Fetches a file, from all of the peers that have it at once; waits for a free place before.
    /// @param id from `new_id`; names the download in events and for `cancel`
    /// @param peers one at least @param code a share code or a whole root @param folder where the file goes
    /// @param max_size a larger file is refused, and nothing of it written: for what nobody asked for by hand (T26)
    /// @throws error as `file_download::run`; `errc::unknown_code` where the code cannot be one; `errc::stopped`
    /// @par Cancellation As `cancel`: what has been verified stays, for the next attempt.
    [[nodiscard]] awaitable<downloaded_file> download(std::uint64_t id, std::vector<peer_id> peers, std::string code, std::filesystem::path folder,
                                                      std::uint64_t max_size = chunk_map::largest_file) {
        download_event event;
        event.id = id;
        if (!peers.empty()) event.peer = peers.front();
        event.code = code;
        pending &mine = downloads_.try_emplace(id).first->second;
        struct membership {
            file_service &owner;
            std::uint64_t id;
            membership(file_service &o, std::uint64_t i) : owner{o}, id{i} {}
            ~membership() {
                owner.downloads_.erase(id);
                owner.changed_.notify_all();
            }
        } const member{*this, id};
        std::exception_ptr failure;
        downloaded_file done;
        try {
            done = co_await fetch(mine, event, std::move(peers), std::move(folder), max_size);
        } catch (...) {
            failure = std::current_exception();
        }
        if (failure) fail(event, failure);
        ++stats_.downloads_finished;
        stats_.bytes_downloaded += done.size;
        event.state.bytes = event.state.size = done.size;
        if (events_.download_finished) events_.download_finished(event, done);
        co_return done;
    }

    /// Ends a download; it fails with `errc::cancelled`. Nothing happens where there is none of this number.
    void cancel(std::uint64_t id) {
        auto const found = downloads_.find(id);
        if (found == downloads_.end()) return;
        found->second.cancel();
        changed_.notify_all();
    }

    file_stats stats() const {
        file_stats now = stats_;
        now.uploads_refused = slots_.refused;
        now.bytes_uploaded = slots_.bytes;
        now.uploads_delayed = upload_rate_.delayed();
        now.downloads_delayed = download_rate_.delayed();
        now.shares_refused = files_.refused();
        return now;
    }
    std::size_t uploads() const noexcept { return slots_.used; }      ///< streams that send chunks now
    std::size_t downloads() const noexcept { return downloads_.size(); } ///< with those that wait

  private:
    using fetching = file_download<lazy_stream>;

    /// A download that runs, or waits for its place.
    struct pending {
        fetching *running = nullptr;
        bool cancelled = false;
        void cancel() {
            cancelled = true;
            if (running) running->cancel();
        }
    };

    awaitable<void> serve(stream incoming) {
        peer_id const peer = incoming.peer();
        upload_callback progress;
        if (events_.uploading) progress = [this, peer](upload_progress const &p) { events_.uploading(peer, p); };
        file_upload<stream> one{std::move(incoming), network_.get_executor(), pool_, files_, slots_, options_.uploads, std::move(progress),
                                rate_pass{upload_rate_, peer}};
        struct membership {
            file_service &owner;
            file_upload<stream> *one;
            membership(file_service &o, file_upload<stream> *u) : owner{o}, one{u} { owner.uploads_.push_back(one); }
            ~membership() {
                owner.uploads_.remove(one);
                owner.changed_.notify_all();
            }
        } const member{*this, &one};
        co_await one.run();
    }

    awaitable<downloaded_file> fetch(pending &mine, download_event &event, std::vector<peer_id> peers, std::filesystem::path folder, std::uint64_t max_size) {
        auto const code = share_code::parse(event.code).value();
        event.code = code.to_string();
        if (!may_run(mine)) ++stats_.downloads_queued;
        while (!may_run(mine) && !mine.cancelled && !stopping_) co_await changed_.wait();
        if (mine.cancelled || stopping_) throw error{make_error_code(stopping_ ? errc::stopped : errc::cancelled)};
        download_callbacks callbacks;
        callbacks.started = [this, &event](download_state const &now) {
            event.state = now;
            if (events_.download_started) events_.download_started(event);
        };
        callbacks.progress = [this, &event](download_state const &now) {
            event.state = now;
            if (events_.download_progress) events_.download_progress(event);
        };
        auto options = options_.downloads;
        options.max_size = std::min(options.max_size, max_size);
        fetching one{network_.get_executor(), pool_, code, std::move(folder), options, std::move(callbacks)};
        for (auto const &peer : peers) one.add_source([this, peer] { return open(peer); }, rate_pass{download_rate_, peer});
        struct place {
            file_service &owner;
            pending &mine;
            place(file_service &o, pending &p, fetching *f) : owner{o}, mine{p} {
                ++owner.running_;
                mine.running = f;
            }
            ~place() {
                --owner.running_;
                mine.running = nullptr;
                mine.cancelled = true; // over: it waits for nothing any more
                owner.changed_.notify_all();
            }
        } const taken{*this, mine, &one};
        downloaded_file done = co_await one.run();
        co_return done;
    }

    /// Whether there is a place, and nobody has waited for it longer.
    bool may_run(pending const &mine) const {
        if (running_ >= options_.max_downloads) return false;
        for (auto const &[id, one] : downloads_) {
            if (&one == &mine) return true;
            if (!one.running && !one.cancelled) return false;
        }
        return true;
    }

    awaitable<lazy_stream> open(peer_id peer) { return network_.open_stream_optimistic(std::move(peer), std::string{file_protocol_id}); }

    [[noreturn]] void fail(download_event const &event, std::exception_ptr const &failure) {
        ++stats_.downloads_failed;
        std::error_code code = make_error_code(errc::io_error);
        std::string message;
        try {
            std::rethrow_exception(failure);
        } catch (std::system_error const &e) {
            code = e.code();
            message = e.what();
        } catch (std::exception const &e) {
            message = e.what();
        }
        log(log_level::info, "file", "download of ", event.code, ": ", message);
        if (events_.download_failed) events_.download_failed(event, code, message);
        std::rethrow_exception(failure);
    }

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
    std::size_t running_ = 0;
    std::uint64_t last_id_ = 0;
    bool stopping_ = false;
    async_condition changed_; // an upload or a download has ended, or must
};

} // namespace gigi::inline v1
