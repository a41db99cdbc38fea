// gigi/node/impl/file_sharing.ipp: what file_sharing.hpp declares.
#pragma once

#include "../file_sharing.hpp"

#include "../../core/config.hpp"
#include "../../core/error.hpp"
#include "../../file/share_code.hpp"

namespace gigi::inline v1 {

GIGI_INLINE file_sharing::file_sharing(swarm &on, node_options const &options, std::function<void(event const &)> emit, std::function<std::string(peer_id const &)> nickname_of,
                                       any_io_executor disk)
    : options_{options}, emit_{std::move(emit)}, nickname_of_{std::move(nickname_of)},
      service_{on, std::move(disk), limits(options), callbacks()}, tasks_{on.get_executor()} {}

GIGI_INLINE awaitable<void> file_sharing::stop() {
    co_await service_.stop();
    tasks_.cancel();
    co_await tasks_.join();
}

GIGI_INLINE awaitable<shared_info> file_sharing::share(std::filesystem::path file) {
    shared_entry const entry = co_await service_.share(std::move(file));
    co_return info_of(entry);
}

GIGI_INLINE std::vector<shared_info> file_sharing::shared() const {
    std::vector<shared_info> all;
    for (auto const &[code, entry] : service_.shared()) all.push_back(info_of(entry));
    return all;
}

GIGI_INLINE file_info file_sharing::find(std::string_view typed) const {
    auto const code = share_code::parse(typed);
    if (code)
        for (auto const &[known, entry] : service_.shared())
            if (known == code->to_string() || entry.root == code->to_string()) return info_of(entry);
    throw error{errc::unknown_code, std::string{typed}};
}

GIGI_INLINE awaitable<std::vector<file_info>> file_sharing::list(peer_id peer) {
    std::vector<list_entry> const entries = co_await service_.list(std::move(peer));
    std::vector<file_info> all;
    for (auto const &entry : entries) all.push_back({entry.code, safe_file_name(entry.name), entry.size});
    co_return all;
}

GIGI_INLINE awaitable<download_result> file_sharing::download(std::vector<peer_id> sources, std::string code) {
    downloaded_file done = co_await service_.download(service_.new_id(), std::move(sources), std::move(code), options_.output_directory);
    co_return download_result{std::move(done.path), std::move(done.name), done.size};
}

GIGI_INLINE awaitable<download_result> file_sharing::download_offered(peer_id from, std::string code, std::uint64_t size) {
    downloaded_file done = co_await service_.download_offered(service_.new_id(), std::move(from), std::move(code), options_.output_directory, size);
    co_return download_result{std::move(done.path), std::move(done.name), done.size};
}

GIGI_INLINE std::uint64_t file_sharing::start_download(std::vector<peer_id> sources, std::string code) {
    if (!share_code::parse(code)) throw error{errc::unknown_code, code};
    auto const id = service_.new_id();
    tasks_.spawn(download_quietly(id, std::move(sources), std::move(code)));
    return id;
}

GIGI_INLINE file_service_options file_sharing::limits(node_options const &from) {
    file_service_options o;
    o.share_list = from.share_list;
    o.max_shared_files = from.max_shared_files;
    o.max_downloads = from.max_downloads;
    o.max_listed_files = from.max_listed_files;
    o.max_download_rate = from.max_download_rate;
    o.max_upload_rate = from.max_upload_rate;
    o.uploads.max_uploads = from.max_uploads;
    o.downloads.max_sources = from.max_download_sources;
    return o;
}

GIGI_INLINE file_events file_sharing::callbacks() {
    file_events e;
    e.shared = [this](shared_entry const &entry) { emit_(event{events::file_shared{entry.code, entry.name, entry.size, entry.path}}); };
    e.revoked = [this](shared_entry const &entry) { emit_(event{events::file_revoked{entry.code, entry.name}}); };
    e.download_started = [this](download_event const &d) {
        emit_(event{events::download_started{d.id, d.peer, d.code, d.state.name, d.state.size}});
    };
    e.download_progress = [this](download_event const &d) {
        emit_(event{events::download_progress{d.id, d.code, d.state.bytes, d.state.size, d.state.rate, d.state.sources}});
    };
    e.download_finished = [this](download_event const &d, downloaded_file const &file) {
        emit_(event{events::download_finished{d.id, d.peer, d.code, file.name, file.size, file.path}});
    };
    e.download_failed = [this](download_event const &d, std::error_code why, std::string const &message) {
        emit_(event{events::download_failed{d.id, d.peer, d.code, why, message}});
    };
    e.uploading = [this](peer_id const &peer, upload_progress const &p) {
        emit_(event{events::upload_progress{peer, nickname_of_(peer), p.code, p.bytes, p.total}});
    };
    return e;
}

GIGI_INLINE awaitable<void> file_sharing::download_quietly(std::uint64_t id, std::vector<peer_id> sources, std::string code) {
    try {
        co_await service_.download(id, std::move(sources), std::move(code), options_.output_directory);
    } catch (std::system_error const &) { // an event has told it
    }
}

GIGI_INLINE shared_info file_sharing::info_of(shared_entry const &entry) {
    shared_info info;
    info.code = entry.code;
    info.name = entry.name;
    info.size = entry.size;
    info.path = entry.path;
    return info;
}

} // namespace gigi::inline v1
