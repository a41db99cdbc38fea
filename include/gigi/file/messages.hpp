// gigi/file/messages.hpp: what is said on `/gigi/file/1.0.0`, and how large it may be.
//
// Layer: file. A stream carries any number of requests; they are answered in order, and a client may send the next ones
// before the answers to those before have come. Every frame is an unsigned varint length and a cereal body (codec/archive.hpp).
//
//     list_request      -> list_page | file_failure
//     manifest_request  -> manifest | file_failure
//     layer_request     -> layer_page_message | file_failure
//     range_request     -> for each of its chunks, in order: chunk_header and the chunk's bytes, raw; a file_failure ends the range
#pragma once

#include "../core/error.hpp"
#include "merkle.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace gigi::inline v1 {

inline constexpr std::string_view file_protocol_id = "/gigi/file/1.0.0";

/// What is shared, in the order of the codes: those after `after`.
struct list_request {
    std::string after; ///< a code; empty for the first page
    template <class Archive> void serialize(Archive &archive) { archive(after); }
};
struct list_entry {
    std::string code;
    std::string name; ///< at most 255 bytes; not to be trusted
    std::uint64_t size = 0;
    template <class Archive> void serialize(Archive &archive) { archive(code, name, size); }
};
struct list_page {
    static constexpr std::size_t max_entries = 256;
    std::vector<list_entry> entries;
    bool more = false; ///< ask again after the last one
    template <class Archive> void serialize(Archive &archive) { archive(entries, more); }
};

struct manifest_request {
    std::string code; ///< a share code or a whole root
    template <class Archive> void serialize(Archive &archive) { archive(code); }
};
/// What a file is. Nothing of it is to be believed before `share_code::names(root, size)`.
struct manifest {
    std::string name; ///< at most 255 bytes; not to be trusted
    std::uint64_t size = 0;
    merkle_hash root{};
    std::uint32_t chunk_size = 0;
    template <class Archive> void serialize(Archive &archive) { archive(name, size, root, chunk_size); }

    chunk_map map() const noexcept { return {size, chunk_size}; }
};

/// A page of the layer of chunk hashes. A file of one chunk or none needs none: its root is the layer.
struct layer_request {
    merkle_hash root{};
    std::uint32_t page = 0;
    template <class Archive> void serialize(Archive &archive) { archive(root, page); }
};
struct layer_page_message {
    std::vector<merkle_hash> hashes;
    std::vector<merkle_hash> proof;
    template <class Archive> void serialize(Archive &archive) { archive(hashes, proof); }
};

struct range_request {
    static constexpr std::uint32_t max_chunks = 1024;
    merkle_hash root{};
    std::uint32_t first = 0; ///< chunk
    std::uint32_t count = 0; ///< chunks
    template <class Archive> void serialize(Archive &archive) { archive(root, first, count); }
};
/// The chunk's bytes follow the frame, raw; their number is known from the manifest.
struct chunk_header {
    std::uint32_t chunk = 0;
    template <class Archive> void serialize(Archive &archive) { archive(chunk); }
};

/// Why there is no answer.
enum class file_refusal : std::uint8_t {
    unknown_code = 1, ///< nothing is shared under this code or root
    file_changed = 2, ///< the file is no longer what was shared
    busy = 3,         ///< too many uploads at once
    unreadable = 4,   ///< the disk does not give it
    bad_request = 5,  ///< no such page or chunk
};
struct file_failure {
    file_refusal why = file_refusal::bad_request;
    template <class Archive> void serialize(Archive &archive) { archive(why); }
};

/// A refusal as the error that the other side throws.
constexpr errc to_errc(file_refusal why) noexcept {
    switch (why) {
    case file_refusal::unknown_code: return errc::unknown_code;
    case file_refusal::file_changed: return errc::file_changed;
    case file_refusal::busy: return errc::limit_exceeded;
    case file_refusal::unreadable: return errc::io_error;
    case file_refusal::bad_request: return errc::rejected;
    }
    return errc::rejected;
}
/// The refusal that tells a peer of an error of ours.
file_refusal to_refusal(std::error_code const &code) noexcept;

struct file_request {
    static constexpr std::size_t max_size = 128;
    std::variant<list_request, manifest_request, layer_request, range_request> what;
    template <class Archive> void serialize(Archive &archive) { archive(what); }
    bool valid() const noexcept;
};

struct file_answer {
    /// A page of the layer: 4096 hashes and a proof of at most 64.
    static constexpr std::size_t max_size = 32 * (layer_page_size + 64) + 16;
    std::variant<file_failure, list_page, manifest, layer_page_message, chunk_header> what;
    template <class Archive> void serialize(Archive &archive) { archive(what); }
    bool valid() const noexcept;
};
static_assert(list_page::max_entries * (64 + 255 + 16) < file_answer::max_size);

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/messages.ipp"
#endif
