// tests/fuzz/line.hpp: a two-way line between two state machines that cuts what it carries into parts, as the fuzzer decides.
#pragma once

#include "fuzz.hpp"

#include <gigi/core/condition.hpp>
#include <gigi/core/stream.hpp>

#include <memory>
#include <span>

namespace fuzz {

/// One direction: what was written and not yet read.
struct way {
    way(gigi::any_io_executor const &executor, std::uint32_t seed) : changed{executor}, cuts{seed} {}

    gigi::bytes data;
    std::size_t at = 0; // read before it
    bool ended = false, broken = false;
    gigi::async_condition changed;
    std::uint32_t cuts; // decides how much a read gets

    std::size_t left() const noexcept { return data.size() - at; }
    std::size_t next_part() noexcept {
        if (cuts == 0) return SIZE_MAX; // whole
        cuts = cuts * 1664525 + 1013904223;
        return 1 + (cuts >> 16) % (cuts >> 30 == 0 ? 3 : 200);
    }
};

/// One end. Models ByteStream.
class end {
  public:
    end(std::shared_ptr<way> in, std::shared_ptr<way> out) : in_{std::move(in)}, out_{std::move(out)} {}

    gigi::awaitable<std::size_t> read_some(gigi::mutable_bytes buffer) {
        while (in_->left() == 0 && !in_->ended && !in_->broken) co_await in_->changed.wait();
        if (in_->broken) throw gigi::error{gigi::make_error_code(gigi::errc::reset)};
        std::size_t const n = std::min({buffer.size(), in_->left(), in_->next_part()});
        std::copy_n(in_->data.begin() + static_cast<std::ptrdiff_t>(in_->at), n, buffer.begin());
        in_->at += n;
        co_return n;
    }
    gigi::awaitable<void> write(gigi::bytes_view data) {
        if (out_->broken) throw gigi::error{gigi::make_error_code(gigi::errc::reset)};
        gigi::append(out_->data, data);
        out_->changed.notify_all();
        co_return;
    }
    gigi::awaitable<void> write(std::span<gigi::bytes_view const> pieces) {
        for (auto const &piece : pieces) co_await write(piece);
    }
    gigi::awaitable<void> wait_readable() {
        while (in_->left() == 0 && !in_->ended && !in_->broken) co_await in_->changed.wait();
    }
    void close_write() {
        out_->ended = true;
        out_->changed.notify_all();
    }
    void reset() {
        for (auto *const w : {in_.get(), out_.get()}) {
            w->broken = true;
            w->changed.notify_all();
        }
    }

  private:
    std::shared_ptr<way> in_, out_;
};
static_assert(gigi::ByteStream<end>);

/// One for all inputs: making one costs more than most inputs do.
inline asio::io_context &context() {
    static asio::io_context io;
    return io;
}

/// Runs until nothing more can happen.
inline void run(asio::io_context &io) {
    io.restart();
    while (io.poll() > 0) { // not run(): coroutines that wait for ever are work
    }
}

/// Begins a coroutine; `done` becomes true when it ends, `failed` says why it ended otherwise.
struct outcome {
    bool done = false;
    std::error_code failed;
};
inline void start(asio::io_context &io, gigi::awaitable<void> work, outcome &out) {
    asio::co_spawn(io, std::move(work), [&out](std::exception_ptr thrown) {
        out.done = true;
        try {
            if (thrown) std::rethrow_exception(thrown);
        } catch (std::system_error const &e) {
            out.failed = e.code();
        }
    });
}

} // namespace fuzz
