// gigi/codec/archive.hpp: cereal archives for the network: over a span of bytes, bounded, without exceptions for the caller.
//
// Layer: codec. The format: integers, enums and floats are little-endian of their own width; bool is 0 or 1; what has a
// number of elements begins with it as an unsigned varint; optional is a bool and the value; variant is the alternative's
// number as a varint and the value; structs are their members in order, by cereal's usual `serialize`.
//
// A peer chooses the bytes, so: a number of elements is checked against the bytes that remain before anything is allocated
// (an element takes at least one byte), memory grows with what has been decoded, nesting is at most 32 deep, and pointers of
// any kind and polymorphic types do not compile. Use fixed-width integers: size_t and long differ between platforms.
#pragma once

#include "../core/bytes.hpp"
#include "../core/varint.hpp"

#include <cereal/cereal.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace gigi::inline v1 {

namespace detail {

inline constexpr unsigned max_wire_depth = 32;

template <class T>
concept WireNumber = std::is_arithmetic_v<T> && !std::same_as<T, bool> && !std::same_as<T, wchar_t> && !std::same_as<T, long double>;

/// Numbers whose bytes in memory are those on the wire.
template <class T>
concept BulkNumber = WireNumber<T> && (sizeof(T) == 1 || std::endian::native == std::endian::little);

/// At least so many bytes does the encoding of a `T` take.
template <class T> constexpr std::size_t least_wire_size() {
    if constexpr (std::is_enum_v<T>)
        return sizeof(std::underlying_type_t<T>);
    else if constexpr (WireNumber<T>)
        return sizeof(T);
    else
        return 1;
}

template <class T> inline constexpr bool is_smart_pointer = false;
template <class T> inline constexpr bool is_smart_pointer<std::shared_ptr<T>> = true;
template <class T> inline constexpr bool is_smart_pointer<std::weak_ptr<T>> = true;
template <class T, class D> inline constexpr bool is_smart_pointer<std::unique_ptr<T, D>> = true;

template <class T> constexpr void check_wire_type() {
    static_assert(!std::is_pointer_v<T> && !is_smart_pointer<T>, "a wire message holds no pointers: use std::optional or a container");
    static_assert(!std::is_polymorphic_v<T>, "a wire message holds no polymorphic types: use std::variant");
}

} // namespace detail

/// Writes values to a byte string, in the format above. Use it through `cereal_codec`.
class wire_output_archive : public cereal::OutputArchive<wire_output_archive, cereal::AllowEmptyClassElision> {
  public:
    /// @par Lifetime `out` must outlive the archive.
    explicit wire_output_archive(bytes &out) : OutputArchive{this}, out_{out} {}

    void put(bytes_view data) { append(out_, data); }
    void put_count(std::size_t count) { append_varint(out_, count); }

    /// cereal meets cycles only through pointers, and there are none; depth is the reader's matter.
    void enter() noexcept {}
    void leave() noexcept {}

  private:
    bytes &out_;
};

/// Reads values from a span of bytes. Use it through `cereal_codec`, which turns its exceptions into error codes.
class wire_input_archive : public cereal::InputArchive<wire_input_archive, cereal::AllowEmptyClassElision> {
  public:
    /// @par Lifetime `data` must outlive the archive.
    explicit wire_input_archive(bytes_view data) : InputArchive{this}, data_{data} {}

    /// The next `n` bytes. @throws gigi::error with `errc::protocol_violation` where there are fewer
    bytes_view take(std::size_t n);
    /// A number of elements, each of at least `least` bytes; all of them can be there.
    std::size_t take_count(std::size_t least);
    std::uint64_t take_varint();

    std::size_t remaining() const noexcept { return data_.size(); }
    [[noreturn]] static void refuse() { throw error{make_error_code(errc::protocol_violation)}; }

    void enter();
    void leave() noexcept { --depth_; }

  private:
    bytes_view data_;
    unsigned depth_ = 0;
};

/// Refuses pointers and polymorphic types at compile time, and values nested too deeply at run time.
template <class T> void prologue(wire_output_archive &archive, T const &) {
    detail::check_wire_type<T>();
    archive.enter();
}
template <class T> void epilogue(wire_output_archive &archive, T const &) { archive.leave(); }
template <class T> void prologue(wire_input_archive &archive, T const &) {
    detail::check_wire_type<T>();
    archive.enter();
}
template <class T> void epilogue(wire_input_archive &archive, T const &) { archive.leave(); }

// Numbers and bool

template <detail::WireNumber T> void CEREAL_SAVE_FUNCTION_NAME(wire_output_archive &archive, T const &value) {
    auto raw = std::bit_cast<std::array<std::uint8_t, sizeof(T)>>(value);
    if constexpr (std::endian::native == std::endian::big) std::ranges::reverse(raw);
    archive.put(raw);
}
template <detail::WireNumber T> void CEREAL_LOAD_FUNCTION_NAME(wire_input_archive &archive, T &value) {
    std::array<std::uint8_t, sizeof(T)> raw;
    std::ranges::copy(archive.take(raw.size()), raw.begin());
    if constexpr (std::endian::native == std::endian::big) std::ranges::reverse(raw);
    value = std::bit_cast<T>(raw);
}
template <std::same_as<bool> T> void CEREAL_SAVE_FUNCTION_NAME(wire_output_archive &archive, T const &value) {
    std::uint8_t const raw = value;
    archive.put({&raw, 1});
}
template <std::same_as<bool> T> void CEREAL_LOAD_FUNCTION_NAME(wire_input_archive &archive, T &value) {
    std::uint8_t const raw = archive.take(1)[0];
    if (raw > 1) wire_input_archive::refuse();
    value = raw == 1;
}

// Names of members: not on the wire

template <class T> void CEREAL_SAVE_FUNCTION_NAME(wire_output_archive &archive, cereal::NameValuePair<T> const &pair) { archive(pair.value); }
template <class T> void CEREAL_LOAD_FUNCTION_NAME(wire_input_archive &archive, cereal::NameValuePair<T> &pair) { archive(pair.value); }

} // namespace gigi::inline v1

// For types of std, cereal finds functions in its own namespace. Each names a concrete archive, so that it is preferred to
// cereal's own for the same type, which trust the size.
namespace cereal {

inline void CEREAL_SAVE_FUNCTION_NAME(gigi::wire_output_archive &archive, std::string const &text) {
    archive.put_count(text.size());
    archive.put(gigi::as_bytes(text));
}
inline void CEREAL_LOAD_FUNCTION_NAME(gigi::wire_input_archive &archive, std::string &text) {
    text = gigi::as_text(archive.take(archive.take_count(1)));
}

template <class T> void CEREAL_SAVE_FUNCTION_NAME(gigi::wire_output_archive &archive, std::vector<T> const &values) {
    archive.put_count(values.size());
    if constexpr (gigi::detail::BulkNumber<T>)
        archive.put({reinterpret_cast<std::uint8_t const *>(values.data()), values.size() * sizeof(T)});
    else
        for (auto const &value : values) archive(value);
}
template <class T> void CEREAL_LOAD_FUNCTION_NAME(gigi::wire_input_archive &archive, std::vector<T> &values) {
    std::size_t const count = archive.take_count(gigi::detail::least_wire_size<T>());
    values.clear();
    if constexpr (gigi::detail::BulkNumber<T>) {
        auto const raw = archive.take(count * sizeof(T));
        values.resize(count);
        if (count) std::memcpy(values.data(), raw.data(), raw.size());
    } else {
        static_assert(!std::is_empty_v<T>, "an element takes at least one byte");
        for (std::size_t i = 0; i < count; ++i) archive(values.emplace_back()); // grows with what was decoded
    }
}
inline void CEREAL_SAVE_FUNCTION_NAME(gigi::wire_output_archive &archive, std::vector<bool> const &values) {
    archive.put_count(values.size());
    for (bool const value : values) archive(value);
}
inline void CEREAL_LOAD_FUNCTION_NAME(gigi::wire_input_archive &archive, std::vector<bool> &values) {
    values.clear();
    for (std::size_t count = archive.take_count(1); count > 0; --count) {
        bool value = false;
        archive(value);
        values.push_back(value);
    }
}

template <class T, std::size_t N> void CEREAL_SAVE_FUNCTION_NAME(gigi::wire_output_archive &archive, std::array<T, N> const &values) {
    if constexpr (gigi::detail::BulkNumber<T>)
        archive.put({reinterpret_cast<std::uint8_t const *>(values.data()), N * sizeof(T)});
    else
        for (auto const &value : values) archive(value);
}
template <class T, std::size_t N> void CEREAL_LOAD_FUNCTION_NAME(gigi::wire_input_archive &archive, std::array<T, N> &values) {
    if constexpr (gigi::detail::BulkNumber<T>)
        std::memcpy(values.data(), archive.take(N * sizeof(T)).data(), N * sizeof(T));
    else
        for (auto &value : values) archive(value);
}

template <class A, class B> void CEREAL_SERIALIZE_FUNCTION_NAME(gigi::wire_output_archive &archive, std::pair<A, B> &pair) {
    archive(pair.first, pair.second);
}
template <class A, class B> void CEREAL_SERIALIZE_FUNCTION_NAME(gigi::wire_input_archive &archive, std::pair<A, B> &pair) {
    archive(pair.first, pair.second);
}

template <class T> void CEREAL_SAVE_FUNCTION_NAME(gigi::wire_output_archive &archive, std::optional<T> const &value) {
    archive(value.has_value());
    if (value) archive(*value);
}
template <class T> void CEREAL_LOAD_FUNCTION_NAME(gigi::wire_input_archive &archive, std::optional<T> &value) {
    bool there = false;
    archive(there);
    value.reset();
    if (there) archive(value.emplace());
}

template <class First, class... Rest>
void CEREAL_SAVE_FUNCTION_NAME(gigi::wire_output_archive &archive, std::variant<First, Rest...> const &value) {
    archive.put_count(value.index());
    std::visit([&](auto const &held) { archive(held); }, value);
}
template <class First, class... Rest>
void CEREAL_LOAD_FUNCTION_NAME(gigi::wire_input_archive &archive, std::variant<First, Rest...> &value) {
    std::uint64_t const index = archive.take_varint();
    if (index > sizeof...(Rest)) archive.refuse();
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        ((index == I ? void(archive(value.template emplace<I>())) : void()), ...);
    }(std::index_sequence_for<First, Rest...>{});
}
inline void CEREAL_SERIALIZE_FUNCTION_NAME(gigi::wire_output_archive &, std::monostate const &) {}
inline void CEREAL_SERIALIZE_FUNCTION_NAME(gigi::wire_input_archive &, std::monostate const &) {}

/// Keys stand in ascending order, each once: one value has one encoding.
template <class K, class V> void CEREAL_SAVE_FUNCTION_NAME(gigi::wire_output_archive &archive, std::map<K, V> const &map) {
    archive.put_count(map.size());
    for (auto const &[key, value] : map) archive(key, value);
}
template <class K, class V> void CEREAL_LOAD_FUNCTION_NAME(gigi::wire_input_archive &archive, std::map<K, V> &map) {
    map.clear();
    for (std::size_t count = archive.take_count(gigi::detail::least_wire_size<K>()); count > 0; --count) {
        std::pair<K, V> entry;
        archive(entry.first, entry.second);
        if (!map.empty() && !(map.rbegin()->first < entry.first)) archive.refuse();
        map.insert(map.end(), std::move(entry));
    }
}
template <class K> void CEREAL_SAVE_FUNCTION_NAME(gigi::wire_output_archive &archive, std::set<K> const &set) {
    archive.put_count(set.size());
    for (auto const &key : set) archive(key);
}
template <class K> void CEREAL_LOAD_FUNCTION_NAME(gigi::wire_input_archive &archive, std::set<K> &set) {
    set.clear();
    for (std::size_t count = archive.take_count(gigi::detail::least_wire_size<K>()); count > 0; --count) {
        K key;
        archive(key);
        if (!set.empty() && !(*set.rbegin() < key)) archive.refuse();
        set.insert(set.end(), std::move(key));
    }
}

// Pointers: deleted, so that even the question whether they can be serialized has the answer no.
template <class T> void CEREAL_SAVE_FUNCTION_NAME(gigi::wire_output_archive &, std::shared_ptr<T> const &) = delete;
template <class T> void CEREAL_LOAD_FUNCTION_NAME(gigi::wire_input_archive &, std::shared_ptr<T> &) = delete;
template <class T> void CEREAL_SAVE_FUNCTION_NAME(gigi::wire_output_archive &, std::weak_ptr<T> const &) = delete;
template <class T> void CEREAL_LOAD_FUNCTION_NAME(gigi::wire_input_archive &, std::weak_ptr<T> &) = delete;
template <class T, class D> void CEREAL_SAVE_FUNCTION_NAME(gigi::wire_output_archive &, std::unique_ptr<T, D> const &) = delete;
template <class T, class D> void CEREAL_LOAD_FUNCTION_NAME(gigi::wire_input_archive &, std::unique_ptr<T, D> &) = delete;

} // namespace cereal

CEREAL_REGISTER_ARCHIVE(gigi::wire_output_archive)
CEREAL_REGISTER_ARCHIVE(gigi::wire_input_archive)
CEREAL_SETUP_ARCHIVE_TRAITS(gigi::wire_input_archive, gigi::wire_output_archive)

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/archive.ipp"
#endif
