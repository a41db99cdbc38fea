// gigi/protocol/impl/ping.ipp: what ping.hpp declares.
#pragma once

#include "../ping.hpp"

#include "../../core/config.hpp"
#include "../../core/stream.hpp"
#include "../../crypto/random.hpp"

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

namespace ping {

GIGI_INLINE awaitable<void> echo(any_io_executor executor, stream incoming) {
    incoming.set_background();
    std::array<std::uint8_t, size> payload{};
    mutable_bytes const buffer{payload};
    for (;;) {
        incoming.expires_after(executor, std::chrono::minutes{2});
        std::size_t got = co_await incoming.read_some(buffer);
        if (got == 0) break;
        mutable_bytes const rest = buffer.subspan(got);
        co_await read_exactly(incoming, rest);
        bytes_view const answer{payload};
        co_await incoming.write(answer);
    }
    incoming.close_write();
}

GIGI_INLINE void serve(swarm &on) {
    on.handle(std::string{protocol}, [executor = on.get_executor()](stream incoming) { return echo(executor, std::move(incoming)); });
}

GIGI_INLINE awaitable<duration> measure(swarm &through, peer_id peer, duration limit) {
    std::vector<std::string> protocols;
    protocols.emplace_back(protocol);
    stream opened = co_await through.open_stream(std::move(peer), std::move(protocols));
    opened.set_background();
    opened.expires_after(through.get_executor(), limit);
    std::array<std::uint8_t, size> sent{}, received{};
    random_bytes(sent);
    context_clock const clock{through.get_executor()};
    auto const start = clock.now();
    bytes_view const out{sent};
    co_await opened.write(out);
    mutable_bytes const in{received};
    co_await read_exactly(opened, in);
    auto const end = clock.now();
    if (sent != received) throw error{errc::protocol_violation, "ping"};
    opened.close_write();
    std::size_t const extra = co_await opened.read_some(in);
    if (extra != 0) throw error{errc::protocol_violation, "ping"};
    co_return end - start;
}

} // namespace ping

} // namespace gigi::inline v1
