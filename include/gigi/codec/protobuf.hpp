// gigi/codec/protobuf.hpp: a bounded reader and writer of protobuf messages, for libp2p's control messages.
//
// Layer: codec. The only header that includes protozero. Nothing here throws on hostile bytes: the reader keeps the first
// error and then reads nothing more, so that a parser is one loop and one check at its end:
//
//     protobuf_reader in{data};
//     while (in.next()) switch (in.field()) {
//         case 1: in.read(message.key); break;
//         case 2: if (in.more(message.addresses, 32)) message.addresses.push_back(to_bytes(in.data())); break;
//     }                                                   // unknown fields are skipped
//     if (in.error()) return in.error();
#pragma once

#include "../core/bytes.hpp"
#include "../core/error.hpp"

#include <protozero/basic_pbf_writer.hpp>
#include <protozero/buffer_tmpl.hpp>
#include <protozero/pbf_reader.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

/// @cond
// How protozero appends to `gigi::bytes`.
namespace protozero {
template <> struct buffer_customization<gigi::bytes> {
    static std::size_t size(gigi::bytes const *buffer) noexcept { return buffer->size(); }
    static void append(gigi::bytes *buffer, char const *data, std::size_t count) {
        if (count) buffer->insert(buffer->end(), data, data + count);
    }
    static void append_zeros(gigi::bytes *buffer, std::size_t count) { buffer->insert(buffer->end(), count, 0); }
    static void resize(gigi::bytes *buffer, std::size_t size) { buffer->resize(size); }
    static void reserve_additional(gigi::bytes *buffer, std::size_t size) { buffer->reserve(buffer->size() + size); }
    static void erase_range(gigi::bytes *buffer, std::size_t from, std::size_t to) {
        buffer->erase(buffer->begin() + static_cast<std::ptrdiff_t>(from), buffer->begin() + static_cast<std::ptrdiff_t>(to));
    }
    static char *at_pos(gigi::bytes *buffer, std::size_t position) { return reinterpret_cast<char *>(buffer->data()) + position; }
    static void push_back(gigi::bytes *buffer, char c) { buffer->push_back(static_cast<std::uint8_t>(c)); }
};
} // namespace protozero
/// @endcond

namespace gigi::inline v1 {

/// Reads the fields of one message, in the order in which they stand.
///
/// `next()` goes to the next field; a getter then takes its value. A field that is not taken is skipped. Damage, and a getter
/// of another wire type than the field's, is remembered in `error()`: getters return an empty value and `next()` false from then on.
/// @par Lifetime The message's bytes must outlive the reader and every view it returns.
class protobuf_reader {
  public:
    explicit protobuf_reader(bytes_view message) noexcept;

    /// Goes to the next field. @return false at the end of the message and after an error
    bool next();

    std::uint32_t field() const noexcept { return in_.tag(); } ///< the current field's number

    /// The value of a varint field: uint64, uint32, and the bits of int32, int64 and enum.
    std::uint64_t varint();
    bool boolean() { return varint() != 0; }

    /// The value of a field of bytes, or a nested message for another reader.
    bytes_view data();
    /// The value of a string field; that it is UTF-8 is not checked.
    std::string_view text() { return as_text(data()); }

    void read(bytes &out) { out = to_bytes(data()); }
    void read(std::string &out) { out = text(); }
    void read(bool &out) { out = boolean(); }
    /// Reads an integer or enum; a value that the type cannot hold is an error.
    template <std::unsigned_integral T> void read(T &out) {
        std::uint64_t const value = varint();
        out = static_cast<T>(value);
        if (out != value) fail();
    }

    /// Whether a repeated field may have one element more; going past `limit` ends the reading with `errc::limit_exceeded`.
    template <class Container> bool more(Container const &container, std::size_t limit) {
        if (container.size() < limit) return !error_;
        fail(errc::limit_exceeded);
        return false;
    }

    /// Ends the reading: the message is not what the protocol allows. The first error stays.
    void fail(std::error_code why = make_error_code(errc::protocol_violation)) noexcept;

    /// What is wrong with the part of the message that was read; zero where it is sound.
    std::error_code error() const noexcept { return error_; }

  private:
    template <class F> auto guarded(F f) -> decltype(f()) {
        if (!error_) {
            try {
                auto const value = f();
                if (!error_) return value;
            } catch (protozero::exception const &) {
                fail();
            }
        }
        return {};
    }

    bool take(protozero::pbf_wire_type type);

    protozero::pbf_reader in_;
    std::error_code error_;
    bool pending_ = false; // a field whose value has not been taken
};

/// Appends fields to a byte string, in the order of the calls. A field is written whatever its value: what to leave out
/// is the caller's choice.
/// @par Lifetime The byte string must outlive the writer, and must not be touched while one exists.
class protobuf_writer {
  public:
    explicit protobuf_writer(bytes &out) : out_{out} {}

    protobuf_writer &varint(std::uint32_t field, std::uint64_t value) { return out_.add_uint64(field, value), *this; }
    protobuf_writer &boolean(std::uint32_t field, bool value) { return out_.add_bool(field, value), *this; }
    protobuf_writer &data(std::uint32_t field, bytes_view value);
    protobuf_writer &text(std::uint32_t field, std::string_view value) { return data(field, as_bytes(value)); }

    /// Writes a nested message: `fill` gets a writer for it. One that stays empty is written with length 0.
    template <std::invocable<protobuf_writer &> Fill> protobuf_writer &message(std::uint32_t field, Fill &&fill) {
        scratch_.clear();
        bytes body = std::move(scratch_);
        protobuf_writer nested{body};
        fill(nested);
        data(field, body);
        scratch_ = std::move(body);
        return *this;
    }

  private:
    protozero::basic_pbf_writer<bytes> out_;
    bytes scratch_; // nested messages are small: one buffer for all of this level
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/protobuf.ipp"
#endif
