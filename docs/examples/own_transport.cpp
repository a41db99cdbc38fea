// docs/examples/own_transport.cpp: docs/own-transport.md's program: nodes of one machine over Unix sockets.
#include "expect.hpp"

#include <gigi/node.hpp>

#include <asio/local/stream_protocol.hpp>
#include <asio/write.hpp>

#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

// [connection]
/// A connection over a Unix socket.
class unix_connection {
  public:
    using socket = asio::local::stream_protocol::socket;
    unix_connection(socket connected, gigi::multiaddr local, gigi::multiaddr remote)
        : socket_{std::move(connected)}, local_{std::move(local)}, remote_{std::move(remote)} {}

    gigi::awaitable<std::size_t> read_some(gigi::mutable_bytes buffer) {
        asio::error_code code;
        auto redirect = asio::redirect_error(asio::use_awaitable, code);
        std::size_t const n = co_await socket_.async_read_some(asio::buffer(buffer.data(), buffer.size()), redirect);
        if (code == asio::error::eof) co_return 0;
        if (code) throw gigi::error{code};
        co_return n;
    }
    gigi::awaitable<void> write(gigi::bytes_view data) {
        co_await asio::async_write(socket_, asio::buffer(data.data(), data.size()), asio::use_awaitable);
    }
    gigi::awaitable<void> write(std::span<gigi::bytes_view const> pieces) { // one system call for all
        std::vector<asio::const_buffer> all;
        for (auto const &piece : pieces) all.emplace_back(piece.data(), piece.size());
        co_await asio::async_write(socket_, all, asio::use_awaitable);
    }
    gigi::awaitable<void> wait_readable() { co_await socket_.async_wait(asio::socket_base::wait_read, asio::use_awaitable); }

    void close_write() {
        asio::error_code ignored;
        socket_.shutdown(asio::socket_base::shutdown_send, ignored);
    }
    void close() {
        asio::error_code ignored;
        socket_.close(ignored); // what waits throws condition::cancelled
    }
    void reset() { close(); }

    gigi::multiaddr const &local_address() const { return local_; }
    gigi::multiaddr const &remote_address() const { return remote_; }

  private:
    socket socket_;
    gigi::multiaddr local_, remote_;
};
static_assert(gigi::RawConnection<unix_connection>);
// [connection]

// [listener]
class unix_listener {
  public:
    using connection_type = unix_connection;

    unix_listener(gigi::any_io_executor const &executor, std::filesystem::path file, gigi::multiaddr address)
        : acceptor_{executor, asio::local::stream_protocol::endpoint{file.string()}}, file_{std::move(file)}, address_{std::move(address)} {}
    unix_listener(unix_listener &&) = default;
    unix_listener &operator=(unix_listener &&) = default;
    ~unix_listener() { close(); }

    gigi::awaitable<unix_connection> accept() {
        asio::error_code code;
        auto redirect = asio::redirect_error(asio::use_awaitable, code);
        unix_connection::socket accepted = co_await acceptor_.async_accept(redirect);
        if (code == asio::error::operation_aborted || code == asio::error::bad_descriptor)
            throw gigi::error{make_error_code(gigi::errc::closed)}; // how the swarm knows that it is over
        if (code) throw gigi::error{code};
        co_return unix_connection{std::move(accepted), address_, address_}; // who dials has no name of its own
    }
    gigi::multiaddr const &local_address() const { return address_; }
    void close() {
        if (!acceptor_.is_open()) return; // closed, or moved from
        asio::error_code ignored;
        acceptor_.close(ignored);
        std::filesystem::remove(file_, ignored);
    }

  private:
    asio::local::stream_protocol::acceptor acceptor_;
    std::filesystem::path file_;
    gigi::multiaddr address_;
};
static_assert(gigi::Listener<unix_listener>);
// [listener]

// [transport]
/// /ip4/127.0.0.1/tcp/4001 is the socket `4001` in a folder.
class unix_transport {
  public:
    using connection_type = unix_connection;
    using listener_type = unix_listener;

    unix_transport(gigi::any_io_executor executor, std::filesystem::path folder) : executor_{std::move(executor)}, folder_{std::move(folder)} {}

    bool can_dial(gigi::multiaddr const &address) const { return address.is_tcp() && address.is_loopback(); }

    gigi::awaitable<unix_connection> dial(gigi::multiaddr address) {
        unix_connection::socket socket{executor_};
        asio::error_code code;
        auto redirect = asio::redirect_error(asio::use_awaitable, code);
        co_await socket.async_connect(asio::local::stream_protocol::endpoint{file_of(address).string()}, redirect);
        if (code == asio::error::operation_aborted) throw gigi::error{code};
        if (code) throw gigi::error{gigi::errc::refused, address.to_string()};
        auto const remote = address.without_peer();
        co_return unix_connection{std::move(socket), remote, remote};
    }
    unix_listener listen(gigi::multiaddr const &address) {
        auto const file = file_of(address);
        if (!can_dial(address) || file.filename() == "0") throw gigi::error{gigi::errc::invalid_address, address.to_string()};
        if (std::filesystem::exists(file)) throw gigi::error{gigi::errc::address_in_use, address.to_string()};
        return unix_listener{executor_, file, address};
    }

  private:
    std::filesystem::path file_of(gigi::multiaddr const &address) const { return folder_ / std::to_string(address.tcp_port().value_or(0)); }

    gigi::any_io_executor executor_;
    std::filesystem::path folder_;
};
static_assert(gigi::Transport<unix_transport>);
// [transport]

// [stack]
struct unix_stack {
    using transport = unix_transport;
    template <class Raw> using secure = gigi::noise<Raw>;
    template <class Channel> using muxer = gigi::yamux<Channel>;
    using offload = gigi::thread_pool_offload; // where files are read and hashed

    std::filesystem::path folder;

    transport make_transport(gigi::any_io_executor const &executor) const { return transport{executor, folder}; }
    static std::unique_ptr<gigi::random_source> make_random() { return std::make_unique<gigi::system_random>(); }
};
using unix_node = gigi::basic_node<unix_stack>;
// [stack]

// [main]
gigi::awaitable<void> talk(unix_node &alice, unix_node &bob) {
    co_await alice.start();
    co_await bob.start();
    std::string const address = bob.addresses().front().to_string();
    co_await alice.dial(address);
    gigi::receipt const taken = co_await alice.send(bob.id(), "hello");
    expect(!taken.id.empty(), "bob's node has it");
    co_await alice.stop();
    co_await bob.stop();
}

gigi::node_options listening_on(std::string const &address) {
    gigi::node_options options;
    options.listen.assign(1, address);
    options.mdns = false; // its announcements would name sockets that others cannot reach
    return options;
}

int main() {
    auto const folder = std::filesystem::temp_directory_path() / ("gigi-unix-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    asio::io_context io{1};
    unix_node alice{io.get_executor(), listening_on("/ip4/127.0.0.1/tcp/1"), unix_stack{folder}};
    unix_node bob{io.get_executor(), listening_on("/ip4/127.0.0.1/tcp/2"), unix_stack{folder}};
    int const code = run(io, talk(alice, bob));
    expect(std::filesystem::is_empty(folder), "every socket is gone");
    std::filesystem::remove_all(folder);
    return code;
}
// [main]
