// gigi/node/groups.hpp: groups of people over gossip topics.
//
// Layer: node. A group is the topic `/gigi/group/1.0.0/<name>`; a message's author is who signed it, whoever forwarded it.
#pragma once

#include "../core/asio.hpp"
#include "../core/bytes.hpp"
#include "../core/clock.hpp"
#include "../core/task_group.hpp"
#include "../crypto/random.hpp"
#include "../gossip/gossip.hpp"
#include "../gossip/replay_guard.hpp"
#include "../link/swarm.hpp"
#include "event.hpp"
#include "file_sharing.hpp"
#include "group_payload.hpp"
#include "options.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace gigi::inline v1 {

class group_service {
  public:
    /// @par Lifetime `on`, `options`, `files` and `random` must outlive this.
    group_service(swarm &on, node_options const &options, file_sharing &files, any_io_executor disk, random_source &random,
                  std::function<void(event const &)> emit, std::function<std::string(peer_id const &)> nickname_of);

    void start() { gossip_.start(); }

    [[nodiscard]] awaitable<void> stop();

    /// @throws error: `errc::invalid_name`, `errc::limit_exceeded`
    void join(std::string const &group);

    /// @throws error with `errc::not_joined`
    void leave(std::string const &group);

    /// @return the message's id @throws error: `errc::not_joined`, `errc::message_too_large`
    std::string publish(std::string const &group, std::string_view text);

    /// @return the image's share code
    [[nodiscard]] awaitable<std::string> publish_image(std::string group, std::filesystem::path file);

    std::set<std::string> const &joined() const noexcept { return joined_; }
    std::vector<peer_id> members(std::string const &group) const { return gossip_.peers(topic_of(group)); }
    gossip_stats stats() const { return gossip_.stats(); }
    std::uint64_t refused() const noexcept { return refused_; }              ///< groups that there was no room for
    std::uint64_t messages_refused() const noexcept { return messages_refused_; } ///< of others, over `max_message_size`
    std::uint64_t replays_refused() const noexcept { return replays_.refused(); }
    std::uint64_t authors_forgotten() const noexcept { return replays_.forgotten(); }
    std::uint64_t images_not_fetched() const noexcept { return not_fetched_; }

  private:
    static constexpr std::size_t max_fetches = 64, max_fetches_of_author = 32; // of images, with those that wait for a place

    static gossip_options limits(node_options const &from);
    gossip_callbacks callbacks();

    static std::string topic_of(std::string const &group) { return std::string{group_topic_prefix} + group; }
    static std::string group_of(std::string_view topic);
    void check_joined(std::string const &group) const;
    static bytes beginning_of(std::filesystem::path const &path);
    std::string send(std::string const &group, group_payload const &said);
    void take(received_message const &message);

    bool may_fetch(peer_id const &author) const;

    /// Fetches an image from its author; where that fails the offer is told instead, so that it can be tried by hand.
    awaitable<void> fetch_image(events::group_image image);

    node_options const &options_;
    file_sharing &files_;
    any_io_executor disk_;
    std::function<void(event const &)> emit_;
    std::function<std::string(peer_id const &)> nickname_of_;
    std::set<std::string> joined_;
    std::size_t fetching_ = 0;
    std::map<peer_id, std::size_t> fetching_of_; // authors
    std::uint64_t refused_ = 0, messages_refused_ = 0, not_fetched_ = 0;
    context_clock clock_;
    replay_guard replays_;
    gossip gossip_;
    task_group tasks_;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/groups.ipp"
#endif
