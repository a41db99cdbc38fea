// gigi/testing/scripted_peer.hpp: the other end of a connection, spoken by hand: every layer right or wrong, as a test likes.
//
// Layer: testing. A peer that follows no rules by itself: raw bytes, a handshake with deviations, yamux frames of any kind,
// multistream texts and messages of any length. Where a peer is to be right but for one protocol, a `memory_host`
// (memory_host.hpp) that handles that protocol in its own way is simpler.
//
//     awaitable<void> attack(memory_network &network, multiaddr victim, identity const &self, random_source &random) {
//         auto const evil = co_await scripted_dial(network, "10.0.0.66", victim, self, random);
//         co_await evil->connect();                                                       // in good order up to yamux
//         co_await evil->send(yamux_bytes(0, yamux_flag::syn, 1, 300'000));               // more than the window
//         scripted_frame const answer = co_await evil->wait_for(yamux_type::go_away);     // what the victim says to that
//     }
#pragma once

#include "../core/asio.hpp"
#include "../core/bytes.hpp"
#include "../core/clock.hpp"
#include "../core/condition.hpp"
#include "../core/error.hpp"
#include "../core/timeout.hpp"
#include "../crypto/aead.hpp"
#include "../crypto/random.hpp"
#include "../link/multistream.hpp"
#include "../mux/yamux_frame.hpp"
#include "../peer/identity.hpp"
#include "../security/noise_handshake.hpp"
#include "../transport/memory.hpp"
#include "hostile_bytes.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace gigi::inline v1::testing {

/// Where a handshake leaves the rules. As long as nothing is set it is right.
struct handshake_script {
    handshake_script() = default; // no aggregate: it may be built where it is passed

    /// Changes what the peer says of itself: another's key, another signature, other muxers.
    std::function<void(noise_payload &, x25519_key const &own_static)> payload;
    /// Changes that once more when it is encoded: damaged protobuf, more bytes.
    std::function<void(bytes &)> encoded;
    /// Changes a message as it goes out, encrypted and behind its u16 length. `number` is its place in the handshake: 0 and 2
    /// are the dialler's, 1 is the listener's.
    std::function<void(int number, bytes &message)> message;
    /// The muxers that it offers; none: the muxer is negotiated after the handshake.
    std::vector<std::string> muxers{"/yamux/1.0.0"};
};

/// A yamux frame as it came.
struct scripted_frame {
    scripted_frame() = default;
    yamux_header header;
    bytes payload;
};

/// What the other side has sent on a muxed connection.
struct scripted_record {
    std::uint64_t frames = 0;                      ///< of any kind
    std::uint64_t resets = 0;                      ///< streams that it aborted
    std::uint64_t data = 0;                        ///< bytes of payload, of all streams
    std::optional<std::uint32_t> goodbye;          ///< the code of its GoAway
    std::map<std::uint32_t, bytes> streams;        ///< the beginning of what came on each stream, at most 1 KiB
};

/// One end of a connection. In the clear until `handshake`, encrypted from then on.
/// One reader at a time; any number of writers. Use it on the connection's strand.
/// @par Lifetime `self` and `random` must outlive it.
template <RawConnection Raw> class scripted_peer {
  public:
    /// @param dialled whether this side opened the connection: it speaks first, then
    scripted_peer(any_io_executor const &executor, Raw raw, bool dialled, identity const &self, random_source &random)
        : raw_{std::move(raw)}, dialled_{dialled}, self_{self}, random_{random}, sent_{executor} {}
    scripted_peer(scripted_peer const &) = delete;
    scripted_peer &operator=(scripted_peer const &) = delete;

    // ---- bytes, on the uppermost layer that has been reached; with these it models ByteStream

    /// Sends bytes, encrypted where the handshake is over.
    [[nodiscard]] awaitable<void> send(bytes data) { co_await transmit(std::move(data), true); }
    /// Sends bytes past the encryption.
    [[nodiscard]] awaitable<void> send_raw(bytes data) { co_await transmit(std::move(data), false); }
    /// Sends one byte at a time, and waits after each.
    [[nodiscard]] awaitable<void> drip(bytes data, duration pause) {
        for (auto const byte : data) {
            co_await send(bytes(1, byte));
            co_await sleep_for(pause);
        }
    }
    [[nodiscard]] awaitable<void> write(bytes_view data) { co_await transmit(to_bytes(data), true); }
    [[nodiscard]] awaitable<std::size_t> read_some(mutable_bytes buffer) {
        if (!receiving_) {
            std::size_t const n = co_await raw_.read_some(buffer);
            co_return n;
        }
        while (taken_ == plain_.size()) {
            bool const more = co_await open_next();
            if (!more) co_return 0;
        }
        std::size_t const n = std::min(buffer.size(), plain_.size() - taken_);
        std::copy_n(plain_.begin() + static_cast<std::ptrdiff_t>(taken_), n, buffer.begin());
        taken_ += n;
        co_return n;
    }
    /// Reads exactly so many bytes. @throws error with `errc::end_of_stream` where the connection ends before
    [[nodiscard]] awaitable<bytes> receive(std::size_t size) {
        bytes out(size);
        mutable_bytes const room{out};
        co_await read_exactly(*this, room);
        co_return out;
    }
    /// Reads and forgets. @return whether the other side ended the connection within `limit`
    [[nodiscard]] awaitable<bool> wait_for_end(duration limit) {
        std::error_code code;
        try {
            co_await with_timeout(read_to_the_end(), limit);
        } catch (std::system_error const &e) {
            code = e.code();
        }
        co_return code != condition::timed_out;
    }
    void close_write() { raw_.close_write(); }
    void reset() { raw_.reset(); }
    void close() { raw_.close(); }

    // ---- multistream-select

    /// Sends one message: any text.
    [[nodiscard]] awaitable<void> say(std::string text) { co_await transmit(multistream_bytes(text), true); }
    /// Reads one message.
    [[nodiscard]] awaitable<std::string> hear() {
        multistream::message_reader reader;
        std::string text = co_await multistream::read_message(*this, reader);
        co_return text;
    }

    // ---- Noise

    /// Says (as the dialler) or answers (as the listener) that Noise follows.
    [[nodiscard]] awaitable<void> agree_on_noise() {
        if (dialled_) co_await send(multistream_offer("/noise"));
        for (int i = 0; i < 2; ++i) (void)co_await hear();
        if (!dialled_) co_await send(multistream_offer("/noise"));
    }
    /// Takes part in the handshake, in its own way.
    /// @throws error where the other side is wrong, or goes away
    [[nodiscard]] awaitable<void> handshake(handshake_script script = handshake_script()) {
        noise_xx noise{dialled_, x25519_pair::generate(random_), x25519_pair::generate(random_)};
        auto mine = noise_payload::make(self_, noise.own_static(), script.muxers);
        if (script.payload) script.payload(mine, noise.own_static());
        bytes payload = mine.encode();
        if (script.encoded) script.encoded(payload);
        while (!noise.complete()) {
            int const number = noise.messages();
            if (noise.writes_next()) {
                bytes const message = noise.write(number == 0 ? bytes_view{} : bytes_view{payload}).value();
                bytes framed;
                append_be(framed, static_cast<std::uint16_t>(message.size()));
                append(framed, message);
                if (script.message) script.message(number, framed);
                co_await send_raw(std::move(framed));
            } else {
                bytes const size = co_await receive(2);
                bytes const message = co_await receive(load_be<std::uint16_t>(size.data()));
                bytes const theirs = noise.read(message).value();
                if (number > 0) remote_ = noise_payload::decode(theirs).value();
            }
        }
        auto const keys = noise.keys();
        sending_.emplace(keys.send, true);
        receiving_.emplace(keys.receive, false);
    }
    /// Everything up to yamux, in good order but for the script.
    [[nodiscard]] awaitable<void> connect(handshake_script script = handshake_script()) {
        bool const negotiate = script.muxers.empty();
        co_await agree_on_noise();
        co_await handshake(std::move(script));
        if (!negotiate) co_return;
        std::array<std::string, 1> const muxers{"/yamux/1.0.0"};
        std::span<std::string const> const offer{muxers};
        if (dialled_)
            (void)co_await negotiate_as_dialer(*this, offer);
        else
            (void)co_await negotiate_as_listener(*this, offer);
    }
    /// What the other side has said of itself in the handshake.
    std::optional<noise_payload> const &remote() const noexcept { return remote_; }

    // ---- yamux

    /// Opens a stream and asks for a protocol on it, then sends `data`, all in one frame, without waiting for anything.
    /// @param id odd where we have dialled, in good order
    [[nodiscard]] awaitable<void> open(std::uint32_t id, std::string protocol, bytes data = bytes()) {
        bytes all = multistream_offer(protocol);
        append(all, data);
        co_await send(yamux_bytes(0, yamux_flag::syn, id, static_cast<std::uint32_t>(all.size()), all));
    }
    /// Sends data on a stream, whatever its window is.
    [[nodiscard]] awaitable<void> send_data(std::uint32_t id, bytes data) {
        co_await send(yamux_bytes(0, 0, id, static_cast<std::uint32_t>(data.size()), data));
    }
    /// Reads the next frame. Pings are answered on the way, unless `answers_pings` is off.
    /// @throws error with `errc::end_of_stream` where the connection has ended
    [[nodiscard]] awaitable<scripted_frame> next_frame() {
        scripted_frame frame;
        bytes const raw = co_await receive(yamux_header::size);
        frame.header = parse_yamux_header(std::span<std::uint8_t const, yamux_header::size>{raw.data(), raw.size()}).value();
        if (frame.header.type == yamux_type::data) frame.payload = co_await receive(frame.header.length);
        note(frame);
        if (answers_pings && frame.header.type == yamux_type::ping && frame.header.has(yamux_flag::syn))
            co_await answer_ping(frame.header.length);
        co_return frame;
    }
    /// Reads frames up to one of this type.
    [[nodiscard]] awaitable<scripted_frame> wait_for(yamux_type type) {
        scripted_frame frame;
        do frame = co_await next_frame();
        while (frame.header.type != type);
        co_return frame;
    }
    /// Reads frames until the connection ends, as a task beside what sends. `heard` tells what came.
    [[nodiscard]] awaitable<void> listen() {
        try {
            for (;;) (void)co_await next_frame();
        } catch (std::system_error const &e) {
            if (e.code() == condition::cancelled) throw;
        }
        ended = true;
    }

    bool answers_pings = true;
    bool ended = false;     ///< `listen` has seen the end of the connection
    scripted_record heard;

  private:
    static constexpr std::size_t max_plain = max_noise_message - chacha20_poly1305::tag_size;
    static constexpr std::size_t kept = 1024; // bytes of a stream

    awaitable<void> answer_ping(std::uint32_t opaque) {
        try {
            co_await send(yamux_bytes(2, yamux_flag::ack, 0, opaque));
        } catch (std::system_error const &e) { // whoever has closed the connection may have said more before that
            if (e.code() == condition::cancelled) throw;
        }
    }
    awaitable<void> transmit(bytes data, bool secure) {
        while (busy_) co_await sent_.wait(); // messages of several writers leave whole, in the order of their nonces
        struct turn {
            scripted_peer &owner;
            explicit turn(scripted_peer &p) : owner{p} { owner.busy_ = true; }
            ~turn() {
                owner.busy_ = false;
                owner.sent_.notify_one();
            }
        } const mine{*this};
        if (secure && sending_) data = seal(data);
        bytes_view const all{data};
        co_await raw_.write(all);
    }

    bytes seal(bytes_view plain) {
        bytes out;
        while (!plain.empty()) {
            auto const part = plain.first(std::min(plain.size(), max_plain));
            plain = plain.subspan(part.size());
            append_be(out, static_cast<std::uint16_t>(part.size() + chacha20_poly1305::tag_size));
            std::size_t const at = out.size();
            out.resize(at + part.size() + chacha20_poly1305::tag_size);
            sending_->seal(messages_sent_++, {}, part, out.data() + at);
        }
        return out;
    }

    /// Reads and decrypts one message. @return false at the end of the connection
    awaitable<bool> open_next() {
        std::size_t wanted = 2;
        while (sealed_.size() < wanted) {
            std::array<std::uint8_t, 4096> buffer;
            mutable_bytes const room = mutable_bytes{buffer}.first(std::min(buffer.size(), wanted - sealed_.size()));
            std::size_t const n = co_await raw_.read_some(room);
            if (n == 0) co_return false;
            append(sealed_, bytes_view{buffer}.first(n));
            if (sealed_.size() >= 2) wanted = 2 + load_be<std::uint16_t>(sealed_.data());
        }
        plain_.resize(sealed_.size());
        taken_ = 0;
        if (!receiving_->open(messages_received_++, {}, bytes_view{sealed_}.subspan(2), plain_.data()))
            throw error{errc::decryption_failed, "scripted peer"};
        plain_.resize(sealed_.size() - 2 - chacha20_poly1305::tag_size);
        sealed_.clear();
        co_return true;
    }

    awaitable<void> read_to_the_end() {
        std::array<std::uint8_t, 4096> buffer;
        mutable_bytes const room{buffer};
        std::size_t n = 1;
        while (n > 0) n = co_await read_some(room);
    }

    void note(scripted_frame const &frame) {
        ++heard.frames;
        heard.data += frame.payload.size();
        if (frame.header.type == yamux_type::go_away) heard.goodbye = frame.header.length;
        if (frame.header.has(yamux_flag::rst)) ++heard.resets;
        if (frame.payload.empty()) return;
        auto &of = heard.streams[frame.header.stream_id];
        append(of, bytes_view{frame.payload}.first(std::min(frame.payload.size(), kept - of.size())));
    }

    Raw raw_;
    bool dialled_;
    identity const &self_;
    random_source &random_;
    async_condition sent_;
    bool busy_ = false;
    std::optional<chacha20_poly1305> sending_, receiving_; // after the handshake
    std::uint64_t messages_sent_ = 0, messages_received_ = 0;
    bytes sealed_, plain_;
    std::size_t taken_ = 0; // of plain_
    std::optional<noise_payload> remote_;
};

/// Dials over a memory network. @param host the IP address that it comes from
[[nodiscard]] awaitable<std::unique_ptr<scripted_peer<memory_connection>>>
scripted_dial(memory_network &network, std::string host, multiaddr to, identity const &self, random_source &random);

/// Waits for a connection to a listener of a memory network.
[[nodiscard]] awaitable<std::unique_ptr<scripted_peer<memory_connection>>>
scripted_accept(memory_network &network, memory_listener &at, identity const &self, random_source &random);

} // namespace gigi::inline v1::testing

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/scripted_peer.ipp"
#endif
