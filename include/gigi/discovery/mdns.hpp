// gigi/discovery/mdns.hpp: finds peers on the local network by multicast DNS, and answers for this node.
//
// Layer: discovery. The shell around `mdns_core`: sockets on every interface, which come and go (T31), and the clock. It
// needs no system daemon, and shares the port with one. Models Discovery.
#pragma once

#include "../core/asio.hpp"
#include "../core/clock.hpp"
#include "../core/task_group.hpp"
#include "../crypto/random.hpp"
#include "../transport/interfaces.hpp"
#include "discovery.hpp"
#include "mdns_core.hpp"
#include "multicast_socket.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gigi::inline v1 {

/// Multicast DNS on the interfaces of this host.
///
/// Distinct objects: safe. Shared objects: unsafe; use it on its executor, a strand. Networks that are missing or do not
/// permit multicast are reported through `on_error`, never thrown, and tried again.
class mdns {
  public:
    /// @throws error with `errc::invalid_name` where `options.service` is not a domain name
    mdns(any_io_executor executor, peer_id self, mdns_options options = mdns_options());
    mdns(mdns const &) = delete;
    mdns &operator=(mdns const &) = delete;

    /// Begins to look for peers; to be called once, or again after `stop()`.
    void start(discovery_handler handler);

    /// Says what to announce from now on; see Discovery.
    void update(std::vector<multiaddr> addresses, std::string nickname);

    /// Says goodbye, closes the sockets and joins every task. No callback comes once it has begun.
    /// @par Cancellation Has no effect once it has begun: it goes on to its end, which comes soon.
    [[nodiscard]] awaitable<void> stop();

    /// How many sockets are open: one for each interface and IP version.
    std::size_t link_count() const noexcept { return links_.size(); }

  private:
    /// A socket, and what its coroutine needs.
    struct open_link {
        explicit open_link(any_io_executor const &executor) : socket{executor}, buffer(dns_max_message_size + 1) {}

        multicast_socket socket;
        std::uint32_t id = 0;
        unsigned interface_index = 0;
        std::string interface_name;
        bool ipv6 = false;
        bool failed = false; ///< to be closed, and opened again, by the next scan
        bytes buffer;
        asio::ip::udp::endpoint from;
    };
    using link_pointer = std::shared_ptr<open_link>;

    static constexpr std::uint32_t no_link = 0; ///< in `failures_`: the interfaces as a whole

    awaitable<void> run();
    awaitable<void> receive(link_pointer link);

    /// Sends and reports what the core has come to.
    void dispatch();
    void send_all();

    /// Opens and closes sockets as interfaces come and go, and tells the core what is announced on each.
    void scan(time_point now);

    /// @return whether the link is open, now or since an earlier scan
    bool open(network_interface const &on, bool ipv6, std::uint32_t id);

    /// Reports a failure, once as long as it lasts.
    void fail(std::uint32_t id, std::error_code code, std::string const &what);
    bool is_usable(network_interface const &candidate) const;

    /// Linux does not route IPv6 multicast on its loopback interface, which has not the flag, but IPv4 multicast.
    static bool has_ipv6(network_interface const &candidate);

    /// What is announced on an interface: the addresses at which it can be reached there.
    mdns_link describe(network_interface const &on, std::vector<network_interface> const &all) const;

    /// For people: an interface and which IP.
    static std::string version(open_link const &link) { return link.interface_name + (link.ipv6 ? " over IPv6" : " over IPv4"); }

    static dns_ipv6 mapped(asio::ip::address const &address);
    static asio::ip::udp::endpoint endpoint(open_link const &link, mdns_endpoint const &to);

    any_io_executor executor_;
    peer_id self_;
    mdns_options options_;
    context_clock clock_;
    timer due_;
    task_group tasks_;
    system_random random_;
    discovery_handler handler_;
    std::unique_ptr<mdns_core> core_; ///< while running
    std::vector<multiaddr> addresses_;
    std::string nickname_;
    std::map<std::uint32_t, link_pointer> links_;
    std::map<std::uint32_t, std::error_code> failures_; ///< that were reported and last
    time_point next_scan_ = time_point::min();
    time_point sleeping_until_ = time_point::max();
    bool dispatching_ = false;
    bool stopping_ = false;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/mdns.ipp"
#endif
