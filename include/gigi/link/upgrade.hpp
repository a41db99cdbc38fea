// gigi/link/upgrade.hpp: from a raw connection to an authenticated, multiplexed one; and the stack behind one interface.
//
// Layer: link. Spec: libp2p connection establishment (connections/README.md): multistream-select for the security
// protocol, its handshake, then the muxer, which the handshake has agreed on already or a second multistream-select does.
#pragma once

#include "../core/asio.hpp"
#include "../core/bytes.hpp"
#include "../core/error.hpp"
#include "../mux/muxer.hpp"
#include "../peer/identity.hpp"
#include "../peer/multiaddr.hpp"
#include "../peer/peer_id.hpp"
#include "../security/secure_channel.hpp"
#include "../transport/transport.hpp"
#include "multistream.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace gigi::inline v1 {

/// A connection whose peer is authenticated and whose streams can be opened.
struct established {
    peer_id peer;
    multiaddr local;
    multiaddr remote;
    std::unique_ptr<muxed_connection> mux;
};

/// An inbound connection before its handshake.
class pending_connection {
  public:
    virtual ~pending_connection() = default;
    virtual multiaddr remote_address() const = 0;
    /// Authenticates it; call once. The caller sets the deadline. @throws std::system_error
    virtual awaitable<established> upgrade() = 0;
};

/// Takes inbound connections of one transport.
class acceptor {
  public:
    virtual ~acceptor() = default;
    virtual multiaddr local_address() const = 0;
    /// @throws `errc::closed` after `close()`
    virtual awaitable<std::unique_ptr<pending_connection>> accept() = 0;
    virtual void close() = 0;
};

/// A transport with the whole stack above it: what the swarm dials and listens with, whatever the stack is.
class connector {
  public:
    virtual ~connector() = default;
    virtual bool can_dial(multiaddr const &address) = 0;
    /// @param expected who must answer; `errc::peer_mismatch` otherwise
    virtual awaitable<established> dial(multiaddr address, std::optional<peer_id> expected) = 0;
    /// @throws std::system_error with `errc::address_in_use`, `errc::invalid_address`, …
    virtual std::unique_ptr<acceptor> listen(multiaddr const &address) = 0;
};

namespace detail {

/// A secure channel read as a stream while the muxer is negotiated, and as a channel again from the exact byte behind it.
template <SecureChannel Channel> class negotiable_channel {
  public:
    explicit negotiable_channel(Channel channel) : channel_{std::move(channel)} {}

    awaitable<std::size_t> read_some(mutable_bytes buffer) {
        if (pending_.empty()) pending_ = co_await channel_.read();
        std::size_t const n = std::min(buffer.size(), pending_.size());
        std::copy_n(pending_.begin(), n, buffer.begin());
        pending_ = pending_.subspan(n);
        co_return n;
    }
    awaitable<void> write(bytes_view data) {
        std::array const pieces{data};
        co_await channel_.write(std::span<bytes_view const>{pieces});
    }
    void reset() { channel_.close(); }

    awaitable<bytes_view> read() {
        if (pending_.empty()) return channel_.read();
        return take(std::exchange(pending_, {}));
    }
    awaitable<void> write(std::span<bytes_view const> pieces) { return channel_.write(pieces); }
    void close_write() { channel_.close_write(); }
    void close() { channel_.close(); }
    peer_id const &remote_peer() const { return channel_.remote_peer(); }
    public_key const &remote_key() const { return channel_.remote_key(); }
    std::string_view muxer() const { return channel_.muxer(); }
    multiaddr local_address() const { return channel_.local_address(); }
    multiaddr remote_address() const { return channel_.remote_address(); }

  private:
    static awaitable<bytes_view> take(bytes_view data) { co_return data; }

    Channel channel_;
    bytes_view pending_;
};

} // namespace detail

/// Secures and multiplexes a raw connection.
/// @param dialled whether this side opened the connection
/// @param expected who must be at the other end, where that is known
/// @param limits of the connection that comes out
/// @throws std::system_error: `errc::peer_mismatch`, `errc::unsupported_protocol`, `errc::protocol_violation`, …
/// @par Cancellation Closes the connection.
template <class Stack, RawConnection Raw>
awaitable<established> upgrade(Raw raw, bool dialled, identity const &self, std::optional<peer_id> expected, mux_limits limits) {
    using secure = typename Stack::template secure<Raw>;
    using channel = detail::negotiable_channel<secure>;
    using muxer = typename Stack::template muxer<channel>;
    static_assert(Muxer<muxer, channel>);

    auto const executor = co_await asio::this_coro::executor;
    std::array<std::string, 1> const security{std::string{secure::protocol}};
    std::array<std::string, 1> const muxers{std::string{muxer::protocol}};
    std::span<std::string const> const security_offer{security};
    std::span<std::string const> const muxer_offer{muxers};

    std::string chosen;
    if (dialled)
        chosen = co_await negotiate_as_dialer(raw, security_offer);
    else
        chosen = co_await negotiate_as_listener(raw, security_offer);

    std::optional<secure> secured;
    if (dialled)
        secured.emplace(co_await secure::dial(std::move(raw), self, expected, muxer_offer));
    else
        secured.emplace(co_await secure::accept(std::move(raw), self, muxer_offer));

    channel ready{std::move(*secured)};
    if (ready.muxer().empty()) {
        if (dialled)
            chosen = co_await negotiate_as_dialer(ready, muxer_offer);
        else
            chosen = co_await negotiate_as_listener(ready, muxer_offer);
    }
    established result{ready.remote_peer(), ready.local_address(), ready.remote_address(), nullptr};
    result.mux = std::make_unique<muxer>(executor, std::move(ready), dialled, limits);
    co_return result;
}

/// The connector of a stack: `Stack::transport`, `Stack::secure<Raw>` and `Stack::muxer<Channel>`.
template <class Stack> class stack_connector final : public connector {
    using transport = typename Stack::transport;
    using raw = typename transport::connection_type;
    using listener = typename transport::listener_type;

  public:
    /// @param limits of each connection
    /// @par Lifetime `self` must outlive the connector.
    stack_connector(transport carrier, identity const &self, mux_limits const &limits = mux_limits())
        : transport_{std::move(carrier)}, self_{self}, limits_{limits} {}

    bool can_dial(multiaddr const &address) override { return transport_.can_dial(address); }

    awaitable<established> dial(multiaddr address, std::optional<peer_id> expected) override {
        raw connection = co_await transport_.dial(address);
        established result = co_await gigi::upgrade<Stack>(std::move(connection), true, self_, std::move(expected), limits_);
        co_return result;
    }

    std::unique_ptr<acceptor> listen(multiaddr const &address) override {
        return std::make_unique<accepting>(transport_.listen(address), self_, limits_);
    }

  private:
    class pending final : public pending_connection {
      public:
        pending(raw connection, identity const &self, mux_limits const &limits) : raw_{std::move(connection)}, self_{self}, limits_{limits} {}
        multiaddr remote_address() const override { return raw_.remote_address(); }
        awaitable<established> upgrade() override {
            return gigi::upgrade<Stack>(std::move(raw_), false, self_, std::nullopt, limits_);
        }

      private:
        raw raw_;
        identity const &self_;
        mux_limits limits_;
    };

    class accepting final : public acceptor {
      public:
        accepting(listener from, identity const &self, mux_limits const &limits) : listener_{std::move(from)}, self_{self}, limits_{limits} {}
        multiaddr local_address() const override { return listener_.local_address(); }
        awaitable<std::unique_ptr<pending_connection>> accept() override {
            raw connection = co_await listener_.accept();
            std::unique_ptr<pending_connection> accepted = std::make_unique<pending>(std::move(connection), self_, limits_);
            co_return accepted;
        }
        void close() override { listener_.close(); }

      private:
        listener listener_;
        identity const &self_;
        mux_limits limits_;
    };

    transport transport_;
    identity const &self_;
    mux_limits limits_;
};

} // namespace gigi::inline v1
