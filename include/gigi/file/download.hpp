// gigi/file/download.hpp: fetches one file from one or several peers, over any streams.
//
// Layer: file. One coroutine for each source asks, reads raw chunks and asks on (chunker.hpp decides for what); verified and
// written they are on the offload pool, a few at a time. A source that breaks, stalls or lies is given up; what it owed is asked
// of the others. The unfinished file stays for the next attempt (output_file.hpp), once a chunk of it is there.
#pragma once

#include "../core/clock.hpp"
#include "../core/task_group.hpp"
#include "../core/uninterrupted.hpp"
#include "chunk_store.hpp"
#include "chunker.hpp"
#include "client.hpp"
#include "download_options.hpp"
#include "download_source.hpp"
#include "progress_meter.hpp"
#include "rate_limiter.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gigi::inline v1 {

/// One download. `run()` once.
template <ByteStream Stream> class file_download {
  public:
    /// Opens a stream to a source; called again where one broke. May throw.
    using opener = std::function<awaitable<Stream>()>;

    /// @param pool where chunks are hashed and written
    /// @param folder where the file goes
    file_download(any_io_executor executor, any_io_executor pool, share_code code, std::filesystem::path folder, download_options options,
             download_callbacks callbacks)
        : executor_{executor}, pool_{std::move(pool)}, code_{std::move(code)}, folder_{std::move(folder)}, options_{options},
          callbacks_{std::move(callbacks)}, clock_{executor}, changed_{executor}, ticker_{executor}, sources_{executor}, checks_{executor} {}

    /// Adds a source, before or while it runs.
    /// @param pace how fast its chunks may come @par Lifetime What `pace` refers to must outlive `run()`.
    void add_source(opener open, rate_pass pace = rate_pass()) {
        auto added = std::make_shared<source>();
        added->open = std::move(open);
        added->pace = std::move(pace);
        waiting_.push_back(std::move(added));
        changed_.notify_all();
    }

    /// Ends it: `run()` throws `why`. What has been verified stays for the next attempt.
    void cancel(std::error_code why = make_error_code(errc::cancelled)) { fail(std::make_exception_ptr(error{why})); }

    /// Fetches the file.
    /// @return where it is
    /// @throws error: `errc::unknown_code`, `errc::file_changed`, `errc::hash_mismatch`, `errc::rejected`, `errc::limit_exceeded`,
    ///   `errc::timed_out` (it sends nothing any more) as the last source had it; `errc::disk_full`, `errc::io_error`; `errc::message_too_large` (above `max_size`); `errc::cancelled`;
    ///   whatever opening a stream throws
    /// @par Cancellation What has been verified stays for the next attempt. Once the complete file is being given its name, returns it.
    [[nodiscard]] awaitable<downloaded_file> run() {
        std::exception_ptr failure;
        try {
            co_await supervise();
        } catch (...) {
            failure = std::current_exception();
        }
        if (!failure) failure = failure_;
        sources_.cancel();
        checks_.cancel();
        co_await asio::this_coro::reset_cancellation_state(); // or the next co_await would throw, cancelled as this is
        co_await drain();
        downloaded_file done;
        if (!failure) {
            try {
                co_await uninterrupted(finish_as(done.path)); // once begun it gives the file its name, which is not to be called a failure
            } catch (...) {
                failure = std::current_exception();
            }
        }
        if (failure) {
            co_await asio::this_coro::reset_cancellation_state(); // as above
            co_await tidy();
            std::rethrow_exception(failure);
        }
        done.name = store_->name();
        done.size = store_->map().size;
        report(true);
        co_return done;
    }

    download_state state() const {
        download_state now;
        if (!plan_) return now;
        now.name = store_->name();
        now.size = store_->map().size;
        now.bytes = plan_->done_bytes();
        now.rate = meter_.rate();
        now.sources = plan_->source_count();
        return now;
    }

  private:
    using source = download_source<Stream>;
    using source_ptr = std::shared_ptr<source>;

    /// Starts sources, watches them, and returns when the file is complete. @throws what ends the download
    awaitable<void> supervise() {
        for (;;) {
            while (!waiting_.empty() && running_ < options_.max_sources) {
                auto next = std::move(waiting_.front());
                waiting_.pop_front();
                ++running_;
                sources_.spawn(use(std::move(next)));
            }
            if (failure_) std::rethrow_exception(failure_);
            if (plan_ && plan_->complete()) co_return;
            if (running_ == 0 && checking_ == 0) {
                if (last_error_) std::rethrow_exception(last_error_);
                throw error{errc::unreachable, "no peer is connected that files could come from"};
            }
            if (plan_) {
                auto const stalled = plan_->stalled(clock_.now());
                for (auto const &s : active_)
                    if (!s->held_back && std::ranges::find(stalled, s->id) != stalled.end()) drop(*s, make_error_code(errc::timed_out));
                if (plan_->race_due(clock_.now())) changed_.notify_all();
                report(false);
            } else {
                changed_.notify_all(); // it may be the next one's turn to prepare
            }
            if (!waiting_.empty()) make_room();
            (void)co_await ticker_.wait_for(options_.progress_interval);
        }
    }

    /// Has the source make room that has been of the least use for long, lest a few that drip keep all others out.
    void make_room() {
        auto const now = clock_.now();
        if (opening_ || now - made_room_at_ < options_.yield_after / 8) return; // who came in last is to have a chance
        source *slowest = nullptr;
        for (auto const &s : active_) {
            bool const idle = s->id && !plan_->owes(s->id);
            if (!idle && s->is_to_yield(now, options_.yield_after) && (!slowest || s->received < slowest->received)) slowest = s.get();
        }
        if (!slowest) return;
        made_room_at_ = now;
        slowest->yielded = true;
        slowest->client->reset();
    }

    /// Uses a source until the file is complete or the source is of no use.
    awaitable<void> use(source_ptr s) {
        std::exception_ptr why;
        for (;;) {
            why = nullptr;
            try {
                co_await use_stream(s);
            } catch (...) {
                why = std::current_exception();
            }
            if (!why || s->yielded || failure_ || sources_.cancelled()) break;
            if (s->reopens >= options_.max_reopens || !s->worth_reopening(why, plan_ != nullptr)) break;
            ++s->reopens;
            bool paused = false;
            try {
                co_await sleep_for(options_.reopen_pause * s->reopens);
                paused = true;
            } catch (std::system_error const &) {
            }
            if (!paused) break;
        }
        if (std::exchange(s->yielded, false) && !s->give_up) {
            ++s->yields;
            waiting_.push_back(s);
        } else if (why && !(last_error_ && source::has_no_files(why))) {
            last_error_ = why;
        }
        --running_;
        ticker_.wake();
    }

    /// One stream of a source, from its opening to its end.
    awaitable<void> use_stream(source_ptr s) {
        Stream opened = co_await s->open();
        file_client<Stream> client{std::move(opened), options_.answer_timeout};
        s->begin(client, clock_.now());
        active_.push_back(s);
        std::exception_ptr why; // no guard: where a program just ends, this may be destroyed after the download
        try {
            co_await use_client(s, client);
        } catch (...) {
            why = std::current_exception();
        }
        std::erase(active_, s);
        s->client = nullptr;
        if (s->id) plan_->remove_source(s->id);
        s->id = 0;
        changed_.notify_all();
        if (why) std::rethrow_exception(why);
    }

    /// Takes part with a stream, until the file is complete.
    awaitable<void> use_client(source_ptr s, file_client<Stream> &client) {
        manifest described = co_await client.describe(code_);
        if (described.size > options_.max_size) {
            fail(std::make_exception_ptr(error{errc::message_too_large, std::to_string(described.size) + " bytes"}));
            co_return;
        }
        s->described = true;
        co_await prepare(client, described);
        s->gave_at = clock_.now();
        if (described.size != store_->map().size) throw error{errc::hash_mismatch, "another size than the file's"};
        s->id = plan_->add_source(clock_.now());
        changed_.notify_all();
        std::exception_ptr why;
        try {
            co_await fetch(*s, client);
        } catch (...) {
            why = std::current_exception();
        }
        if (s->give_up) throw error{s->give_up};
        if (std::exchange(s->stalled, false)) throw error{errc::timed_out, "the peer sends nothing any more"};
        if (why) std::rethrow_exception(why);
        client.close();
    }

    /// Waits for the plan, or makes it: the first source that can does it for all. One that is slow about it is joined by the next.
    awaitable<void> prepare(file_client<Stream> &client, manifest const &described) {
        while (!plan_ && clock_.now() < next_maker_) co_await changed_.wait();
        if (plan_) co_return;
        next_maker_ = clock_.now() + options_.prepare_stagger;
        std::exception_ptr why; // no guard, as in `use_stream`
        try {
            co_await make_plan(client, described);
        } catch (...) {
            why = std::current_exception();
        }
        if (why) next_maker_ = clock_.now();
        changed_.notify_all();
        if (why) std::rethrow_exception(why);
    }

    awaitable<void> make_plan(file_client<Stream> &client, manifest const &described) {
        std::vector<merkle_hash> hashes = co_await client.layer(described);
        auto store = std::make_unique<chunk_store>(pool_, described, std::move(hashes));
        bytes last;
        if (code_.is_root() && described.size > 0) { // which does not bind the size, but the last chunk does
            last = co_await client.last_chunk(described);
            bool const good = co_await store->verify(store->map().count() - 1, last);
            if (!good) throw error{errc::hash_mismatch, "another size than the file's"};
        }
        while (opening_) co_await changed_.wait();
        if (plan_) co_return; // another one was faster
        opening_ = true;
        std::exception_ptr why; // no guard, as in `use_stream`
        try {
            co_await open_store(std::move(store), std::move(last));
        } catch (...) {
            why = std::current_exception();
        }
        opening_ = false;
        if (!why) co_return;
        fail(why); // no other source can help
        std::rethrow_exception(why);
    }

    awaitable<void> open_store(std::unique_ptr<chunk_store> store, bytes last) {
        store_ = std::move(store);
        chunk_set done = co_await store_->open(folder_);
        if (!last.empty()) {
            (void)co_await store_->keep(done.capacity() - 1, last);
            done.insert(done.capacity() - 1);
        }
        plan_ = std::make_unique<chunker>(store_->map(), std::move(done), options_.requests);
        last_bytes_ = plan_->done_bytes();
        meter_.add(clock_.now(), last_bytes_);
        if (callbacks_.started) callbacks_.started(state());
        ticker_.wake();
    }

    /// Asks and reads until the file is complete.
    awaitable<void> fetch(source &s, file_client<Stream> &client) {
        auto const map = plan_->map();
        while (!plan_->complete()) {
            bool owes = co_await request_more(s, client);
            if (!owes) {
                co_await changed_.wait(); // for what others may leave over
                continue;
            }
            std::uint32_t const chunk = co_await client.next_chunk();
            auto const verdict = plan_->begin_chunk(s.id, chunk);
            if (verdict == chunker::verdict::unexpected) throw error{errc::protocol_violation, "a chunk that was not asked for"};
            bytes buffer;
            auto const arrived = clock_.now();
            s.held_back = true;
            co_await take_buffer(buffer);
            go_on(s, arrived);
            auto const body = mutable_bytes{buffer}.first(map.size_of(chunk));
            for (std::size_t at = 0; at < body.size();) {
                mutable_bytes const rest = body.subspan(at, s.pace.part_of(body.size() - at));
                std::size_t const n = co_await client.read_some(rest);
                if (n == 0) throw error{make_error_code(errc::end_of_stream)};
                at += n;
                s.received += n;
                if (s.pace.limited()) {
                    auto const before = clock_.now();
                    s.held_back = true;
                    co_await s.pace.wait(n);
                    go_on(s, before);
                }
                plan_->note_progress(s.id, n, clock_.now());
            }
            bool const first = plan_->end_chunk(s.id, clock_.now());
            s.has_given(clock_.now());
            if (!first) {
                give_back(std::move(buffer));
                continue;
            }
            s.reopens = 0;
            s.gave = true;
            ++checking_;
            checks_.spawn(check(chunk, std::move(buffer), find(s)));
        }
    }
    /// After a wait that was not for the source.
    void go_on(source &s, time_point since) {
        s.held_back = false;
        s.gave_at += clock_.now() - since;
        plan_->excuse(s.id, clock_.now() - since);
    }
    source_ptr find(source &s) const {
        for (auto const &one : active_)
            if (one.get() == &s) return one;
        return nullptr;
    }

    /// Sends what the plan wants of a source. @return whether the source owes chunks then
    awaitable<bool> request_more(source &s, file_client<Stream> &client) {
        bool const idle = !plan_->owes(s.id);
        while (auto const range = plan_->next_request(s.id, clock_.now())) {
            range_request const request{store_->of().root, range->first, range->count};
            co_await client.request_range(request);
        }
        if (idle) s.gave_at = clock_.now();
        co_return plan_->owes(s.id);
    }

    /// Verifies and writes a chunk on the pool.
    awaitable<void> check(std::uint32_t chunk, bytes buffer, source_ptr from) {
        bool good = false;
        std::exception_ptr broken;
        try {
            bytes_view const data = bytes_view{buffer}.first(store_->map().size_of(chunk));
            good = co_await store_->keep(chunk, data);
        } catch (...) {
            broken = std::current_exception();
        }
        --checking_;
        give_back(std::move(buffer));
        if (broken) {
            fail(broken);
            co_return;
        }
        if (good) {
            plan_->verified(chunk);
        } else {
            plan_->rejected(chunk);
            if (from) drop(*from, make_error_code(errc::hash_mismatch));
        }
        changed_.notify_all();
        if (plan_->complete() || !good) ticker_.wake();
    }

    /// Waits until one of the few chunk buffers is free.
    awaitable<void> take_buffer(bytes &out) {
        while (checking_ >= options_.verifying) co_await changed_.wait();
        if (free_.empty()) {
            out.resize(store_->map().chunk_size);
        } else {
            out = std::move(free_.back());
            free_.pop_back();
        }
    }
    void give_back(bytes buffer) {
        if (free_.size() < options_.verifying) free_.push_back(std::move(buffer));
    }

    /// Gives a source up: its stream breaks, and it is not opened again.
    void drop(source &s, std::error_code why) {
        if (why == errc::timed_out)
            s.stalled = true; // it may be tried again
        else
            s.give_up = why;
        if (s.client) s.client->reset();
    }

    void fail(std::exception_ptr why) {
        if (!failure_) failure_ = std::move(why);
        ticker_.wake();
    }

    /// Waits for every task, even when cancelled.
    awaitable<void> drain() {
        co_await asio::this_coro::reset_cancellation_state();
        co_await asio::this_coro::throw_if_cancelled(false);
        try {
            co_await sources_.join();
        } catch (std::system_error const &) { // only a second cancellation: it has drained all the same
        }
        try {
            co_await checks_.join();
        } catch (std::system_error const &) {
        }
        co_await asio::this_coro::throw_if_cancelled(true);
    }

    awaitable<void> finish_as(std::filesystem::path &out) { out = co_await store_->finish(); }

    /// After a failure: leaves nothing behind that is worth nothing.
    awaitable<void> tidy() {
        if (!store_ || (options_.keep_unfinished && plan_ && plan_->done_bytes() > 0)) co_return;
        co_await asio::this_coro::reset_cancellation_state();
        co_await asio::this_coro::throw_if_cancelled(false);
        try {
            co_await store_->discard();
        } catch (std::system_error const &) { // only another cancellation: it is done all the same
        }
        co_await asio::this_coro::throw_if_cancelled(true);
    }

    void report(bool last) {
        auto const done = plan_->done_bytes();
        meter_.add(clock_.now(), done);
        if (!callbacks_.progress || (done == last_bytes_ && !last)) return;
        last_bytes_ = done;
        callbacks_.progress(state());
    }

    any_io_executor executor_;
    any_io_executor pool_;
    share_code code_;
    std::filesystem::path folder_;
    download_options options_;
    download_callbacks callbacks_;
    context_clock clock_;
    async_condition changed_;          // the plan, or what is being prepared or verified
    timer ticker_;                     // wakes `supervise`
    std::deque<source_ptr> waiting_;
    std::vector<source_ptr> active_;   // those with an open stream
    std::size_t running_ = 0;          // source tasks
    time_point next_maker_{};          // when another source may begin to make the plan
    bool opening_ = false;             // a plan is being made into `plan_`
    time_point made_room_at_{};
    std::unique_ptr<chunk_store> store_;
    std::unique_ptr<chunker> plan_;    // and `store_` is open
    std::vector<bytes> free_;
    std::size_t checking_ = 0;
    std::exception_ptr failure_;       // ends the download
    std::exception_ptr last_error_;    // of the source that ended last
    progress_meter meter_;
    std::uint64_t last_bytes_ = 0;     // as told
    task_group sources_;
    task_group checks_;
};

} // namespace gigi::inline v1
