// gigi/protocol/request_response.hpp: typed requests over the swarm, each on a fresh stream.
//
// Layer: protocol. The stream's header, the protocol's name and the request leave in one write (optimistic
// multistream-select); the answer ends the stream.
#pragma once

#include "../core/log.hpp"
#include "../codec/framed.hpp"
#include "../core/clock.hpp"
#include "../link/swarm.hpp"
#include "protocol.hpp"

#include <array>
#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace gigi::inline v1 {

/// Asks a peer and waits for its answer; dials it where it is not connected.
/// @param limit for the answer, from the moment that the request is sent
/// @throws error: what the peer's handler threw; `errc::unsupported_protocol`, `errc::timed_out`, `errc::message_too_large`,
///   and as `swarm::connect`
/// @par Lifetime `question` must live until this returns.
/// @par Cancellation Resets the stream; the peer may have acted on the request.
template <Protocol P>
[[nodiscard]] awaitable<typename P::response> send_request(swarm &through, peer_id peer, typename P::request const &question,
                                                           duration limit) {
    using reply = detail::reply<typename P::response>;
    lazy_stream opened = co_await through.open_stream_optimistic(peer, std::string{P::id});
    opened.expires_at(context_clock{through.get_executor()}.now() + limit);
    framed<lazy_stream, cereal_codec> channel{std::move(opened)};
    co_await channel.write(question);
    channel.close_write();
    reply answer = co_await channel.template read<reply>();
    if (!answer.value) throw error{detail::code_of(answer.error), std::move(answer.message)};
    co_return std::move(*answer.value);
}

/// A request as it goes over the wire: one encoding for many peers, however large it is.
/// @throws error with `errc::message_too_large`
template <Protocol P> bytes encode_request(typename P::request const &question) {
    bytes frame;
    append_frame_of(frame, [&](bytes &out) { cereal_codec{}.encode(question, out); });
    if (frame.size() > max_size_of<typename P::request> + varint_size(max_size_of<typename P::request>)) throw error{make_error_code(errc::message_too_large)};
    return frame;
}

/// As `send_request`, with what `encode_request` returned. @par Lifetime `frame` must live until this returns.
template <Protocol P>
[[nodiscard]] awaitable<typename P::response> send_encoded_request(swarm &through, peer_id peer, bytes_view frame, duration limit) {
    using reply = detail::reply<typename P::response>;
    lazy_stream opened = co_await through.open_stream_optimistic(peer, std::string{P::id});
    opened.expires_at(context_clock{through.get_executor()}.now() + limit);
    framed<lazy_stream, cereal_codec> channel{std::move(opened)};
    co_await channel.stream().write(frame);
    channel.close_write();
    reply answer = co_await channel.template read<reply>();
    if (!answer.value) throw error{detail::code_of(answer.error), std::move(answer.message)};
    co_return std::move(*answer.value);
}

/// Answers a request: a coroutine or a plain function of who asks and what.
template <class H, class P>
concept RequestHandler = std::copy_constructible<H> &&
                         (std::is_invocable_r_v<awaitable<typename P::response>, H &, peer_id const &, typename P::request const &> ||
                          std::is_invocable_r_v<typename P::response, H &, peer_id const &, typename P::request const &>);

namespace detail {

template <Protocol P, class Handler>
awaitable<void> answer_request(swarm &through, std::shared_ptr<Handler> handler, stream incoming, duration limit) {
    using request = typename P::request;
    using response = typename P::response;
    peer_id const peer = incoming.peer();
    incoming.expires_at(context_clock{through.get_executor()}.now() + limit);
    framed<stream, cereal_codec> channel{std::move(incoming)};
    std::optional<std::size_t> const size = co_await channel.next_size(max_size_of<request>);
    if (!size) throw error{make_error_code(errc::end_of_stream)};
    reply<response> answer;
    bool read = false;
    try {
        receive_budget::share const room = co_await through.receiving().take(peer, *size, limit / 2);
        request question = co_await channel.template read<request>();
        read = true;
        if constexpr (std::is_invocable_r_v<awaitable<response>, Handler &, peer_id const &, request const &>) {
            response given = co_await (*handler)(peer, question);
            answer.value.emplace(std::move(given));
        } else {
            answer.value.emplace((*handler)(peer, question));
        }
    } catch (std::system_error const &e) {
        if (e.code() == condition::cancelled) throw; // this side is stopping
        if (!read && e.code() != errc::limit_exceeded) throw;
        refusal told = refusal_of(e);
        if (told.text.empty()) log(log_level::warning, "request", P::id, " handler: ", e.what());
        answer.error = std::move(told.word);
        answer.message = std::move(told.text);
    } catch (std::exception const &e) { // the app's own failure: its text is not for the peer
        log(log_level::warning, "request", P::id, " handler: ", e.what());
        answer.error = name(errc::rejected);
    }
    if (answer.message.size() > 512) answer.message.resize(512);
    co_await channel.write(answer);
    channel.close_write();
    if (!read) co_await multistream::drain(channel.stream()); // the peer looks for an answer when all has left
    // Wait for the peer's end, so that letting the stream go does not abort an answer that is still on its way.
    std::array<std::uint8_t, 1> extra{};
    mutable_bytes const room{extra};
    co_await channel.read_some(room);
}

} // namespace detail

/// Serves a protocol on a swarm: `handler(peer, request)` returns the response, or an awaitable of it.
///
/// A request is read when there is room for it (`swarm::receiving`); one that has waited for half of `limit` is answered with
/// `errc::limit_exceeded`, and not read. What the handler throws reaches the asking peer:
/// - an `error` with an `errc`: that code and the text; of `condition::io_error` the code alone, since gigi's own texts name local files;
/// - an `error` with a code of the system's: the nearest `errc`, without the text;
/// - another `std::system_error` with an `errc`: that code, without the text;
/// - anything else, as `std::filesystem::filesystem_error`: `errc::rejected`, without the text.
/// Other texts of gigi's name the peer, address or group that they are about: catch them where those are not for who asks.
/// @param limit for reading the request, handling it and sending the answer together
template <Protocol P, class Handler>
    requires RequestHandler<Handler, P>
void serve_requests(swarm &on, Handler handler, duration limit) {
    auto const shared = std::make_shared<Handler>(std::move(handler));
    on.handle(std::string{P::id},
              [&on, shared, limit](stream incoming) { return detail::answer_request<P>(on, shared, std::move(incoming), limit); });
}

} // namespace gigi::inline v1
