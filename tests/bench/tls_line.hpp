// TLS 1.3 with ChaCha20-Poly1305 by Asio and OpenSSL, one connection a stream: what links are measured beside.
#pragma once

#include "line.hpp"

#include <asio/ssl.hpp>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <system_error>

namespace bench {

/// A TLS connection with the operations of a gigi stream.
class tls_stream {
  public:
    using socket = asio::ssl::stream<asio::ip::tcp::socket>;
    explicit tls_stream(std::unique_ptr<socket> secured) : socket_{std::move(secured)} {}

    gigi::awaitable<std::size_t> read_some(gigi::mutable_bytes buffer) {
        asio::error_code code;
        auto told = asio::redirect_error(asio::use_awaitable, code);
        auto const room = asio::buffer(buffer.data(), buffer.size());
        std::size_t const n = co_await socket_->async_read_some(room, told);
        if (code && code != asio::error::eof && code != asio::ssl::error::stream_truncated) throw std::system_error{code};
        co_return n;
    }
    gigi::awaitable<void> write(gigi::bytes_view data) {
        auto const all = asio::buffer(data.data(), data.size());
        co_await asio::async_write(*socket_, all, asio::use_awaitable);
    }
    /// Asio offers no half-close of TLS: its streams end with their connections.
    void close_write() {}

  private:
    std::unique_ptr<socket> socket_;
};

class tls_line {
  public:
    worker server, client;

    tls_line() {
        certify();
        for (auto *const context : {&accepting_, &dialling_}) {
            SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_3_VERSION);
            SSL_CTX_set_ciphersuites(context->native_handle(), "TLS_CHACHA20_POLY1305_SHA256");
        }
    }
    gigi::awaitable<tls_stream> accept() {
        asio::ip::tcp::socket raw = co_await acceptor_.async_accept(asio::use_awaitable);
        raw.set_option(asio::ip::tcp::no_delay{true});
        auto secured = std::make_unique<tls_stream::socket>(std::move(raw), accepting_);
        co_await secured->async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
        co_return tls_stream{std::move(secured)};
    }
    gigi::awaitable<tls_stream> dial() {
        auto secured = std::make_unique<tls_stream::socket>(client.io, dialling_);
        auto const where = acceptor_.local_endpoint();
        co_await secured->next_layer().async_connect(where, asio::use_awaitable);
        secured->next_layer().set_option(asio::ip::tcp::no_delay{true});
        co_await secured->async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
        co_return tls_stream{std::move(secured)};
    }

  private:
    /// A key, and a certificate that it signed itself.
    void certify() {
        EVP_PKEY *const key = EVP_EC_gen("P-256");
        X509 *const certificate = X509_new();
        X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
        X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
        X509_set_pubkey(certificate, key);
        X509_sign(certificate, key, EVP_sha256());
        SSL_CTX_use_certificate(accepting_.native_handle(), certificate);
        SSL_CTX_use_PrivateKey(accepting_.native_handle(), key);
        X509_free(certificate);
        EVP_PKEY_free(key);
    }

    asio::ssl::context accepting_{asio::ssl::context::tls_server}, dialling_{asio::ssl::context::tls_client};
    asio::ip::tcp::acceptor acceptor_{server.io, {asio::ip::address_v4::loopback(), 0}};
};
static_assert(Line<tls_line>);

} // namespace bench
