// A program that uses a little of gigi, and something of each library that gigi needs: Asio, OpenSSL, cereal and protozero.
#ifdef SINGLE_HEADER
#include <gigi.hpp>
#else
#include <gigi/codec/cereal_codec.hpp>
#include <gigi/core/timeout.hpp>
#include <gigi/peer/peer_record.hpp>
#include <gigi/version.hpp>
#endif

#include <cstdio>

asio::awaitable<gigi::bytes> seal(gigi::identity const &self, gigi::multiaddr const &address) {
    co_return gigi::seal_peer_record(self, std::span{&address, 1}, 1);
}

asio::awaitable<void> once(bool &right) {
    auto const self = gigi::identity::generate();
    auto const address = *gigi::multiaddr::parse("/ip4/192.0.2.7/tcp/4001");
    auto const sealed = co_await gigi::with_timeout(seal(self, address), std::chrono::seconds{10});
    auto const record = gigi::open_peer_record(sealed);

    gigi::bytes encoded;
    gigi::cereal_codec{}.encode(self.id().to_string(), encoded);
    auto const decoded = gigi::cereal_codec{}.decode<std::string>(encoded);

    right = record && record->addresses.size() == 1 && record->addresses[0] == address && decoded && *decoded == record->peer.to_string();
    if (right) std::printf("gigi %s is %s\n", std::string{gigi::version}.c_str(), decoded->c_str());
}

int main() {
    asio::io_context io;
    bool right = false;
    asio::co_spawn(io, once(right), [](std::exception_ptr failure) {
        if (failure) std::rethrow_exception(failure);
    });
    io.run();
    return right ? 0 : 1;
}
