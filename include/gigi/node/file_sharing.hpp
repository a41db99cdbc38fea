// gigi/node/file_sharing.hpp: the file service, as a node offers it: with nicknames, events, and downloads in the background.
//
// Layer: node.
#pragma once

#include "../core/asio.hpp"
#include "../core/task_group.hpp"
#include "../file/transfer.hpp"
#include "../link/swarm.hpp"
#include "event.hpp"
#include "options.hpp"
#include "types.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

class file_sharing {
  public:
    /// @par Lifetime `on` and `options` must outlive this.
    file_sharing(swarm &on, node_options const &options, std::function<void(event const &)> emit, std::function<std::string(peer_id const &)> nickname_of,
                 any_io_executor disk);

    /// Loads the share list and begins to serve. @throws error: `errc::bad_share_list`, `errc::io_error`
    void start() { service_.start(); }

    [[nodiscard]] awaitable<void> stop();
    [[nodiscard]] awaitable<shared_info> share(std::filesystem::path file);
    [[nodiscard]] awaitable<void> unshare(std::string code) { return service_.unshare(std::move(code)); }

    std::vector<shared_info> shared() const;
    /// @throws error with `errc::unknown_code`
    file_info find(std::string_view typed) const;
    [[nodiscard]] awaitable<std::vector<file_info>> list(peer_id peer);
    [[nodiscard]] awaitable<download_result> download(std::vector<peer_id> sources, std::string code);

    /// Fetches what a peer has offered, unasked, as `file_service::download_offered`.
    [[nodiscard]] awaitable<download_result> download_offered(peer_id from, std::string code, std::uint64_t size);

    /// Begins a download that ends as an event with the id that is returned. @throws error with `errc::unknown_code`
    std::uint64_t start_download(std::vector<peer_id> sources, std::string code);
    void cancel_download(std::uint64_t id) { service_.cancel(id); }

    file_stats stats() const { return service_.stats(); }
    std::size_t downloads() const noexcept { return service_.downloads(); }
    std::size_t uploads() const noexcept { return service_.uploads(); }
    std::size_t shared_count() const noexcept { return service_.shared().size(); }

  private:
    static file_service_options limits(node_options const &from);
    file_events callbacks();
    awaitable<void> download_quietly(std::uint64_t id, std::vector<peer_id> sources, std::string code);
    static shared_info info_of(shared_entry const &entry);

    node_options const &options_;
    std::function<void(event const &)> emit_;
    std::function<std::string(peer_id const &)> nickname_of_;
    file_service service_;
    task_group tasks_;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/file_sharing.ipp"
#endif
