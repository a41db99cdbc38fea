// What a link costs beside what it stands on and what others build: the same round trips and the same bulk streams over plain
// TCP, over TLS 1.3 with ChaCha20-Poly1305 (Asio and OpenSSL), and over gigi (Noise, yamux), side by side in one run.
//
//   link_bench [--pin] [--rounds N] [--mib N]
//
// Build Release; look at the ratios. Both ends are threads of this process.
#include "bench.hpp"

#include <gigi/core/task_group.hpp>
#include <gigi/link/swarm.hpp>
#include <gigi/mux/yamux.hpp>
#include <gigi/peer/identity.hpp>
#include <gigi/protocol/request_response.hpp>
#include <gigi/security/noise.hpp>
#include <gigi/transport/tcp.hpp>

#include <asio/ssl.hpp>
#include <asio/use_future.hpp>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cstdlib>
#include <memory>

using namespace gigi;
using bench::worker;

namespace {

// ---- TLS

using tls_socket = asio::ssl::stream<asio::ip::tcp::socket>;

/// A TLS connection with the operations of a gigi stream.
class tls_stream {
  public:
    explicit tls_stream(std::shared_ptr<tls_socket> socket) : socket_{std::move(socket)} {}

    awaitable<std::size_t> read_some(mutable_bytes buffer) {
        asio::error_code code;
        auto told = asio::redirect_error(use_awaitable, code);
        auto const room = asio::buffer(buffer.data(), buffer.size());
        std::size_t const n = co_await socket_->async_read_some(room, told);
        if (code && code != asio::error::eof && code != asio::ssl::error::stream_truncated) throw std::system_error{code};
        co_return n;
    }
    awaitable<void> write(bytes_view data) {
        auto const all = asio::buffer(data.data(), data.size());
        co_await asio::async_write(*socket_, all, use_awaitable);
    }
    /// TLS over one socket has no half-close that Asio offers: the end is a byte count, so the reader stops by itself.
    void close_write() {}

  private:
    std::shared_ptr<tls_socket> socket_;
};

/// A key and a certificate that it signed itself.
void make_certificate(asio::ssl::context &context) {
    EVP_PKEY *const key = EVP_EC_gen("P-256");
    X509 *const certificate = X509_new();
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, key, EVP_sha256());
    SSL_CTX_use_certificate(context.native_handle(), certificate);
    SSL_CTX_use_PrivateKey(context.native_handle(), key);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

struct tls_pair {
    worker server, client;
    asio::ssl::context accepting{asio::ssl::context::tls_server}, dialling{asio::ssl::context::tls_client};
    asio::ip::tcp::acceptor acceptor{server.io, {asio::ip::address_v4::loopback(), 0}};

    tls_pair() {
        make_certificate(accepting);
        for (auto *const context : {&accepting, &dialling}) {
            SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_3_VERSION);
            SSL_CTX_set_ciphersuites(context->native_handle(), "TLS_CHACHA20_POLY1305_SHA256");
        }
    }
};

awaitable<std::shared_ptr<tls_socket>> accept_tls(tls_pair &pair) {
    asio::ip::tcp::socket raw = co_await pair.acceptor.async_accept(use_awaitable);
    raw.set_option(asio::ip::tcp::no_delay{true});
    auto const secured = std::make_shared<tls_socket>(std::move(raw), pair.accepting);
    co_await secured->async_handshake(asio::ssl::stream_base::server, use_awaitable);
    co_return secured;
}
awaitable<void> serve_tls_echo(tls_pair &pair) {
    auto socket = co_await accept_tls(pair);
    co_await bench::echo(tls_stream{std::move(socket)});
}
/// Reads so many bytes, and answers with one.
awaitable<void> swallow_tls(tls_pair &pair, std::size_t expected) {
    auto socket = co_await accept_tls(pair);
    tls_stream s{std::move(socket)};
    bytes buffer(256 << 10);
    mutable_bytes const room{buffer};
    while (expected > 0) {
        std::size_t const n = co_await s.read_some(room);
        if (n == 0) break;
        expected -= std::min(n, expected);
    }
    bytes const done(1);
    bytes_view const answer{done};
    co_await s.write(answer);
}
awaitable<std::shared_ptr<tls_socket>> dial_tls(tls_pair &pair) {
    auto const secured = std::make_shared<tls_socket>(pair.client.io, pair.dialling);
    auto const where = pair.acceptor.local_endpoint();
    co_await secured->next_layer().async_connect(where, use_awaitable);
    secured->next_layer().set_option(asio::ip::tcp::no_delay{true});
    co_await secured->async_handshake(asio::ssl::stream_base::client, use_awaitable);
    co_return secured;
}
awaitable<double> tls_round_trips(tls_pair &pair, int count) {
    auto socket = co_await dial_tls(pair);
    tls_stream s{std::move(socket)};
    double const time = co_await bench::round_trips(s, count);
    co_return time;
}
awaitable<void> tls_pour(tls_pair &pair, std::size_t mib) {
    auto socket = co_await dial_tls(pair);
    tls_stream s{std::move(socket)};
    co_await bench::pour(s, mib);
}

void ignore(std::exception_ptr) {}

double over_tls_trip(int count) {
    tls_pair pair;
    asio::co_spawn(pair.server.io, serve_tls_echo(pair), ignore);
    return pair.client.run(tls_round_trips(pair, count));
}
double over_tls_bulk(std::size_t streams, std::size_t mib) {
    tls_pair pair;
    for (std::size_t i = 0; i < streams; ++i) asio::co_spawn(pair.server.io, swallow_tls(pair, mib << 20), ignore);
    auto const start = bench::clock::now();
    std::vector<std::future<void>> all;
    for (std::size_t i = 0; i < streams; ++i) all.push_back(asio::co_spawn(pair.client.io, tls_pour(pair, mib), asio::use_future));
    for (auto &one : all) one.get();
    return static_cast<double>(streams * mib) / bench::since(start);
}

// ---- plain TCP

struct tcp_pair {
    worker server, client;
    tcp_listener listener{server.io.get_executor(), asio::ip::tcp::endpoint{asio::ip::address_v4::loopback(), 0}};
};
awaitable<void> serve_tcp_echo(tcp_pair &pair) {
    tcp_connection c = co_await pair.listener.accept();
    co_await bench::echo(std::move(c));
}
awaitable<void> swallow_tcp(tcp_pair &pair) {
    tcp_connection c = co_await pair.listener.accept();
    co_await bench::swallow(std::move(c));
}
awaitable<tcp_connection> dial_tcp(tcp_pair &pair) {
    tcp_transport net{pair.client.io.get_executor()};
    tcp_connection c = co_await net.dial(pair.listener.local_address());
    co_return c;
}
awaitable<double> tcp_round_trips(tcp_pair &pair, int count) {
    tcp_connection c = co_await dial_tcp(pair);
    double const time = co_await bench::round_trips(c, count);
    co_return time;
}
awaitable<void> tcp_pour(tcp_pair &pair, std::size_t mib) {
    tcp_connection c = co_await dial_tcp(pair);
    co_await bench::pour(c, mib);
}
double over_tcp_trip(int count) {
    tcp_pair pair;
    asio::co_spawn(pair.server.io, serve_tcp_echo(pair), ignore);
    return pair.client.run(tcp_round_trips(pair, count));
}
double over_tcp_bulk(std::size_t streams, std::size_t mib) {
    tcp_pair pair;
    for (std::size_t i = 0; i < streams; ++i) asio::co_spawn(pair.server.io, swallow_tcp(pair), ignore);
    auto const start = bench::clock::now();
    std::vector<std::future<void>> all;
    for (std::size_t i = 0; i < streams; ++i) all.push_back(asio::co_spawn(pair.client.io, tcp_pour(pair, mib), asio::use_future));
    for (auto &one : all) one.get();
    return static_cast<double>(streams * mib) / bench::since(start);
}

// ---- gigi

struct stack {
    using transport = tcp_transport;
    template <class Raw> using secure = noise<Raw>;
    template <class Channel> using muxer = yamux<Channel>;
};

struct side {
    side() : self{identity::generate()}, net{thread.io.get_executor(), self, swarm_options{}, [](peer_id const &) { return std::vector<multiaddr>(); }} {
        net.add(std::make_unique<stack_connector<stack>>(tcp_transport{thread.io.get_executor()}, self));
    }
    identity self;
    worker thread;
    swarm net;
};

struct echo_protocol {
    static constexpr std::string_view id = "/bench/echo/1.0.0";
    using request = std::string;
    using response = std::string;
};

awaitable<stream> open(side &from, peer_id to, char const *protocol) {
    std::vector<std::string> offered;
    offered.push_back(protocol);
    stream s = co_await from.net.open_stream(to, std::move(offered));
    co_return s;
}
awaitable<double> gigi_round_trips(side &from, peer_id to, int count) {
    stream s = co_await open(from, to, "/bench/raw");
    double const time = co_await bench::round_trips(s, count);
    co_return time;
}
awaitable<double> gigi_requests(side &from, peer_id to, int count) {
    std::string const question(64, 'q');
    std::vector<double> times;
    for (int i = 0; i < count; ++i) {
        auto const start = bench::clock::now();
        std::string const answer = co_await send_request<echo_protocol>(from.net, to, question, std::chrono::seconds{10});
        times.push_back(bench::since(start) * 1e6);
    }
    co_return bench::median(std::move(times));
}
awaitable<void> gigi_pour(side &from, peer_id to, std::size_t mib) {
    stream s = co_await open(from, to, "/bench/sink");
    co_await bench::pour(s, mib);
}
double over_gigi_bulk(side &from, peer_id const &to, std::size_t streams, std::size_t mib) {
    auto const start = bench::clock::now();
    std::vector<std::future<void>> all;
    for (std::size_t i = 0; i < streams; ++i) all.push_back(asio::co_spawn(from.thread.io, gigi_pour(from, to, mib), asio::use_future));
    for (auto &one : all) one.get();
    return static_cast<double>(streams * mib) / bench::since(start);
}
awaitable<peer_id> connect(swarm &from, multiaddr to) { return from.dial(std::move(to)); }
awaitable<multiaddr> open_listener(swarm &net) { co_return net.listen(multiaddr::parse("/ip4/127.0.0.1/tcp/0").value()); }

} // namespace

int main(int argc, char **argv) {
    int rounds = 5;
    std::size_t mib = 1024;
    std::string where = "free";
    for (int i = 1; i < argc; ++i) {
        if (!std::strcmp(argv[i], "--pin")) bench::pin(), where = "pinned";
        if (!std::strcmp(argv[i], "--rounds") && i + 1 < argc) rounds = std::atoi(argv[++i]);
        if (!std::strcmp(argv[i], "--mib") && i + 1 < argc) mib = std::strtoul(argv[++i], nullptr, 10);
    }
    constexpr int trips = 20'000;

    side a, b;
    b.net.handle("/bench/raw", [](stream s) { return bench::echo(std::move(s)); });
    b.net.handle("/bench/sink", [](stream s) { return bench::swallow(std::move(s)); });
    serve_requests<echo_protocol>(b.net, [](peer_id const &, std::string const &q) { return q; }, std::chrono::seconds{10});
    auto const address = b.thread.run(open_listener(b.net)).with_peer(b.self.id());
    auto const peer = a.thread.run(connect(a.net, address));

    std::vector<double> tcp_trip, tls_trip, gigi_trip, gigi_request, gigi_cpu, tcp_bulk, tls_bulk, gigi_bulk, tcp_eight, tls_eight, gigi_eight;
    for (int round = 0; round < rounds; ++round) { // side by side, so that the machine's moods meet all of them
        tcp_trip.push_back(over_tcp_trip(trips));
        tls_trip.push_back(over_tls_trip(trips));
        gigi_trip.push_back(a.thread.run(gigi_round_trips(a, peer, trips)));
        double const before = bench::cpu_time();
        gigi_request.push_back(a.thread.run(gigi_requests(a, peer, trips)));
        gigi_cpu.push_back((bench::cpu_time() - before) / trips * 1e6);
        tcp_bulk.push_back(over_tcp_bulk(1, mib));
        tls_bulk.push_back(over_tls_bulk(1, mib));
        gigi_bulk.push_back(over_gigi_bulk(a, peer, 1, mib));
        tcp_eight.push_back(over_tcp_bulk(8, mib / 8));
        tls_eight.push_back(over_tls_bulk(8, mib / 8));
        gigi_eight.push_back(over_gigi_bulk(a, peer, 8, mib / 8));
    }
    auto const row = [&where](char const *what, std::vector<double> const &all, char const *unit) { bench::row(where + ", " + what, bench::median(all), unit); };
    row("64 B round trip, TCP", tcp_trip, "us");
    row("64 B round trip, TLS 1.3", tls_trip, "us");
    row("64 B round trip, gigi stream", gigi_trip, "us");
    row("64 B request and response, gigi", gigi_request, "us");
    row("processor time of a request and response, both ends", gigi_cpu, "us");
    row("one bulk stream, TCP", tcp_bulk, "MiB/s");
    row("one bulk stream, TLS 1.3", tls_bulk, "MiB/s");
    row("one bulk stream, gigi", gigi_bulk, "MiB/s");
    row("eight bulk streams, TCP", tcp_eight, "MiB/s");
    row("eight bulk streams, TLS 1.3", tls_eight, "MiB/s");
    row("eight bulk streams, gigi", gigi_eight, "MiB/s");
    a.thread.run(a.net.stop());
    b.thread.run(b.net.stop());
}
