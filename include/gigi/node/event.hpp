// gigi/node/event.hpp: everything that happens at a node, as plain structs in one variant.
//
// Layer: node. Each struct names itself and its members (`for_each_member`), so that an app can print or encode any event
// without a table of its own.
#pragma once

#include "../core/bytes.hpp"
#include "../peer/multiaddr.hpp"
#include "../peer/peer_id.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <variant>
#include <vector>

namespace gigi::inline v1 {

namespace events {

/// The node accepts connections. Emitted at start and whenever the addresses change.
struct listening {
    static constexpr std::string_view event_name = "listening";
    peer_id peer;                     ///< this node
    std::vector<multiaddr> addresses; ///< each ends in `/p2p/<this node>`
    template <class F> void for_each_member(F &&f) const { f("peer", peer), f("addresses", addresses); }
};

/// Discovery found a peer. Nothing about it is authenticated before `peer_identified`.
struct peer_discovered {
    static constexpr std::string_view event_name = "peer_discovered";
    peer_id peer;
    std::string nickname; ///< a hint from the announcement, possibly false; may be empty
    std::vector<multiaddr> addresses;
    template <class F> void for_each_member(F &&f) const { f("peer", peer), f("nickname", nickname), f("addresses", addresses); }
};

/// A discovered peer said goodbye, or its announcement was not renewed.
struct peer_expired {
    static constexpr std::string_view event_name = "peer_expired";
    peer_id peer;
    std::string nickname;
    template <class F> void for_each_member(F &&f) const { f("peer", peer), f("nickname", nickname); }
};

/// A connection to a peer is there; its identity is authenticated.
struct peer_connected {
    static constexpr std::string_view event_name = "peer_connected";
    peer_id peer;
    multiaddr address;     ///< where it is
    bool inbound = false;  ///< whether the peer dialled
    template <class F> void for_each_member(F &&f) const { f("peer", peer), f("address", address), f("inbound", inbound); }
};

/// The last connection to a peer is gone.
struct peer_disconnected {
    static constexpr std::string_view event_name = "peer_disconnected";
    peer_id peer;
    std::string nickname;
    std::error_code error; ///< why; `errc::closed` for an orderly goodbye
    template <class F> void for_each_member(F &&f) const { f("peer", peer), f("nickname", nickname), f("error", error); }
};

/// A connected peer has told who it is and what it speaks. gigi peers have a nickname, others an empty one.
struct peer_identified {
    static constexpr std::string_view event_name = "peer_identified";
    peer_id peer;
    std::string nickname;
    std::string agent; ///< its software, as it says
    std::vector<std::string> protocols;
    template <class F> void for_each_member(F &&f) const {
        f("peer", peer), f("nickname", nickname), f("agent", agent), f("protocols", protocols);
    }
};

struct nickname_changed {
    static constexpr std::string_view event_name = "nickname_changed";
    peer_id peer;
    std::string nickname; ///< from now on
    std::string previous;
    template <class F> void for_each_member(F &&f) const { f("peer", peer), f("nickname", nickname), f("previous", previous); }
};

/// A peer uses a nickname that was first seen with another key: somebody else of that name, or an impostor.
struct nickname_conflict {
    static constexpr std::string_view event_name = "nickname_conflict";
    peer_id peer;
    std::string nickname;
    peer_id pinned; ///< who had it first
    template <class F> void for_each_member(F &&f) const { f("peer", peer), f("nickname", nickname), f("pinned", pinned); }
};

struct direct_message {
    static constexpr std::string_view event_name = "direct_message";
    peer_id peer;
    std::string nickname;
    std::string text; ///< UTF-8, unfiltered: escape it before a terminal sees it
    std::string id;
    template <class F> void for_each_member(F &&f) const {
        f("peer", peer), f("nickname", nickname), f("text", text), f("id", id);
    }
};

/// An image arrived and has been stored in the output folder.
struct image_received {
    static constexpr std::string_view event_name = "image_received";
    peer_id peer;
    std::string nickname;
    std::string name; ///< as the sender calls it, made safe
    std::string mime; ///< as the sender says
    std::uint64_t size = 0;
    std::filesystem::path path;
    std::string id;
    template <class F> void for_each_member(F &&f) const {
        f("peer", peer), f("nickname", nickname), f("name", name), f("mime", mime), f("size", size), f("path", path), f("id", id);
    }
};

struct bytes_received {
    static constexpr std::string_view event_name = "bytes_received";
    peer_id peer;
    std::string nickname;
    gigi::bytes bytes;
    template <class F> void for_each_member(F &&f) const { f("peer", peer), f("nickname", nickname), f("bytes", bytes); }
};

struct group_joined {
    static constexpr std::string_view event_name = "group_joined";
    std::string group;
    template <class F> void for_each_member(F &&f) const { f("group", group); }
};

struct group_left {
    static constexpr std::string_view event_name = "group_left";
    std::string group;
    template <class F> void for_each_member(F &&f) const { f("group", group); }
};

struct group_peer_joined {
    static constexpr std::string_view event_name = "group_peer_joined";
    std::string group;
    peer_id peer;
    std::string nickname;
    template <class F> void for_each_member(F &&f) const { f("group", group), f("peer", peer), f("nickname", nickname); }
};

struct group_peer_left {
    static constexpr std::string_view event_name = "group_peer_left";
    std::string group;
    peer_id peer;
    std::string nickname;
    template <class F> void for_each_member(F &&f) const { f("group", group), f("peer", peer), f("nickname", nickname); }
};

/// A message in a group, signed by its author, whoever forwarded it.
struct group_message {
    static constexpr std::string_view event_name = "group_message";
    std::string group;
    peer_id peer; ///< the author
    std::string nickname;
    std::string text;
    std::string id;
    template <class F> void for_each_member(F &&f) const {
        f("group", group), f("peer", peer), f("nickname", nickname), f("text", text), f("id", id);
    }
};

/// A group image that this node fetched by itself (up to `node_options::auto_accept_size`); the offer was signed by its author.
struct group_image {
    static constexpr std::string_view event_name = "group_image";
    std::string group;
    peer_id peer; ///< the author
    std::string nickname;
    std::string name;
    std::string mime;
    std::uint64_t size = 0;
    std::string code;
    std::filesystem::path path;
    template <class F> void for_each_member(F &&f) const {
        f("group", group), f("peer", peer), f("nickname", nickname), f("name", name), f("mime", mime), f("size", size),
            f("code", code), f("path", path);
    }
};

/// A file of this node can now be downloaded under its code.
struct file_shared {
    static constexpr std::string_view event_name = "file_shared";
    std::string code;
    std::string name;
    std::uint64_t size = 0;
    std::filesystem::path path;
    template <class F> void for_each_member(F &&f) const { f("code", code), f("name", name), f("size", size), f("path", path); }
};

struct file_revoked {
    static constexpr std::string_view event_name = "file_revoked";
    std::string code;
    std::string name;
    template <class F> void for_each_member(F &&f) const { f("code", code), f("name", name); }
};

/// A peer says that it has a file for us, to one or (with `group`) to a group. Nothing is fetched by itself, but see `group_image`.
struct file_offered {
    static constexpr std::string_view event_name = "file_offered";
    peer_id peer;
    std::string nickname;
    std::string group; ///< empty: to us alone
    std::string code;
    std::string name;
    std::uint64_t size = 0;
    template <class F> void for_each_member(F &&f) const {
        f("peer", peer), f("nickname", nickname), f("group", group), f("code", code), f("name", name), f("size", size);
    }
};

struct download_started {
    static constexpr std::string_view event_name = "download_started";
    std::uint64_t id = 0; ///< names the download in the events that follow
    peer_id peer;
    std::string code;
    std::string name;
    std::uint64_t size = 0;
    template <class F> void for_each_member(F &&f) const {
        f("id", id), f("peer", peer), f("code", code), f("name", name), f("size", size);
    }
};

/// At most about ten a second for each download.
struct download_progress {
    static constexpr std::string_view event_name = "download_progress";
    std::uint64_t id = 0;
    std::string code;
    std::uint64_t bytes = 0; ///< verified and written
    std::uint64_t total = 0;
    double rate = 0; ///< bytes a second, over the last seconds
    std::size_t sources = 0;
    template <class F> void for_each_member(F &&f) const {
        f("id", id), f("code", code), f("bytes", bytes), f("total", total), f("rate", rate), f("sources", sources);
    }
};

struct download_finished {
    static constexpr std::string_view event_name = "download_finished";
    std::uint64_t id = 0;
    peer_id peer;
    std::string code;
    std::string name;
    std::uint64_t size = 0;
    std::filesystem::path path;
    template <class F> void for_each_member(F &&f) const {
        f("id", id), f("peer", peer), f("code", code), f("name", name), f("size", size), f("path", path);
    }
};

struct download_failed {
    static constexpr std::string_view event_name = "download_failed";
    std::uint64_t id = 0;
    peer_id peer;
    std::string code;
    std::error_code error;
    std::string message;
    template <class F> void for_each_member(F &&f) const {
        f("id", id), f("peer", peer), f("code", code), f("error", error), f("message", message);
    }
};

struct upload_progress {
    static constexpr std::string_view event_name = "upload_progress";
    peer_id peer;
    std::string nickname;
    std::string code;
    std::uint64_t bytes = 0; ///< sent to this peer
    std::uint64_t total = 0;
    template <class F> void for_each_member(F &&f) const {
        f("peer", peer), f("nickname", nickname), f("code", code), f("bytes", bytes), f("total", total);
    }
};

/// Something in the background failed and was survived: discovery without a network, a share list that cannot be saved, …
struct background_error {
    static constexpr std::string_view event_name = "background_error";
    std::string where;
    std::error_code error;
    std::string message;
    template <class F> void for_each_member(F &&f) const { f("where", where), f("error", error), f("message", message); }
};

/// This reader was too slow: so many events are missing here.
struct events_dropped {
    static constexpr std::string_view event_name = "events_dropped";
    std::uint64_t count = 0;
    template <class F> void for_each_member(F &&f) const { f("count", count); }
};

using any = std::variant<listening, peer_discovered, peer_expired, peer_connected, peer_disconnected, peer_identified,
                         nickname_changed, nickname_conflict, direct_message, image_received, bytes_received, group_joined,
                         group_left, group_peer_joined, group_peer_left, group_message, group_image, file_shared,
                         file_revoked, file_offered, download_started, download_progress, download_finished, download_failed,
                         upload_progress, background_error, events_dropped>;

} // namespace events

/// Something that happened: a variant of the structs below. `std::visit` and `std::get_if` work on it.
struct event : events::any {
    using listening = events::listening;
    using peer_discovered = events::peer_discovered;
    using peer_expired = events::peer_expired;
    using peer_connected = events::peer_connected;
    using peer_disconnected = events::peer_disconnected;
    using peer_identified = events::peer_identified;
    using nickname_changed = events::nickname_changed;
    using nickname_conflict = events::nickname_conflict;
    using direct_message = events::direct_message;
    using image_received = events::image_received;
    using bytes_received = events::bytes_received;
    using group_joined = events::group_joined;
    using group_left = events::group_left;
    using group_peer_joined = events::group_peer_joined;
    using group_peer_left = events::group_peer_left;
    using group_message = events::group_message;
    using group_image = events::group_image;
    using file_shared = events::file_shared;
    using file_revoked = events::file_revoked;
    using file_offered = events::file_offered;
    using download_started = events::download_started;
    using download_progress = events::download_progress;
    using download_finished = events::download_finished;
    using download_failed = events::download_failed;
    using upload_progress = events::upload_progress;
    using background_error = events::background_error;
    using events_dropped = events::events_dropped;

    using events::any::any;
    using events::any::operator=;
    event() = default;
    event(event const &);
    event(event &&) noexcept;
    event &operator=(event const &);
    event &operator=(event &&) noexcept;
    ~event();

    /// The event's name: the name of its struct.
    std::string_view name() const;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/event.ipp"
#endif
