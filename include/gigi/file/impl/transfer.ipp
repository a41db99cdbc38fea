// gigi/file/impl/transfer.ipp: what transfer.hpp declares.
#pragma once

#include "../transfer.hpp"

#include "../../core/config.hpp"
#include "../../core/log.hpp"
#include "../client.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace gigi::inline v1 {

GIGI_INLINE file_service::file_service(swarm &network, any_io_executor pool, file_service_options options, file_events events)
    : network_{network}, pool_{std::move(pool)}, options_{std::move(options)}, events_{std::move(events)},
      files_{network.get_executor(), pool_, options_.share_list, options_.max_shared_files}, upload_rate_{network.get_executor(), options_.max_upload_rate},
      download_rate_{network.get_executor(), options_.max_download_rate}, changed_{network.get_executor()} {}

GIGI_INLINE void file_service::start() {
    files_.load();
    stopping_ = false;
    network_.handle(std::string{file_protocol_id}, [this](stream incoming) { return serve(std::move(incoming)); });
}

GIGI_INLINE awaitable<void> file_service::stop() {
    stopping_ = true;
    network_.unhandle(file_protocol_id);
    for (auto *one : uploads_) one->reset();
    files_.stop();
    for (auto &[id, one] : downloads_) one.cancel(make_error_code(errc::stopped));
    changed_.notify_all();
    while (!uploads_.empty() || !downloads_.empty()) co_await changed_.wait();
}

GIGI_INLINE awaitable<shared_entry> file_service::share(std::filesystem::path path) {
    hash_progress progress;
    if (events_.hashing) progress = [this, path](std::uint64_t done, std::uint64_t total) { events_.hashing(path, done, total); };
    shared_entry entry = co_await files_.share(path, std::move(progress));
    if (events_.shared) events_.shared(entry);
    co_return entry;
}

GIGI_INLINE awaitable<void> file_service::unshare(std::string code) {
    shared_entry const entry = co_await files_.unshare(std::move(code));
    if (events_.revoked) events_.revoked(entry);
}

GIGI_INLINE awaitable<std::vector<list_entry>> file_service::list(peer_id peer) {
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

GIGI_INLINE awaitable<downloaded_file> file_service::download(std::uint64_t id, std::vector<peer_id> peers, std::string code, std::filesystem::path folder) {
    return download(id, std::move(peers), std::move(code), std::move(folder), std::nullopt);
}

GIGI_INLINE awaitable<downloaded_file> file_service::download_offered(std::uint64_t id, peer_id from, std::string code, std::filesystem::path folder, std::uint64_t size) {
    return download(id, std::vector<peer_id>(1, std::move(from)), std::move(code), std::move(folder), std::optional{size});
}

GIGI_INLINE awaitable<downloaded_file> file_service::download(std::uint64_t id, std::vector<peer_id> peers, std::string code, std::filesystem::path folder,
                                                              std::optional<std::uint64_t> offered) {
    download_event event;
    event.id = id;
    if (!peers.empty()) event.peer = peers.front();
    event.code = code;
    pending &mine = downloads_.try_emplace(id).first->second;
    mine.from = event.peer;
    mine.offered = offered;
    std::exception_ptr failure; // no guard: where a program just ends, this may be destroyed after the service
    downloaded_file done;
    try {
        done = co_await fetch(mine, event, std::move(peers), std::move(folder));
    } catch (...) {
        failure = std::current_exception();
    }
    downloads_.erase(id);
    changed_.notify_all();
    if (failure) fail(event, failure);
    ++stats_.downloads_finished;
    stats_.bytes_downloaded += done.size;
    event.state.bytes = event.state.size = done.size;
    if (events_.download_finished) events_.download_finished(event, done);
    co_return done;
}

GIGI_INLINE void file_service::cancel(std::uint64_t id) {
    auto const found = downloads_.find(id);
    if (found == downloads_.end()) return;
    found->second.cancel(make_error_code(errc::cancelled));
    changed_.notify_all();
}

GIGI_INLINE file_stats file_service::stats() const {
    file_stats now = stats_;
    now.uploads_refused = slots_.refused + slots_.pages.refused;
    now.bytes_uploaded = slots_.bytes;
    now.uploads_delayed = upload_rate_.delayed();
    now.downloads_delayed = download_rate_.delayed();
    now.shares_refused = files_.refused();
    return now;
}

GIGI_INLINE void file_service::pending::cancel(std::error_code why) {
    cancelled = why;
    if (running) running->cancel(why);
}

GIGI_INLINE awaitable<void> file_service::serve(stream incoming) {
    peer_id const peer = incoming.peer();
    upload_callback progress;
    if (events_.uploading) progress = [this, peer](upload_progress const &p) { events_.uploading(peer, p); };
    file_upload<stream> one{std::move(incoming), peer, network_.get_executor(), pool_, files_, slots_, options_.uploads, std::move(progress),
                            rate_pass{upload_rate_, peer}};
    uploads_.push_back(&one);
    std::exception_ptr failure; // no guard, as in `download`
    try {
        co_await one.run();
    } catch (...) {
        failure = std::current_exception();
    }
    uploads_.remove(&one);
    changed_.notify_all();
    if (failure) std::rethrow_exception(failure);
}

GIGI_INLINE awaitable<downloaded_file> file_service::fetch(pending &mine, download_event &event, std::vector<peer_id> peers, std::filesystem::path folder) {
    auto const code = share_code::parse(event.code).value();
    event.code = code.to_string();
    if (!mine.offered && !may_run(mine)) ++stats_.downloads_queued;
    while (!may_run(mine) && !mine.cancelled && !stopping_) co_await changed_.wait();
    if (stopping_) mine.cancelled = make_error_code(errc::stopped);
    if (mine.cancelled) throw error{mine.cancelled};
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
    if (mine.offered) {
        options.max_size = std::min(options.max_size, *mine.offered);
        options.keep_unfinished = false;
    }
    fetching one{network_.get_executor(), pool_, code, std::move(folder), options, std::move(callbacks)};
    if (peers.size() > options.max_sources) stats_.sources_delayed += peers.size() - options.max_sources;
    for (auto const &peer : peers) one.add_source([this, peer] { return open(peer); }, rate_pass{download_rate_, peer});
    mine.running = &one;
    downloaded_file done;
    std::exception_ptr failure; // no guard, as in `download`
    try {
        if (mine.offered)
            done = co_await with_timeout(one.run(), deadline_of(*mine.offered));
        else
            done = co_await one.run();
    } catch (...) {
        failure = std::current_exception();
    }
    mine.running = nullptr;
    mine.cancelled = make_error_code(errc::closed); // over: it waits for nothing any more
    changed_.notify_all();
    if (failure) std::rethrow_exception(failure);
    co_return done;
}

GIGI_INLINE bool file_service::may_run(pending const &mine) const {
    auto const competes = [&mine](pending const &one) { return one.offered.has_value() == mine.offered.has_value(); };
    std::size_t places = mine.offered ? max_offered : options_.max_downloads;
    std::set<peer_id> served; // peers that have the place that there is for each of those who offer
    for (auto const &[id, one] : downloads_) {
        if (!one.running || !competes(one)) continue;
        if (places-- == 1) return false;
        if (one.offered) served.insert(one.from);
    }
    for (auto const &[id, one] : downloads_) { // the oldest first
        if (one.running || one.cancelled || !competes(one)) continue;
        bool const can = places > 0 && (!one.offered || served.insert(one.from).second);
        if (&one == &mine) return can;
        if (can) --places;
    }
    return places > 0;
}

GIGI_INLINE duration file_service::deadline_of(std::uint64_t size) noexcept {
    constexpr std::uint64_t least_rate = 16 << 10, most = 24 * 3600; // bytes a second, seconds
    return std::chrono::seconds{30 + static_cast<std::int64_t>(std::min(size / least_rate, most))};
}

GIGI_INLINE awaitable<lazy_stream> file_service::open(peer_id peer) { return network_.open_stream_optimistic(std::move(peer), std::string{file_protocol_id}); }

GIGI_INLINE void file_service::fail(download_event const &event, std::exception_ptr const &failure) {
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

} // namespace gigi::inline v1
