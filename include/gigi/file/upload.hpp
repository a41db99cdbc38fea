// gigi/file/upload.hpp: the serving side of `/gigi/file/1.0.0`, over any stream.
//
// Layer: file. Three coroutines for each stream: one reads requests, so that a peer that goes away is noticed whatever the others
// wait for; one fetches what they ask for; one writes. There are short queues between them: the disk is read ahead of the line, and
// never on the strand. A stream has one of the node's upload slots, a file open, and buffers, only while it sends.
#pragma once

#include "../codec/cereal_codec.hpp"
#include "../codec/framed.hpp"
#include "../core/channel.hpp"
#include "../core/clock.hpp"
#include "../core/offload.hpp"
#include "../core/task_group.hpp"
#include "../core/timeout.hpp"
#include "../peer/peer_id.hpp"
#include "messages.hpp"
#include "rate_limiter.hpp"
#include "shared_files.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

/// How uploads behave.
struct upload_options {
    std::size_t max_uploads = 32;                         ///< streams that send chunks at once, of one peer a quarter; further ones are told "busy"
    duration idle_timeout = std::chrono::minutes{2};      ///< a stream without a request is closed, unless it is still sending
    duration write_timeout = std::chrono::seconds{30};    ///< a peer takes 256 KiB in that time, or is given up
};

/// What an upload has sent.
struct upload_progress {
    std::string code;
    std::uint64_t bytes = 0; ///< sent on this stream
    std::uint64_t total = 0; ///< the file's size
};
using upload_callback = std::function<void(upload_progress const &)>;

/// Places that peers share: each has a quarter of them at most.
struct upload_places {
    std::size_t used = 0;
    std::map<peer_id, std::size_t> of_peer; ///< those that have some
    std::uint64_t refused = 0;              ///< requests that were told "busy"

    /// Takes a place, unless all `most` are taken or the peer has its share: a quarter of them, at least one. @return whether it has been taken
    bool take(peer_id const &peer, std::size_t most) {
        auto const of_this = of_peer.find(peer);
        bool const has_share = of_this != of_peer.end() && of_this->second >= std::max<std::size_t>(most / 4, 1);
        if (used >= most || has_share) {
            ++refused;
            return false;
        }
        ++used;
        ++of_peer[peer];
        return true;
    }
    void give_back(peer_id const &peer) {
        --used;
        if (--of_peer[peer] == 0) of_peer.erase(peer);
    }
};

/// What all uploads of a node share: the slots of streams that send chunks, and more.
struct upload_slots : upload_places {
    static constexpr std::size_t max_pages = 64; ///< at once, of one peer a quarter; further requests are told "busy"

    upload_places pages;     ///< of lists and of chunk hashes, that are not sent yet: one of a stream
    std::uint64_t bytes = 0; ///< sent in all
};

/// Serves one stream.
template <ByteStream Stream> class file_upload {
  public:
    /// @param peer the other end @param pace how fast chunks may go
    /// @par Lifetime `files`, `slots` and what `pace` refers to must outlive `run()`.
    file_upload(Stream stream, peer_id peer, any_io_executor executor, any_io_executor pool, shared_files &files, upload_slots &slots, upload_options options,
                upload_callback progress, rate_pass pace = rate_pass())
        : line_{std::move(stream)}, peer_{std::move(peer)}, pool_{std::move(pool)}, files_{files}, slots_{slots}, options_{options}, progress_{std::move(progress)},
          pace_{std::move(pace)}, clock_{executor}, asked_{executor, read_ahead}, queue_{executor, queued_pieces}, returned_{executor}, tasks_{executor} {}
    file_upload(file_upload const &) = delete;
    ~file_upload() {
        if (has_slot_) slots_.give_back(peer_);
        end_page();
    }

    /// Answers requests until the peer ends the stream.
    /// @throws std::system_error where the stream breaks or the peer breaks the protocol; the stream is reset then
    [[nodiscard]] awaitable<void> run() {
        tasks_.spawn(read_requests());
        tasks_.spawn(answer_requests());
        tasks_.spawn(send_answers());
        std::exception_ptr failure;
        try {
            co_await tasks_.join();
        } catch (...) {
            failure = std::current_exception();
        }
        report(true);
        if (failure) {
            line_.reset();
            std::rethrow_exception(failure);
        }
    }

    /// Breaks the stream off: `run()` ends, also where it waits for its rate.
    void reset() {
        line_.reset();
        tasks_.cancel(); // `run()` joins
    }

  private:
    static constexpr std::size_t piece_size = std::size_t{256} << 10;
    static constexpr std::size_t queued_pieces = 3;
    static constexpr std::size_t read_ahead = 16; // requests

    struct item {
        std::optional<file_answer> answer; // first
        bytes piece;                       // then raw bytes
        std::size_t size = 0;              // of the piece that counts
    };

    awaitable<void> read_requests() {
        for (;;) {
            std::optional<file_request> request = co_await next_request();
            if (!request) break;
            co_await asked_.send(std::move(*request));
        }
        asked_.close();
    }

    awaitable<void> answer_requests() {
        for (;;) {
            std::optional<file_request> request = co_await next_of(asked_);
            if (!request) break;
            answering_ = true;
            std::error_code refused;
            try {
                co_await answer(*request);
            } catch (error const &e) {
                refused = e.code();
            }
            if (refused == condition::cancelled || refused == condition::closed) throw error{refused};
            if (refused) co_await refuse(refused);
            answering_ = false;
        }
        queue_.close();
    }

    /// The next request; nothing where the peer has ended the stream, in good order, or by going away when it had all that it asked for.
    awaitable<std::optional<file_request>> next_request() {
        auto const since = clock_.now();
        duration limit = options_.idle_timeout;
        for (;;) {
            auto const begun = clock_.now();
            try {
                std::optional<file_request> request = co_await with_timeout(line_.template try_read<file_request>(), limit);
                co_return request;
            } catch (std::system_error const &e) {
                bool const busy = answering_ || queued_ > 0 || !asked_.empty();
                if (e.code() == condition::closed && e.code() != errc::end_of_stream && !busy) break;
                auto const now = clock_.now();
                bool const idled = e.code() == errc::timed_out && now - begun >= limit; // and the stream is well
                duration const quiet = busy ? duration{0} : now - std::max(since, last_sent_);
                if (!idled || quiet >= options_.idle_timeout) throw;
                limit = options_.idle_timeout - quiet;
            }
        }
        co_return std::nullopt;
    }

    awaitable<void> refuse(std::error_code why) {
        if (in_chunk_) throw error{why}; // bytes were promised that cannot be had: only a reset can tell
        item next;
        next.answer.emplace().what = file_failure{to_refusal(why)};
        co_await enqueue(std::move(next));
    }

    awaitable<void> answer(file_request const &request) {
        if (auto const *list = std::get_if<list_request>(&request.what)) {
            co_await begin_page();
            item next;
            next.answer.emplace().what = files_.page_after(list->after);
            co_await enqueue(std::move(next));
        } else if (auto const *of = std::get_if<manifest_request>(&request.what)) {
            co_await answer_manifest(of->code);
        } else if (auto const *layer = std::get_if<layer_request>(&request.what)) {
            co_await answer_layer(*layer);
        } else {
            co_await answer_range(std::get<range_request>(request.what));
        }
    }

    awaitable<void> answer_manifest(std::string const &code) {
        auto const share = files_.find(code);
        if (!share) throw error{make_error_code(errc::unknown_code)};
        (void)co_await files_.open(share); // a file that is gone or changed is refused now, not later; it is closed again, as there is no slot
        manifest m;
        m.name = share->entry.name.substr(0, 255);
        m.size = share->entry.size;
        m.root = share->root;
        m.chunk_size = share->map.chunk_size;
        item next;
        next.answer.emplace().what = std::move(m);
        co_await enqueue(std::move(next));
    }

    awaitable<void> answer_layer(layer_request const &request) {
        auto const share = files_.find(request.root);
        if (!share) throw error{make_error_code(errc::unknown_code)};
        if (request.page >= layer_page_count(share->map)) throw error{make_error_code(errc::invalid_argument)};
        std::shared_ptr<file_hashes const> const hashes = co_await files_.hashes_of(share);
        co_await begin_page();
        layer_page page;
        auto const work = [&] { page = make_layer_page(*hashes, request.page); };
        co_await run_on(pool_, work);
        item next;
        next.answer.emplace().what = layer_page_message{std::move(page.hashes), std::move(page.proof)};
        co_await enqueue(std::move(next));
    }

    /// Waits until nothing waits to be sent, and takes a place: pages are large, and whoever asks for them without reading has one.
    awaitable<void> begin_page() {
        while (queued_ > 0) co_await returned_.wait();
        if (!has_page_ && !slots_.pages.take(peer_, upload_slots::max_pages)) throw error{make_error_code(errc::limit_exceeded)};
        has_page_ = true;
    }
    void end_page() {
        if (std::exchange(has_page_, false)) slots_.pages.give_back(peer_);
    }

    awaitable<void> answer_range(range_request const &request) {
        auto const share = files_.find(request.root);
        if (!share) throw error{make_error_code(errc::unknown_code)};
        auto const map = share->map;
        if (request.first >= map.count() || request.count > map.count() - request.first) throw error{make_error_code(errc::invalid_argument)};
        if (!has_slot_ && !slots_.take(peer_, options_.max_uploads)) throw error{make_error_code(errc::limit_exceeded)};
        has_slot_ = true;
        reading_ = true;
        std::exception_ptr failure; // no guard: where a program just ends, this may be destroyed after the upload
        try {
            co_await send_range(share, request);
        } catch (...) {
            failure = std::current_exception();
        }
        reading_ = false;
        end_range();
        if (failure) std::rethrow_exception(failure);
    }

    awaitable<void> send_range(std::shared_ptr<shared_file> share, range_request request) {
        auto const map = share->map;
        co_await open(share);
        for (std::uint32_t i = 0; i < request.count; ++i) {
            std::uint32_t const chunk = request.first + i;
            std::uint64_t position = map.offset(chunk);
            std::uint64_t const end = position + map.size_of(chunk);
            bool first = true;
            while (position < end) {
                item next;
                co_await take_buffer(next.piece);
                next.size = static_cast<std::size_t>(std::min<std::uint64_t>(piece_size, end - position));
                auto const work = [&] { return opened_->read_at(position, mutable_bytes{next.piece}.first(next.size)); };
                std::error_code const code = co_await run_on(pool_, work);
                if (code) {
                    give_back(std::move(next.piece));
                    throw error{code};
                }
                position += next.size;
                if (first) next.answer.emplace().what = chunk_header{chunk};
                first = false;
                in_chunk_ = position < end;
                ++unsent_;
                co_await enqueue(std::move(next));
            }
        }
    }

    /// Makes sure that `opened_` is the file, and still what was shared.
    awaitable<void> open(std::shared_ptr<shared_file> share) {
        if (opened_ && opened_->share == share) co_return;
        opened_.reset(); // one at a time
        opened_ = co_await files_.open(std::move(share));
        last_ = opened_->share;
    }

    /// Gives slot, file and buffers back when every range that was asked for has been sent: who asks again takes them again.
    void end_range() {
        if (!has_slot_ || reading_ || unsent_ > 0) return;
        opened_.reset();
        free_.clear();
        free_.shrink_to_fit();
        made_ = 0;
        slots_.give_back(peer_);
        has_slot_ = false;
    }

    /// Waits until one of the few buffers is free.
    awaitable<void> take_buffer(bytes &out) {
        while (free_.empty() && made_ == queued_pieces + 2) co_await returned_.wait();
        if (free_.empty()) {
            ++made_;
            out.resize(piece_size);
        } else {
            out = std::move(free_.back());
            free_.pop_back();
        }
    }

    void give_back(bytes buffer) {
        free_.push_back(std::move(buffer));
        returned_.notify_one();
    }

    awaitable<void> enqueue(item next) {
        ++queued_;
        return queue_.send(std::move(next));
    }

    awaitable<void> send_answers() {
        for (;;) {
            std::optional<item> next = co_await next_of(queue_);
            if (!next) break;
            if (next->answer) line_.put(*next->answer);
            next->answer.reset(); // it may be large, and is held by the line now
            bytes_view rest = bytes_view{next->piece}.first(next->size);
            do {
                bytes_view const part = rest.first(pace_.part_of(rest.size()));
                if (pace_.limited() && !part.empty()) co_await pace_.wait(part.size());
                co_await with_timeout(send(part), options_.write_timeout);
                rest = rest.subspan(part.size());
                sent_ += part.size();
                slots_.bytes += part.size();
            } while (!rest.empty());
            --queued_;
            last_sent_ = clock_.now();
            end_page(); // where this was one: it is the first that is sent after it was begun
            if (next->size == 0) {
                returned_.notify_one();
                continue;
            }
            give_back(std::move(next->piece));
            --unsent_;
            end_range();
            report(false);
        }
        line_.close_write();
    }
    /// The next of a queue; nothing where it has been closed.
    template <class T> static awaitable<std::optional<T>> next_of(channel<T> &from) {
        if (from.empty() && !from.is_open()) co_return std::nullopt;
        try {
            T next = co_await from.receive();
            co_return std::optional<T>{std::move(next)};
        } catch (std::system_error const &e) {
            if (e.code() != errc::closed) throw;
        }
        co_return std::nullopt;
    }
    /// Sends what was `put`, and raw bytes after it.
    awaitable<void> send(bytes_view raw) {
        co_await line_.flush();
        if (!raw.empty()) co_await line_.stream().write(raw);
    }

    /// Tells of progress, ten times a second at most, and at the end.
    void report(bool last) {
        if (!progress_ || !last_ || sent_ == reported_) return;
        auto const now = clock_.now();
        if (!last && now < next_report_) return;
        next_report_ = now + std::chrono::milliseconds{100};
        reported_ = sent_;
        progress_(upload_progress{last_->entry.code, sent_, last_->entry.size});
    }

    framed<Stream, cereal_codec> line_;
    peer_id peer_;
    any_io_executor pool_;
    shared_files &files_;
    upload_slots &slots_;
    upload_options options_;
    upload_callback progress_;
    rate_pass pace_;
    context_clock clock_;
    channel<file_request> asked_;
    channel<item> queue_;
    async_condition returned_; // a buffer, or all that was queued is sent
    std::vector<bytes> free_;
    std::size_t made_ = 0;
    std::shared_ptr<open_share> opened_; // while there is a slot
    std::shared_ptr<shared_file> last_;  // of which chunks were sent
    std::uint64_t sent_ = 0, reported_ = 0;
    time_point next_report_{}, last_sent_{};
    bool answering_ = false;
    bool in_chunk_ = false;
    bool has_slot_ = false;
    bool has_page_ = false;
    bool reading_ = false;   // what a range asks for
    std::size_t unsent_ = 0; // pieces of ranges
    std::size_t queued_ = 0; // answers and pieces, with the one that is being sent
    task_group tasks_;
};

} // namespace gigi::inline v1
