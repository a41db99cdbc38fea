// gigi/transport/memory.hpp: a network inside one process, for tests and simulations.
//
// Layer: transport. Addresses are those of TCP (/ip4/10.0.0.1/tcp/4001), so that nothing above can tell. The network has latency,
// takes writes apart, loses connections and separates hosts, all from one seed and on the context's clock.
#pragma once

#include "../core/asio.hpp"
#include "../core/bytes.hpp"
#include "../core/channel.hpp"
#include "../core/clock.hpp"
#include "../core/condition.hpp"
#include "../crypto/random.hpp"
#include "transport.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

/// How a memory network behaves.
struct memory_network_options {
    duration latency = std::chrono::milliseconds{1};  ///< one way
    duration jitter{};                                ///< added to it, up to so much; the order of a connection's bytes stays
    std::size_t largest_piece = std::size_t{64} << 10; ///< bytes that arrive together at most
    bool split = false;                               ///< pieces of random sizes, down to single bytes
    std::size_t window = std::size_t{256} << 10;      ///< bytes under way in one direction; then writers wait
    std::uint64_t bandwidth = 0;                      ///< of each direction of a connection, in bytes a second; 0: no limit
};

/// What becomes of a connection that a memory network breaks.
enum class memory_fault {
    reset,  ///< both ends are told
    silence ///< nobody is told, and nothing arrives any more
};

class memory_network;

namespace detail {

struct memory_link;

/// What is to happen when so many bytes have arrived. It happens once.
struct pending_fault {
    std::string from, to; ///< hosts
    std::uint64_t left;   ///< bytes that still arrive
    memory_fault what;
};

/// One direction of a connection.
struct memory_pipe {
    memory_pipe(any_io_executor const &executor, memory_link &of) : link{of}, arrived{executor}, room{executor}, delivery{executor} {}

    struct piece {
        time_point due;
        bytes data; ///< empty: the end
    };
    memory_link &link;
    std::shared_ptr<pending_fault> fault;
    std::deque<piece> under_way;
    bytes ready;
    std::size_t taken = 0; ///< of `ready`
    std::size_t held = 0;  ///< bytes written and not yet read
    bool closed = false;   ///< the writer has ended
    bool ended = false;    ///< … and the reader has seen it
    bool silent = false;   ///< nothing arrives for now
    time_point free_at{};  ///< when the line has sent what was written
    std::error_code broken;
    async_condition arrived;
    async_condition room;
    alarm_timer delivery;

    void deliver(context_clock const &clock);
    void arrive(bytes data);
    void schedule(context_clock const &clock);
    void fail(std::error_code why);
};

struct memory_link {
    memory_link(any_io_executor const &executor, multiaddr a, multiaddr b) : there{executor, *this}, back{executor, *this}, dialler{std::move(a)}, listener{std::move(b)} {}
    memory_link(memory_link const &) = delete;
    memory_link &operator=(memory_link const &) = delete;

    memory_pipe there; ///< from the dialler to the listener
    memory_pipe back;
    multiaddr dialler;
    multiaddr listener;
    void fail(std::error_code why);
    void silence(bool silent, context_clock const &clock);
};

} // namespace detail

/// A connection of a memory network. Models RawConnection.
class memory_connection {
  public:
    memory_connection(memory_network &network, std::shared_ptr<detail::memory_link> link, bool dialled) : network_{&network}, link_{std::move(link)}, dialled_{dialled} {}
    memory_connection(memory_connection &&) noexcept = default;
    memory_connection &operator=(memory_connection &&other) noexcept;
    ~memory_connection() { close(); }

    [[nodiscard]] awaitable<std::size_t> read_some(mutable_bytes buffer);
    [[nodiscard]] awaitable<void> write(bytes_view data);
    [[nodiscard]] awaitable<void> write(std::span<bytes_view const> pieces);
    [[nodiscard]] awaitable<void> wait_readable();
    void close_write();
    void reset();
    /// As a process that exits: what was written still arrives, and then the end.
    void close();
    multiaddr const &local_address() const noexcept { return dialled_ ? link_->dialler : link_->listener; }
    multiaddr const &remote_address() const noexcept { return dialled_ ? link_->listener : link_->dialler; }

  private:
    detail::memory_pipe &in() const noexcept { return dialled_ ? link_->back : link_->there; }
    detail::memory_pipe &out() const noexcept { return dialled_ ? link_->there : link_->back; }

    memory_network *network_;
    std::shared_ptr<detail::memory_link> link_;
    bool dialled_;
};

/// Takes connections to one address of a memory network. Models Listener.
class memory_listener {
  public:
    using connection_type = memory_connection;
    memory_listener(memory_network &network, multiaddr address);
    memory_listener(memory_listener &&) noexcept = default;
    memory_listener &operator=(memory_listener &&) noexcept = default;
    ~memory_listener();

    [[nodiscard]] awaitable<memory_connection> accept();
    multiaddr const &local_address() const noexcept { return address_; }
    void close();

  private:
    memory_network *network_;
    multiaddr address_;
    std::shared_ptr<channel<std::shared_ptr<detail::memory_link>>> queue_;
};

/// The wires between the hosts of a test. A host is an IP address.
/// @par Lifetime Must outlive its transports, listeners and connections.
class memory_network {
  public:
    memory_network(any_io_executor executor, random_source &random, memory_network_options const &options = {});

    /// Breaks every connection between two hosts, and lets no new ones through until `join`: both sides are told at once.
    void separate(std::string const &a, std::string const &b);
    /// As a cable that is pulled: nobody is told. What is written waits, dials hang, and all goes on after `join`.
    void silence(std::string const &a, std::string const &b);
    void join(std::string const &a, std::string const &b);
    /// Cuts every connection of a host, as pulling its plug would.
    void cut(std::string const &host);

    /// Breaks the connection over which the next byte after `count` would arrive from one host at another, counted from now over
    /// all connections between them. Other connections are not touched. Replaces a fault that has not happened yet.
    void fail_after(std::string const &from, std::string const &to, std::uint64_t count, memory_fault what);
    /// Whether it has not happened yet.
    bool fault_pending() const noexcept { return fault_ != nullptr && !fault_->from.empty(); }

    /// Connections that somebody still holds, at either end or unaccepted: what must be none when all have been closed.
    std::size_t connections() const;

    memory_network_options &options() noexcept { return options_; }
    any_io_executor const &get_executor() const noexcept { return executor_; }

  private:
    friend memory_connection;
    friend memory_listener;
    friend class memory_transport;
    using backlog = channel<std::shared_ptr<detail::memory_link>>;

    bool reachable(std::string const &a, std::string const &b) const { return !separated_.contains(std::minmax(a, b)); }
    bool silent(std::string const &a, std::string const &b) const { return silent_.contains(std::minmax(a, b)); }
    static bool joins(detail::memory_link const &link, std::string const &a, std::string const &b);
    template <class F> void for_links(F const &f);
    void arm(detail::memory_link &link);
    /// An address of a host at a port of its own.
    multiaddr unused_address(std::string const &host);
    duration delay();
    void send(detail::memory_pipe &pipe, bytes_view data);
    void end(detail::memory_pipe &pipe);

    static constexpr std::uint16_t first_port = 20'000;

    any_io_executor executor_;
    random_source &random_;
    memory_network_options options_;
    context_clock clock_;
    std::map<multiaddr, std::weak_ptr<backlog>> listeners_;
    std::vector<std::weak_ptr<detail::memory_link>> links_;
    std::shared_ptr<detail::pending_fault> fault_;
    std::set<std::pair<std::string, std::string>> separated_;
    std::set<std::pair<std::string, std::string>> silent_;
    async_condition joined_;
    std::uint16_t next_port_ = first_port;
};

/// The transport of one host of a memory network. Models Transport.
class memory_transport {
  public:
    using connection_type = memory_connection;
    using listener_type = memory_listener;

    /// @param host its IP address, e.g. "10.0.0.1"
    memory_transport(memory_network &network, std::string host) : network_{&network}, host_{std::move(host)} {}

    bool can_dial(multiaddr const &address) const { return address.is_tcp(); }

    [[nodiscard]] awaitable<memory_connection> dial(multiaddr address);

    /// @param address of this host; port 0 takes any free one
    [[nodiscard]] memory_listener listen(multiaddr const &address);

  private:
    memory_network *network_;
    std::string host_;
};
static_assert(Transport<memory_transport>);

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/memory.ipp"
#endif
