// gigi/node/messenger.hpp: direct messages, images and bytes between two nodes.
//
// Layer: node. The protocols are in protocol/direct.hpp; this gives them the node's limits, files and events.
#pragma once

#include "../core/clock.hpp"
#include "../link/swarm.hpp"
#include "../protocol/direct.hpp"
#include "event.hpp"
#include "options.hpp"
#include "types.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace gigi::inline v1 {

class messenger {
  public:
    /// What the messenger needs of its node.
    struct surroundings {
        std::function<void(event const &)> emit;
        std::function<std::string(peer_id const &)> nickname_of;
        any_io_executor disk; ///< where files are read and written
    };

    /// @par Lifetime `on` and `options` must outlive the messenger.
    messenger(swarm &on, node_options const &options, surroundings around);
    void stop();
    [[nodiscard]] awaitable<receipt> send_text(peer_id to, std::string_view text);
    [[nodiscard]] awaitable<receipt> send_image(peer_id to, std::filesystem::path file);
    [[nodiscard]] awaitable<receipt> send_file_offer(peer_id to, file_info offered);
    [[nodiscard]] awaitable<receipt> send_bytes(peer_id to, bytes_view data);
    /// Sends the same bytes, encoded once, to several. @return how many have taken them
    [[nodiscard]] awaitable<std::size_t> send_bytes_to_all(std::vector<peer_id> to, bytes_view data);

    std::uint64_t refused() const noexcept { return refused_; } ///< inbound messages that were too large

  private:
    template <class P> awaitable<receipt> deliver(peer_id to, typename P::request const &message);
    static std::string make_id();
    bytes_protocol::request bytes_message(bytes_view data) const;
    awaitable<void> send_counted(peer_id to, bytes_view frame, std::string const &id, std::size_t &taken);
    awaitable<delivery_receipt> take_direct(peer_id const &from, direct_protocol::request const &message);
    awaitable<delivery_receipt> take_bytes(peer_id const &from, bytes_protocol::request const &message);
    [[noreturn]] void refuse(char const *what);

    swarm &swarm_;
    node_options const &options_;
    surroundings around_;
    context_clock clock_;
    std::uint64_t refused_ = 0;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/messenger.ipp"
#endif
