// gigi/mux/yamux.hpp: yamux over a secure channel.
//
// Layer: mux. Spec: hashicorp/yamux spec.md; libp2p/specs yamux/README.md.
#pragma once

#include "../core/asio.hpp"
#include "../core/task_group.hpp"
#include "../core/turn.hpp"
#include "../security/secure_channel.hpp"
#include "muxer.hpp"
#include "yamux_connection.hpp"
#include "yamux_options.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

namespace gigi::inline v1 {

/// A `muxed_connection` that speaks yamux. See there for the contract of each function.
template <SecureChannel Channel> class yamux final : public yamux_connection {
  public:
    static constexpr std::string_view protocol = "/yamux/1.0.0";

    /// @param dialled whether this side opened the connection
    yamux(any_io_executor executor, Channel channel, bool dialled, yamux_options options = {})
        : yamux_connection{executor, dialled, options}, channel_{std::move(channel)}, tasks_{executor} {}
    yamux(any_io_executor executor, Channel channel, bool dialled, mux_limits const &limits)
        : yamux{executor, std::move(channel), dialled, options_with(limits)} {}

    awaitable<void> run() override {
        std::exception_ptr failure;
        std::error_code code;
        if (begin()) {
            tasks_.spawn(read_frames());
            tasks_.spawn(write_frames());
            try {
                co_await tasks_.join();
            } catch (std::system_error const &e) {
                failure = std::current_exception();
                code = e.code();
            } catch (...) {
                failure = std::current_exception();
            }
            channel_.close();
            end(make_error_code(errc::closed));
            over();
        }
        if (aborted()) throw error{aborted()};
        if (yamux_connection::failure()) throw error{yamux_connection::failure(), "yamux"};
        if (!channel_failure_) channel_failure_ = code;
        if (closing() && (!channel_failure_ || channel_failure_ == condition::closed)) co_return; // it left a little before us
        if (failure) std::rethrow_exception(failure);
        if (channel_failure_) throw error{channel_failure_};
    }

    void abort(std::error_code why) noexcept override { abort_with(why); }

    Channel const &channel() const noexcept { return channel_; }

  private:
    static yamux_options options_with(mux_limits const &limits) {
        yamux_options o;
        o.max_inbound_streams = capped(limits.max_inbound_streams);
        o.max_outbound_streams = capped(limits.max_outbound_streams);
        o.max_opened = capped(limits.max_opened);
        o.max_stream_window = capped(limits.max_stream_window);
        o.max_window_growth = limits.max_buffered / 2; // readers that stop must not be able to take all
        o.max_buffered = limits.max_buffered;
        o.secret = limits.secret;
        return o;
    }
    static std::uint32_t capped(std::size_t n) noexcept {
        return static_cast<std::uint32_t>(std::min<std::size_t>(n, std::numeric_limits<std::uint32_t>::max() / 2));
    }

    void stop_tasks() noexcept override { tasks_.cancel(); }

    awaitable<void> read_frames() {
        std::size_t unyielded = 0;
        for (;;) {
            bytes_view const data = co_await channel_.read();
            if (data.empty()) break;
            if (!feed(data)) co_return; // the writer says goodbye, and ends
            // A channel with much in store returns at once: let others run, above all those who read these streams.
            unyielded += data.size() + frame_cost;
            if (unyielded < read_turn) continue;
            unyielded = 0;
            co_await detail::yield_turn(executor());
        }
        if (!channel_failure_) channel_failure_ = on_end_of_input();
        tasks_.cancel();
    }

    awaitable<void> write_frames() {
        while (!ended()) {
            std::span<bytes_view const> const pieces = gather();
            if (!pieces.empty()) {
                std::error_code code;
                try {
                    co_await channel_.write(pieces);
                } catch (std::system_error const &e) {
                    code = e.code();
                }
                bool const full = size_of_batch() >= options().batch;
                written();
                if (code == condition::cancelled) co_return;
                if (code) { // what the peer had sent before it went is still to be read
                    channel_failure_ = code;
                    begin_ending();
                    co_return;
                }
                if (full) co_await detail::yield_turn(executor()); // the kernel takes megabytes: other connections have work, too
            } else if (said_goodbye()) {
                channel_.close_write();
                co_return;
            } else {
                co_await wait_for_output();
            }
        }
    }

    static constexpr std::size_t read_turn = 256 * 1024;
    static constexpr std::size_t frame_cost = 1024; // bytes that could be taken in while the channel gets a frame ready, however short

    Channel channel_;
    task_group tasks_;
    std::error_code channel_failure_;
};

} // namespace gigi::inline v1
