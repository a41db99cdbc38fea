// A client and servers of files in one process: disk work inline, lines that can be broken.
#pragma once

#include "memory_pipe.hpp"
#include "temporary_folder.hpp"

#include <gigi/file/download.hpp>
#include <gigi/file/upload.hpp>
#include <gigi/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <ostream>

namespace file_world {

using namespace gigi;
namespace fs = std::filesystem;

constexpr std::size_t KiB = 1024, chunk = chunk_map::least_chunk_size;

using line = pipe_end::line;
using twist = std::function<void(line &)>; // done to each new line; ways[0] is from client to server

/// A pool without threads: its jobs are done one by one, a millisecond apart, and not while it stands still.
struct slow_pool {
    asio::io_context jobs;
    bool still = false;
    std::function<void()> after; ///< each job

    awaitable<void> work() {
        for (;;) {
            co_await sleep_for(1ms);
            jobs.restart();
            if (!still && jobs.poll_one() > 0 && after) after();
        }
    }
};

/// A node that shares, without a network: every `connect` is a new line.
struct server {
    server(any_io_executor const &executor, any_io_executor const &offload, fs::path list = {})
        : ex{executor}, pool{offload}, files{executor, offload, std::move(list), 1000}, tasks{executor} {}

    any_io_executor ex, pool;
    shared_files files;
    upload_slots slots;
    upload_options options;
    std::unique_ptr<rate_gate> pace; // none: as fast as it goes
    std::vector<upload_progress> progress;
    std::vector<std::error_code> ends;
    twist on_connect;
    std::size_t connections = 0;
    task_group tasks;

    pipe_end connect(peer_id peer = {}) {
        ++connections;
        auto const l = std::make_shared<line>(ex);
        if (on_connect) on_connect(*l);
        tasks.spawn(serve(pipe_end{l, 1}, std::move(peer)));
        return pipe_end{l, 0};
    }
    awaitable<void> serve(pipe_end end, peer_id peer) {
        rate_pass pass = pace ? rate_pass{*pace, peer} : rate_pass{};
        file_upload<pipe_end> one{std::move(end), std::move(peer), ex, pool, files, slots, options, [this](upload_progress const &p) { progress.push_back(p); }, std::move(pass)};
        std::error_code code;
        try {
            co_await one.run();
        } catch (std::system_error const &e) {
            code = e.code();
        }
        ends.push_back(code);
    }
    awaitable<void> stop() {
        tasks.cancel();
        co_await tasks.join();
    }
};

inline awaitable<pipe_end> open_to(server &s) { co_return s.connect(); }
inline awaitable<pipe_end> open_fails() {
    throw error{make_error_code(errc::unreachable)};
    co_return pipe_end{nullptr, 0};
}

/// What one test needs. Disk work runs inline.
struct world {
    explicit world(any_io_executor const &executor) : ex{executor} {}
    any_io_executor ex;
    any_io_executor pool = ex; // of downloads
    temporary_folder shared, output;
    fs::path destination = output.path;
    std::vector<std::unique_ptr<server>> servers;
    std::vector<download_state> progress;
    std::vector<download_state> started;
    std::error_code failed;
    download_options options;
    std::unique_ptr<file_download<pipe_end>> last;

    server &add_server() {
        servers.push_back(std::make_unique<server>(ex, ex));
        return *servers.back();
    }
    file_download<pipe_end> &prepare(std::string const &code) {
        download_callbacks callbacks;
        callbacks.started = [this](download_state const &s) { started.push_back(s); };
        callbacks.progress = [this](download_state const &s) { progress.push_back(s); };
        last = std::make_unique<file_download<pipe_end>>(ex, pool, share_code::parse(code).value(), destination, options, std::move(callbacks));
        for (auto &s : servers) {
            auto *const to = s.get();
            last->add_source([to] { return open_to(*to); });
        }
        return *last;
    }
    awaitable<fs::path> get(std::string code) {
        failed.clear();
        auto &d = prepare(code);
        try {
            downloaded_file const done = co_await d.run();
            co_return done.path;
        } catch (std::system_error const &e) {
            failed = e.code();
        }
        co_return fs::path{};
    }
    awaitable<void> stop() {
        for (auto &s : servers) co_await s->stop();
    }
};

/// In simulated time: how busy the machine is makes nothing stall.
template <class F> void run(F body) {
    testing::simulation sim;
    world w{sim.get_executor()};
    sim.run(body(w));
}

inline awaitable<std::string> share(server &s, fs::path path) {
    shared_entry const entry = co_await s.files.share(std::move(path), hash_progress{});
    co_return entry.code;
}
inline awaitable<std::string> share_content(world &w, server &s, std::string name, bytes content) {
    std::string code = co_await share(s, w.shared.write(name, content));
    co_return code;
}

inline void same(fs::path const &path, bytes_view content) {
    CHECK(fs::is_regular_file(path));
    CHECK(temporary_folder::read(path) == as_text(content)); // NOLINT: a difference is the whole file
}

} // namespace file_world
