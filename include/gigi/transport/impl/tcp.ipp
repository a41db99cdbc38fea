// gigi/transport/impl/tcp.ipp: what tcp.hpp declares.
#pragma once

#include "../tcp.hpp"

#include "../../core/condition.hpp"
#include "../../core/config.hpp"
#include "../../core/error.hpp"
#include "../../core/task_group.hpp"
#include "../../core/turn.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#ifndef _WIN32
#include <unistd.h>
#endif

namespace gigi::inline v1 {

namespace detail {

inline multiaddr address_of(asio::ip::tcp::endpoint const &endpoint) {
    auto const ip = endpoint.address();
    if (ip.is_v4()) return multiaddr::tcp(ip.to_v4().to_bytes(), endpoint.port());
    auto const v6 = ip.to_v6();
    if (v6.is_v4_mapped()) return multiaddr::tcp(asio::ip::make_address_v4(asio::ip::v4_mapped, v6).to_bytes(), endpoint.port());
    std::string const zone = v6.scope_id() ? std::to_string(v6.scope_id()) : std::string{};
    return multiaddr::tcp(v6.to_bytes(), endpoint.port(), zone);
}

/// The endpoint of an address that begins with an IP address.
inline result<asio::ip::tcp::endpoint> endpoint_of(multiaddr const &address) {
    auto const port = address.tcp_port();
    auto const ip = address.ip();
    if (!port || ip.empty()) return errc::invalid_address;
    if (ip.size() == 4) {
        asio::ip::address_v4::bytes_type raw{};
        std::ranges::copy(ip, raw.begin());
        return asio::ip::tcp::endpoint{asio::ip::address_v4{raw}, *port};
    }
    asio::ip::address_v6::bytes_type raw{};
    std::ranges::copy(ip, raw.begin());
    asio::ip::address_v6 v6{raw};
    if (auto const zone = address.zone(); !zone.empty()) {
        // a name or a number, as the system writes it
        asio::error_code failed;
        auto const scoped = asio::ip::make_address_v6(v6.to_string() + "%" + zone, failed);
        if (failed) return errc::invalid_address;
        v6 = scoped;
    }
    return asio::ip::tcp::endpoint{v6, *port};
}

/// Asio watches a socket that it has connected for room to write, too, from then on: each wait for input would be woken by that
/// first. Watched anew, it is watched for input alone until a write has to wait.
inline void watch_anew(asio::ip::tcp::socket &socket, asio::ip::tcp const &protocol) {
#ifndef _WIN32 // there nothing is watched
    asio::error_code failed;
    auto const handle = socket.release(failed);
    if (failed) return;
    socket.assign(protocol, handle, failed);
    if (failed) ::close(handle); // its first use says so
#else
    static_cast<void>(socket), static_cast<void>(protocol);
#endif
}

/// What the system said, as `gigi::error` with the address it was about.
[[noreturn]] inline void throw_about(std::error_code code, multiaddr const &address) {
    auto const plain = portable(code);
    if (plain == std::errc::address_in_use) throw error{errc::address_in_use, address.to_string()};
    if (plain == std::errc::connection_refused) throw error{errc::refused, address.to_string()};
    if (plain == std::errc::timed_out) throw error{errc::timed_out, address.to_string()};
    if (plain == condition::unreachable) throw error{errc::unreachable, address.to_string()};
    if (plain == condition::cancelled) throw error{make_error_code(errc::cancelled)};
    throw error{code, address.to_string()};
}

/// A DNS name that is looked up. The system's look-up cannot be stopped: its answer may come when nobody waits for it any
/// more, and finds its place here.
struct name_lookup {
    explicit name_lookup(any_io_executor const &executor) : resolver{executor}, answered{executor} {}
    asio::ip::tcp::resolver resolver;
    async_condition answered;
    asio::error_code code;
    asio::ip::tcp::resolver::results_type found;
    bool done = false;
};

/// Those of an answer that the address allows, the two families by turns (RFC 8305 §4), so that one that leads nowhere does
/// not keep the other waiting.
inline std::vector<asio::ip::tcp::endpoint> endpoints_of(asio::ip::tcp::resolver::results_type const &found, multiaddr const &address) {
    std::vector<asio::ip::tcp::endpoint> preferred, other, all;
    for (auto const &entry : found) {
        auto const endpoint = entry.endpoint();
        bool const four = endpoint.address().is_v4();
        if ((address.has("dns4") && !four) || (address.has("dns6") && four)) continue;
        (preferred.empty() || preferred.front().protocol() == endpoint.protocol() ? preferred : other).push_back(endpoint);
    }
    for (std::size_t i = 0; i < std::max(preferred.size(), other.size()); ++i) {
        if (i < preferred.size()) all.push_back(preferred[i]);
        if (i < other.size()) all.push_back(other[i]);
    }
    if (all.size() > tcp_transport::max_endpoints) all.resize(tcp_transport::max_endpoints);
    return all;
}

/// Connects to the endpoints of one host, staggered, and keeps the first that answers: `dial_race`'s rule, for what only the
/// transport knows of.
class endpoint_race {
  public:
    explicit endpoint_race(any_io_executor const &executor) : executor_{executor}, attempts_{executor}, changed_{executor} {}

    /// @return nothing where none answers; then `code()` says why
    /// @par Cancellation Cancels every attempt and waits for its end.
    awaitable<std::optional<asio::ip::tcp::socket>> run(std::vector<asio::ip::tcp::endpoint> endpoints);
    asio::error_code const &code() const noexcept { return code_; }

  private:
    awaitable<void> race(std::vector<asio::ip::tcp::endpoint> endpoints);
    awaitable<void> attempt(asio::ip::tcp::endpoint endpoint);

    any_io_executor executor_;
    task_group attempts_;
    timer changed_;
    std::optional<asio::ip::tcp::socket> winner_;
    asio::error_code code_;
    std::size_t running_ = 0;
    std::size_t failed_ = 0;
};

GIGI_INLINE awaitable<std::optional<asio::ip::tcp::socket>> endpoint_race::run(std::vector<asio::ip::tcp::endpoint> endpoints) {
    std::exception_ptr failure;
    try {
        co_await race(std::move(endpoints));
    } catch (...) {
        failure = std::current_exception();
    }
    attempts_.cancel();
    bool const throwing = co_await asio::this_coro::throw_if_cancelled(); // the caller must still learn that it is cancelled
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await attempts_.join();
    co_await asio::this_coro::throw_if_cancelled(throwing);
    if (failure) std::rethrow_exception(failure);
    co_return std::move(winner_);
}

GIGI_INLINE awaitable<void> endpoint_race::race(std::vector<asio::ip::tcp::endpoint> endpoints) {
    for (auto const &endpoint : endpoints) {
        ++running_;
        attempts_.spawn(attempt(endpoint));
        auto const next = changed_.now() + tcp_transport::stagger;
        std::size_t const failed = failed_;
        while (!winner_ && running_ > 0 && failed_ == failed) {
            bool const waited = co_await changed_.wait_until(next);
            if (waited) break;
        }
        if (winner_) co_return;
    }
    while (!winner_ && running_ > 0) co_await changed_.wait_until(time_point::max());
}

GIGI_INLINE awaitable<void> endpoint_race::attempt(asio::ip::tcp::endpoint endpoint) {
    asio::ip::tcp::socket socket{executor_};
    asio::error_code code;
    auto redirect = asio::redirect_error(use_awaitable, code);
    co_await socket.async_connect(endpoint, redirect);
    --running_;
    if (code) {
        code_ = code;
        ++failed_;
    } else if (!winner_) {
        detail::watch_anew(socket, endpoint.protocol());
        winner_.emplace(std::move(socket));
    }
    changed_.wake();
}

} // namespace detail

GIGI_INLINE tcp_connection::tcp_connection(asio::ip::tcp::socket socket) : socket_{std::move(socket)} {
    asio::error_code ignored;
    socket_.non_blocking(true, ignored);
    socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
    socket_.set_option(asio::socket_base::keep_alive{true}, ignored);
    auto const local = socket_.local_endpoint(ignored);
    auto const remote = socket_.remote_endpoint(ignored);
    local_ = detail::address_of(local);
    remote_ = detail::address_of(remote);
}

GIGI_INLINE awaitable<std::size_t> tcp_connection::read_some(mutable_bytes buffer) {
    auto const room = asio::buffer(buffer.data(), buffer.size());
    for (;;) {
        asio::error_code code;
        std::size_t n = 0;
        // Where there was more than the last read took there is probably more now. But now and then by way of the event loop,
        // so that a busy connection does not starve the others.
        if (more_ && ++reads_at_once_ < at_once) {
            n = socket_.read_some(room, code);
        } else {
            reads_at_once_ = 0;
            auto told = asio::redirect_error(use_awaitable, code);
            n = co_await socket_.async_read_some(room, told);
        }
        more_ = n == buffer.size();
        if (!code) co_return n;
        if (code == asio::error::eof) co_return 0;
        if (code != asio::error::interrupted && code != asio::error::would_block && code != asio::error::try_again) fail(code);
    }
}

GIGI_INLINE awaitable<void> tcp_connection::write(bytes_view data) {
    std::array const pieces{data};
    co_await write(std::span<bytes_view const>{pieces});
}

GIGI_INLINE awaitable<void> tcp_connection::write(std::span<bytes_view const> pieces) {
    std::size_t first = 0, offset = 0; // the first byte that is not sent
    while (first < pieces.size()) {
        if (offset == pieces[first].size()) {
            ++first;
            offset = 0;
            continue;
        }
        std::array<asio::const_buffer, 16> gathered;
        std::size_t count = 0;
        for (std::size_t i = first; i < pieces.size() && count < gathered.size(); ++i) {
            auto const piece = i == first ? pieces[i].subspan(offset) : pieces[i];
            gathered[count++] = asio::const_buffer{piece.data(), piece.size()};
        }
        asio::error_code code;
        std::size_t n = socket_.write_some(std::span<asio::const_buffer const>{gathered.data(), count}, code);
        if (code == asio::error::interrupted) continue;
        if (code == asio::error::would_block || code == asio::error::try_again) {
            co_await socket_.async_wait(asio::socket_base::wait_write, use_awaitable);
            continue;
        }
        if (code) fail(code);
        for (; first < pieces.size() && n >= pieces[first].size() - offset; ++first) n -= pieces[first].size() - std::exchange(offset, 0);
        offset += n;
    }
}

GIGI_INLINE awaitable<void> tcp_connection::wait_readable() {
    asio::error_code code;
    auto told = asio::redirect_error(use_awaitable, code);
    co_await asio::async_initiate<decltype(told), void(std::error_code)>(
        [this](auto handler) { socket_.async_wait(asio::socket_base::wait_read, detail::turn_handler{std::move(handler)}); }, told);
    if (code) fail(code);
    more_ = true;
    reads_at_once_ = 0;
}

GIGI_INLINE void tcp_connection::close_write() {
    asio::error_code ignored;
    socket_.shutdown(asio::socket_base::shutdown_send, ignored);
}

GIGI_INLINE void tcp_connection::reset() {
    asio::error_code ignored;
    socket_.set_option(asio::socket_base::linger{true, 0}, ignored);
    socket_.close(ignored);
}

GIGI_INLINE void tcp_connection::close() {
    asio::error_code ignored;
    socket_.close(ignored);
}

GIGI_INLINE void tcp_connection::fail(asio::error_code const &code) {
    auto const plain = detail::portable(code);
    if (plain == std::errc::bad_file_descriptor) throw error{make_error_code(errc::closed)};
    if (plain == std::errc::connection_reset || plain == std::errc::broken_pipe) throw error{make_error_code(errc::reset)};
    throw error{code};
}

GIGI_INLINE tcp_listener::tcp_listener(any_io_executor const &executor, asio::ip::tcp::endpoint const &endpoint) : acceptor_{executor} {
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(asio::socket_base::reuse_address{true});
    if (endpoint.address().is_v6()) acceptor_.set_option(asio::ip::v6_only{true}); // 0.0.0.0 and :: share a port
    acceptor_.bind(endpoint);
    acceptor_.listen();
    address_ = detail::address_of(acceptor_.local_endpoint());
}

GIGI_INLINE awaitable<tcp_connection> tcp_listener::accept() {
    asio::error_code code;
    auto redirect = asio::redirect_error(use_awaitable, code);
    asio::ip::tcp::socket socket = co_await acceptor_.async_accept(redirect);
    if (code == asio::error::operation_aborted || code == asio::error::bad_descriptor) throw error{make_error_code(errc::closed)};
    if (code) throw error{code};
    co_return tcp_connection{std::move(socket)};
}

GIGI_INLINE void tcp_listener::close() {
    asio::error_code ignored;
    acceptor_.close(ignored);
}

GIGI_INLINE awaitable<tcp_connection> tcp_transport::dial(multiaddr address) {
    if (!address.is_tcp()) throw error{errc::invalid_address, address.to_string()};
    std::vector<asio::ip::tcp::endpoint> endpoints;
    if (address.ip().empty()) {
        endpoints = co_await look_up(address);
    } else {
        auto const endpoint = detail::endpoint_of(address);
        if (!endpoint || endpoint->port() == 0) throw error{errc::invalid_address, address.to_string()};
        endpoints.push_back(*endpoint);
    }
    detail::endpoint_race race{executor_};
    std::optional<asio::ip::tcp::socket> made = co_await race.run(std::move(endpoints));
    if (!made) detail::throw_about(race.code(), address);
    co_return tcp_connection{std::move(*made)};
}

GIGI_INLINE awaitable<std::vector<asio::ip::tcp::endpoint>> tcp_transport::look_up(multiaddr address) {
    auto const state = std::make_shared<detail::name_lookup>(executor_);
    struct giving_up { // no thread has begun with it, maybe
        asio::ip::tcp::resolver &resolver;
        ~giving_up() { resolver.cancel(); }
    } const at_the_end{state->resolver};
    state->resolver.async_resolve(address.ip_text(), std::to_string(address.tcp_port().value_or(0)),
                                  [state](asio::error_code code, asio::ip::tcp::resolver::results_type found) {
                                      state->code = code;
                                      state->found = std::move(found);
                                      state->done = true;
                                      state->answered.notify_all();
                                  });
    while (!state->done) co_await state->answered.wait();
    if (state->code) throw error{errc::unreachable, address.to_string() + " (" + state->code.message() + ")"};
    auto endpoints = detail::endpoints_of(state->found, address);
    if (endpoints.empty()) throw error{errc::unreachable, address.to_string()};
    co_return endpoints;
}

GIGI_INLINE tcp_listener tcp_transport::listen(multiaddr const &address) {
    auto const endpoint = detail::endpoint_of(address);
    if (!endpoint || !address.is_tcp()) throw error{errc::invalid_address, address.to_string()};
    try {
        return tcp_listener{executor_, *endpoint};
    } catch (std::system_error const &e) {
        detail::throw_about(e.code(), address);
    }
}

} // namespace gigi::inline v1
