// Two ends of an in-memory line with bounded buffers, and ways to break it.
#pragma once

#include <gigi/core/clock.hpp>
#include <gigi/core/condition.hpp>
#include <gigi/core/stream.hpp>

#include <algorithm>
#include <functional>
#include <memory>

class pipe_end {
  public:
    /// Both ends share this.
    struct line {
        struct direction {
            explicit direction(gigi::any_io_executor const &executor) : changed{executor} {}
            gigi::bytes data;
            std::size_t at = 0;
            bool ended = false;
            std::uint64_t carried = 0;
            std::uint64_t breaks_after = ~std::uint64_t{0};           // bytes; then the line is reset
            std::function<void(gigi::mutable_bytes, std::uint64_t)> damage; // may change bytes on the way
            bool stuck = false;                                        // takes everything and delivers nothing
            gigi::async_condition changed;
        };
        explicit line(gigi::any_io_executor const &executor) : ways{direction{executor}, direction{executor}} {}
        void reset() {
            broken = true;
            for (auto &w : ways) w.changed.notify_all();
        }
        direction ways[2];
        bool broken = false;
    };

    pipe_end(std::shared_ptr<line> l, int out) : line_{std::move(l)}, out_{out} {}
    pipe_end(pipe_end &&) = default;
    pipe_end &operator=(pipe_end &&) = default;
    ~pipe_end() {
        if (line_ && !(line_->ways[0].ended && line_->ways[1].ended)) line_->reset();
    }

    gigi::awaitable<std::size_t> read_some(gigi::mutable_bytes buffer) {
        auto const held = line_;
        auto &in = held->ways[1 - out_];
        while (!held->broken && (in.stuck || (in.at == in.data.size() && !in.ended))) co_await in.changed.wait();
        if (held->broken) throw gigi::error{gigi::make_error_code(gigi::errc::reset)};
        std::size_t const n = std::min(buffer.size(), in.data.size() - in.at);
        std::copy_n(in.data.begin() + static_cast<std::ptrdiff_t>(in.at), n, buffer.begin());
        in.at += n;
        if (in.at == in.data.size()) {
            gigi::bytes{}.swap(in.data); // what a test weighs is not ours
            in.at = 0;
            in.changed.notify_all();
        }
        co_return n;
    }
    gigi::awaitable<void> write(gigi::bytes_view data) {
        auto const held = line_;
        auto &out = held->ways[out_];
        while (!data.empty()) {
            while (!held->broken && out.data.size() >= capacity) co_await out.changed.wait();
            if (held->broken) throw gigi::error{gigi::make_error_code(gigi::errc::reset)};
            auto const part = data.first(std::min(data.size(), capacity));
            data = data.subspan(part.size());
            gigi::append(out.data, part);
            if (out.damage) out.damage(gigi::mutable_bytes{out.data}.last(part.size()), out.carried);
            out.carried += part.size();
            if (out.carried >= out.breaks_after) held->reset();
            out.changed.notify_all();
        }
    }
    void close_write() {
        line_->ways[out_].ended = true;
        line_->ways[out_].changed.notify_all();
    }
    void reset() { line_->reset(); }

    line &both() { return *line_; }

  private:
    static constexpr std::size_t capacity = 256 << 10;
    std::shared_ptr<line> line_;
    int out_;
};
static_assert(gigi::ByteStream<pipe_end>);
