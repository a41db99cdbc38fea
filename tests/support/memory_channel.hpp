// tests/support/memory_channel.hpp: a SecureChannel pair in memory: no encryption, bounded buffers, splitting on demand.
#pragma once

#include <gigi/core/asio.hpp>
#include <gigi/core/bytes.hpp>
#include <gigi/core/condition.hpp>
#include <gigi/core/error.hpp>
#include <gigi/security/secure_channel.hpp>

#include <cstddef>
#include <memory>
#include <random>
#include <span>
#include <string_view>
#include <utility>

namespace gigi_test {

using namespace gigi;

/// One direction.
struct memory_pipe {
    explicit memory_pipe(any_io_executor const &executor) : readable{executor}, writable{executor} {}

    bytes filling;               // written, not yet seen by the reader
    bytes reading;               // what the reader's view shows
    std::size_t offset = 0;      // into `reading`
    std::size_t capacity = 256 * 1024;
    std::size_t max_read = 0;    // bytes a read returns at most, chosen at random; 0: all there is
    std::minstd_rand random{1};
    std::size_t writes = 0;      // calls of write(): "system calls"
    std::size_t total = 0;       // bytes
    bool ended = false;
    bool broken = false;
    bool stalled = false;        // the reader gets nothing for now
    async_condition readable;
    async_condition writable;
};

class memory_channel {
  public:
    memory_channel(std::shared_ptr<memory_pipe> in, std::shared_ptr<memory_pipe> out) : in_{std::move(in)}, out_{std::move(out)} {}

    awaitable<bytes_view> read() {
        auto &p = *in_;
        p.writable.notify_all();
        while (p.stalled || (p.offset == p.reading.size() && p.filling.empty())) {
            if (p.broken) throw error{make_error_code(errc::reset)};
            if (p.ended && !p.stalled) co_return bytes_view{};
            co_await p.readable.wait();
        }
        if (p.broken) throw error{make_error_code(errc::reset)};
        if (p.offset == p.reading.size()) {
            p.reading.clear();
            p.offset = 0;
            std::swap(p.reading, p.filling);
        }
        std::size_t n = p.reading.size() - p.offset;
        if (p.max_read) n = std::min<std::size_t>(n, 1 + p.random() % p.max_read);
        bytes_view const view = bytes_view{p.reading}.subspan(p.offset, n);
        p.offset += n;
        co_return view;
    }

    awaitable<void> write(std::span<bytes_view const> pieces) {
        auto &p = *out_;
        if (p.ended || p.broken) throw error{make_error_code(errc::reset)};
        ++p.writes;
        for (auto const piece : pieces) {
            append(p.filling, piece);
            p.total += piece.size();
        }
        p.readable.notify_all();
        while (p.filling.size() > p.capacity && !p.broken) co_await p.writable.wait();
        if (p.broken) throw error{make_error_code(errc::reset)};
    }

    void close_write() {
        out_->ended = true;
        out_->readable.notify_all();
    }
    void close() {
        close_write();
        in_->broken = true;
        in_->writable.notify_all();
        in_->readable.notify_all();
    }
    peer_id const &remote_peer() const { return peer_; }
    public_key const &remote_key() const { return key_; }
    std::string_view muxer() const { return "/yamux/1.0.0"; }
    multiaddr local_address() const { return {}; }
    multiaddr remote_address() const { return {}; }

  private:
    std::shared_ptr<memory_pipe> in_;
    std::shared_ptr<memory_pipe> out_;
    peer_id peer_;
    public_key key_;
};
static_assert(SecureChannel<memory_channel>);

/// Both ends, and the pipes for tests that look at them or interfere.
struct memory_link {
    explicit memory_link(any_io_executor const &executor)
        : forth{std::make_shared<memory_pipe>(executor)}, back{std::make_shared<memory_pipe>(executor)} {}

    memory_channel dialler() const { return {back, forth}; }
    memory_channel listener() const { return {forth, back}; }

    std::shared_ptr<memory_pipe> forth;
    std::shared_ptr<memory_pipe> back;
};

} // namespace gigi_test
