// gigi/mux/impl/yamux_connection.ipp: what yamux_connection.hpp declares.
#pragma once

#include "../yamux_connection.hpp"

#include "../../core/config.hpp"
#include "../yamux_frame.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace gigi::inline v1 {

GIGI_INLINE std::shared_ptr<stream_core> yamux_connection::open_stream() {
    auto made = std::make_shared<yamux_stream>(*this);
    if (ended_) throw error{make_error_code(errc::closed)};
    if (auto const code = session_.open(*made)) throw error{code};
    made->owned_ = made;
    ++foreground_;
    return made;
}

GIGI_INLINE awaitable<std::shared_ptr<stream_core>> yamux_connection::accept_stream() {
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

GIGI_INLINE awaitable<void> yamux_connection::close() {
    auto const life = life_;
    if (!running_) end(make_error_code(errc::closed));
    if (!running_) co_return;
    begin_close();
    while (!life->over) co_await life->done.wait();
}

GIGI_INLINE mux_counts yamux_connection::counts() const noexcept {
    auto const &s = session_.stats();
    return {sent_, received_, s.streams_refused, s.streams_overrun, timed_out_, s.windows_capped, session_.buffered()};
}

GIGI_INLINE yamux_stream_state &yamux_connection::on_open(std::uint32_t) {
    auto made = std::make_shared<yamux_stream>(*this);
    made->owned_ = made;
    ++foreground_;
    life_->unaccepted.push_back(made);
    life_->acceptable.notify_one();
    return *made;
}

GIGI_INLINE void yamux_connection::on_data(yamux_stream_state &state, bytes_view data) {
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

GIGI_INLINE void yamux_connection::on_reset(yamux_stream_state &state, std::error_code why) {
    auto &s = static_cast<yamux_stream &>(state);
    if (!s.fin_received) s.drop_received();
    std::erase_if(life_->unaccepted, [&s](auto const &one) { return one.get() == &s; });
    detach(s, why);
}

GIGI_INLINE yamux_connection::yamux_connection(any_io_executor const &executor, bool dialled, yamux_options const &options)
    : executor_{executor}, clock_{executor}, alarm_{executor}, waits_{executor},
      life_{std::make_shared<yamux_lifetime>(executor)}, session_{dialled, options, clock_.now()}, quiet_since_{clock_.now()} {
    life_->session = &session_;
}

GIGI_INLINE yamux_connection::~yamux_connection() {
    end(make_error_code(errc::closed));
    life_->session = nullptr;
}

GIGI_INLINE bool yamux_connection::begin() {
    if (ended_ || running_) return false;
    running_ = true;
    tick();
    return true;
}

GIGI_INLINE bool yamux_connection::feed(bytes_view data) {
    if (ended_) return false;
    received_ += data.size();
    auto const failure = session_.receive(data, clock_.now(), *this);
    if (failure) begin_ending();
    wake_writer();
    return !failure;
}

GIGI_INLINE std::error_code yamux_connection::on_end_of_input() {
    bool const expected = closing_ || session_.peer_left() || stream_count() == 0;
    return expected && !session_.inside_frame() ? std::error_code{} : make_error_code(errc::end_of_stream);
}

GIGI_INLINE std::span<bytes_view const> yamux_connection::gather() {
    if (ended_) return {};
    if (!closing_ && (session_.peer_left() || session_.used_up()) && foreground_ == 0) begin_close();
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

GIGI_INLINE void yamux_connection::written() {
    spent_.clear();
    writing_since_ = time_point::max();
}

GIGI_INLINE awaitable<void> yamux_connection::wait_for_output() {
    if (frames_at_once_ > min_frames_at_once) { // an idle connection keeps little memory
        frames_at_once_ = min_frames_at_once;
        headers_ = {};
        pieces_ = {};
    }
    return waits_.wait(writer_);
}

GIGI_INLINE void yamux_connection::begin_ending() {
    if (close_by_ != time_point::max()) return;
    close_by_ = clock_.now() + session_.options().close_timeout;
    schedule(close_by_);
}

GIGI_INLINE void yamux_connection::end(std::error_code why) noexcept {
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

GIGI_INLINE void yamux_connection::over() noexcept {
    running_ = false;
    life_->over = true;
    if (!life_->done.orphaned()) life_->done.notify_all();
}

GIGI_INLINE void yamux_connection::abort_with(std::error_code why) noexcept {
    if (ended_) return;
    aborted_ = why;
    end(why);
    if (running_) stop_tasks();
}

GIGI_INLINE void yamux_connection::wake_writer() {
    if (session_.failure()) begin_ending();
    if (session_.wants_write() || closing()) waits_.notify(writer_);
}

GIGI_INLINE void yamux_connection::consumed(yamux_stream &s, std::size_t n) {
    if (session_.consume(s, n)) session_.grant(s, clock_.now());
}

GIGI_INLINE void yamux_connection::drop_data(yamux_stream &s, std::size_t n) {
    static_cast<void>(session_.consume(s, n));
    s.unwanted_ = true;
    if (s.fin_sent) reset_stream(s, make_error_code(errc::reset));
}

GIGI_INLINE void yamux_connection::take_payload(yamux_stream &s, std::size_t n) {
    std::size_t const from_queue = std::min(n, s.outgoing_.size());
    if (from_queue > 0) s.outgoing_.take(from_queue, pieces_, spent_);
    n -= from_queue;
    if (n == 0) return;
    pieces_.push_back(s.in_place_.first(n));
    s.in_place_ = s.in_place_.subspan(n);
    if (s.in_place_.empty()) waits_.notify(s.writable_);
}

GIGI_INLINE void yamux_connection::after_fin(yamux_stream &s, bool closed) {
    if (s.released_) linger(s);
    if (closed)
        detach(s, {});
    else if (s.unwanted_)
        reset_stream(s, make_error_code(errc::reset));
}

GIGI_INLINE void yamux_connection::linger(yamux_stream &s) noexcept {
    ++lingering_;
    leave_foreground(s);
}

GIGI_INLINE void yamux_connection::leave_foreground(yamux_stream &s) noexcept {
    if (!std::exchange(s.foreground_, false)) return;
    --foreground_;
    quiet_since_ = clock_.now();
}

GIGI_INLINE void yamux_connection::detach(yamux_stream &s, std::error_code why) {
    if (s.released_ && s.fin_sent) --lingering_;
    leave_foreground(s);
    s.connection_ = nullptr;
    s.error_ = why;
    if (!s.received_.empty()) {
        s.left_ = life_;
        session_.keep(s.received_.size());
    }
    s.outgoing_.clear();
    waits_.notify(s.readable_);
    waits_.notify(s.writable_);
    auto const last = std::move(s.owned_); // may be the last owner
}

GIGI_INLINE void yamux_connection::reset_stream(yamux_stream &s, std::error_code why) {
    session_.reset(s);
    if (!s.fin_received) s.drop_received();
    detach(s, why);
    wake_writer();
}

GIGI_INLINE void yamux_connection::begin_close() {
    if (closing_) return;
    session_.refuse_streams();
    closing_ = true;
    begin_ending();
    wake_writer();
}

GIGI_INLINE void yamux_connection::schedule(time_point when) {
    if (when >= armed_ || !running_ || ended_) return;
    armed_ = when;
    alarm_.set(when, [this] { tick(); });
}

GIGI_INLINE void yamux_connection::tick() {
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
        if (s.released_)
            stale.push_back(&s);
        else
            ++timed_out_;
        waits_.notify(s.readable_);
        waits_.notify(s.writable_);
    });
    for (auto *const s : stale) reset_stream(*s, make_error_code(errc::timed_out));
    schedule(next);
    wake_writer();
}

GIGI_INLINE void yamux_stream::check_writable() const {
    if (error_) throw error{error_};
    if (!connection_ || fin_queued) throw error{make_error_code(errc::closed)};
}

GIGI_INLINE void yamux_stream::check_deadline() {
    if (deadline_ == time_point::max() || !connection_) return;
    if (!expired_) { // the timer may not have come yet
        if (connection_->clock_.now() < deadline_) return;
        expired_ = true;
        ++connection_->timed_out_;
    }
    throw error{make_error_code(errc::timed_out)};
}

GIGI_INLINE std::size_t yamux_stream::read_now(mutable_bytes buffer) {
    if (received_.empty() || !reader_.empty()) return 0;
    std::size_t const n = received_.pop(buffer);
    if (connection_) {
        connection_->consumed(*this, n);
        connection_->wake_writer();
    } else {
        not_left(n);
    }
    return n;
}

GIGI_INLINE void yamux_stream::drop_received() noexcept {
    not_left(received_.size());
    received_.clear();
}

GIGI_INLINE void yamux_stream::not_left(std::size_t n) noexcept {
    auto const life = left_.lock();
    if (life && life->session) life->session->drop(n);
}

GIGI_INLINE awaitable<std::size_t> yamux_stream::read_some(mutable_bytes buffer) {
    if (buffer.empty() || !reader_.empty()) throw error{errc::invalid_argument, "read_some: an empty buffer, or two reads at once"};
    if (std::size_t const n = read_now(buffer)) co_return n;
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

GIGI_INLINE bool yamux_stream::write_now(bytes_view data) {
    check_writable();
    if (!in_place_.empty()) throw error{errc::invalid_argument, "write: two at once"};
    if (data.empty()) return true;
    auto &session = connection_->session_;
    if (data.size() + outgoing_.size() > session.options().send_queue) return false;
    outgoing_.push(data);
    session.write(*this, data.size());
    connection_->wake_writer();
    return true;
}

GIGI_INLINE awaitable<void> yamux_stream::write(bytes_view data) {
    if (write_now(data)) co_return;
    auto &session = connection_->session_;
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

GIGI_INLINE void yamux_stream::close_write() {
    if (!connection_ || fin_queued) return;
    connection_->session_.finish(*this);
    connection_->wake_writer();
}

GIGI_INLINE void yamux_stream::reset(std::error_code why) noexcept {
    drop_received();
    if (!connection_) return;
    fin_received = false; // reads are to fail, too
    connection_->reset_stream(*this, why);
}

GIGI_INLINE void yamux_stream::release() noexcept {
    if (!connection_) return;
    if (!fin_queued) return reset(make_error_code(errc::reset));
    released_ = true;
    if (fin_sent) connection_->linger(*this);
    static_cast<void>(connection_->session_.consume(*this, received_.size()));
    received_.clear();
    connection_->wake_writer();
    set_deadline(connection_->clock_.now() + connection_->session_.options().linger);
}

GIGI_INLINE void yamux_stream::set_background() noexcept {
    if (connection_ && std::exchange(foreground_, false)) --connection_->foreground_;
}

GIGI_INLINE void yamux_stream::set_deadline(time_point when) {
    deadline_ = when;
    expired_ = false;
    if (connection_) connection_->schedule(when);
}

} // namespace gigi::inline v1
