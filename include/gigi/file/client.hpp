// gigi/file/client.hpp: the asking side of `/gigi/file/1.0.0`, over any stream: one question at a time, and chunks in runs.
//
// Layer: file.
#pragma once

#include "../codec/cereal_codec.hpp"
#include "../codec/framed.hpp"
#include "../core/clock.hpp"
#include "../core/timeout.hpp"
#include "messages.hpp"
#include "safe_name.hpp"
#include "share_code.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace gigi::inline v1 {

/// Asks a peer about files. One operation at a time.
template <ByteStream Stream> class file_client {
  public:
    /// @param answer_timeout for each answer; a server may have to hash a file before it can answer
    file_client(Stream stream, duration answer_timeout) : line_{std::move(stream)}, timeout_{answer_timeout} {}

    /// Everything that the peer shares, up to `limit` files. The codes are well formed and in order, the names made safe. All of
    /// it must come within the time for one answer, and a second more for each 128 files: half a full page.
    /// @throws error: what the peer answers, `errc::protocol_violation`, `errc::timed_out`; whatever the stream throws
    [[nodiscard]] awaitable<std::vector<list_entry>> list(std::size_t limit) {
        auto const executor = co_await asio::this_coro::executor;
        context_clock const clock{executor};
        auto const start = clock.now();
        std::vector<list_entry> all;
        std::string after;
        for (bool more = true; more && all.size() < limit;) {
            list_request request;
            request.after = std::move(after);
            auto const end = start + timeout_ + std::chrono::seconds{all.size() / (list_page::max_entries / 2)};
            list_page page = co_await with_timeout(ask<list_page>(std::move(request)), end - clock.now());
            for (auto &entry : page.entries) {
                auto const code = share_code::parse(entry.code);
                if (!code || code->to_string() != entry.code || (!all.empty() && entry.code <= all.back().code))
                    throw error{errc::protocol_violation, "a list of files that is out of order"};
                entry.name = safe_file_name(entry.name);
                all.push_back(std::move(entry));
            }
            more = page.more && !page.entries.empty();
            if (more) after = all.back().code;
        }
        if (all.size() > limit) all.resize(limit);
        co_return all;
    }

    /// What the file of a code is. Nothing else is believed than what the code binds.
    /// @throws as `list`; `errc::unknown_code`; `errc::hash_mismatch` where the answer is another file
    [[nodiscard]] awaitable<manifest> describe(share_code code) {
        manifest_request request;
        request.code = code.to_string();
        manifest described = co_await ask<manifest>(std::move(request));
        if (!code.names(described.root, described.size)) throw error{errc::hash_mismatch, "the peer described another file"};
        co_return described;
    }

    /// The hashes of a file's chunks, each page proved against the root.
    /// @throws as `list`; `errc::hash_mismatch` where the peer lies about them
    [[nodiscard]] awaitable<std::vector<merkle_hash>> layer(manifest of) {
        auto const map = of.map();
        std::vector<merkle_hash> all;
        if (map.count() == 1) all.push_back(of.root);
        if (map.count() <= 1) co_return all;
        for (std::uint64_t n = 0; n < layer_page_count(map); ++n) {
            layer_request const request{of.root, static_cast<std::uint32_t>(n)};
            layer_page_message message = co_await ask<layer_page_message>(request);
            layer_page const page{std::move(message.hashes), std::move(message.proof)};
            if (!verify_layer_page(of.root, map, n, page)) throw error{errc::hash_mismatch, "chunk hashes"};
            all.insert(all.end(), page.hashes.begin(), page.hashes.end());
        }
        co_return all;
    }

    /// The last chunk of a file, unverified. All of it must come within the time for one answer.
    /// @throws as `list`
    [[nodiscard]] awaitable<bytes> last_chunk(manifest of) {
        auto const map = of.map();
        range_request const request{of.root, static_cast<std::uint32_t>(map.count() - 1), 1};
        co_await with_timeout(request_range(request), timeout_);
        bytes chunk = co_await with_timeout(read_chunk(request.first, map.size_of(request.first)), timeout_);
        co_return chunk;
    }

    /// Asks for a run of chunks; the answers come by `next_chunk`.
    [[nodiscard]] awaitable<void> request_range(range_request range) {
        file_request request;
        request.what = range;
        line_.put(request);
        return line_.flush();
    }
    /// Waits for the header of the next chunk; its bytes follow and must be read with `read_some`.
    /// @throws as `list`; no deadline of its own
    [[nodiscard]] awaitable<std::uint32_t> next_chunk() {
        chunk_header header = co_await answer<chunk_header>();
        co_return header.chunk;
    }
    /// Reads raw bytes of a chunk. @return 0 at the end of the stream
    [[nodiscard]] awaitable<std::size_t> read_some(mutable_bytes buffer) { return line_.read_some(buffer); }

    void close() { line_.close_write(); }
    void reset() { line_.reset(); }

  private:
    template <class Answer, class Request> awaitable<Answer> ask(Request what) {
        file_request request;
        request.what = std::move(what);
        co_await with_timeout(send(request), timeout_);
        Answer got = co_await with_timeout(answer<Answer>(), timeout_);
        co_return got;
    }
    awaitable<bytes> read_chunk(std::uint32_t wanted, std::size_t size) {
        std::uint32_t const chunk = co_await next_chunk();
        if (chunk != wanted) throw error{errc::protocol_violation, "a chunk that was not asked for"};
        bytes out(size);
        for (std::size_t at = 0; at < size;) {
            mutable_bytes const rest = mutable_bytes{out}.subspan(at);
            std::size_t const n = co_await read_some(rest);
            if (n == 0) throw error{make_error_code(errc::end_of_stream)};
            at += n;
        }
        co_return out;
    }
    awaitable<void> send(file_request const &request) {
        line_.put(request);
        return line_.flush();
    }
    template <class Answer> awaitable<Answer> answer() {
        file_answer message = co_await line_.template read<file_answer>();
        if (auto const *failure = std::get_if<file_failure>(&message.what)) throw error{make_error_code(to_errc(failure->why))};
        auto *const expected = std::get_if<Answer>(&message.what);
        if (!expected) throw error{errc::protocol_violation, "another answer than was asked for"};
        co_return std::move(*expected);
    }

    framed<Stream, cereal_codec> line_;
    duration timeout_;
};

} // namespace gigi::inline v1
