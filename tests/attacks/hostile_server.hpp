// A peer that serves a file and lies where a test says so; what it sends is written by hand.
#pragma once

#include "unit/file/file_world.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <variant>

namespace file_world {

using channel_to_victim = framed<pipe_end, cereal_codec>;

template <class What> bytes answer_bytes(What what) {
    file_answer answer;
    answer.what = std::move(what);
    bytes out;
    append_frame_of(out, [&](bytes &to) { cereal_codec{}.encode(answer, to); });
    return out;
}

/// Serves one file, with lies where a test puts them.
struct hostile_server {
    explicit hostile_server(bytes of) : content{std::move(of)} {
        hashes.map = {content.size(), chunk};
        for (std::uint64_t n = 0; n < hashes.map.count(); ++n)
            hashes.chunks.push_back(merkle_root(bytes_view{content}.subspan(hashes.map.offset(n), hashes.map.size_of(n)), hashes.map.chunk_height()));
        hashes.root = root_of_chunks(hashes.map, hashes.chunks);
        described.name = "a";
        described.size = content.size();
        described.root = hashes.root;
        described.chunk_size = chunk;
    }
    std::string code() const { return share_code::of(hashes.root, content.size()).to_string(); }
    bytes chunk_bytes(std::uint32_t n) const {
        bytes out = answer_bytes(chunk_header{n});
        append(out, bytes_view{content}.subspan(hashes.map.offset(n), hashes.map.size_of(n)));
        return out;
    }
    bytes run_of(range_request const &asked) const {
        bytes out;
        for (std::uint32_t n = 0; n < asked.count; ++n) append(out, chunk_bytes(asked.first + n));
        return out;
    }

    bytes content;
    file_hashes hashes;
    manifest described;
    std::function<bytes(hostile_server const &)> on_manifest;
    std::function<bytes(hostile_server const &, layer_request const &)> on_layer;
    std::function<bytes(hostile_server const &, range_request const &)> on_range;
    bool then_endless = false; ///< after the first range, data without end
    duration pause{};          ///< before each piece of that
    std::uint64_t sent = 0;
    int connections = 0;
};

inline awaitable<void> serve_hostile(hostile_server &s, pipe_end end) {
    channel_to_victim channel{std::move(end)};
    try {
        for (;;) {
            std::optional<file_request> const request = co_await channel.try_read<file_request>();
            if (!request) co_return;
            bytes answer;
            if (std::holds_alternative<manifest_request>(request->what)) answer = s.on_manifest ? s.on_manifest(s) : answer_bytes(s.described);
            if (auto const *layer = std::get_if<layer_request>(&request->what)) {
                auto page = make_layer_page(s.hashes, layer->page);
                answer = s.on_layer ? s.on_layer(s, *layer) : answer_bytes(layer_page_message{std::move(page.hashes), std::move(page.proof)});
            }
            auto const *range = std::get_if<range_request>(&request->what);
            if (range) answer = s.on_range ? s.on_range(s, *range) : s.run_of(*range);
            bytes_view const all{answer};
            co_await channel.stream().write(all);
            s.sent += all.size();
            bytes const more(64 << 10, 'x');
            while (range && s.then_endless) {
                if (s.pause > duration{}) co_await sleep_for(s.pause);
                bytes_view const piece = s.pause > duration{} ? bytes_view{more}.first(1) : bytes_view{more};
                co_await channel.stream().write(piece);
                s.sent += piece.size();
            }
        }
    } catch (std::system_error const &e) {
        if (e.code() == condition::cancelled) throw;
    }
}

} // namespace file_world
