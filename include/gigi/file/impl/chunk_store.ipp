// gigi/file/impl/chunk_store.ipp: what chunk_store.hpp declares.
#pragma once

#include "../chunk_store.hpp"

#include "../../core/config.hpp"
#include "../../core/offload.hpp"

#include <cstddef>
#include <utility>

namespace gigi::inline v1 {

GIGI_INLINE chunk_store::chunk_store(any_io_executor pool, manifest of, std::vector<merkle_hash> hashes)
    : pool_{std::move(pool)}, manifest_{std::move(of)}, map_{manifest_.map()}, hashes_{std::move(hashes)} {}

GIGI_INLINE awaitable<chunk_set> chunk_store::open(std::filesystem::path folder) {
    auto const work = [&] {
        auto opened = output_file::open(folder, manifest_.name, manifest_.root, map_);
        if (!opened) throw folder_error(opened.error(), folder);
        file_ = std::move(*opened);
    };
    co_await run_on(pool_, work);
    chunk_set done{map_.count()};
    bytes buffer;
    std::uint64_t next = 0;
    auto const verify = [&] { // some 16 MiB at a time
        buffer.resize(map_.chunk_size);
        for (std::uint64_t read = 0; next < map_.count() && read < (16u << 20); ++next) {
            if (!file_->claimed().contains(next)) continue;
            auto const chunk = mutable_bytes{buffer}.first(map_.size_of(next));
            read += chunk.size();
            if (!file_->read_chunk(next, chunk) && matches(next, chunk)) done.insert(next);
        }
    };
    while (next < map_.count() && file_->claimed().size() > 0) co_await run_on(pool_, verify);
    co_return done;
}

GIGI_INLINE awaitable<bool> chunk_store::verify(std::uint64_t chunk, bytes_view data) const {
    auto const work = [&] { return matches(chunk, data); };
    bool const good = co_await run_on(pool_, work);
    co_return good;
}

GIGI_INLINE awaitable<bool> chunk_store::keep(std::uint64_t chunk, bytes_view data) {
    auto const work = [&] {
        if (!matches(chunk, data)) return false;
        if (auto const code = file_->write_chunk(chunk, data)) throw error{code, file_->name()};
        return true;
    };
    bool const good = co_await run_on(pool_, work);
    co_return good;
}

GIGI_INLINE awaitable<std::filesystem::path> chunk_store::finish() {
    auto const work = [this] {
        auto const done = file_->finish();
        if (done.error() == errc::file_not_found) throw error{errc::io_error, file_->name() + " (its folder, or its unfinished part, is gone)"};
        if (!done) throw error{done.error(), file_->name()};
        return *done;
    };
    return run_on(pool_, work);
}

GIGI_INLINE awaitable<void> chunk_store::discard() {
    auto const work = [this] {
        if (file_ && file_->claimed().size() == 0) file_->discard();
    };
    return run_on(pool_, work);
}

GIGI_INLINE bool chunk_store::matches(std::uint64_t chunk, bytes_view data) const {
    return merkle_root(data, map_.chunk_height()) == hashes_[static_cast<std::size_t>(chunk)];
}

} // namespace gigi::inline v1
