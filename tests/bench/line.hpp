// A line: two threads joined by whatever carries bytes. Round trips and bulk streams are measured on all of them by the same code.
#pragma once

#include "bench.hpp"

#include <gigi/core/bytes.hpp>

#include <asio/use_future.hpp>

#include <concepts>
#include <cstdint>
#include <stdexcept>
#include <system_error>

namespace bench {

/// Two ends, each with a thread: what one dials, the other accepts. A stream reads and writes as gigi's do.
template <class T>
concept Line = requires(T &line) {
    { line.client } -> std::same_as<worker &>;
    { line.server } -> std::same_as<worker &>;
    line.dial();
    line.accept();
};

struct trip {
    double time = 0; ///< the median, in microseconds
    double cpu = 0;  ///< of both ends, on the average, in microseconds
};

/// Sends back messages of one size, until the other side ends or breaks the stream.
template <Line L> gigi::awaitable<void> echo(L &line, std::size_t size) {
    auto s = co_await line.accept();
    gigi::bytes buffer(size);
    gigi::mutable_bytes const room{buffer};
    gigi::bytes_view const answer{buffer};
    try {
        for (bool open = true; open;) {
            for (std::size_t have = 0; open && have < size;) {
                gigi::mutable_bytes const rest = room.subspan(have);
                std::size_t const n = co_await s.read_some(rest);
                open = n > 0;
                have += n;
            }
            if (open) co_await s.write(answer);
        }
    } catch (std::system_error const &) {
    }
}

template <Line L> gigi::awaitable<double> ask_echo(L &line, std::size_t size, int count) {
    auto s = co_await line.dial();
    gigi::bytes const message(size, 7);
    gigi::bytes_view const question{message};
    gigi::bytes buffer(size);
    gigi::mutable_bytes const room{buffer};
    std::vector<double> times;
    for (int i = 0; i < count; ++i) {
        auto const start = clock::now();
        co_await s.write(question);
        for (std::size_t have = 0; have < size;) {
            gigi::mutable_bytes const rest = room.subspan(have);
            std::size_t const n = co_await s.read_some(rest);
            if (n == 0) throw std::runtime_error{"the echo has ended"};
            have += n;
        }
        times.push_back(since(start) * 1e6);
    }
    co_return median(std::move(times));
}

/// Reads as many bytes as the first eight say, and answers with one.
template <Line L> gigi::awaitable<void> swallow(L &line) {
    auto s = co_await line.accept();
    gigi::bytes buffer(256 << 10);
    gigi::mutable_bytes const room{buffer};
    std::uint64_t expected = 0;
    gigi::mutable_bytes const head{reinterpret_cast<std::uint8_t *>(&expected), sizeof expected};
    for (std::size_t have = 0; have < head.size();) {
        gigi::mutable_bytes const rest = head.subspan(have);
        std::size_t const n = co_await s.read_some(rest);
        if (n == 0) throw std::runtime_error{"the bulk stream has ended"};
        have += n;
    }
    while (expected > 0) {
        std::size_t const n = co_await s.read_some(room);
        if (n == 0) throw std::runtime_error{"the bulk stream has ended"};
        expected -= n;
    }
    gigi::bytes const done(1);
    gigi::bytes_view const answer{done};
    co_await s.write(answer);
    s.close_write();
}

/// Writes `mib` MiB, and waits until the other side has read all of it.
template <Line L> gigi::awaitable<void> pour(L &line, std::size_t mib) {
    auto s = co_await line.dial();
    gigi::bytes const piece(1 << 20, 3);
    gigi::bytes_view const data{piece};
    std::uint64_t const total = mib << 20;
    gigi::bytes_view const head{reinterpret_cast<std::uint8_t const *>(&total), sizeof total};
    co_await s.write(head);
    for (std::size_t i = 0; i < mib; ++i) co_await s.write(data);
    gigi::bytes end(1);
    gigi::mutable_bytes const room{end};
    if (co_await s.read_some(room) == 0) throw std::runtime_error{"the bulk stream has ended"};
    s.close_write();
}

/// Round trips of messages of `size` bytes, one after the other.
template <Line L> trip round_trips(L &line, std::size_t size, int count) {
    auto served = asio::co_spawn(line.server.io, echo(line, size), asio::use_future);
    trip result;
    double const before = cpu_time();
    result.time = line.client.run(ask_echo(line, size, count));
    result.cpu = (cpu_time() - before) / count * 1e6;
    served.get();
    return result;
}

/// `streams` streams at once, each with `mib` MiB.
template <Line L> flow bulk(L &line, std::size_t streams, std::size_t mib) {
    std::vector<std::future<void>> all;
    double const before = cpu_time();
    auto const start = clock::now();
    for (std::size_t i = 0; i < streams; ++i) {
        all.push_back(asio::co_spawn(line.server.io, swallow(line), asio::use_future));
        all.push_back(asio::co_spawn(line.client.io, pour(line, mib), asio::use_future));
    }
    for (auto &one : all) one.get();
    auto const total = static_cast<double>(streams * mib);
    return {total / since(start), (cpu_time() - before) * 1e6 / total};
}

} // namespace bench
