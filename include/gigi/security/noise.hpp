// gigi/security/noise.hpp: a raw connection under Noise: authenticated, encrypted, in frames of up to 65535 bytes.
//
// Layer: security. Spec: libp2p noise/README.md, "Wire Format": a big-endian u16 before every message and every frame.
// Ciphertext is decrypted where it was received; plaintext is encrypted from where it lies into one buffer, which leaves in
// one system call. A connection that carries little holds little: buffers grow while reads fill them and shrink again, also where
// the beginning of a frame has come: what the peer has sent counts, not what it has announced.
#pragma once

#include "../core/asio.hpp"
#include "../core/bytes.hpp"
#include "../core/error.hpp"
#include "../core/stream.hpp"
#include "../core/turn.hpp"
#include "../crypto/aead.hpp"
#include "../transport/transport.hpp"
#include "noise_handshake.hpp"
#include "secure_channel.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

/// Models SecureChannel. Movable before its first use.
template <RawConnection Raw> class noise {
  public:
    static constexpr std::string_view protocol = "/noise";
    static constexpr std::size_t max_handshake_message = 8192; ///< bytes; larger ones are refused unread

    /// Secures a connection that this side opened.
    /// @param expected who must answer; anyone where empty
    /// @throws error: `errc::peer_mismatch`, `errc::bad_signature`, `errc::unsupported_key`, `errc::decryption_failed`,
    ///   `errc::protocol_violation`, `errc::unsupported_protocol` (no common muxer)
    /// @par Cancellation Closes the connection.
    [[nodiscard]] static awaitable<noise> dial(Raw raw, identity const &self, std::optional<peer_id> expected, std::span<std::string const> muxers) {
        return secure(std::move(raw), true, self, std::move(expected), muxers);
    }
    /// Secures a connection that the other side opened.
    [[nodiscard]] static awaitable<noise> accept(Raw raw, identity const &self, std::span<std::string const> muxers) {
        return secure(std::move(raw), false, self, std::nullopt, muxers);
    }

    [[nodiscard]] awaitable<bytes_view> read() {
        for (;;) {
            std::size_t const held = end_ - begin_;
            std::size_t need = 2;
            if (held >= 2) {
                std::size_t const size = load_be<std::uint16_t>(in_.get() + begin_);
                need = 2 + size;
                if (held >= need) {
                    auto const plain = open(mutable_bytes{in_.get() + begin_ + 2, size});
                    begin_ += need;
                    if (!plain.empty()) co_return plain;
                    if (++useless_ % useless_at_once == 0) co_await let_others_run(); // allowed, and of no use
                    continue;
                }
            }
            if (held == 0 && wanted_ == small_buffer) { // probably nothing is there, and maybe not for long
                in_.reset();
                capacity_ = begin_ = end_ = 0;
                co_await raw_.wait_readable();
            }
            make_room(need);
            mutable_bytes const room{in_.get() + end_, capacity_ - end_};
            std::size_t const n = co_await raw_.read_some(room);
            if (n == 0) {
                if (begin_ == end_) co_return bytes_view{};
                throw error{errc::end_of_stream, "noise frame"};
            }
            end_ += n;
            if (n <= small_buffer / 4)
                wanted_ = small_buffer;
            else if (n == room.size())
                wanted_ = std::min(largest_buffer, capacity_ * 4);
            else if (n <= room.size() / 16)
                wanted_ = std::max(small_buffer, wanted_ / 4); // in steps: the last of much is often little
        }
    }

    [[nodiscard]] awaitable<void> write(std::span<bytes_view const> pieces) {
        seal(pieces);
        bytes_view const message{out_};
        co_await raw_.write(message);
        out_.clear();
        if (message.size() <= kept_output && out_.capacity() > kept_output) bytes{}.swap(out_);
    }

    void close_write() { raw_.close_write(); }
    void close() { raw_.close(); }
    peer_id const &remote_peer() const noexcept { return remote_; }
    gigi::public_key const &remote_key() const noexcept { return remote_key_; }
    std::string_view muxer() const noexcept { return muxer_; }
    multiaddr local_address() const { return raw_.local_address(); }
    multiaddr remote_address() const { return raw_.remote_address(); }

  private:
    static constexpr std::size_t tag_size = chacha20_poly1305::tag_size;
    static constexpr std::size_t max_plain = max_noise_message - tag_size;
    static constexpr std::size_t small_buffer = 1024; // what a connection with small messages reads into
    static constexpr std::size_t kept_output = 256;    // what it holds while it sends nothing
    static constexpr std::uint64_t useless_at_once = 256; // frames
    static constexpr std::size_t largest_buffer = std::size_t{256} << 10;

    noise(Raw raw, noise_handshake const &done, noise_keys const &keys)
        : raw_{std::move(raw)}, sending_{keys.send, true}, receiving_{keys.receive, false}, remote_{done.remote_peer()},
          remote_key_{done.remote_key()}, muxer_{done.muxer()} {}

    static awaitable<noise> secure(Raw raw, bool dialled, identity const &self, std::optional<peer_id> expected, std::span<std::string const> muxers) {
        system_random random;
        noise_handshake handshake{dialled, self, std::move(expected), muxers, random};
        while (!handshake.complete()) {
            if (handshake.sends_next()) {
                auto const message = handshake.next();
                if (!message) throw error{message.error(), "noise handshake"};
                co_await send_message(raw, *message);
            } else {
                bytes const message = co_await receive_message(raw);
                if (auto const failed = handshake.take(message)) throw error{failed, "noise handshake"};
            }
        }
        co_return noise{std::move(raw), handshake, handshake.keys()};
    }

    static awaitable<void> send_message(Raw &raw, bytes_view message) {
        bytes out;
        append_be(out, static_cast<std::uint16_t>(message.size()));
        append(out, message);
        bytes_view const all{out};
        co_await raw.write(all);
    }
    static awaitable<bytes> receive_message(Raw &raw) {
        std::array<std::uint8_t, 2> header{};
        mutable_bytes const header_room{header};
        co_await read_exactly(raw, header_room);
        std::size_t const size = load_be<std::uint16_t>(header.data());
        if (size > max_handshake_message) throw error{errc::message_too_large, "noise handshake"};
        bytes message(size);
        mutable_bytes const room{message};
        co_await read_exactly(raw, room);
        co_return message;
    }

    static awaitable<void> let_others_run() {
        any_io_executor const executor = co_await asio::this_coro::executor;
        co_await detail::yield_turn(executor);
    }

    /// Decrypts a frame in place.
    bytes_view open(mutable_bytes sealed) {
        if (sealed.size() < tag_size || received_ == UINT64_MAX || !receiving_.open(received_++, {}, sealed, sealed.data())) {
            raw_.close();
            throw error{errc::decryption_failed, "noise frame"};
        }
        return sealed.first(sealed.size() - tag_size);
    }

    /// Makes room for some of the `need` bytes from `begin_` on: for as many times more as have come, and for more where reads have
    /// been filling the buffer. One that has become much too large is given up for a smaller one.
    void make_room(std::size_t need) {
        std::size_t const held = end_ - begin_;
        std::size_t const least = std::min(need, held + small_buffer / 4);
        std::size_t const target = std::max(wanted_, std::min(need, held * 4));
        bool const resize = capacity_ < std::max(wanted_, least) || capacity_ > target * 2;
        if (resize) {
            auto other = std::make_unique_for_overwrite<std::uint8_t[]>(target);
            if (held) std::memcpy(other.get(), in_.get() + begin_, held);
            in_ = std::move(other);
            capacity_ = target;
        } else if (begin_ > 0 && (held == 0 || capacity_ - begin_ < std::max(need, held + small_buffer / 4))) {
            if (held) std::memmove(in_.get(), in_.get() + begin_, held);
        } else {
            return;
        }
        begin_ = 0;
        end_ = held;
    }

    /// Encrypts the pieces, one after the other, into `out_`, as few frames as they fit.
    void seal(std::span<bytes_view const> pieces) {
        std::size_t total = 0;
        for (auto const &piece : pieces) total += piece.size();
        std::size_t const frames = (total + max_plain - 1) / max_plain;
        out_.resize(total + frames * (2 + tag_size));
        std::uint8_t *to = out_.data();
        std::size_t index = 0, offset = 0;
        while (total > 0) {
            std::size_t const size = std::min(total, max_plain);
            gathered_.clear();
            for (std::size_t left = size; left > 0;) {
                auto const rest = pieces[index].subspan(offset);
                auto const part = rest.first(std::min(left, rest.size()));
                if (!part.empty()) gathered_.push_back(part);
                left -= part.size();
                offset += part.size();
                if (offset == pieces[index].size()) {
                    ++index;
                    offset = 0;
                }
            }
            if (sent_ == UINT64_MAX) throw error{errc::limit_exceeded, "noise nonces"};
            store_be(to, static_cast<std::uint16_t>(size + tag_size));
            sending_.seal(sent_++, {}, std::span<bytes_view const>{gathered_}, to + 2);
            to += 2 + size + tag_size;
            total -= size;
        }
    }

    Raw raw_;
    chacha20_poly1305 sending_;
    chacha20_poly1305 receiving_;
    std::uint64_t sent_ = 0, received_ = 0;
    std::uint64_t useless_ = 0; // received frames that were empty
    std::unique_ptr<std::uint8_t[]> in_; // received: [begin_, end_)
    std::size_t capacity_ = 0, begin_ = 0, end_ = 0, wanted_ = small_buffer;
    bytes out_;
    std::vector<bytes_view> gathered_;
    peer_id remote_;
    gigi::public_key remote_key_;
    std::string muxer_;
};

} // namespace gigi::inline v1
