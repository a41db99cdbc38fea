// gigi/node/node_core.hpp: the parts of a running node, put together, started in order and stopped in the reverse order.
//
// Layer: node. Non-template: `basic_node<Stack>` only brings the connector of its stack.
#pragma once

#include "../core/asio.hpp"
#include "../core/clock.hpp"
#include "../core/task_group.hpp"
#include "../crypto/random.hpp"
#include "../discovery/mdns.hpp"
#include "../link/swarm.hpp"
#include "../peer/identity.hpp"
#include "../peer/peer_store.hpp"
#include "../transport/interfaces.hpp"
#include "event.hpp"
#include "event_hub.hpp"
#include "file_sharing.hpp"
#include "groups.hpp"
#include "messenger.hpp"
#include "node_stats.hpp"
#include "options.hpp"
#include "people.hpp"
#include "presence.hpp"
#include "store_file.hpp"
#include "types.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gigi::inline v1 {

/// What a node consists of while it runs. `start()` may be called once; `stop()` must have returned before destruction.
class node_core {
  public:
    using connector_factory = std::function<std::unique_ptr<connector>(any_io_executor const &, identity const &)>;

    node_core(any_io_executor executor, node_options const &options, identity self, std::string nickname, connector_factory const &make_connector,
              any_io_executor disk, random_source &random, event_hub &events);

    /// What a connection of a node with these options may use.
    static mux_limits connection_limits(node_options const &from);

    /// Loads what is kept on disk, listens, announces, and begins to dial.
    /// @throws error: `errc::address_in_use`, `errc::invalid_address`, `errc::bad_share_list`; then `stop()` must follow
    void start();

    /// Says goodbye, ends every connection, joins every task, and saves what is kept on disk.
    [[nodiscard]] awaitable<void> stop();
    void rename(std::string nickname);

    /// Where other peers can reach this node; each ends in its id.
    std::vector<multiaddr> addresses() const;
    std::vector<peer_info> peers() const;
    peer_info info_of(peer_id const &peer) const;
    std::vector<group_info> group_list() const;

    /// The connected peers that speak a protocol, and after them those that have not said yet what they speak: who has just dialled
    /// somebody expects that he is asked too.
    std::vector<peer_id> peers_with(std::string_view protocol) const;

    /// Sends bytes to every connected peer that takes them. @return how many have
    [[nodiscard]] awaitable<std::size_t> broadcast(bytes_view data);
    node_stats stats() const;

    identity const &self() const noexcept { return self_; }
    std::string const &nickname() const noexcept { return nickname_; }
    swarm &network() noexcept { return swarm_; }
    people &who() noexcept { return people_; }
    presence &around() noexcept { return presence_; }
    messenger &messages() noexcept { return messenger_; }
    file_sharing &files() noexcept { return files_; }
    group_service &groups() noexcept { return groups_; }

  private:
    static constexpr duration store_interval = std::chrono::seconds{15};
    static constexpr duration store_refresh = std::chrono::hours{1};

    std::function<void(event const &)> emitter();
    std::function<std::string(peer_id const &)> namer();
    static peer_store_limits store_limits(node_options const &from);
    static swarm_options swarm_limits(node_options const &from);

    /// Listens on what the options say; with an interface, on its addresses only.
    void listen();
    /// Whether listening failed because this host, or its transport, has no such addresses.
    static bool lacks_family(std::error_code const &why);
    /// Listens on one address for an entry of `options_.listen`.
    void open(std::string const &wanted, multiaddr const &address);

    /// With an interface: listens on its addresses that are new, on the port of before, and no longer on those that are gone.
    /// @return whether anything changed
    bool follow_interface();
    bool open_again(std::string const &wanted, multiaddr const &address);
    std::vector<network_interface> used_interfaces() const;
    std::vector<multiaddr> reachable_addresses() const;
    void announce();

    /// Notices when the host's addresses change, follows them, and tells the peers.
    awaitable<void> watch_addresses();
    void load_store();
    void save_store();

    /// Saves what is new soon, and when peers were last seen now and then, so that a crash forgets little.
    awaitable<void> keep_store();
    void report(std::string where, std::error_code code, std::string message);
    void report(std::optional<store_file::trouble> const &trouble);

    any_io_executor executor_;
    node_options const &options_;
    identity self_;
    std::string nickname_;
    any_io_executor disk_;
    event_hub &events_;
    context_clock clock_;
    peer_store store_;
    store_file store_file_;
    swarm swarm_;
    people people_;
    presence presence_;
    messenger messenger_;
    file_sharing files_;
    group_service groups_;
    std::unique_ptr<mdns> mdns_;
    struct listener {
        std::string wanted; ///< the entry of `options_.listen`
        multiaddr bound;
    };
    std::vector<listener> listeners_;
    std::map<std::string, std::uint16_t> ports_; ///< that the first listener of each entry got
    std::vector<multiaddr> announced_;
    std::uint64_t store_saves_ = 0;
    task_group tasks_;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/node_core.ipp"
#endif
