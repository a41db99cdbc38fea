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
#include "yamux_frame.hpp"
#include "yamux_options.hpp"
#include "yamux_session.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

class yamux_connection;

/// One yamux stream. The connection owns it together with its handle until it has ended both ways; after that, or when
/// the connection is gone, it stands alone and serves what has been received.
class yamux_stream final : public stream_core, public yamux_stream_state {
  public:
    explicit yamux_stream(yamux_connection &connection) noexcept : connection_{&connection} {}

    awaitable<std::size_t> read_some(mutable_bytes buffer) override;
    awaitable<void> write(bytes_view data) override;
    void close_write() override;
    void reset(std::error_code why) noexcept override;
    void release() noexcept override;
    void set_deadline(time_point when) override;
    void set_background() noexcept override;
    bool finished() const noexcept override { return fin_queued && fin_received; }

  private:
    friend class yamux_connection;

    void check_writable() const;
    void check_deadline() const;

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
    bool expired_ = false;
    bool foreground_ = true; // it counts as such
    bool released_ = false;  // its handle is gone
    bool unwanted_ = false;  // and the peer still sends
};

/// All of a yamux connection but the channel. Use it on one strand.
class yamux_connection : public muxed_connection {
  public:
    yamux_connection(yamux_connection const &) = delete;
    yamux_connection &operator=(yamux_connection const &) = delete;
    ~yamux_connection() override { end(make_error_code(errc::closed)); }

    std::shared_ptr<stream_core> open_stream() override {
        auto made = std::make_shared<yamux_stream>(*this);
        if (ended_) throw error{make_error_code(errc::closed)};
        if (auto const code = session_.open(*made)) throw error{code};
        made->owned_ = made;
        ++foreground_;
        return made;
    }

    awaitable<std::shared_ptr<stream_core>> accept_stream() override {
        auto const life = life_; // outlives the connection
        while (!life->ended && life->unaccepted.empty()) {
            bool woken = false;
            try {
                co_await life->acceptable.wait();
                woken = true;
            } catch (std::system_error const &) {
            }
            if (!woken) {
                if (!life->unaccepted.empty()) life->acceptable.notify_one(); // it may have been meant for us
                throw error{make_error_code(errc::cancelled)};
            }
        }
        auto &waiting = life->unaccepted;
        if (waiting.empty()) throw error{make_error_code(errc::closed)};
        std::shared_ptr<stream_core> accepted = std::move(waiting.front());
        waiting.erase(waiting.begin());
        if (!waiting.empty()) life->acceptable.notify_one();
        co_return accepted;
    }

    /// As `muxed_connection` says. Streams that are open are cut off; the peer still gets what had been written.
    awaitable<void> close() override {
        auto const life = life_;
        if (!running_) end(make_error_code(errc::closed));
        if (!running_) co_return;
        begin_close();
        while (!life->over) co_await life->done.wait();
    }

    std::size_t stream_count() const noexcept override { return session_.size() - lingering_; }
    std::size_t foreground_count() const noexcept override { return foreground_; }
    time_point quiet_since() const noexcept override { return quiet_since_; }
    duration round_trip() const noexcept override { return session_.round_trip(); }
    mux_counts counts() const noexcept override {
        auto const &s = session_.stats();
        return {sent_, received_, s.streams_refused, s.streams_overrun, s.windows_capped, session_.buffered()};
    }
    yamux_stats const &stats() const noexcept { return session_.stats(); }
    yamux_session const &session() const noexcept { return session_; }

    // ---- what the session tells (YamuxHandler)

    yamux_stream_state &on_open(std::uint32_t) {
        auto made = std::make_shared<yamux_stream>(*this);
        made->owned_ = made;
        ++foreground_;
        life_->unaccepted.push_back(made);
        life_->acceptable.notify_one();
        return *made;
    }
    void on_data(yamux_stream_state &state, bytes_view data) {
        auto &s = static_cast<yamux_stream &>(state);
        if (s.released_) return drop_data(s, data.size());
        if (!s.reader_.empty() && s.filled_ < s.reader_.size()) {
            std::size_t const n = std::min(data.size(), s.reader_.size() - s.filled_);
            std::memcpy(s.reader_.data() + s.filled_, data.data(), n);
            if (s.filled_ == 0) waits_.notify(s.readable_);
            s.filled_ += n;
            consumed(s, n);
            data = data.subspan(n);
        }
        if (!data.empty()) s.received_.push(data);
    }
    void on_end(yamux_stream_state &state) { waits_.notify(static_cast<yamux_stream &>(state).readable_); }
    void on_closed(yamux_stream_state &state) { detach(static_cast<yamux_stream &>(state), {}); }
    void on_reset(yamux_stream_state &state, std::error_code why) {
        auto &s = static_cast<yamux_stream &>(state);
        if (!s.fin_received) s.received_.clear();
        std::erase_if(life_->unaccepted, [&s](auto const &one) { return one.get() == &s; });
        detach(s, why);
    }

  protected:
    yamux_connection(any_io_executor const &executor, bool dialled, yamux_options const &options)
        : executor_{executor}, clock_{executor}, alarm_{executor}, waits_{executor},
          life_{std::make_shared<lifetime>(executor)}, session_{dialled, options, clock_.now()}, quiet_since_{clock_.now()} {}

    /// Cancels what `run()` runs.
    virtual void stop_tasks() noexcept = 0;

    /// What streams and the session need done before the first frame. @return false where there is nothing to run
    bool begin() {
        if (ended_ || running_) return false;
        running_ = true;
        tick();
        return true;
    }

    /// Takes decrypted bytes in. @return false where nothing more is to be read
    bool feed(bytes_view data) {
        if (ended_) return false;
        received_ += data.size();
        auto const failure = session_.receive(data, clock_.now(), *this);
        if (failure) begin_ending();
        wake_writer();
        return !failure;
    }

    /// The peer sends nothing more. @return an error where that is not in order
    std::error_code on_end_of_input() {
        bool const expected = closing_ || session_.peer_left() || stream_count() == 0;
        return expected && !session_.inside_frame() ? std::error_code{} : make_error_code(errc::end_of_stream);
    }

    /// What to send now; valid until the channel has taken it.
    std::span<bytes_view const> gather() {
        if (ended_) return {};
        if (!closing_ && session_.peer_left() && foreground_ == 0) begin_close();
        if (closing_ && !session_.left() && session_.drained()) session_.go_away();
        pieces_.clear();
        headers_.resize(frames_at_once_ * yamux_header::size);
        auto const now = clock_.now();
        std::size_t frames = 0, size = 0;
        while (frames < frames_at_once_ && size < session_.options().batch) {
            auto const out = session_.next(now);
            if (!out) break;
            auto const raw = std::span{headers_}.subspan(frames++ * yamux_header::size).first<yamux_header::size>();
            build_yamux_header(out->header, raw);
            pieces_.emplace_back(raw);
            size += yamux_header::size;
            if (!out->stream) continue;
            auto &s = static_cast<yamux_stream &>(*out->stream);
            if (out->header.type == yamux_type::data) {
                take_payload(s, out->header.length);
                size += out->header.length;
            } else if (out->header.has(yamux_flag::fin)) {
                after_fin(s, out->closed);
            }
        }
        if (frames == frames_at_once_) frames_at_once_ = std::min(frames_at_once_ * 2, max_frames_at_once);
        batch_size_ = size;
        sent_ += size;
        writing_since_ = pieces_.empty() ? time_point::max() : now;
        return pieces_;
    }

    /// The channel has taken what was gathered.
    void written() {
        spent_.clear();
        writing_since_ = time_point::max();
    }

    /// Waits until there is something to send.
    awaitable<void> wait_for_output() {
        if (frames_at_once_ > min_frames_at_once) { // an idle connection keeps little memory
            frames_at_once_ = min_frames_at_once;
            headers_ = {};
            pieces_ = {};
        }
        return waits_.wait(writer_);
    }

    any_io_executor const &executor() const noexcept { return executor_; }
    yamux_options const &options() const noexcept { return session_.options(); }
    std::size_t size_of_batch() const noexcept { return batch_size_; } ///< bytes gathered last
    /// Whether the goodbye has been sent: the writer's work is done.
    bool said_goodbye() const noexcept { return session_.left() && !session_.wants_write(); }
    std::error_code failure() const noexcept { return session_.failure(); }
    std::error_code aborted() const noexcept { return aborted_; }
    bool closing() const noexcept { return closing_ || session_.peer_left(); } ///< the end is not a surprise
    bool ended() const noexcept { return ended_; }

    /// From now on the end may take no longer than `close_timeout`.
    void begin_ending() {
        if (close_by_ != time_point::max()) return;
        close_by_ = clock_.now() + session_.options().close_timeout;
        schedule(close_by_);
    }

    /// Ends all streams, and wakes all that wait.
    void end(std::error_code why) noexcept {
        if (ended_) return;
        ended_ = true;
        life_->ended = true;
        alarm_.cancel();
        for (auto *const state : session_.streams()) {
            session_.forget(*state);
            detach(static_cast<yamux_stream &>(*state), why);
        }
        if (!life_->acceptable.orphaned()) life_->acceptable.notify_all();
        if (!running_) over();
    }
    /// `run()` is about to return.
    void over() noexcept {
        running_ = false;
        life_->over = true;
        if (!life_->done.orphaned()) life_->done.notify_all();
    }

    void abort_with(std::error_code why) noexcept {
        if (ended_) return;
        aborted_ = why;
        end(why);
        if (running_) stop_tasks();
    }

  private:
    friend yamux_stream;

    static constexpr std::size_t min_frames_at_once = 16;
    static constexpr std::size_t max_frames_at_once = 512;

    /// What coroutines that wait for the connection's end may still look at after it.
    struct lifetime {
        explicit lifetime(any_io_executor const &executor) : acceptable{executor}, done{executor} {}
        std::vector<std::shared_ptr<yamux_stream>> unaccepted; // what has arrived can be accepted and read after the end
        async_condition acceptable;
        async_condition done;
        bool ended = false; // streams work no more
        bool over = false;  // `run()` has ended
    };

    void wake_writer() {
        if (session_.wants_write() || closing()) waits_.notify(writer_);
    }

    void consumed(yamux_stream &s, std::size_t n) {
        if (session_.consume(s, n)) session_.grant(s, clock_.now());
    }

    /// Data for a stream whose handle is gone: the peer is told, after what it is still to get from us.
    void drop_data(yamux_stream &s, std::size_t n) {
        static_cast<void>(session_.consume(s, n));
        s.unwanted_ = true;
        if (s.fin_sent) reset_stream(s, make_error_code(errc::reset));
    }

    void take_payload(yamux_stream &s, std::size_t n) {
        std::size_t const from_queue = std::min(n, s.outgoing_.size());
        if (from_queue > 0) s.outgoing_.take(from_queue, pieces_, spent_);
        n -= from_queue;
        if (n == 0) return;
        pieces_.push_back(s.in_place_.first(n));
        s.in_place_ = s.in_place_.subspan(n);
        if (s.in_place_.empty()) waits_.notify(s.writable_);
    }

    void after_fin(yamux_stream &s, bool closed) {
        if (s.released_) linger(s);
        if (closed)
            detach(s, {});
        else if (s.unwanted_)
            reset_stream(s, make_error_code(errc::reset));
    }

    /// Nobody here waits for anything from the stream any more.
    void linger(yamux_stream &s) noexcept {
        ++lingering_;
        leave_foreground(s);
    }
    void leave_foreground(yamux_stream &s) noexcept {
        if (!std::exchange(s.foreground_, false)) return;
        --foreground_;
        quiet_since_ = clock_.now();
    }

    /// The session has let go of the stream: so does the connection.
    void detach(yamux_stream &s, std::error_code why) {
        if (s.released_ && s.fin_sent) --lingering_;
        leave_foreground(s);
        s.connection_ = nullptr;
        s.error_ = why;
        s.outgoing_.clear();
        waits_.notify(s.readable_);
        waits_.notify(s.writable_);
        auto const last = std::move(s.owned_); // may be the last owner
    }

    void reset_stream(yamux_stream &s, std::error_code why) {
        session_.reset(s);
        if (!s.fin_received) s.received_.clear();
        detach(s, why);
        wake_writer();
    }

    void begin_close() {
        if (closing_) return;
        session_.refuse_streams();
        closing_ = true;
        begin_ending();
        wake_writer();
    }
    // ---- time

    void schedule(time_point when) {
        if (when >= armed_ || !running_ || ended_) return;
        armed_ = when;
        alarm_.set(when, [this] { tick(); });
    }

    void tick() {
        armed_ = time_point::max();
        if (ended_) return;
        auto const now = clock_.now();
        if (auto const code = session_.on_time(now)) return abort_with(code);
        auto const write_by = writing_since_ == time_point::max() ? writing_since_ : writing_since_ + session_.options().write_timeout;
        if (now >= write_by) return abort_with(make_error_code(errc::timed_out));
        if (now >= close_by_) {
            end(make_error_code(errc::closed));
            return stop_tasks();
        }
        time_point next = std::min({session_.next_time(), close_by_, write_by});
        std::vector<yamux_stream *> stale;
        session_.for_each([&](yamux_stream_state &state) {
            auto &s = static_cast<yamux_stream &>(state);
            if (s.expired_) return;
            if (s.deadline_ > now) {
                next = std::min(next, s.deadline_);
                return;
            }
            s.expired_ = true;
            if (s.released_) stale.push_back(&s);
            waits_.notify(s.readable_);
            waits_.notify(s.writable_);
        });
        for (auto *const s : stale) reset_stream(*s, make_error_code(errc::timed_out));
        schedule(next);
        wake_writer();
    }

    any_io_executor executor_;
    context_clock clock_;
    alarm_timer alarm_;
    async_condition waits_; // every stream's reader and writer, and the writer task, each in its slot
    wait_slot writer_;
    std::shared_ptr<lifetime> life_;
    yamux_session session_;
    std::vector<bytes_view> pieces_;
    bytes headers_;
    byte_queue spent_; // memory that `pieces_` refers to
    std::size_t frames_at_once_ = min_frames_at_once;
    std::size_t batch_size_ = 0;
    std::uint64_t sent_ = 0, received_ = 0; // bytes
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

inline void yamux_stream::check_writable() const {
    if (error_) throw error{error_};
    if (!connection_ || fin_queued) throw error{make_error_code(errc::closed)};
}

inline void yamux_stream::check_deadline() const {
    if (deadline_ == time_point::max() || !connection_) return;
    if (expired_ || connection_->clock_.now() >= deadline_) throw error{make_error_code(errc::timed_out)};
}

inline awaitable<std::size_t> yamux_stream::read_some(mutable_bytes buffer) {
    if (buffer.empty() || !reader_.empty()) throw error{errc::invalid_argument, "read_some: an empty buffer, or two reads at once"};
    if (!received_.empty()) {
        std::size_t const n = received_.pop(buffer);
        if (connection_) {
            connection_->consumed(*this, n);
            connection_->wake_writer();
        }
        co_return n;
    }
    if (fin_received) co_return 0;
    if (error_) throw error{error_};
    auto const self = owned_; // lives while this waits
    struct registration {
        yamux_stream &s;
        ~registration() { s.reader_ = {}; }
    } const registered{*this};
    reader_ = buffer;
    filled_ = 0;
    while (filled_ == 0 && !fin_received && connection_) {
        check_deadline();
        std::error_code failure;
        try {
            co_await connection_->waits_.wait(readable_);
        } catch (std::system_error const &e) {
            failure = e.code();
        }
        if (failure && filled_ == 0) throw error{failure};
    }
    if (filled_ > 0) co_return filled_;
    if (fin_received) co_return 0;
    throw error{error_ ? error_ : make_error_code(errc::closed)};
}

inline awaitable<void> yamux_stream::write(bytes_view data) {
    check_writable();
    if (!in_place_.empty()) throw error{errc::invalid_argument, "write: two at once"};
    if (data.empty()) co_return;
    auto &session = connection_->session_;
    if (data.size() + outgoing_.size() <= session.options().send_queue) {
        outgoing_.push(data);
        session.write(*this, data.size());
        connection_->wake_writer();
        co_return;
    }
    auto const self = owned_; // lives while this waits
    struct registration {
        yamux_stream &s;
        ~registration() {
            if (s.connection_ && !s.in_place_.empty()) s.connection_->session_.withdraw(s, s.in_place_.size());
            s.in_place_ = {};
        }
    } const registered{*this};
    in_place_ = data;
    session.write(*this, data.size());
    connection_->wake_writer();
    while (!in_place_.empty()) {
        if (!connection_) throw error{error_ ? error_ : make_error_code(errc::closed)};
        check_deadline();
        co_await connection_->waits_.wait(writable_);
    }
}

inline void yamux_stream::close_write() {
    if (!connection_ || fin_queued) return;
    connection_->session_.finish(*this);
    connection_->wake_writer();
}

inline void yamux_stream::reset(std::error_code why) noexcept {
    received_.clear();
    if (!connection_) return;
    fin_received = false; // reads are to fail, too
    connection_->reset_stream(*this, why);
}

inline void yamux_stream::release() noexcept {
    if (!connection_) return;
    if (!fin_queued) return reset(make_error_code(errc::reset));
    released_ = true;
    if (fin_sent) connection_->linger(*this);
    static_cast<void>(connection_->session_.consume(*this, received_.size()));
    received_.clear();
    connection_->wake_writer();
    set_deadline(connection_->clock_.now() + connection_->session_.options().linger);
}

inline void yamux_stream::set_background() noexcept {
    if (connection_ && std::exchange(foreground_, false)) --connection_->foreground_;
}

inline void yamux_stream::set_deadline(time_point when) {
    deadline_ = when;
    expired_ = false;
    if (connection_) connection_->schedule(when);
}

} // namespace gigi::inline v1
