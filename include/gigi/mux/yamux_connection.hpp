// gigi/mux/yamux_connection.hpp: yamux streams and their connection, whatever channel carries it.
//
// Layer: mux. Joins the rules (`yamux_session`) with bytes, waiting coroutines and the clock. `yamux<Channel>` adds the
// channel. Received payload is copied once: into the buffer of the read that waits for it, or into the stream's queue.
#pragma once

#include "../core/asio.hpp"
#include "../core/bytes.hpp"
#include "../core/clock.hpp"
#include "../core/condition.hpp"
#include "../core/error.hpp"
#include "byte_queue.hpp"
#include "muxer.hpp"
#include "yamux_options.hpp"
#include "yamux_session.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <system_error>
#include <vector>

namespace gigi::inline v1 {

class yamux_connection;
struct yamux_lifetime;

/// One yamux stream. The connection owns it together with its handle until it has ended both ways; after that, or when
/// the connection is gone, it stands alone and serves what has been received.
class yamux_stream final : public stream_core, public yamux_stream_state {
  public:
    explicit yamux_stream(yamux_connection &connection) noexcept : connection_{&connection} {}
    yamux_stream(yamux_stream const &) = delete;
    ~yamux_stream() override { not_left(received_.size()); }

    awaitable<std::size_t> read_some(mutable_bytes buffer) override;
    awaitable<void> write(bytes_view data) override;
    std::size_t read_now(mutable_bytes buffer) override;
    bool write_now(bytes_view data) override;
    void close_write() override;
    void reset(std::error_code why) noexcept override;
    void release() noexcept override;
    void set_deadline(time_point when) override;
    void set_background() noexcept override;
    bool finished() const noexcept override { return fin_queued && fin_received; }

  private:
    friend class yamux_connection;

    void check_writable() const;
    void check_deadline();
    /// What it had received is gone: read, or given up.
    void drop_received() noexcept;
    void not_left(std::size_t n) noexcept;

    yamux_connection *connection_;        // null when it has ended
    std::shared_ptr<yamux_stream> owned_; // by the connection: this stream itself, while `connection_` is set
    byte_queue received_;
    byte_queue outgoing_;
    mutable_bytes reader_;   // the buffer of the read that waits
    std::size_t filled_ = 0; // of it
    bytes_view in_place_;    // what the write that waits has left to send
    wait_slot readable_;
    wait_slot writable_;
    time_point deadline_ = time_point::max();
    std::error_code error_;  // why it was aborted
    std::weak_ptr<yamux_lifetime> left_; // the connection that counts `received_`, where the session does so no more
    bool expired_ = false;
    bool foreground_ = true; // it counts as such
    bool released_ = false;  // its handle is gone
    bool unwanted_ = false;  // and the peer still sends
};

/// What coroutines that wait for a connection's end, and streams that have left it, may still look at after it.
struct yamux_lifetime {
    explicit yamux_lifetime(any_io_executor const &executor) : acceptable{executor}, done{executor} {}
    std::vector<std::shared_ptr<yamux_stream>> unaccepted; // what has arrived can be accepted and read after the end
    async_condition acceptable;
    async_condition done;
    yamux_session *session = nullptr; // while there is one
    bool ended = false;               // streams work no more
    bool over = false;                // `run()` has ended
};

/// All of a yamux connection but the channel. Use it on one strand.
class yamux_connection : public muxed_connection {
  public:
    yamux_connection(yamux_connection const &) = delete;
    yamux_connection &operator=(yamux_connection const &) = delete;
    ~yamux_connection() override;

    std::shared_ptr<stream_core> open_stream() override;
    awaitable<std::shared_ptr<stream_core>> accept_stream() override;

    /// As `muxed_connection` says. Streams that are open are cut off; the peer still gets what had been written.
    awaitable<void> close() override;

    std::size_t stream_count() const noexcept override { return session_.size() - lingering_; }
    std::size_t foreground_count() const noexcept override { return foreground_; }
    time_point quiet_since() const noexcept override { return quiet_since_; }
    duration round_trip() const noexcept override { return session_.round_trip(); }
    mux_counts counts() const noexcept override;
    yamux_stats const &stats() const noexcept { return session_.stats(); }
    yamux_session const &session() const noexcept { return session_; }

    // ---- what the session tells (YamuxHandler)

    yamux_stream_state &on_open(std::uint32_t);
    void on_data(yamux_stream_state &state, bytes_view data);
    void on_end(yamux_stream_state &state) { waits_.notify(static_cast<yamux_stream &>(state).readable_); }
    void on_closed(yamux_stream_state &state) { detach(static_cast<yamux_stream &>(state), {}); }
    void on_reset(yamux_stream_state &state, std::error_code why);

  protected:
    yamux_connection(any_io_executor const &executor, bool dialled, yamux_options const &options);

    /// Cancels what `run()` runs.
    virtual void stop_tasks() noexcept = 0;

    /// What streams and the session need done before the first frame. @return false where there is nothing to run
    bool begin();

    /// Takes decrypted bytes in. @return false where nothing more is to be read
    bool feed(bytes_view data);

    /// The peer sends nothing more. @return an error where that is not in order
    std::error_code on_end_of_input();

    /// What to send now; valid until the channel has taken it.
    std::span<bytes_view const> gather();

    /// The channel has taken what was gathered.
    void written();

    /// Waits until there is something to send.
    awaitable<void> wait_for_output();

    any_io_executor const &executor() const noexcept { return executor_; }
    yamux_options const &options() const noexcept { return session_.options(); }
    std::size_t size_of_batch() const noexcept { return batch_size_; } ///< bytes gathered last
    /// Whether the goodbye has been sent: the writer's work is done.
    bool said_goodbye() const noexcept { return session_.left() && !session_.wants_write(); }
    std::error_code failure() const noexcept { return session_.failure(); }
    std::error_code aborted() const noexcept { return aborted_; }
    bool closing() const noexcept { return closing_ || session_.peer_left() || session_.used_up(); } ///< the end is not a surprise
    bool ended() const noexcept { return ended_; }

    /// From now on the end may take no longer than `close_timeout`.
    void begin_ending();

    /// Ends all streams, and wakes all that wait.
    void end(std::error_code why) noexcept;
    /// `run()` is about to return.
    void over() noexcept;
    void abort_with(std::error_code why) noexcept;

  private:
    friend yamux_stream;

    static constexpr std::size_t min_frames_at_once = 4;
    static constexpr std::size_t max_frames_at_once = 512;

    void wake_writer();
    void consumed(yamux_stream &s, std::size_t n);

    /// Data for a stream whose handle is gone: the peer is told, after what it is still to get from us.
    void drop_data(yamux_stream &s, std::size_t n);
    void take_payload(yamux_stream &s, std::size_t n);
    void after_fin(yamux_stream &s, bool closed);

    /// Nobody here waits for anything from the stream any more.
    void linger(yamux_stream &s) noexcept;
    void leave_foreground(yamux_stream &s) noexcept;

    /// The session has let go of the stream: so does the connection.
    void detach(yamux_stream &s, std::error_code why);
    void reset_stream(yamux_stream &s, std::error_code why);
    void begin_close();
    // ---- time

    void schedule(time_point when);
    void tick();

    any_io_executor executor_;
    context_clock clock_;
    alarm_timer alarm_;
    async_condition waits_; // every stream's reader and writer, and the writer task, each in its slot
    wait_slot writer_;
    std::shared_ptr<yamux_lifetime> life_;
    yamux_session session_;
    std::vector<bytes_view> pieces_;
    bytes headers_;
    byte_queue spent_; // memory that `pieces_` refers to
    std::size_t frames_at_once_ = min_frames_at_once;
    std::size_t batch_size_ = 0;
    std::uint64_t sent_ = 0, received_ = 0; // bytes
    std::uint64_t timed_out_ = 0;           // streams
    std::size_t lingering_ = 0;  // released streams that have nothing more to send
    std::size_t foreground_ = 0; // streams that are neither lingering nor in the background
    time_point armed_ = time_point::max();
    time_point close_by_ = time_point::max();
    time_point writing_since_ = time_point::max();
    time_point quiet_since_;     // when the last of these ended
    std::error_code aborted_;
    bool running_ = false;
    bool closing_ = false;
    bool ended_ = false;
};

// ---- yamux_stream

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/yamux_connection.ipp"
#endif
