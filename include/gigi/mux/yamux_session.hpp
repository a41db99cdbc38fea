// gigi/mux/yamux_session.hpp: the rules of yamux: stream states, windows, limits, keepalive. Bytes and time in, frames out.
//
// Layer: mux. Sans-I/O. Spec: hashicorp/yamux spec.md; libp2p/specs yamux/README.md ("ACK backlog").
// The session knows how many bytes wait on which stream, not where they are: the owner keeps the bytes, and its streams
// derive from `yamux_stream_state`, so that a stream is one object.
#pragma once

#include "../core/bytes.hpp"
#include "../core/clock.hpp"
#include "../core/error.hpp"
#include "stream_table.hpp"
#include "yamux_frame.hpp"
#include "yamux_options.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

/// What each side may send on a new stream before it hears of more.
inline constexpr std::uint32_t yamux_initial_window = 256 * 1024;

/// One stream, as the rules see it. Its owner keeps it in place while `attached`.
struct yamux_stream_state {
    std::uint32_t id = 0;
    std::uint32_t send_credit = yamux_initial_window;    ///< what the peer lets us send
    std::uint32_t receive_credit = yamux_initial_window; ///< what we let the peer send
    std::uint32_t window = yamux_initial_window;         ///< what `receive_credit` is filled up to
    std::uint32_t unread = 0;                            ///< announced by the peer and not yet consumed
    std::size_t queued = 0;                              ///< to be sent
    time_point granted{};                                ///< when the peer last got credit

    bool attached = false;     ///< the session knows it
    bool outbound = false;     ///< we opened it
    bool begun = false;        ///< SYN has passed
    bool acknowledged = false; ///< ACK has passed
    bool update_due = false;   ///< credit is to be sent
    bool fin_queued = false;    ///< our direction ends after what is queued
    bool fin_sent = false;     ///< our FIN has been sent
    bool fin_received = false; ///< the peer's FIN has come, and all before it

  private:
    friend class yamux_session;
    enum class place : std::uint8_t { none, fresh, ready, held };
    place where_ = place::none;
    yamux_stream_state *previous_ = nullptr;
    yamux_stream_state *next_ = nullptr;
};

/// A frame to send.
struct yamux_output {
    yamux_header header;
    yamux_stream_state *stream = nullptr; ///< where the `header.length` bytes of a data frame are to be taken from
    bool closed = false;                  ///< `stream` has ended both ways with this frame, and left the session
};

/// What a session tells while it takes bytes in. A callback may use the session, except for `receive`.
template <class T>
concept YamuxHandler = requires(T &handler, std::uint32_t id, yamux_stream_state &stream, bytes_view data, std::error_code why) {
    { handler.on_open(id) } -> std::same_as<yamux_stream_state &>; ///< the peer opens a stream: make it
    handler.on_data(stream, data);                                 ///< its next bytes; `consume` says when they have been read
    handler.on_end(stream);                                        ///< no more will come
    handler.on_closed(stream);                                     ///< it has ended both ways and left the session
    handler.on_reset(stream, why);                                 ///< it was aborted and has left the session
};

class yamux_session {
  public:
    using state = yamux_stream_state;

    /// @param dialled whether we opened the connection: our streams have odd ids, then
    yamux_session(bool dialled, yamux_options const &options, time_point now);
    yamux_session(yamux_session const &) = delete;
    yamux_session &operator=(yamux_session const &) = delete;

    // ---- our streams

    /// Takes a stream of ours in. @return `errc::closed`, `errc::limit_exceeded`
    std::error_code open(state &stream);
    /// Whether no more streams can be ours: `max_opened` have been.
    bool used_up() const noexcept { return (next_id_ - 1) / 2 >= std::min(options_.max_opened, ids_of_a_side); }

    /// `n` more bytes wait to be sent.
    void write(state &stream, std::size_t n);
    /// The last `n` bytes that wait are withdrawn.
    void withdraw(state &stream, std::size_t n);
    /// Ends our direction after what is queued.
    void finish(state &stream);
    /// Aborts both directions; the stream leaves the session.
    void reset(state &stream);

    /// The application has read `n` bytes. @return whether the peer should get new credit: call `grant`
    [[nodiscard]] bool consume(state &stream, std::size_t n) noexcept;

    /// Sends the peer new credit. The window doubles where half of it was used up within two round trips, as that means
    /// that the window, not the network, is what the peer waits for. The shortest round trip counts: queues on the way
    /// make the others longer, and a larger window would make those queues longer still.
    void grant(state &stream, time_point now);

    /// `n` received bytes of a stream that has left the session are still held for its reader, and count as buffered until they
    /// are dropped: a peer that ends its streams must not get room for more by it.
    void keep(std::size_t n) noexcept { buffered_ += n; }
    void drop(std::size_t n) noexcept { buffered_ -= n; }

    // ---- the session

    /// Takes no new streams from now on.
    void refuse_streams() noexcept { refusing_ = true; }
    /// Says goodbye after all that waits.
    void go_away();
    /// Whether all that was written has been sent.
    bool drained() const noexcept;

    /// Does what is due at this time: pings. @return `errc::timed_out` where the peer has been silent for too long
    std::error_code on_time(time_point now);
    /// When to call `on_time` next.
    time_point next_time() const noexcept;

    // ---- frames out

    bool wants_write() const noexcept { return !control_.empty() || fresh_.first || ready_.first; }

    /// The next frame to send: control frames first; then streams that were idle, then the others in turn.
    std::optional<yamux_output> next(time_point now);

    // ---- bytes in

    /// Takes in bytes as they come, split anywhere.
    /// @return why the session must end, where the peer broke a rule; a GoAway is then ready to be sent
    template <YamuxHandler Handler> std::error_code receive(bytes_view data, time_point now, Handler &handler) {
        last_received_ = now;
        while (!data.empty() && !failure_) {
            if (payload_left_ > 0) {
                auto const n = static_cast<std::uint32_t>(std::min<std::size_t>(payload_left_, data.size()));
                payload_left_ -= n;
                if (payload_of_) handler.on_data(*payload_of_, data.first(n));
                data = data.subspan(n);
                if (payload_left_ == 0) end_payload(handler);
                continue;
            }
            std::uint8_t const *raw = data.data();
            if (partial_ > 0 || data.size() < yamux_header::size) {
                std::size_t const n = std::min(yamux_header::size - partial_, data.size());
                std::copy_n(data.data(), n, partial_header_.data() + partial_);
                partial_ += n;
                data = data.subspan(n);
                if (partial_ < yamux_header::size) break;
                partial_ = 0;
                raw = partial_header_.data();
            } else {
                data = data.subspan(yamux_header::size);
            }
            auto const header = parse_yamux_header(std::span<std::uint8_t const, yamux_header::size>{raw, yamux_header::size});
            if (!header)
                fail(errc::protocol_violation);
            else
                on_header(*header, now, handler);
        }
        return failure_;
    }

    /// Whether the bytes so far end in the middle of a frame.
    bool inside_frame() const noexcept { return partial_ > 0 || payload_left_ > 0; }

    // ---- looking

    /// Why the session must end, where it must.
    std::error_code failure() const noexcept { return failure_; }
    /// Whether the peer has said goodbye.
    bool peer_left() const noexcept { return goodbye_; }
    bool left() const noexcept { return said_goodbye_; }
    std::size_t size() const noexcept { return streams_.size(); }
    duration round_trip() const noexcept { return round_trip_; }
    std::size_t buffered() const noexcept { return buffered_; }
    std::size_t window_growth() const noexcept { return growth_; }
    yamux_options const &options() const noexcept { return options_; }
    yamux_stats const &stats() const noexcept { return stats_; }
    /// All streams, for loops that reset some.
    std::vector<state *> streams() const { return streams_.values(); }
    template <class F> void for_each(F &&f) const { streams_.for_each(f); }

    /// Takes a stream out without a word to the peer: the session has ended.
    void forget(state &stream) noexcept;

  private:
    static constexpr std::uint32_t ids_of_a_side = 0x7ffffffe;
    static constexpr std::size_t max_control = 4096;   // frames that wait; a peer that asks for more does not read
    static constexpr std::uint32_t max_pongs = 16;     // among them
    static constexpr std::uint32_t max_useless = 16384; // frames between two pings
    static constexpr std::uint32_t late_a_stream = 4;   // credit, FIN, RST, …
    static constexpr std::uint32_t max_late = 65536;
    static constexpr int max_fresh_turns = 16;

    struct list {
        state *first = nullptr;
        state *last = nullptr;
    };
    enum class ping : std::uint8_t { idle, queued, sent };

    static std::uint32_t ungranted(state const &s) noexcept { return s.window - s.receive_credit - s.unread; }

    // ---- which streams have something to send

    list &list_of(state::place where) noexcept;
    void link(state &s, state::place where) noexcept;
    void unlink(state &s) noexcept;
    static bool sendable(state const &s) noexcept;
    void update_place(state &s) noexcept;
    bool may_send(state const &s) const noexcept { return s.begun || unacknowledged_out_ < options_.max_unacknowledged; }
    /// There may be room for a stream that waits to begin.
    void release_held() noexcept;
    std::optional<yamux_output> next_control(time_point now);
    std::optional<yamux_output> next_of(state &s);
    void push_control(yamux_header header);

    // ---- streams come and go

    void attach(state &s);
    void detach(state &s) noexcept;

    // ---- frames in

    bool is_ours(std::uint32_t id) const noexcept { return (id % 2 == 1) == dialled_; }

    template <class Handler> void on_header(yamux_header const &header, time_point now, Handler &handler) {
        switch (header.type) {
        case yamux_type::ping: on_ping(header, now); break;
        case yamux_type::go_away: on_go_away(header); break;
        default: on_stream_frame(header, now, handler);
        }
    }

    void on_ping(yamux_header const &header, time_point now);
    /// Of the last few; 0 where unknown.
    duration shortest_trip() const noexcept;
    void on_go_away(yamux_header const &header);

    template <class Handler> void on_stream_frame(yamux_header const &header, time_point now, Handler &handler) {
        bool const is_data = header.type == yamux_type::data;
        payload_of_ = nullptr;
        payload_left_ = is_data ? header.length : 0;
        payload_ends_ = false;
        state *stream = streams_.find(header.stream_id);
        if (header.has(yamux_flag::syn)) {
            if (is_ours(header.stream_id) || stream) return fail(errc::protocol_violation);
            stream = begin(header, now, handler);
            if (!stream) return;
        } else if (!stream) {
            if (is_ours(header.stream_id) && header.stream_id >= next_id_) return fail(errc::protocol_violation);
            ++stats_.frames_ignored; // for a stream that has ended here
            if (late_allowed_ > 0)
                --late_allowed_;
            else if (payload_left_ == 0)
                count_useless();
            return;
        }
        if (header.has(yamux_flag::ack) && stream->outbound && stream->begun && !stream->acknowledged) {
            stream->acknowledged = true;
            --unacknowledged_out_;
            release_held();
        }
        if (header.has(yamux_flag::rst)) {
            ++stats_.resets_received;
            if (!stream->outbound) count_useless(); // streams begun and aborted cost us more than the peer
            detach(*stream);
            handler.on_reset(*stream, make_error_code(errc::reset));
        } else if (is_data) {
            on_data(*stream, header, now, handler);
        } else {
            on_window_update(*stream, header, handler);
        }
    }

    /// A stream that the peer opens, or null where it may not.
    template <class Handler> state *begin(yamux_header const &header, time_point now, Handler &handler) {
        bool const is_data = header.type == yamux_type::data;
        if (header.has(yamux_flag::rst)) {
            count_useless();
            return nullptr;
        }
        if (is_data && header.length > yamux_initial_window) {
            fail(errc::flow_control);
            return nullptr;
        }
        if (refusing_ || goodbye_ || inbound_ >= options_.max_inbound_streams ||
            unacknowledged_in_ >= options_.max_unacknowledged) {
            ++stats_.streams_refused;
            allow_late();
            push_control({yamux_type::window_update, yamux_flag::rst, header.stream_id, 0});
            return nullptr;
        }
        state &stream = handler.on_open(header.stream_id);
        stream.id = header.stream_id;
        stream.granted = now;
        attach(stream);
        return &stream;
    }

    template <class Handler> void on_data(state &stream, yamux_header const &header, time_point now, Handler &handler) {
        if (header.length > stream.receive_credit) return fail(errc::flow_control);
        if (header.length == 0 && header.flags == 0) count_useless();
        if (header.length > 0 && stream.fin_received) return abort_stream(stream, errc::protocol_violation, handler);
        if (header.length > options_.max_buffered - std::min(buffered_, options_.max_buffered)) {
            ++stats_.streams_overrun;
            return abort_stream(stream, errc::limit_exceeded, handler);
        }
        if (stream.granted == time_point{}) stream.granted = now;
        stream.receive_credit -= header.length;
        stream.unread += header.length;
        buffered_ += header.length;
        payload_of_ = &stream;
        payload_ends_ = header.has(yamux_flag::fin);
        if (header.length == 0) end_payload(handler);
    }

    template <class Handler> void end_payload(Handler &handler) {
        state *const stream = std::exchange(payload_of_, nullptr);
        if (stream && payload_ends_) end(*stream, handler);
    }

    template <class Handler> void on_window_update(state &stream, yamux_header const &header, Handler &handler) {
        if (header.length > std::numeric_limits<std::uint32_t>::max() - stream.send_credit) return fail(errc::protocol_violation);
        if (header.length == 0 && header.flags == 0) count_useless();
        stream.send_credit += header.length;
        update_place(stream);
        if (header.has(yamux_flag::fin)) end(stream, handler);
    }

    template <class Handler> void end(state &stream, Handler &handler) {
        if (std::exchange(stream.fin_received, true)) return count_useless();
        if (stream.update_due) { // nothing more will come
            stream.update_due = false;
            update_place(stream);
        }
        handler.on_end(stream);
        if (!stream.attached || !stream.fin_sent) return;
        detach(stream);
        handler.on_closed(stream);
    }

    /// One stream breaks a rule that harms nobody else: it alone ends.
    template <class Handler> void abort_stream(state &stream, errc why, Handler &handler) {
        reset(stream);
        handler.on_reset(stream, make_error_code(why));
    }

    /// Frames without effect are allowed, floods of them are not.
    void count_useless();

    /// What the peer sends before it hears that a stream has ended is no flood.
    void allow_late() noexcept { late_allowed_ = std::min(late_allowed_ + late_a_stream, max_late); }

    void fail(errc why);
    /// Nothing more is taken in, and nothing that waits is sent.
    void end_with(errc why);

    yamux_options options_;
    bool dialled_;
    bool refusing_ = false;
    bool goodbye_ = false;      // the peer's
    bool said_goodbye_ = false; // ours
    bool payload_ends_ = false;
    ping ping_ = ping::idle;
    int fresh_turns_ = 0;
    std::uint32_t next_id_;
    std::uint32_t inbound_ = 0;
    std::uint32_t outbound_ = 0;
    std::uint32_t unacknowledged_in_ = 0;
    std::uint32_t unacknowledged_out_ = 0;
    std::uint32_t pongs_ = 0;
    std::uint32_t useless_ = 0;
    std::uint32_t late_allowed_ = 0;
    std::uint32_t ping_id_ = 0;
    std::uint32_t payload_left_ = 0;
    state *payload_of_ = nullptr;
    std::size_t partial_ = 0;
    std::array<std::uint8_t, yamux_header::size> partial_header_{};
    std::size_t buffered_ = 0;
    std::size_t growth_ = 0;
    stream_table<state> streams_{options_.secret};
    list fresh_;
    list ready_;
    list held_;
    std::vector<yamux_header> control_;
    std::size_t control_next_ = 0;
    std::error_code failure_;
    time_point ping_since_{};
    time_point next_ping_;
    time_point last_received_;
    duration round_trip_{}; // smoothed
    std::array<duration, 8> trips_{};
    std::size_t trips_next_ = 0;
    yamux_stats stats_;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/yamux_session.ipp"
#endif
