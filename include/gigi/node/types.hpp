// gigi/node/types.hpp: the small values that a node's functions take and return.
//
// Layer: node.
#pragma once

#include "../core/clock.hpp"
#include "../peer/multiaddr.hpp"
#include "../peer/peer_id.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace gigi::inline v1 {

/// A peer as a caller names it: by id, or by a text that is an id, a nickname, `name~abcd` (the end of the id), or `~abcd`.
/// @par Lifetime Refers to the text it was made from; make it in the call.
class peer_ref {
  public:
    peer_ref(char const *text) : text_{text} {}
    peer_ref(std::string_view text) : text_{text.data() ? text : std::string_view{""}} {} // also a view of nothing is a text
    peer_ref(std::string const &text) : text_{text} {}
    peer_ref(peer_id const &id) : id_{id} {}

    bool has_id() const noexcept { return text_.data() == nullptr; }
    peer_id const &id() const noexcept { return id_; }
    std::string_view text() const noexcept { return text_; }

  private:
    std::string_view text_{};
    peer_id id_{};
};

/// The receiver's node has taken a message.
struct receipt {
    std::string id;        ///< of the message
    duration round_trip{}; ///< from sending to receipt
};

struct peer_info {
    peer_id peer;
    std::string nickname; ///< authenticated; of a peer that is only discovered: its hint
    bool connected = false;
    bool inbound = false;
    std::vector<multiaddr> addresses; ///< the connection's, or where the peer was last known to be
    std::string agent;
    duration round_trip{}; ///< 0 where it is not known
    std::uint64_t bytes_sent = 0, bytes_received = 0; ///< over the present connection, without its encryption's overhead
    template <class F> void for_each_member(F &&f) const {
        f("peer", peer), f("nickname", nickname), f("connected", connected), f("inbound", inbound), f("addresses", addresses),
            f("agent", agent), f("bytes_sent", bytes_sent), f("bytes_received", bytes_received);
    }
};

struct group_info {
    std::string group;
    std::vector<peer_info> members; ///< connected peers that are in the group; not this node
    template <class F> void for_each_member(F &&f) const { f("group", group), f("members", members); }
};

/// A file that a peer shares.
struct file_info {
    std::string code;
    std::string name;
    std::uint64_t size = 0;
    template <class F> void for_each_member(F &&f) const { f("code", code), f("name", name), f("size", size); }
};

/// A file that this node shares.
struct shared_info : file_info {
    std::filesystem::path path;
};

struct download_result {
    std::filesystem::path path;
    std::string name;
    std::uint64_t size = 0;
};

} // namespace gigi::inline v1
