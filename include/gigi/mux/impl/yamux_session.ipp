// gigi/mux/impl/yamux_session.ipp: what yamux_session.hpp declares.
#pragma once

#include "../yamux_session.hpp"

#include "../../core/config.hpp"

namespace gigi::inline v1 {

GIGI_INLINE yamux_session::yamux_session(bool dialled, yamux_options const &options, time_point now)
    : options_{options}, dialled_{dialled}, next_id_{dialled ? 1u : 2u}, next_ping_{now}, last_received_{now} {}

GIGI_INLINE std::error_code yamux_session::open(state &stream) {
    if (failure_ || refusing_ || goodbye_ || used_up()) return make_error_code(errc::closed);
    if (outbound_ >= options_.max_outbound_streams) return make_error_code(errc::limit_exceeded);
    stream.id = next_id_;
    next_id_ += 2;
    stream.outbound = true;
    attach(stream);
    return {};
}

GIGI_INLINE void yamux_session::write(state &stream, std::size_t n) {
    stream.queued += n;
    update_place(stream);
}

GIGI_INLINE void yamux_session::withdraw(state &stream, std::size_t n) {
    stream.queued -= n;
    update_place(stream);
}

GIGI_INLINE void yamux_session::finish(state &stream) {
    if (stream.fin_queued) return;
    stream.fin_queued = true;
    update_place(stream);
}

GIGI_INLINE void yamux_session::reset(state &stream) {
    if (!stream.attached) return;
    if (stream.begun) push_control({yamux_type::window_update, yamux_flag::rst, stream.id, 0});
    detach(stream);
}

GIGI_INLINE bool yamux_session::consume(state &stream, std::size_t n) noexcept {
    stream.unread -= static_cast<std::uint32_t>(n);
    if (!stream.attached) return false;
    buffered_ -= n;
    return !stream.fin_received && !stream.update_due && ungranted(stream) >= stream.window / 2;
}

GIGI_INLINE void yamux_session::grant(state &stream, time_point now) {
    bool const hurried = now - stream.granted < 2 * shortest_trip();
    if (hurried) {
        std::uint32_t const most = std::max(options_.max_stream_window, stream.window);
        std::size_t const room = options_.max_window_growth - growth_;
        auto const more = static_cast<std::uint32_t>(
            std::min<std::size_t>({stream.window, most - stream.window, room}));
        if (more < stream.window) ++stats_.windows_capped;
        stream.window += more;
        growth_ += more;
    }
    stream.granted = now;
    stream.update_due = true;
    update_place(stream);
}

GIGI_INLINE void yamux_session::go_away() {
    refusing_ = true;
    if (!std::exchange(said_goodbye_, true))
        push_control({yamux_type::go_away, 0, 0, static_cast<std::uint32_t>(yamux_goodbye::normal)});
}

GIGI_INLINE bool yamux_session::drained() const noexcept {
    bool all = true;
    streams_.for_each([&all](state const &s) { all = all && s.queued == 0 && s.fin_queued == s.fin_sent; });
    return all;
}

GIGI_INLINE std::error_code yamux_session::on_time(time_point now) {
    if (ping_ != ping::idle && now - std::max(ping_since_, last_received_) >= options_.keepalive_timeout)
        return make_error_code(errc::timed_out);
    if (now >= next_ping_) {
        next_ping_ = now + options_.keepalive_interval;
        useless_ = 0;
        if (ping_ == ping::idle && !failure_) {
            push_control({yamux_type::ping, yamux_flag::syn, 0, ++ping_id_});
            ping_ = ping::queued;
            ping_since_ = now;
        }
    }
    return {};
}

GIGI_INLINE time_point yamux_session::next_time() const noexcept {
    if (ping_ == ping::idle) return next_ping_;
    return std::min(next_ping_, std::max(ping_since_, last_received_) + options_.keepalive_timeout);
}

GIGI_INLINE std::optional<yamux_output> yamux_session::next(time_point now) {
    if (control_next_ < control_.size()) return next_control(now);
    while (fresh_.first || ready_.first) {
        // Streams with little to say go first, but cannot keep the others waiting for good.
        bool const others = ready_.first && (!fresh_.first || fresh_turns_ >= max_fresh_turns);
        fresh_turns_ = others ? 0 : std::min(fresh_turns_ + 1, max_fresh_turns);
        state &stream = others ? *ready_.first : *fresh_.first;
        if (auto out = next_of(stream)) return out;
    }
    return std::nullopt;
}

GIGI_INLINE void yamux_session::forget(state &stream) noexcept {
    if (stream.attached) detach(stream);
}

GIGI_INLINE yamux_session::list &yamux_session::list_of(state::place where) noexcept {
    return where == state::place::fresh ? fresh_ : where == state::place::ready ? ready_ : held_;
}

GIGI_INLINE void yamux_session::link(state &s, state::place where) noexcept {
    list &l = list_of(where);
    s.where_ = where;
    s.previous_ = l.last;
    s.next_ = nullptr;
    (l.last ? l.last->next_ : l.first) = &s;
    l.last = &s;
}

GIGI_INLINE void yamux_session::unlink(state &s) noexcept {
    if (s.where_ == state::place::none) return;
    list &l = list_of(s.where_);
    (s.previous_ ? s.previous_->next_ : l.first) = s.next_;
    (s.next_ ? s.next_->previous_ : l.last) = s.previous_;
    s.where_ = state::place::none;
}

GIGI_INLINE bool yamux_session::sendable(state const &s) noexcept {
    return s.update_due || (s.queued > 0 ? s.send_credit > 0 : s.fin_queued && !s.fin_sent);
}

GIGI_INLINE void yamux_session::update_place(state &s) noexcept {
    if (!s.attached || failure_) return;
    if (!sendable(s)) {
        unlink(s);
        if (!s.begun) release_held(); // it may have held the place of one that waits
    } else if (s.where_ == state::place::none) {
        link(s, may_send(s) ? state::place::fresh : state::place::held);
    }
}

GIGI_INLINE void yamux_session::release_held() noexcept {
    if (!held_.first || unacknowledged_out_ >= options_.max_unacknowledged) return;
    state &s = *held_.first;
    unlink(s);
    link(s, state::place::fresh);
}

GIGI_INLINE std::optional<yamux_output> yamux_session::next_control(time_point now) {
    yamux_output out;
    out.header = control_[control_next_++];
    if (control_next_ == control_.size()) {
        control_next_ = 0;
        control_.clear();
        if (control_.capacity() > 64) control_.shrink_to_fit();
    }
    if (out.header.type == yamux_type::ping) {
        if (out.header.has(yamux_flag::ack)) {
            --pongs_;
        } else {
            ping_ = ping::sent;
            ping_since_ = now;
        }
    }
    return out;
}

GIGI_INLINE std::optional<yamux_output> yamux_session::next_of(state &s) {
    unlink(s);
    if (!may_send(s)) {
        link(s, state::place::held);
        return std::nullopt;
    }
    yamux_output out;
    out.header.stream_id = s.id;
    out.stream = &s;
    if (!s.begun) {
        s.begun = true;
        ++unacknowledged_out_;
        out.header.flags |= yamux_flag::syn;
    } else if (!s.outbound && !s.acknowledged) {
        s.acknowledged = true;
        --unacknowledged_in_;
        out.header.flags |= yamux_flag::ack;
    }
    if (s.update_due) {
        s.update_due = false;
        out.header.type = yamux_type::window_update;
        out.header.length = ungranted(s);
        s.receive_credit += out.header.length;
    } else if (s.queued > 0) {
        auto const n = static_cast<std::uint32_t>(std::min<std::size_t>({s.queued, s.send_credit, options_.quantum}));
        out.header.length = n;
        s.queued -= n;
        s.send_credit -= n;
    } else {
        // Not on the last data frame: go-yamux and js-libp2p act on FIN before they take that frame's payload.
        out.header.type = yamux_type::window_update;
        out.header.flags |= yamux_flag::fin;
        s.fin_sent = true;
        if (s.fin_received) {
            out.closed = true;
            detach(s);
        }
    }
    if (s.attached && sendable(s)) link(s, state::place::ready);
    return out;
}

GIGI_INLINE void yamux_session::push_control(yamux_header header) {
    if (failure_) return;
    if (control_.size() - control_next_ >= max_control) {
        fail(errc::limit_exceeded);
        return;
    }
    if (control_next_ >= max_control) { // what has been sent takes no room, though there has always been something to send
        control_.erase(control_.begin(), control_.begin() + static_cast<std::ptrdiff_t>(control_next_));
        control_next_ = 0;
    }
    control_.push_back(header);
}

GIGI_INLINE void yamux_session::attach(state &s) {
    streams_.insert(s.id, &s);
    s.attached = true;
    if (s.outbound) {
        ++outbound_;
    } else {
        ++inbound_;
        ++unacknowledged_in_;
        s.begun = true;
    }
    ++stats_.streams_opened;
}

GIGI_INLINE void yamux_session::detach(state &s) noexcept {
    unlink(s);
    streams_.erase(s.id);
    s.attached = false;
    allow_late();
    buffered_ -= s.unread;
    growth_ -= s.window - yamux_initial_window;
    if (payload_of_ == &s) payload_of_ = nullptr;
    if (s.outbound) {
        --outbound_;
        if (s.begun && !s.acknowledged) --unacknowledged_out_;
        release_held();
    } else {
        --inbound_;
        if (!s.acknowledged) --unacknowledged_in_;
    }
}

GIGI_INLINE void yamux_session::on_ping(yamux_header const &header, time_point now) {
    if (header.has(yamux_flag::syn)) {
        count_useless();
        if (pongs_ >= max_pongs) {
            ++stats_.pings_dropped;
        } else if (!failure_) {
            ++pongs_;
            push_control({yamux_type::ping, yamux_flag::ack, 0, header.length});
        }
        return;
    }
    if (ping_ != ping::sent || header.length != ping_id_) return fail(errc::protocol_violation);
    ping_ = ping::idle;
    duration const measured = std::max<duration>(now - ping_since_, duration{1});
    round_trip_ = round_trip_ == duration::zero() ? measured : (round_trip_ * 7 + measured) / 8;
    trips_[trips_next_++ % trips_.size()] = measured;
}

GIGI_INLINE duration yamux_session::shortest_trip() const noexcept {
    std::size_t const known = std::min(trips_next_, trips_.size());
    return known == 0 ? duration::zero() : *std::min_element(trips_.begin(), trips_.begin() + static_cast<std::ptrdiff_t>(known));
}

GIGI_INLINE void yamux_session::on_go_away(yamux_header const &header) {
    if (std::exchange(goodbye_, true)) count_useless();
    if (header.length == static_cast<std::uint32_t>(yamux_goodbye::normal)) return;
    end_with(errc::reset);
    said_goodbye_ = true; // the peer listens no more
}

GIGI_INLINE void yamux_session::count_useless() {
    if (++useless_ > max_useless) fail(errc::protocol_violation);
}

GIGI_INLINE void yamux_session::fail(errc why) {
    if (failure_) return;
    end_with(why);
    auto const code = why == errc::limit_exceeded ? yamux_goodbye::internal_error : yamux_goodbye::protocol_error;
    control_.push_back({yamux_type::go_away, 0, 0, static_cast<std::uint32_t>(code)});
    said_goodbye_ = true;
}

GIGI_INLINE void yamux_session::end_with(errc why) {
    failure_ = make_error_code(why);
    refusing_ = true;
    control_.clear();
    control_next_ = 0;
    for (list *const l : {&fresh_, &ready_, &held_})
        while (l->first) unlink(*l->first);
}

} // namespace gigi::inline v1
